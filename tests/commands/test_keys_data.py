"""`susracker keys new-data-key` and `rotate-data`, and commands on an encrypted store."""

from __future__ import annotations

import ast
import base64
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from susracker.cli import main
from susracker.config import Settings
from susracker.errors import ConfigError
from susracker.plugins import open_store
from susracker.stores.data_key import create_data_key, sealer_of
from susracker.stores.transfer import Contents, contents
from susracker.testing.records import criminal, face_alert, photo, template
from tests.disks import full_disk
from tests.test_plugins import install

KEY = base64.b64encode(bytes(range(32))).decode()


def run(*args: object, **variables: str) -> Result:
    typed = [str(one) for one in args]
    return CliRunner().invoke(main, typed, env=variables, catch_exceptions=False)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'site.db'}"


@pytest.fixture
def key(tmp_path: Path) -> str:
    create_data_key(tmp_path / "data.key")
    return str(tmp_path / "data.key")


def fill(url: str, data_key: str = "") -> None:
    with open_store(url, data_key) as store:
        taken = photo()
        store.put_criminal(criminal(), [taken], [template(taken)])
        store.record([], [face_alert()])


def listed(url: str, **variables: str) -> Result:
    return run("criminals", "list", "--store", url, **variables)


def one_line(result: Result) -> str:
    """What a command says that refuses: one line, and the status of a setting that is wrong."""
    assert result.exit_code == 2
    (said,) = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    return said


def test_a_new_key_is_random_and_its_owners_alone(tmp_path):
    files = [tmp_path / "one", tmp_path / "two"]
    before = os.umask(0)
    try:
        assert [run("keys", "new-data-key", file).exit_code for file in files] == [0, 0]
    finally:
        os.umask(before)
    one, two = (base64.b64decode(file.read_text()) for file in files)
    assert len(one) == len(two) == 32
    assert one != two
    if os.name != "nt":
        assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert "exists already" in one_line(run("keys", "new-data-key", files[0]))
    assert base64.b64decode(files[0].read_text()) == one


def test_a_key_that_cannot_be_written_is_not_in_the_way_of_the_next_attempt(tmp_path):
    with full_disk(0):
        assert "File too large" in one_line(run("keys", "new-data-key", tmp_path / "key"))
    assert run("keys", "new-data-key", tmp_path / "key").exit_code == 0


def test_a_key_may_be_base64_or_hexadecimal_in_a_file_or_a_variable(tmp_path):
    for number, text in enumerate([KEY, KEY + "\n", bytes(range(32)).hex()]):
        file = tmp_path / str(number)
        file.write_text(text)
        assert sealer_of(str(file)).key_id == sealer_of(f"base64:{KEY}").key_id


@pytest.mark.parametrize("text", ["", KEY[:-4], KEY + "AAAA", "\xff" * 32, "not a key", "0" * 63])
def test_what_is_no_key_is_refused_without_showing_it(tmp_path, text):
    file = tmp_path / "data.key"
    file.write_text(text, encoding="latin-1")
    for setting in (str(file), f"base64:{text}"):
        with pytest.raises(ConfigError) as caught:
            sealer_of(setting)
        assert not text or text not in str(caught.value)


def test_a_plain_store_is_encrypted_rotated_and_decrypted(tmp_path, url, key):
    fill(url)
    new = tmp_path / "new.key"
    run("keys", "new-data-key", new)
    assert "`susracker keys rotate-data`" in one_line(listed(url, SUSRACKER_DATA_KEY=key))
    rotate = ("keys", "rotate-data", "--store", url)
    made = run(*rotate, SUSRACKER_DATA_KEY=key)
    assert (made.exit_code, "1 photo, 1 template and 1 face changed" in made.output) == (0, True)
    assert listed(url, SUSRACKER_DATA_KEY=key).exit_code == 0
    assert "set data_key to the file" in one_line(listed(url))
    again = run(*rotate, "--data-key", key, "--to", new)
    assert f"now set data_key to {new}" in again.output
    assert "is not the store's data key" in one_line(listed(url, SUSRACKER_DATA_KEY=key))
    assert listed(url, SUSRACKER_DATA_KEY=str(new)).exit_code == 0
    assert "is not encrypted" in run(*rotate, "--data-key", new, "--off").output
    assert listed(url).exit_code == 0


def test_a_rotation_that_makes_no_sense_says_so(tmp_path, url, key):
    fill(url)
    rotate = ("keys", "rotate-data", "--store", url)
    assert "data_key is not set" in one_line(run(*rotate))
    assert "data_key is not set" in one_line(run(*rotate, "--off"))
    assert "exclude each other" in one_line(run(*rotate, "--off", "--to", key))
    assert "not encrypted yet" in one_line(run(*rotate, "--data-key", f"base64:{KEY}", "--to", key))
    missing = f"sqlite:///{tmp_path / 'missing.db'}"
    assert "there is no store" in one_line(run(*rotate[:2], "--store", missing, "--data-key", key))
    assert not (tmp_path / "missing.db").exists()


