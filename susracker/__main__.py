"""`python -m susracker`."""

from susracker.cli import main

main(prog_name="susracker")
