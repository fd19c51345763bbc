"""Pictures of the people who were recognised, to be judged by eye."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from susracker.errors import InputError
from susracker.faces.photos import decode_photo
from susracker.models import Candidate
from susracker.replay.run import Step
from susracker.runtime.files import make_private_folder, open_private
from susracker.stores.base import Store

SIDE, GAP, TEXT_HEIGHT, FONT_SIZE = 240, 8, 76, 14
PAPER, INK, FAINT = "white", "black", "dimgrey"


def save_faces(folder: Path, step: Step, store: Store) -> list[Path]:
    """Save a picture of each match: the face, the enrolment photo, and what is known.

    Raises:
        InputError: the folder cannot be written.
    """
    written = []
    try:
        make_private_folder(folder)
        for place, (candidate, face) in enumerate(_matches(step), 1):
            file = folder / f"{step.number:06}-{place}-{candidate.criminal_id}.jpg"
            with open_private(file, "wb") as target:
                _side_by_side(step, candidate, face, store).save(target, "JPEG", quality=90)
            written.append(file)
    except OSError as error:
        raise InputError(f"cannot save faces in {folder}: {error}") from error
    return written


def _matches(step: Step) -> Iterator[tuple[Candidate, bytes]]:
    for match in step.recognition.matches if step.recognition else ():
        if match.face is not None:
            yield match.candidates[0], match.face


def _side_by_side(step: Step, candidate: Candidate, face: bytes, store: Store) -> Image.Image:
    sheet = Image.new("RGB", (2 * SIDE + 3 * GAP, SIDE + 2 * GAP + TEXT_HEIGHT), PAPER)
    sheet.paste(_fitted(face), (GAP, GAP))
    photos = store.photo_ids(candidate.criminal_id)
    if photos:
        sheet.paste(_fitted(store.photo(photos[0]).content), (SIDE + 2 * GAP, GAP))
    detection = step.recorded.detection
    lines = [
        (candidate.name, INK),
        (
            f"score {candidate.score:.2f}, distance {candidate.distance:.3f}, "
            f"FPIR {candidate.fpir:.2g}",
            INK,
        ),
        (f"{detection.camera_id}  {detection.occurred_at.isoformat(' ', 'milliseconds')}", FAINT),
    ]
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT_SIZE)
    for number, (text, colour) in enumerate(lines):
        top = SIDE + 2 * GAP + number * (FONT_SIZE + GAP)
        pen.text((GAP, top), text, fill=colour, font=font)
    return sheet


def _fitted(content: bytes) -> Image.Image:
    # Both were decoded before, under the limit of that time.
    picture = Image.fromarray(decode_photo(content, max_pixels=sys.maxsize))
    return ImageOps.pad(picture, (SIDE, SIDE), color=PAPER)