def test_a_server_with_a_wrong_key_says_one_line_and_ends(url, key, tmp_path):
    fill(url, key)
    create_data_key(tmp_path / "other.key")
    for data_key, said in (("", "set data_key"), (str(tmp_path / "other.key"), "is not the store")):
        result = subprocess.run(
            [sys.executable, "-m", "susracker", "serve", "--port", "0", "--store", url],
            env=os.environ | {"SUSRACKER_DATA_KEY": data_key},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 2
        (line,) = [one for one in result.stderr.splitlines() if one.startswith("Error: ")]
        assert said in line
        assert "Traceback" not in result.stderr


def test_a_backup_of_an_encrypted_store_is_encrypted_and_restored(tmp_path, url, key):
    fill(url, key)
    file, back = tmp_path / "backup", f"sqlite:///{tmp_path / 'back.db'}"
    assert run("backup", file, "--store", url, SUSRACKER_DATA_KEY=key).exit_code == 0
    assert b"picture " not in file.read_bytes()
    assert "is encrypted" in one_line(run("restore", file, "--store", back))
    assert run("restore", file, "--store", back, SUSRACKER_DATA_KEY=key).exit_code == 0
    with open_store(back, key) as store:
        assert store.photo(store.photo_ids("c1")[0]).content.startswith(b"picture ")


def test_a_copy_decrypts_with_one_key_and_encrypts_with_the_other(tmp_path, url, key):
    fill(url, key)
    other = tmp_path / "other.key"
    create_data_key(other)
    sealed, plain = (f"sqlite:///{tmp_path / name}" for name in ("sealed.db", "plain.db"))
    assert run("copy", url, sealed, "--from-key", key, "--to-key", other).exit_code == 0
    # Compared each time: a copy is noted in the log of its original, which is copied with it.
    assert contents_of(url, key) == contents_of(sealed, str(other))
    assert run("copy", sealed, plain, "--from-key", other).exit_code == 0
    assert contents_of(sealed, str(other)) == contents_of(plain, "")
    wrong = run("copy", sealed, plain, "--to-key", "off", SUSRACKER_DATA_KEY=key)
    assert f"{sealed}: data_key is not the store's" in one_line(wrong)


def contents_of(url: str, data_key: str) -> Contents:
    with open_store(url, data_key) as store:
        return contents(store, lambda step, done, total: None)


def test_a_store_of_somebody_elses_that_cannot_encrypt_says_so(tmp_path, monkeypatch, key):
    text = "from susracker.stores.sqlite.store import SqliteStore\n"
    text += "class Backend(SqliteStore):\n    encrypts = False\n"
    install(tmp_path, "plainly", text, "stores", "plainly")
    monkeypatch.syspath_prepend(str(tmp_path))
    for said in (
        lambda: open_store("plainly://host", key),
        lambda: open_store("plainly://host", f"base64:{KEY}"),
    ):
        with pytest.raises(ConfigError, match="'plainly' cannot encrypt"):
            said()


# -- keys are secret ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [f"base64:{KEY}", KEY, f"base64:{KEY[:-5]}", bytes(range(32)).hex(), KEY[:-3]]
)
def test_a_key_in_the_variable_is_never_printed(url, value):
    secret = value.removeprefix("base64:")
    for args in (
        ["settings"],
        ["settings", "--json"],
        ["criminals", "list", "--store", url],
        ["keys", "rotate-data", "--store", url],
        ["copy", url, url + "2"],
    ):
        result = run(*args, SUSRACKER_DATA_KEY=value, COLUMNS="200")
        assert secret not in re.sub(r"[\s│]", "", result.output)
        assert secret[:20] not in result.output


def test_a_key_in_the_settings_file_is_never_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "susracker.toml").write_text(f'data_key = ["{KEY}"]\n')
    result = run("settings")
    assert KEY not in result.output
    assert "data_key = '***'" in one_line(result)


def test_settings_do_not_show_a_key_where_they_are_logged():
    assert KEY not in repr(Settings(data_key=f"base64:{KEY}"))


def test_a_server_logs_no_key(tmp_path, url):
    process = subprocess.Popen(
        [sys.executable, "-m", "susracker", "serve", "--port", "0", "--log-level", "debug"],
        env=os.environ | {"SUSRACKER_DATA_KEY": f"base64:{KEY}", "SUSRACKER_STORE": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed = ""
    while "workers" not in printed:
        printed += next(process.stdout)
    process.terminate()
    printed += process.communicate()[0]
    assert KEY not in printed


def test_every_command_opens_its_store_with_the_data_key():
    """`open_store_of` does; who opens one otherwise has to know its key. The contract suites open
    stores of their own."""
    package = Path(__file__).parents[2] / "susracker"
    callers = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if path.parent.name != "testing"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "open_store"
    }
    assert callers == {"plugins.py", str(Path("commands", "copy.py"))}


def test_alerts_of_an_encrypted_store(url, key, tmp_path):
    fill(url, key)
    asked = {"SUSRACKER_STORE": url, "SUSRACKER_DATA_KEY": key}
    file = tmp_path / "out.csv"
    for line in ("alerts list", "alerts stats", f"alerts export {file} --reason report"):
        result = run(*line.split(), **asked)
        assert result.exit_code == 0, result.output
    with open_store(url, key) as store:
        (alert,) = store.alerts()
    face = tmp_path / "face.jpg"
    assert run("alerts", "show", alert.id, "--save-face", face, **asked).exit_code == 0
    assert face.read_bytes() == face_alert().face
