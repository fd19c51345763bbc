"""Recognition of faces in little light: the share of genuine comparisons that are accepted.

    python benchmarks/light.py ../shared/data/lfw-dev
    python benchmarks/light.py ../shared/data/lfw-dev --people 100 --light 25 --json light.json

Each person is enrolled with a whole photo. A crop of the face in another photo, darkened and sent
as JPEG, is compared with it by cosine. The threshold is the one at which the false accept rate is
0.1% among comparisons of different people under the same conditions. A face that is not found
counts as not accepted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from detector import MARGINS, NAMES, cut_out, sent

from susracker.benchmark.embedding import meant_face
from susracker.faces.detector import Detector
from susracker.faces.encoder import DlibEncoder
from susracker.faces.images import decode
from susracker.models import Picture, Vectors
from susracker.plugins import open_detector
from susracker.runtime.threads import one_core_a_thread

FALSE_ACCEPTS = 0.001
NOISE = 4
"""Deviation of the noise, in steps of a pixel's value."""

NOT_FOUND = -1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path, help="folder with a folder of photos for each person")
    parser.add_argument("--people", type=int, default=300, help="how many people to take")
    parser.add_argument(
        "--light", type=int, metavar="PERCENT", action="append", help="by default 100 and 10"
    )
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    one_core_a_thread()
    pairs = list(photo_pairs(options.faces))[: options.people]
    rows = [
        {"detector": name} | row
        for name in NAMES
        for row in accepted(open_detector(name), pairs, options.light or [100, 10])
    ]
    for row in rows:
        print("  ".join(str(value) for value in row.values()))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def photo_pairs(folder: Path) -> Iterator[tuple[Picture, Picture]]:
    """The first two photos of each person who has two."""
    for person in sorted(one for one in folder.iterdir() if one.is_dir()):
        photos = sorted(person.iterdir())[:2]
        if len(photos) == 2:
            yield decode(photos[0].read_bytes()), decode(photos[1].read_bytes())


def accepted(
    detector: Detector, pairs: list[tuple[Picture, Picture]], lights: list[int]
) -> Iterator[dict[str, object]]:
    """Acceptance for each light, without noise and with it, and for each margin."""
    encoder = DlibEncoder()
    found = [(meant_face(detector.find(one)), meant_face(detector.find(two))) for one, two in pairs]
    both = [(one, two) for one, two in found if one and two]
    templates = encoder.encode(np.stack([one.chip for one, _ in both]))
    for light in lights:
        for noise in (0, NOISE) if light < 100 else (0,):
            spoil = darkened(light / 100, noise)
            for name, margin in MARGINS.items():
                crops = [sent(spoil(cut_out(two.picture, two.box, margin))) for _, two in both]
                scores = similarities(detector, encoder, templates, crops)
                share = genuine_accepted(scores)
                yield {"crops": name, "light": light, "noise": noise, "accepted": round(share, 4)}


def darkened(light: float, noise: float) -> Callable[[Picture], Picture]:
    """What makes a picture dark, and noisy."""
    random = np.random.default_rng(0)

    def spoil(picture: Picture) -> Picture:
        dark = picture * light + random.normal(0, noise, picture.shape)
        return np.clip(dark.round(), 0, 255).astype(np.uint8)

    return spoil


def similarities(
    detector: Detector, encoder: DlibEncoder, templates: Vectors, crops: list[Picture]
) -> Vectors:
    """Cosines of crops and templates, shape (crops, templates)."""
    scores = np.full((len(crops), len(templates)), NOT_FOUND, np.float32)
    for number, cut in enumerate(crops):
        if face := meant_face(detector.find(cut)):
            scores[number] = templates @ encoder.encode(face.chip[None])[0]
    return scores


def genuine_accepted(scores: Vectors) -> float:
    """Share of the diagonal above the threshold that the other scores set."""
    others = scores[~np.eye(len(scores), dtype=bool)]
    threshold = np.quantile(others, 1 - FALSE_ACCEPTS)
    return float((np.diag(scores) > threshold).mean())


if __name__ == "__main__":
    main()
