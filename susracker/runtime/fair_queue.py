"""A queue in which nobody waits behind all that one other has put in."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Items of several keys, taken from one key after the other; those of one key in order.

    So the first item of a key waits for at most one item of each other key (round robin). Not safe
    to use from several threads at once.
    """

    def __init__(self) -> None:
        self._items: OrderedDict[str, deque[Item]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def key_count(self) -> int:
        """How many keys have items that wait."""
        return len(self._items)

    def count(self, key: str) -> int:
        """How many items of a key wait."""
        return len(self._items.get(key, ()))

    def put(self, key: str, item: Item) -> None:
        """Add an item behind those of the same key."""
        self._items.setdefault(key, deque()).append(item)
        self._count += 1

    def take(self) -> Item:
        """Take the next item, and let all other keys have their turn before this one.

        Raises:
            IndexError: nothing waits.
        """
        if not self._items:
            raise IndexError("nothing waits")
        key = next(iter(self._items))
        self._items.move_to_end(key)
        item = self._items[key].popleft()
        self._taken(key)
        return item

    def has_surplus(self, key: str) -> bool:
        """Whether some key has more than `key` would have with one more."""
        noisiest = self._noisiest()
        return noisiest is not None and self.count(noisiest) > self.count(key) + 1

    def take_surplus(self, key: str) -> Item | None:
        """Take the newest item of the key with the most, if that has more than `key` would have
        with one more; otherwise None."""
        noisiest = self._noisiest()
        if noisiest is None or not self.has_surplus(key):
            return None
        item = self._items[noisiest].pop()
        self._taken(noisiest)
        return item

    def remove(self, key: str, item: Item) -> bool:
        """Take an item out of turn. Returns whether it was still waiting."""
        if item not in self._items.get(key, ()):
            return False
        self._items[key].remove(item)
        self._taken(key)
        return True

    def _noisiest(self) -> str | None:
        return max(self._items, key=self.count, default=None)

    def _taken(self, key: str) -> None:
        self._count -= 1
        if not self._items[key]:
            del self._items[key]
