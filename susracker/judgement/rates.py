"""How often alerts are false, as far as people have said so."""

from __future__ import annotations

from dataclasses import dataclass

from susracker.benchmark.metrics import Interval, proportion_interval


@dataclass(frozen=True, slots=True)
class FalseAlertRate:
    """False alerts per search.

    What nobody has confirmed or dismissed may be false or not: as it stands the rate counts it as
    right, and `highest` as false.

    Attributes:
        searches: how many passages, or faces, were compared with the watch-list; at least 1.
        dismissed: alerts that people found to be false.
        undecided: alerts that are neither confirmed nor dismissed.
    """

    searches: int
    dismissed: int
    undecided: int

    @property
    def rate(self) -> float:
        """Dismissed alerts per search."""
        return min(1.0, self.dismissed / self.searches)

    @property
    def interval(self) -> Interval:
        """95% interval of `rate` by Wilson (see `proportion_interval`)."""
        return proportion_interval(self.rate, self.searches)

    @property
    def highest(self) -> float:
        """The rate if everything undecided were false."""
        return min(1.0, (self.dismissed + self.undecided) / self.searches)

    @property
    def highest_interval(self) -> Interval:
        """95% interval of `highest`."""
        return proportion_interval(self.highest, self.searches)

    def warning(self, promised: float) -> str | None:
        """What is wrong with the promise, whatever the undecided alerts turn out to be; None if
        nothing is known to be.

        Args:
            promised: the FPIR.
        """
        (low, high), (_, highest) = self.interval, self.highest_interval
        if promised < low:
            return (
                f"{percent(self.rate)} false alerts ({percent(low)} to {percent(high)}), more than"
                f" the promised {percent(promised)}"
            )
        if promised > highest:
            return (
                f"at most {percent(highest)} false alerts, fewer than the promised"
                f" {percent(promised)}"
            )
        return None


def percent(share: float) -> str:
    """A share as a percentage, to two significant digits."""
    return f"{100 * share:.2g}%" if share < 0.995 else "100%"
