"""Lists in pages, for clients that ask for a page; all others get the whole list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from susracker.errors import NotFoundError

Item = TypeVar("Item")


class ListPage(BaseModel):
    """Which part of a list a client asks for; without a limit, all of it.

    Attributes:
        after: id of the last item of the page before.
    """

    after: str | None = Field(None, max_length=200)
    limit: int | None = Field(None, ge=1, le=1000)


def paged(
    name: str,
    items: Sequence[Item],
    page: ListPage,
    id_of: Callable[[Item], str],
    shown: Callable[[Item], dict[str, Any]],
) -> dict[str, Any]:
    """A page of a list as JSON, under a name; with a limit, also `next`: what to send as `after`
    for the page that follows, or None.

    Raises:
        NotFoundError: the item to go on after is not in the list any more.
    """
    rest = items[_start(items, page.after, id_of) :]
    found = rest[: page.limit]
    body: dict[str, Any] = {name: [shown(one) for one in found]}
    if page.limit is not None:
        body["next"] = id_of(found[-1]) if len(found) < len(rest) else None
    return body


def _start(items: Sequence[Item], after: str | None, id_of: Callable[[Item], str]) -> int:
    if after is None:
        return 0
    for number, item in enumerate(items, 1):
        if id_of(item) == after:
            return number
    raise NotFoundError(f"{after!r} is not in this list any more: begin again without after")
