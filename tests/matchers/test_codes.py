"""Codes are off by no more than they say, whatever was coded and whatever is looked for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numkong
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from susracker.matchers.base import similarities_one_by_one
from susracker.matchers.codes import Codes, in_digits
from susracker.matchers.products import DIGIT, product

INSTRUCTIONS = [name for name, here in numkong.get_capabilities().items() if here]

sizes = st.sampled_from([1e-6, 1e-3, 1, 1, 1, 100])
"""How large numbers are; most are as those of templates are."""


@st.composite
def vectors(draw: st.DrawFn, counts: st.SearchStrategy[int], dimension: int) -> np.ndarray:
    """Rows around a point that may be far away, a few numbers of which stand out."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, size, away = draw(counts), draw(sizes), draw(sizes)
    rows = size * random.normal(size=(count, dimension)) + away * random.normal(size=dimension)
    rows[random.random(rows.shape) < draw(st.sampled_from([0, 0.02]))] *= 50
    rows[random.random(rows.shape) < draw(st.sampled_from([0, 0.3]))] = 0
    if draw(st.booleans()):
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return rows.astype(np.float32)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data(), dimension=st.sampled_from([1, 2, 5, 16, 128, 300, 512]))
def test_the_bound_holds(data, dimension):
    first = data.draw(vectors(st.integers(1, 60), dimension))
    later = data.draw(vectors(st.integers(0, 40), dimension))
    probes = data.draw(vectors(st.integers(1, 5), dimension))
    codes = Codes(first, len(first) + len(later), data.draw(st.sampled_from([7, 100])))
    codes.put(len(first), later)
    rows = np.concatenate([first, later])
    found, off = codes.similarities(probes, len(rows))
    assert found.shape == (len(probes), len(rows))
    true = probes.astype(np.float64) @ rows.T.astype(np.float64)
    in_full = np.stack([similarities_one_by_one(rows, probe) for probe in probes])
    assert (np.abs(found - true) <= off[:, None]).all()
    assert (np.abs(found - in_full.astype(np.float64)) <= off[:, None]).all()


def test_codes_are_close():
    random = np.random.default_rng(0)
    rows = random.normal(size=(1, 128)) + 0.6 * random.normal(size=(5000, 128))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    found, off = Codes(rows, len(rows)).similarities(rows[:3], len(rows))
    assert off.max() < 0.02
    assert np.abs(found - rows[:3] @ rows.T).max() < 0.01


@pytest.mark.parametrize("probe", range(5))
def test_the_bound_holds_where_all_of_the_error_is_the_probe_s(probe):
    """The rows are sums of what a code is worth, and lie where what the digits leave is largest."""
    probes = np.random.default_rng(probe).normal(size=(1, 16)).astype(np.float32)
    digits, steps, _ = in_digits(probes)
    left = probes.astype(np.float64) - np.einsum("jpd,jp->pd", digits.astype(np.float64), steps)
    codes = Codes(np.zeros((1, 16), np.float32), 2)
    rows = (127 * codes._scale * np.sign(left)).astype(np.float32)
    codes.put(0, rows)
    found, off = codes.similarities(probes, 1)
    error = np.abs(found - probes.astype(np.float64) @ rows.T.astype(np.float64))
    assert off / 20 < error <= off


def extremes(count: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes and digits, the first of which are the largest and the smallest that there may be."""
    random = np.random.default_rng(count * dimension)
    codes = random.integers(0, 256, (count, dimension), np.uint8)
    digits = random.integers(-DIGIT, DIGIT + 1, (8, dimension), np.int8)
    codes[0], codes[-1] = 255, 0
    digits[0], digits[-1] = DIGIT, -DIGIT
    return codes, digits


@pytest.fixture(params=INSTRUCTIONS)
def instructions(request: pytest.FixtureRequest) -> Iterator[None]:
    """NumKong as it is on a processor that has no other instructions."""
    others = [name for name in INSTRUCTIONS if name not in ("serial", request.param)]
    for name in others:
        numkong.disable_capability(name)
    yield
    for name in others:
        numkong.enable_capability(name)


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("probes", [1, 4])
@pytest.mark.parametrize("count", [1, 3, 64, 1000])
@pytest.mark.parametrize("dimension", [1, 16, 127, 128, 512])
def test_products_are_exact(probes, count, dimension):
    codes, digits = extremes(count, dimension)
    exact = digits.astype(np.int64) @ codes.T.astype(np.int64)
    for first in range(0, 8, 2 * probes):
        of_these = slice(first, first + 2 * probes)
        for one in range(2):
            worth = np.eye(probes, 2 * probes, one * probes, np.float32)
            found = product(digits[of_these], worth)(codes)
            expected = exact[of_these][one * probes : (one + 1) * probes]
            assert np.array_equal(found, expected)


def test_threads_do_not_disturb_one_another():
    rows = np.random.default_rng(0).normal(size=(5000, 128)).astype(np.float32)
    codes = Codes(rows, len(rows), 512)
    alone = [codes.similarities(rows[n : n + 1], len(rows))[0] for n in range(40)]
    with ThreadPoolExecutor(4) as pool:
        at_once = pool.map(lambda n: codes.similarities(rows[n : n + 1], len(rows))[0], range(40))
        assert all(np.array_equal(a, b) for a, b in zip(alone, at_once, strict=True))
