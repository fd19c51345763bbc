"""Contract suites: what every backend must do, as tests to run over one of your own.

A suite is a module of tests that need fixtures of the suite's interface. Import everything from it
into a file of tests, beside the fixtures:

    from susracker.testing.matcher import *

    @pytest.fixture
    def matcher():
        with closing(open_matcher("mine", DIMENSION)) as opened:
            yield opened

| suite | fixtures |
|---|---|
| `matcher` | `matcher` |
| `cooldown` | `cooldown_of` |
| `encoder` | `encoder` |
| `access`, `outbox`, `store` | `store`, `url` |
| `gallery`, `gallery_edits`, `gallery_photos` | `gallery`, `url` |
| `journal`, `alerts_found` | `journal` |
| `journal_cooldown`, `judgements`, `retention` | `journal`, `store`, `url` |

`url` is that of a store that does not exist yet, and `store`, `gallery` and `journal` are that
store, open. The suites need pytest.
"""

from __future__ import annotations

import pytest

SUITES = (
    "access",
    "alerts_found",
    "cooldown",
    "encoder",
    "gallery",
    "gallery_edits",
    "gallery_photos",
    "journal",
    "journal_cooldown",
    "judgements",
    "matcher",
    "outbox",
    "retention",
    "store",
)

# So that a test that fails shows what was compared.
pytest.register_assert_rewrite(*(f"{__name__}.{suite}" for suite in SUITES))
