"""The command line as a whole: help, errors, exit statuses, completion."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from susracker.cli import COMMANDS, main
from susracker.demo.process import ServerProcess
from susracker.plugins import open_encoder, open_store
from susracker.testing.records import criminal

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
"""Pages with examples of commands, or without."""

UNNEEDED = {
    "aiohttp.client",
    "matplotlib.cbook",
    "onnx.helper",
    "onnxruntime.quantization",
    "pymongo.errors",
    "redis.client",
    "requests.api",
    "rich.console",
    "watchdog.utils",
    "websocket._core",
}
"""Modules of packages that a server without settings has no use for. Each is imported by its own
package, for Python also lists packages that it was asked for and did not find."""


def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "susracker", *args],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=60,
    )


def all_commands() -> list[tuple[str, click.Command]]:
    ctx = click.Context(main)
    found = [(name, main.get_command(ctx, name)) for name in COMMANDS]
    for name, command in list(found):
        if isinstance(command, click.Group):
            found += [(f"{name} {child}", command.commands[child]) for child in command.commands]
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name):
    command = main.get_command(click.Context(main), name)
    assert command.help.splitlines()[0] == COMMANDS[name]


@pytest.mark.parametrize(("name", "command"), all_commands())
def test_every_command_has_examples_and_every_option_help(name, command):
    assert "Examples:" in command.help or isinstance(command, click.Group)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


def examples_in(text: str) -> list[str]:
    """The commands in a text, without their comments and what they are piped into."""
    text = text.replace("\\\n", " ")
    shown = re.findall(r"^ *(?:[A-Z_]+=\S+ )?susracker (.+)", text, re.MULTILINE)
    return [re.split(r"   |\s[|>&#]", line)[0] for line in shown]


def parse(words: list[str]) -> None:
    """Parse what follows `susracker`."""
    command, ctx = main, click.Context(main)
    while isinstance(command, click.Group):
        _, words, _ = command.make_parser(ctx).parse_args(words)
        _, command, words = command.resolve_command(ctx, words)
    command.make_context(command.name, words, ctx)


@pytest.fixture
def without_files(monkeypatch):
    """The files that examples name are not there."""
    for kind in (click.Path, click.File):
        monkeypatch.setattr(kind, "convert", lambda self, value, param, ctx: value)


@pytest.mark.usefixtures("without_files")
@pytest.mark.parametrize(("name", "command"), [("", main), *all_commands()])
def test_the_examples_of_help_can_be_typed(name, command):
    examples = examples_in(command.help)
    assert examples or name == "recordings"
    for example in examples:
        parse(shlex.split(example))


@pytest.mark.usefixtures("without_files")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_can_be_typed(page):
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^ *```[a-z]*\n.*?```|^ {4}[^\n]*$", text, re.MULTILINE | re.DOTALL)
    examples = examples_in("\n".join(blocks))
    assert examples or page.stem != "quickstart"
    for example in examples:
        parse(shlex.split(example))


def test_help_imports_no_command():
    program = (
        "import sys; from click.testing import CliRunner; from susracker.cli import main;"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0;"
        "heavy = {'numpy', 'pydantic', 'flask', 'rich', 'dlib', 'cv2', 'onnxruntime', 'gevent'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_a_server_imports_only_what_it_needs(tmp_path, monkeypatch, capfd):
    nobody = np.zeros((1, 150, 150, 3), np.uint8)
    for embed in (open_encoder("dlib").embed, open_encoder("dlib").embed_fast):
        embed(nobody)  # builds the networks, if they are not in the cache folder yet
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with ServerProcess("--store", f"sqlite:///{tmp_path}/people.db"):
        pass
    imported = {line.rpartition("|")[2].strip() for line in capfd.readouterr().err.splitlines()}
    assert {"cv2", "flask", "onnxruntime"} <= imported
    assert not imported & UNNEEDED


def test_importing_the_library_loads_no_model_and_prints_nothing():
    program = (
        "import sys, susracker; susracker.__all__;"
        "assert not {'numpy', 'dlib', 'onnxruntime', 'sqlite3'} & set(sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == ""


def test_every_public_name_is_there():
    import susracker

    for name in susracker.__all__:
        assert getattr(susracker, name).__name__ == name
    with pytest.raises(AttributeError, match="nobody"):
        _ = susracker.nobody


def test_an_unknown_command_is_a_usage_error():
    result = run("enrol")
    assert result.returncode == 2
    assert "No such command 'enrol'. Did you mean 'enroll'?" in result.stderr
    assert "No such command 'xyz'.\n" in run("xyz").stderr


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["serve", "--port", "99999"], 2, "port"),
        (["serve", "--matcher", "nearest"], 2, "there are: exact"),
        (["serve", "--store", "nosql://x"], 2, "there are:"),
        (["serve", "--store", "sqlite:///{folder}"], 1, "{folder}"),
        (["criminals", "list", "--store", "sqlite:///{text}"], 1, "{text}"),
        (["--config", "{folder}/none.toml", "settings"], 2, "none.toml"),
        (["--config", "{text}", "settings"], 2, "{text}"),
    ],
)
def test_errors_are_one_line_and_an_exit_status(tmp_path, args, status, said):
    text = tmp_path / "text.db"
    text.write_text("this is neither a database nor TOML, " * 100)
    names = {"folder": str(tmp_path), "text": str(text)}
    result = run(*[arg.format(**names) for arg in args])
    assert result.returncode == status, result.stderr
    assert said.format(**names) in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_and_completes(shell):
    assert "_SUSRACKER_COMPLETE" in CliRunner().invoke(main, ["completion", shell]).output
    result = run(_SUSRACKER_COMPLETE="bash_complete", COMP_WORDS="susracker cri", COMP_CWORD="1")
    assert "criminals" in result.stdout


def interrupted(process):
    """The exit status after Ctrl-C, which is pressed again if it came too early to be noticed."""
    for _ in range(60):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(1)
    return None


def test_ctrl_c_at_a_question_is_130_and_no_is_not(tmp_path):
    url = f"sqlite:///{tmp_path / 'people.db'}"
    words = ("criminals", "remove", "c1", "--store", url, "--audit-key", str(tmp_path / "a.key"))
    with open_store(url) as store:
        store.put_criminal(criminal("c1"))
    assert CliRunner().invoke(main, words, input="n\n").exit_code == 1
    process = subprocess.Popen(
        [sys.executable, "-m", "susracker", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that runs the tests in the background has the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        shown = b""
        while b"Remove for good?" not in shown:
            shown += process.stdout.read1(1000)
        # Not `communicate`, which closes the input, and an end of input is no interruption.
        assert interrupted(process) == 130
        assert b"Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()
