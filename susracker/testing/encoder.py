"""What every encoder must do.

Needs the fixture `encoder`.
"""

from __future__ import annotations

import numpy as np

from susracker.faces.alignment import MEAN_FACE
from susracker.faces.boxes import Box
from susracker.faces.encoder import Chips, Encoder
from susracker.faces.face import Face
from susracker.testing.race import race


def noise(encoder: Encoder, count: int, seed: int = 0) -> Chips:
    """Chips without faces: what holds of a face holds of any picture."""
    shape = (count, encoder.chip_size, encoder.chip_size, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_it_says_what_it_is(encoder: Encoder) -> None:
    assert encoder.id
    assert encoder.dimension > 0


def test_it_aligns_what_it_embeds(encoder: Encoder) -> None:
    (picture,) = noise(encoder, 1)
    landmarks = np.asarray(MEAN_FACE * encoder.chip_size, np.float32)
    face = Face(picture, Box(0, 0, encoder.chip_size, encoder.chip_size), landmarks, 1.0)
    chip = encoder.align(face)
    assert (chip.shape, chip.dtype) == (picture.shape, np.uint8)


def test_a_template_has_unit_length(encoder: Encoder) -> None:
    made = encoder.encode(noise(encoder, 3))
    assert made.shape == (3, encoder.dimension)
    assert made.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)


def test_no_chips_give_no_templates(encoder: Encoder) -> None:
    assert encoder.encode(noise(encoder, 0)).shape == (0, encoder.dimension)


def test_a_mirror_image_has_the_same_template_if_it_is_added(encoder: Encoder) -> None:
    chips = noise(encoder, 2)
    mirrored = np.abs(encoder.encode(chips[:, :, ::-1]) - encoder.encode(chips)).max()
    assert (mirrored < 1e-4) == encoder.mirrors


def test_a_batch_is_the_same_as_one_by_one(encoder: Encoder) -> None:
    chips = noise(encoder, 4)
    one_by_one = np.concatenate([encoder.encode(chips[n : n + 1]) for n in range(4)])
    np.testing.assert_allclose(encoder.encode(chips), one_by_one, atol=1e-4)


def test_what_is_embedded_fast_is_nearly_the_same(encoder: Encoder) -> None:
    chips = noise(encoder, 3)
    exact, fast = encoder.embed(chips), encoder.embed_fast(chips)
    assert fast.shape == exact.shape == (3, encoder.dimension)
    cosines = np.sum(exact * fast, axis=1) / np.prod(np.linalg.norm([exact, fast], axis=2), axis=0)
    assert cosines.min() > 0.99


def test_threads_do_not_mix_their_faces(encoder: Encoder) -> None:
    chips = [noise(encoder, 2, seed) for seed in range(8)]
    expected = [encoder.encode(one) for one in chips]
    for made, right in zip(race(lambda n: encoder.encode(chips[n])), expected, strict=True):
        np.testing.assert_allclose(made, right, atol=1e-4)
