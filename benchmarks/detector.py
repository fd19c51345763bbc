"""HOG and CNN side by side: how long they take, and which faces they find.

    python benchmarks/detector.py ../shared/data/lfw-dev --scenes ../shared/data/scenes
    python benchmarks/detector.py ../shared/data/lfw-dev --photos 500 --json detector.json

Milliseconds of CPU: the median over pictures, which both detectors get in turn, with landmarks and
chips, as recognition needs them. The hard cases are made of photos in which HOG finds the face:
that face is cut out, with a fifth of margin and tight, and then spoilt.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree  # nosec B405

import cv2
import numpy as np

from susracker.benchmark.datasets import read_dataset
from susracker.benchmark.embedding import meant_face
from susracker.faces.boxes import Box
from susracker.faces.detector import Detector
from susracker.faces.images import crop, decode, encode_jpeg, resized
from susracker.models import Picture
from susracker.plugins import open_detector
from susracker.runtime.threads import one_core_a_thread

NAMES = ("hog", "cnn")
MARGINS = {"margin": 0.2, "tight": 0.0}
SIZES = ((640, 480), (1280, 720), (1920, 1080))
SAME_FACE = 0.4
"""Least overlap of a box with the one that a person drew."""

FRAMES = {f"frame {width}x{height}": (width, height) for width, height in SIZES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path, help="folder with a folder of photos for each person")
    parser.add_argument("--scenes", type=Path, help="folder with testing.xml and training.xml")
    parser.add_argument("--photos", type=int, default=170, help="how many photos to take")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    one_core_a_thread()
    detectors = {name: open_detector(name) for name in NAMES}
    people = read_dataset(options.faces).photos
    photos = [decode(one.read_bytes()) for one in people[:: max(1, len(people) // options.photos)]]
    boxes = [face and face.box for face in (meant_face(detectors["hog"].find(p)) for p in photos)]
    seen = [(photo, box) for photo, box in zip(photos, boxes, strict=True) if box]
    scenes = list(read_scenes(options.scenes)) if options.scenes else []
    results = {
        "photos": len(photos),
        "hard cases": len(seen),
        "milliseconds": times(detectors, dict(timed_pictures(seen, scenes))),
        "found": {case: found(detectors, cuts) for case, cuts in hard_cases(seen)},
        "photos without a face": {
            name: sum(not one.find(photo) for photo in photos) for name, one in detectors.items()
        },
    }
    if scenes:
        results["scenes"] = {name: in_scenes(one, scenes) for name, one in detectors.items()}
        patches = list(background(scenes))
        results["patches"] = len(patches)
        results["patches with a face"] = {
            name: sum(bool(one.find(patch)) for patch in patches) for name, one in detectors.items()
        }
    show(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def timed_pictures(
    seen: list[tuple[Picture, Box]], scenes: list[tuple[Picture, list[Box]]]
) -> Iterator[tuple[str, list[Picture]]]:
    """Pictures by what they are."""
    for name, margin in MARGINS.items():
        yield f"crop, {name}", [cut_out(photo, box, margin) for photo, box in seen]
    yield "photo", [photo for photo, _ in seen]
    if scenes:
        for name, size in FRAMES.items():
            yield name, [np.asarray(cv2.resize(scene, size), np.uint8) for scene, _ in scenes]
        yield "background", list(background(scenes))[:60]


def times(
    detectors: dict[str, Detector], pictures: dict[str, list[Picture]]
) -> dict[str, dict[str, float]]:
    """Median milliseconds of CPU to find and align the faces of one picture."""
    return {kind: _times(detectors, some) for kind, some in pictures.items()}


def _times(detectors: dict[str, Detector], pictures: list[Picture]) -> dict[str, float]:
    spent: dict[str, list[float]] = {name: [] for name in detectors}
    for picture in pictures:
        for name, detector in detectors.items():
            began = time.thread_time()
            for face in detector.find(picture):
                face.chip  # noqa: B018 - made when it is asked for
            spent[name].append(1000 * (time.thread_time() - began))
    return {name: round(statistics.median(some), 2) for name, some in spent.items()}


def found(detectors: dict[str, Detector], pictures: list[Picture]) -> dict[str, float]:
    """Share of pictures in which a face is found."""
    return {
        name: sum(bool(detector.find(picture)) for picture in pictures) / len(pictures)
        for name, detector in detectors.items()
    }


def hard_cases(seen: list[tuple[Picture, Box]]) -> Iterator[tuple[str, list[Picture]]]:
    """Crops by what is wrong with them."""
    for name, margin in MARGINS.items():
        for case, spoil in SPOILT.items():
            yield (
                f"{case}, {name}",
                [sent(cut_out(*spoil(photo, box), margin)) for photo, box in seen],
            )


def cut_out(photo: Picture, box: Box, margin: float) -> Picture:
    return np.ascontiguousarray(crop(photo, box, margin))


def sent(picture: Picture) -> Picture:
    """A picture after a camera has sent it as JPEG."""
    return decode(encode_jpeg(picture))


def _turned(photo: Picture, box: Box) -> tuple[Picture, Box]:
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    turn = cv2.getRotationMatrix2D(middle, 35, 1)
    size = photo.shape[1::-1]
    return np.asarray(cv2.warpAffine(photo, turn, size, borderMode=cv2.BORDER_REFLECT)), box


def _dark(photo: Picture, box: Box) -> tuple[Picture, Box]:
    return (photo * 0.1).round().astype(np.uint8), box


def _noisy(photo: Picture, box: Box) -> tuple[Picture, Box]:
    noise = np.random.default_rng(0).normal(0, 4, photo.shape)
    return np.clip((photo * 0.1 + noise).round(), 0, 255).astype(np.uint8), box


def _blurred(photo: Picture, box: Box) -> tuple[Picture, Box]:
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), 5)), box


def _covered(photo: Picture, box: Box) -> tuple[Picture, Box]:
    covered = photo.copy()
    top, left, right = (max(0, round(edge)) for edge in (box.top, box.left, box.right))
    covered[round((top + box.bottom) / 2) :, left:right] = (60, 90, 150)
    return covered, box


def _small(photo: Picture, box: Box) -> tuple[Picture, Box]:
    scale = 20 / box.width
    return resized(photo, scale), box.mapped(scale)


SPOILT: dict[str, Callable[[Picture, Box], tuple[Picture, Box]]] = {
    "as it is": lambda photo, box: (photo, box),
    "turned by 35 degrees": _turned,
    "a tenth of the light": _dark,
    "the same with noise": _noisy,
    "blurred by 5 pixels": _blurred,
    "lower half covered": _covered,
    "20 pixels wide": _small,
}


def read_scenes(folder: Path) -> Iterator[tuple[Picture, list[Box]]]:
    """Pictures, and the faces that a person marked in them."""
    for name in ("testing.xml", "training.xml"):
        for image in ElementTree.parse(folder / name).iter("image"):  # nosec B314
            marked = [
                [int(box.attrib[side]) for side in ("left", "top", "width", "height")]
                for box in image.iter("box")
            ]
            faces = [Box(x, y, x + width, y + height) for x, y, width, height in marked]
            yield decode((folder / image.attrib["file"]).read_bytes()), faces


def in_scenes(detector: Detector, scenes: list[tuple[Picture, list[Box]]]) -> dict[str, int]:
    """How many marked faces are found, and how many boxes are none of them."""
    counts = {"marked": 0, "found": 0, "wrong": 0}
    for picture, faces in scenes:
        boxes = [face.box for face in detector.find(picture)]
        counts["marked"] += len(faces)
        counts["found"] += sum(any(b.overlap(f) > SAME_FACE for b in boxes) for f in faces)
        counts["wrong"] += sum(all(b.overlap(f) <= SAME_FACE for f in faces) for b in boxes)
    return counts


def background(scenes: list[tuple[Picture, list[Box]]]) -> Iterator[Picture]:
    """Squares of scenes without a face."""
    random = np.random.default_rng(0)
    for picture, faces in scenes:
        for _ in range(60):
            side = int(random.integers(60, 251))
            x, y = (int(random.integers(0, end - side)) for end in picture.shape[1::-1])
            if not any(Box(x, y, x + side, y + side).overlap(face) for face in faces):
                yield sent(np.ascontiguousarray(picture[y : y + side, x : x + side]))


def show(results: dict) -> None:
    print(f"{'milliseconds':<32}" + "".join(f"{name:>9}" for name in NAMES))
    for kind, row in results["milliseconds"].items():
        print(f"{kind:<32}" + "".join(f"{row[name]:>9.2f}" for name in NAMES))
    print(f"\n{'% of crops with a face found':<32}" + "".join(f"{name:>9}" for name in NAMES))
    for case, row in results["found"].items():
        print(f"{case:<32}" + "".join(f"{100 * row[name]:>9.1f}" for name in NAMES))
    print()
    for key in ("photos without a face", "scenes", "patches with a face"):
        for name, value in results.get(key, {}).items():
            print(f"{key}, {name}: {value}")
    print(f"{results['photos']} photos, {results['hard cases']} faces cut out of them")


if __name__ == "__main__":
    main()
