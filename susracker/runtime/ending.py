"""The end of work in the background that nobody expected."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def end_logged(log: logging.Logger, what: str) -> Iterator[None]:
    """Log an unexpected error that ends this block, once, with its traceback.

    It goes around all that a thread or a greenlet does, which ends with it. By themselves, Python
    and gevent would write the traceback past the log. Whoever started the work must see that it
    ended, and say so.

    Args:
        what: the line to log, such as "delivery has stopped".
    """
    try:
        yield
    except Exception:
        log.exception("%s", what)
