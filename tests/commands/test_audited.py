"""What commands note in the audit log, and that each one says what it notes or why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from susracker.access.export import all_entries
from susracker.access.signing import PublicKey, public_path
from susracker.access.verification import verify
from susracker.cli import main
from susracker.commands.auditing import declared_audit
from susracker.enrolment.fields import criminal_from_fields
from susracker.oversight import AuditEntry
from susracker.plugins import open_store
from susracker.recording.edit import write_new
from susracker.testing.records import activity
from tests.enrolment import samples
from tests.pictures import HOPPER
from tests.replay.test_replay import NIGHT_SHIFT

AUDIT_PAGE = Path(__file__).parents[2] / "docs" / "audit.md"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """All commands that are no groups, by what is typed."""
    # Click keeps the names of the help option that it first sees.
    ctx = click.Context(group, help_option_names=["-h", "--help"])
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(main))


def noting() -> dict[str, click.Command]:
    return {name: one for name, one in COMMANDS.items() if isinstance(declared_audit(one), tuple)}


def test_every_command_says_what_it_notes_or_why_not() -> None:
    assert [name for name, one in COMMANDS.items() if not declared_audit(one)] == []


def test_the_key_of_the_log_can_be_named_wherever_something_is_noted() -> None:
    without = [
        name for name, one in noting().items() if "audit_key" not in [p.name for p in one.params]
    ]
    assert without == []


READS = {"list", "show", "stats", "track", "watch"}


def test_a_reason_can_be_given_for_each_change_and_each_export() -> None:
    without = [
        name
        for name, one in noting().items()
        if name.split()[-1] not in READS and "reason" not in [p.name for p in one.params]
    ]
    assert without == ["alerts outcome"]  # it has a note


def test_each_action_of_a_command_is_documented() -> None:
    page = AUDIT_PAGE.read_text()
    actions = {action for one in noting().values() for action in declared_audit(one) or ()}
    assert [one for one in sorted(actions) if f"`{one}`" not in page] == []


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store, with the key of its log beside it, named by the environment."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'site.db'}"
    monkeypatch.setenv("SUSRACKER_STORE", url)
    monkeypatch.setenv("SUSRACKER_AUDIT_KEY", str(tmp_path / "audit-key.pem"))
    return url


def run(line: str, *more: object, status: int = 0) -> Result:
    result = CliRunner().invoke(main, [*line.split(), *map(str, more)])
    assert result.exit_code == status, result.output
    return result


def entries(url: str) -> list[AuditEntry]:
    with open_store(url) as store:
        return list(all_entries(store))


def noted(url: str) -> list[tuple[str, str, str]]:
    return [(one.action, one.subject, one.reason) for one in entries(url)]


def details(url: str) -> list[object]:
    return [json.loads(one.detail) for one in entries(url)]


def add(url: str, **fields: object) -> str:
    criminal = criminal_from_fields(fields)
    with open_store(url) as store:
        store.put_criminal(criminal)
    return criminal.id


def test_looks_and_changes_of_people(url: str) -> None:
    who = add(url, name="Grace")
    run("criminals list --name grace")
    run("criminals show", who)
    run("criminals stats")
    run("criminals set-status", who, "apprehended", "--reason", "arrested")
    run("criminals remove --yes", who, "--reason", "acquitted")
    assert noted(url) == [
        ("criminal.list", "", ""),
        ("criminal.show", who, ""),
        ("criminal.edit", who, "arrested"),
        ("criminal.remove", who, "acquitted"),
    ]
    assert details(url) == [
        {"searched": True, "shown": 1, "first": [who]},
        {},
        {"fields": ["status"], "photos": 0},
        {},
    ]
    assert {(one.role, one.address) for one in entries(url)} == {("local", "")}
    assert all(one.actor.startswith("os:") for one in entries(url))
    assert "grace" not in repr(entries(url)).lower()


def test_a_change_that_cannot_be_noted_is_not_made(url: str, tmp_path: Path) -> None:
    who = add(url, name="Grace")
    run("criminals show", who)
    other = ("--audit-key", tmp_path / "other.pem")
    Path("jo.jpg").write_bytes(HOPPER.read_bytes())
    for line, more in (
        ("criminals remove --yes", [who]),
        ("criminals set-status", [who, "apprehended"]),
        ("criminals list", []),
        ("enroll jo.jpg --name Jo", []),
        ("keys create --role admin --name Jo", []),
        ("purge --yes", []),
    ):
        assert "another key" in run(line, *more, *other, status=2).output
    with open_store(url) as store:
        assert [(one.name, one.status) for one in store.criminals()] == [("Grace", "wanted")]
        assert store.keys() == []
    assert len(entries(url)) == 1


def test_enrolments(url: str) -> None:
    Path("jo.jpg").write_bytes(samples.hopper())
    Path("jo2.jpg").write_bytes(samples.hopper(80))
    run("enroll jo.jpg --name Jo --reason", "warrant 7")
    run("enroll jo.jpg --name Jo")
    run("enroll jo.jpg jo2.jpg --name Jo --threat high")
    with open_store(url) as store:
        (jo,) = store.criminals()
    assert noted(url) == [("criminal.add", jo.id, "warrant 7"), ("criminal.edit", jo.id, "")]
    assert details(url) == [
        {"fields": [], "photos": 1},
        {"fields": ["threat"], "photos": 1},
    ]


def test_removed_photos(url: str) -> None:
    Path("jo.jpg").write_bytes(samples.hopper())
    run("enroll jo.jpg --name Jo")
    with open_store(url) as store:
        (jo,) = store.criminals()
        (photo,) = store.photo_ids(jo.id)
    run("criminals remove-photo --yes", jo.id, photo, "--reason", "someone else")
    assert noted(url)[1:] == [("criminal.remove_photo", jo.id, "someone else")]
    assert details(url)[1:] == [{"photo": photo}]


def test_keys(url: str) -> None:
    open_store(url).close()
    run("keys list")
    run("keys create --role viewer --name Jo --reason new")
    with open_store(url) as store:
        (key,) = store.keys()
    rotated = run("keys rotate Jo --reason", "on paper").output
    run("keys revoke Jo --yes --reason left")
    assert noted(url) == [
        ("key.create", key.id, "new"),
        ("key.rotate", key.id, "on paper"),
        ("key.revoke", key.id, "left"),
    ]
    assert details(url)[0] == {"name": "Jo", "role": "viewer"}
    # The secret, which may hold the character that stands before it.
    assert rotated.split()[0].split("_", 2)[2] not in repr(entries(url))


def test_rotations_of_the_data_key(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add(url, name="Grace")
    run("keys new-data-key one.key")
    run("keys new-data-key two.key")
    monkeypatch.setenv("SUSRACKER_DATA_KEY", "one.key")
    run("keys rotate-data --reason", "encrypt it")
    run("keys rotate-data --to two.key")
    monkeypatch.setenv("SUSRACKER_DATA_KEY", "two.key")
    run("keys rotate-data --off")
    assert noted(url) == [
        ("store.rotate_data", "", "encrypt it"),
        ("store.rotate_data", "", ""),
        ("store.rotate_data", "", ""),
    ]
    ids = [one["data_key"] for one in details(url)]  # type: ignore[index]
    assert len(set(ids)) == 3
    assert not ids[2]


def test_looks_and_exports_of_alerts(url: str) -> None:
    with open_store(url) as store:
        (alert,) = store.record([], [activity()])
    run("alerts list")
    run("alerts show", alert.id)
    run("alerts stats")
    run("alerts export out.csv --reason report")
    run("alerts hold", alert.id, "--reason", "case")
    run("alerts release", alert.id, "--reason", "closed")
    run("alerts review", alert.id, "--verdict", "dismissed", "--reason", "a dog")
    assert noted(url) == [
        ("alert.list", "", ""),
        ("alert.show", alert.id, ""),
        ("alert.stats", "", ""),
        ("alert.export", "", "report"),
        ("alert.hold", alert.id, "case"),
        ("alert.release", alert.id, "closed"),
        ("alert.review", alert.id, "a dog"),
    ]


def test_recordings_and_replays(url: str) -> None:
    write_new(Path("night"), NIGHT_SHIFT, lambda: None)
    run("enroll", HOPPER, "--name", "Grace")
    run("recordings list")
    run("recordings show night")
    run("recordings cut night part --reason case")
    run("recordings merge part whole")
    run("recordings anonymise part faceless --reason study")
    run("replay night --save-faces faces --reason test")
    assert noted(url)[1:] == [
        ("recording.cut", "", "case"),
        ("recording.merge", "", ""),
        ("recording.anonymise", "", "study"),
        ("replay", "", "test"),
    ]
    assert details(url)[1:] == [
        {"to": "part"},
        {"to": "whole"},
        {"to": "faceless"},
        {"faces": True},
    ]


def test_a_purge_and_each_person_whom_it_removes(url: str) -> None:
    who = add(url, name="Grace", expires_at="2020-01-31")
    with open_store(url) as store:
        store.record([], [activity(received_at=datetime(2020, 1, 31, tzinfo=timezone.utc))])
    run("purge --yes --keep-expired-days 3 --keep-alerts-days 3 --reason rules")
    assert noted(url) == [
        ("purge", "", "rules"),
        ("criminal.remove", who, "expired over 3 days ago"),
    ]
    assert details(url)[0] == {"alerts": 1, "expired people": 1}
    assert all(one.actor.startswith("os:") for one in entries(url))


def test_whole_stores(url: str, tmp_path: Path) -> None:
    add(url, name="Grace")
    run("backup site.susracker --reason nightly")
    run("copy", url, f"sqlite:///{tmp_path / 'copy.db'}", "--reason", "to move")
    assert noted(url) == [("store.backup", "", "nightly"), ("store.copy", "", "to move")]


def test_the_log_of_all_this_is_whole(url: str, tmp_path: Path) -> None:
    open_store(url).close()
    for _ in range(3):
        run("criminals list")
    with open_store(url) as store:
        key = PublicKey.load(public_path(tmp_path / "audit-key.pem"))
        found = verify(all_entries(store), store.audit_head(), key)
    assert (found.problems, found.entries) == ([], 3)
