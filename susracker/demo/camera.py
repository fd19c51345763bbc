"""A simulated edge camera that posts face crops and an activity over HTTP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import requests
from PIL import Image, ImageEnhance

from susracker.demo.portraits import SamplePerson, stranger
from susracker.plugins import open_detector

CROP_MARGIN = 0.25
REQUEST_SECONDS = 10
JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Shot:
    """One thing that a camera sees.

    Attributes:
        what: a description for whoever watches the demo; the event type of an activity.
        face: the crop as JPEG; None for an activity.
    """

    camera_id: str
    camera_location: str
    what: str
    face: bytes | None = None


class Scene:
    """What happens in front of the cameras: the same round again and again."""

    def __init__(self, people: list[SamplePerson]) -> None:
        self._people = people
        self._faces = [_face_of(person) for person in people]

    def shots(self) -> Iterator[Shot]:
        """Yield shots without end: a person, the same one again, a stranger, another person, an
        activity, and the first person elsewhere."""
        gate, hall = ("gate-1", "Main gate"), ("hall-2", "Ticket hall")
        for number in count():
            first, second = number % 2, (number + 1) % 2
            yield self._person(*gate, first, light=0.75, scale=0.9, tilt=5)
            yield self._person(*gate, first, light=1.2, scale=0.7, tilt=-6)
            yield Shot(*gate, "a stranger", _jpeg(stranger(number)))
            yield self._person(*hall, second, light=0.9, scale=1.1, tilt=-3)
            yield Shot(*hall, "violence")
            yield self._person(*hall, first, light=1.1, scale=0.8, tilt=4)

    def _person(
        self, camera_id: str, location: str, index: int, light: float, scale: float, tilt: float
    ) -> Shot:
        face = self._faces[index]
        face = face.rotate(tilt, Image.Resampling.BICUBIC)
        face = ImageEnhance.Brightness(face).enhance(light)
        face = face.resize((round(face.width * scale), round(face.height * scale)))
        return Shot(camera_id, location, self._people[index].name, _jpeg(face))


def post(url: str, shot: Shot) -> str:
    """Send a shot to a server, as real cameras do.

    Returns:
        the message in the server's answer.

    Raises:
        requests.RequestException: the server is unavailable, or refused the shot.
    """
    fields = {"camera_id": shot.camera_id, "camera_location": shot.camera_location}
    if shot.face is None:
        answer = requests.post(
            f"{url}/activity_alert",
            json={**fields, "event_type": shot.what},
            timeout=REQUEST_SECONDS,
        )
    else:
        answer = requests.post(
            f"{url}/face_upload",
            data=fields,
            files={"file": ("face.jpg", shot.face, "image/jpeg")},
            timeout=REQUEST_SECONDS,
        )
    answer.raise_for_status()
    return str(answer.json()["message"])


def _face_of(person: SamplePerson) -> Image.Image:
    face = open_detector().find_in_bytes(person.portrait.read_bytes())[0]
    return Image.fromarray(face.crop(CROP_MARGIN))


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
