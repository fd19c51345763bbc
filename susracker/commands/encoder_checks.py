"""What `susracker encoder check` checks: each check yields what it finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from susracker.benchmark.cache import EmbeddingCache
from susracker.benchmark.datasets import Dataset, read_dataset
from susracker.benchmark.embedding import Embedder
from susracker.benchmark.metrics import Numbers, tar_at_far
from susracker.commands.findings import Finding, State
from susracker.config import Settings
from susracker.demo.portraits import sample_people
from susracker.errors import ConfigError, InputError
from susracker.faces.encoder import Chips, DlibEncoder, Encoder
from susracker.faces.images import decode, resized
from susracker.faces.photos import decode_photo
from susracker.models import Picture, Vectors
from susracker.plugins import open_detector
from susracker.watchlist.scoring import load_scoring

OnStep = Callable[[str, int, int], None]

MOST_PEOPLE, FIRST_PEOPLE = 100, 3
"""People whose likeness is measured, and whose faces the other checks take."""

FAR = 0.001
"""False accept rate at which pairs are compared."""

POOR = 0.5
"""A network that accepts fewer pairs of one person is fed wrongly, or is none for faces: dlib's
accepts nine in ten of LFW's at `FAR`."""

LARGEST_DIFFERENCE = 1e-3
"""Between the template of a face alone and of the same face in a batch."""

RUNS = 15


def check_encoder(
    encoder: Encoder, settings: Settings, faces: Path | None, on_step: OnStep
) -> Iterator[Finding]:
    """Check everything.

    Raises:
        EncoderError: the network fails on a face.
        InputError: `faces` is no folder of people with several photos.
    """
    yield Finding(
        "network",
        "ok",
        f"{encoder.id}: a face of {encoder.chip_size} x {encoder.chip_size} pixels becomes "
        f"{encoder.dimension} numbers, {'with' if encoder.mirrors else 'without'} mirror image",
    )
    dataset = _several(faces) if faces else None
    chips, owners = _aligned(encoder, settings, _photos(dataset) if dataset else _portraits())
    yield _numbers(encoder, chips)
    if dataset:
        yield _people_apart(encoder, settings, dataset, on_step)
    else:
        yield _portraits_apart(encoder.encode(chips), owners)
    yield _speed(encoder, chips)
    yield _scoring(encoder)


def _portraits() -> Iterator[tuple[int, Picture]]:
    """Two people, each as they are, at half the size, and darker; and whose picture it is."""
    for number, person in enumerate(sample_people()):
        picture = decode(person.portrait.read_bytes())
        for seen in (picture, resized(picture, 0.5), (picture * 0.6).astype(np.uint8)):
            yield number, seen


def _photos(dataset: Dataset) -> Iterator[tuple[int, Picture]]:
    """The first people's photos."""
    for number, photos in enumerate(list(dataset.people.values())[:FIRST_PEOPLE]):
        for photo in photos:
            yield number, decode_photo(photo.read_bytes())


def _aligned(
    encoder: Encoder, settings: Settings, pictures: Iterator[tuple[int, Picture]]
) -> tuple[Chips, Sequence[int]]:
    """The largest face of each picture that has one, and whose it is."""
    detector = open_detector(settings.detector)
    found = [(number, face) for number, seen in pictures for face in detector.find(seen)[:1]]
    if not found:
        raise InputError("no face was found in the first photos: check the folder, and --detector")
    return np.stack([encoder.align(face) for _, face in found]), [number for number, _ in found]


def _numbers(encoder: Encoder, chips: Chips) -> Finding:
    together = encoder.encode(chips)
    alone = np.concatenate([encoder.encode(chip[None]) for chip in chips])
    difference = float(np.abs(together - alone).max())
    if not difference < LARGEST_DIFFERENCE:
        text = f"a face in a batch differs by {difference:.2g} from the same face alone: export "
        return Finding("numbers", "problem", f"{text}the network for inference, not for training")
    return Finding("numbers", "ok", f"finite, and the same alone as in a batch ({difference:.1g})")


def _portraits_apart(vectors: Vectors, owners: Sequence[int]) -> Finding:
    genuine, impostors = _similarities(vectors, owners)
    told = f"one person's portraits have a cosine of at least {genuine.min():.2f}, two people's of "
    text = f"{told}at most {impostors.max():.2f}; give FACES to learn more"
    state: State = "ok" if genuine.min() > impostors.max() else "problem"
    return Finding("likeness", state, text)


def _several(folder: Path) -> Dataset:
    """The people of a folder with several photos, and two photos of each."""
    dataset = read_dataset(folder)
    people = {name: photos[:2] for name, photos in dataset.people.items() if len(photos) > 1}
    if len(people) < 2:
        raise InputError(f"nobody in {folder} can be compared: it takes people with several photos")
    return Dataset(folder, dict(list(people.items())[:MOST_PEOPLE]))


def _people_apart(
    encoder: Encoder, settings: Settings, dataset: Dataset, on_step: OnStep
) -> Finding:
    shares = []
    with closing(EmbeddingCache()) as kept:
        for one in (encoder, DlibEncoder()):
            made = _templates(Embedder(one, settings.detector, kept=kept), dataset, on_step)
            shares.append(tar_at_far(*_similarities(*made), FAR))
    ours, dlibs = shares
    text = (
        f"{ours:.1%} of pairs of one person are more alike than all but {FAR:.1%} of pairs of two, "
        f"and {dlibs:.1%} with dlib's network ({len(dataset.people)} people)"
    )
    if ours < POOR:
        return Finding("likeness", "problem", f"{text}: check every line of the TOML file")
    return Finding("likeness", "warning" if ours < dlibs else "ok", text)


def _templates(
    embedder: Embedder, dataset: Dataset, on_step: OnStep
) -> tuple[Vectors, Sequence[int]]:
    """Templates of all photos with a face, and whose they are."""
    vectors, owners, done = [], [], 0
    for owner, photos in enumerate(dataset.people.values()):
        for photo in photos:
            done += 1
            on_step(f"embedding with {embedder.encoder.id}", done, len(dataset.photos))
            if (embedded := embedder.embed(photo)).found:
                vectors.append(embedded.template)
                owners.append(owner)
    return np.stack(vectors), owners


def _similarities(vectors: Vectors, owners: Sequence[int]) -> tuple[Numbers, Numbers]:
    """Of all pairs of one person, and of all pairs of two."""
    rows, columns = np.triu_indices(len(vectors), 1)
    whose = np.asarray(owners)
    similarities = (vectors @ vectors.T)[rows, columns].astype(np.float64)
    same = whose[rows] == whose[columns]
    return similarities[same], similarities[~same]


def _speed(encoder: Encoder, chips: Chips) -> Finding:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        encoder.encode(chips[:1])
        times.append(time.perf_counter() - began)
    text = f"{1000 * np.median(times):.2g} ms to encode a face on one core"
    return Finding("speed", "ok", text)


def _scoring(encoder: Encoder) -> Finding:
    try:
        load_scoring(encoder.id)
    except ConfigError as error:
        return Finding("scoring", "warning", str(error))
    return Finding("scoring", "ok", "there is one: susracker serve can use the network")
