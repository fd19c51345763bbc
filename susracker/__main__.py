"""`susracker`, and `python -m susracker`."""

from __future__ import annotations

from susracker.runtime.interruption import leave_at_once


def main() -> None:
    """Run the command that was typed."""
    leave_at_once()
    from susracker.cli import main as command

    command(prog_name="susracker")


if __name__ == "__main__":
    main()
