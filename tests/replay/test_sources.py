"""What a replay reads."""

from __future__ import annotations

import pytest

from susracker.errors import InputError
from susracker.replay.sources import Scenery, open_source
from tests.pictures import HOPPER


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.jpg").write_bytes(HOPPER.read_bytes())
    source = open_source(str(tmp_path), Scenery())
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(InputError, match=r"cannot read .*a\.jpg: No such file"):
        next(iter(source))
