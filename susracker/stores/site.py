"""What a store of the site's plan must do, whatever keeps the data."""

from __future__ import annotations

from abc import ABC, abstractmethod

from susracker.models import Place, Plan


class Site(ABC):
    """The plan of the site, and where on it the cameras are.

    The plan is a picture of a building, shows nobody, and is not encrypted. Cameras keep their
    places when it is replaced. Threads, durability and errors are as in `Gallery`.
    """

    @abstractmethod
    def plan(self) -> Plan | None:
        """The plan; None where there is none."""

    @abstractmethod
    def put_plan(self, plan: Plan) -> None:
        """Store a plan in place of the one before."""

    @abstractmethod
    def remove_plan(self) -> None:
        """Forget the plan; no error where there is none."""

    @abstractmethod
    def places(self) -> list[Place]:
        """Where cameras are, by the ids of the cameras."""

    @abstractmethod
    def put_place(self, place: Place) -> None:
        """Store where a camera is, in place of where it was before."""

    @abstractmethod
    def remove_place(self, camera_id: str) -> None:
        """Take a camera off the plan; no error where it is not on it."""
