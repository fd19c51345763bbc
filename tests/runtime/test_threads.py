"""How threads share Python's lock."""

from __future__ import annotations

import sys

from susracker.runtime.threads import switch_often


def test_threads_give_way_soon():
    before = sys.getswitchinterval()
    try:
        switch_often()
        assert sys.getswitchinterval() < before / 5
    finally:
        sys.setswitchinterval(before)
