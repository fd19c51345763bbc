"""The names that the package exports."""

from __future__ import annotations

import susracker


def test_every_exported_name_can_be_imported():
    for name in susracker.__all__:
        assert getattr(susracker, name).__name__ == name
