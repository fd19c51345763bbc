"""`susracker verify`."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from susracker.commands.auditing import unaudited
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.photo_files import PHOTO, read_photo
from susracker.commands.shown import print_json
from susracker.config import Settings
from susracker.enrolment.likeness import ALIKE_SCORE
from susracker.errors import FaceRefusedError, InputError, PictureError
from susracker.faces.detector import Detector
from susracker.faces.face import Face
from susracker.plugins import open_detector, open_encoder
from susracker.watchlist.scoring import load_scoring, normalise

RAREST = 1e-6
"""The smallest share that is told: smaller ones were extrapolated, and not measured."""


@click.command("verify")
@click.argument("first", metavar="A", type=PHOTO)
@click.argument("second", metavar="B", type=PHOTO)
@json_option
@settings_options("detector", "encoder", "max_megapixels")
@unaudited("opens no store")
def command(loaded: LoadedSettings, first: Path, second: Path, as_json: bool) -> None:
    """Compare the faces in two photos.

    Two photos count as photos of one person if they score at least 0.5, as when photos are
    enrolled. How often two different people score as high was measured on the photos that the
    encoder's cohort was made from. The result is a lead, and no proof.

    \b
    Examples:
      susracker verify passport.jpg gate.jpg
      susracker verify passport.jpg gate.jpg --json
    """
    score, distance, share = _compared(loaded.settings, first, second)
    alike = score >= ALIKE_SCORE
    if as_json:
        found = {"score": score, "distance": distance, "false_match_rate": share}
        print_json({"alike": alike} | found)
        return
    click.echo("alike: this may be one person" if alike else "unlike: these may be two people")
    click.echo(f"score {score:.2f} ({ALIKE_SCORE} or more is alike); distance {distance:.2f}")
    click.echo(f"of pairs of different people, {_in_words(share)} score as high")


def _compared(settings: Settings, first: Path, second: Path) -> tuple[float, float, float]:
    """The score of two photos, their distance, and the share of pairs of different people that
    score as high."""
    encoder = open_encoder(settings.encoder)
    scoring = load_scoring(encoder.id)
    detector, max_pixels = open_detector(settings.detector), int(settings.max_megapixels * 1e6)
    chips = [encoder.align(_face(one, detector, max_pixels)) for one in (first, second)]
    vectors = encoder.encode(np.stack(chips))
    statistics = scoring.statistics(vectors)
    similarities = vectors[:1] @ vectors[1:].T
    score = float(normalise(similarities, statistics.row(0), statistics.row(1))[0, 0])
    return score, scoring.distance_of(float(similarities[0, 0])), scoring.share_above(score, 1)


def _face(file: Path, detector: Detector, max_pixels: int) -> Face:
    try:
        return detector.enrolment_face_in_bytes(read_photo(file), max_pixels)
    except (PictureError, FaceRefusedError) as refusal:
        raise InputError(f"{file}: {refusal}") from refusal


def _in_words(share: float) -> str:
    if share < RAREST:
        return f"fewer than 1 in {1 / RAREST:,.0f}"
    return f"1 in {1 / share:,.0f}" if share < 0.01 else f"{share:.0%}"
