"""What the checks of `susracker doctor` yield."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        what: the part that was checked.
        text: how it is, and what to do if it is not as it should be.
    """

    what: str
    state: State
    text: str
