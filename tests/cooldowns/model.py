"""What a cooldown of five seconds does, in a few lines."""

from __future__ import annotations

from collections import defaultdict

from susracker.cooldowns.base import HISTORY

SPAN = 5


class Model:
    """Which detections hold each key, in order, and how many handlers each has."""

    def __init__(self) -> None:
        self.holds: dict[str, list[list]] = defaultdict(list)

    def acquire(self, key: str, at: float, token: str) -> bool:
        for hold in self.holds[key]:
            if hold[1] == token:
                hold[2] += 1
                return True
        if self.holds[key] and abs(at - self.holds[key][-1][0]) < SPAN:
            return False
        self.holds[key] = [*self.holds[key], [at, token, 1]][-HISTORY:]
        return True

    def release(self, key: str, token: str) -> None:
        for hold in self.holds[key]:
            hold[2] -= hold[1] == token
        self.holds[key] = [hold for hold in self.holds[key] if hold[2]]
