"""docs/delivery.md says what there is, and its example works."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
import tomlkit

from susracker.delivery.base import Message
from susracker.delivery.messages import TYPES, data_of
from susracker.delivery.rules import (
    ChannelOptions,
    MqttOptions,
    NotifyOptions,
    Rule,
    WebhookOptions,
    plan_of,
)
from susracker.testing.records import activity

PAGE = (Path(__file__).parents[2] / "docs" / "delivery.md").read_text(encoding="utf-8")
SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()


def test_the_example_of_the_page_is_a_plan(tmp_path):
    (example,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for file, content in (("control-room.secret", SECRET), ("officer.url", "mailto://jo@x.org")):
        (tmp_path / file).write_text(content)
    tables = tomlkit.parse(example.replace("/etc/susracker", str(tmp_path))).unwrap()
    plan = plan_of(tables)
    assert [len(plan.rules_to(name)) for name in ("control-room", "officer")] == [2, 1]


@pytest.mark.parametrize("kind", [ChannelOptions, WebhookOptions, MqttOptions, NotifyOptions, Rule])
def test_every_option_is_on_the_page_with_its_default(kind):
    for name, field in kind.model_fields.items():
        assert f"`{name}`" in PAGE, name
        if isinstance(field.default, bool | int | float | str) and field.default != "":
            row = re.search(rf"^\| `{name}`(?:[^|]*)\|(.*)", PAGE, re.MULTILINE)
            assert row, name
            assert shown(field.default) in row[1], name


def shown(default: bool | int | float | str) -> str:
    """A default as the page shows it."""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f'"{default}"' if isinstance(default, str) else f"{default:g}"


def test_every_type_of_message_is_on_the_page():
    for name in TYPES.values():
        assert f"`{name}`" in PAGE


def test_every_field_of_a_message_is_on_the_page():
    one = Message("1", "alert", (activity(),))
    several = Message("2", "gathered", (activity(), activity()))
    for field in data_of(one).keys() | data_of(several).keys():
        assert f"`{field}`" in PAGE or f'"{field}"' in PAGE, field
