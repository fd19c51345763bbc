"""A MongoDB that is slow, hangs or is away, while cameras post.

python -m tests.torture.mongodb_faults [--seconds 15]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.services.servers import start_mongodb
from tests.torture.figures import Figures
from tests.torture.people import enroll_both, strangers
from tests.torture.relay import Relay
from tests.torture.site import Site
from tests.torture.trial import COOLDOWN_SECONDS, Fault, suffer

SLOW_SECONDS = 0.2


class RelayedPlace:
    """A site whose database is behind a relay."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        mongodb = start_mongodb(folder / "mongodb")
        stack.callback(mongodb.kill)
        self.relay = Relay(mongodb.port)
        stack.callback(self.relay.close)
        self.strangers = strangers()
        url = f"mongodb://127.0.0.1:{self.relay.port}/susracker"
        enroll_both(url)
        self.site = Site(folder, "--cooldown-seconds", f"{COOLDOWN_SECONDS:g}", store=url)
        stack.enter_context(self.site)


def relayed(
    delay: float = 0, *, hangs: bool = False, away: bool = False
) -> Callable[[RelayedPlace], AbstractContextManager[None]]:
    """See `Relay`."""

    @contextmanager
    def harm(place: RelayedPlace) -> Iterator[None]:
        relay = place.relay
        relay.delay, relay.hangs, relay.away = delay, hangs, away
        yield
        relay.delay, relay.hangs, relay.away = 0, False, False

    return harm


FAULTS = {
    "MongoDB slow": Fault(relayed(SLOW_SECONDS), ""),
    "MongoDB away": Fault(relayed(away=True), "MongoDB cannot be reached"),
    "MongoDB hangs": Fault(relayed(hangs=True), "MongoDB cannot be reached|has not answered"),
}


def main() -> None:
    """Run in full."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    args = parser.parse_args()
    figures = Figures(f"MongoDB, {args.seconds:g} s each")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        suffer(RelayedPlace(Path(folder), stack), FAULTS, figures, args.seconds)
    figures.exit()


if __name__ == "__main__":
    main()
