"""How often one passage is decided on, and what each decision may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """One decision on a probe.

    Attributes:
        probes: how many independent probes it was fused from, at least 1.
        share: the share of the target FPIR that may be spent on it, above 0 and at most 1.
    """

    probes: float = 1.0
    share: float = 1.0


ONLY = Look()
"""The decision on a probe that is looked at once."""

LOOKS = (Look(1, 0.2), Look(1.5, 0.1), Look(2.5, 0.1), Look(5, 0.1))
"""A passage is decided on when its faces count for so many probes: with the first face, and then,
if they are a second apart, with the second, third and sixth. What these looks leave of the target
is for the last one, which knows all faces. Its chances to raise a false alert add up at most to the
sum of the shares, however much its probes depend on each other (Boole's inequality).

Most people are found with one face, so the first look has more than each of the others. A larger
share would bring some alerts forward, and be spent on the least evidence."""


def looks_due(probes: float) -> int:
    """How many of `LOOKS` a passage has reached whose faces count for so many probes."""
    return sum(look.probes <= probes for look in LOOKS)


def share_left(looks: int, *, is_same: bool) -> float:
    """The share of the target that is left for one last look, as a passage ends.

    Args:
        looks: how many of `LOOKS` were taken.
        is_same: whether nothing was added since the last of them. It is part of the same decision
            then, for whoever reached the threshold reaches a lower one, too: the last look may
            spend that share again.
    """
    spent = sum(look.share for look in LOOKS[: looks - 1 if is_same else looks])
    return 1 - spent


LAST_LOOKS = tuple(
    Look(one.probes, share_left(number, is_same=True)) for number, one in enumerate(LOOKS[:-1], 1)
)
"""The last looks at passages that end just after the first look, the second and the third: of one
face, two and three, a second apart."""
