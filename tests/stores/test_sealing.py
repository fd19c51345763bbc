"""Sealed content: what was sealed comes back, and nothing else does."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from susracker.errors import StoreFormatError, StoreUnavailableError
from susracker.stores.sealing import (
    MAGIC,
    KeySealer,
    PlainSealer,
    face_context,
    key_id_of,
    photo_context,
    template_context,
)
from susracker.testing.records import face_alert, photo, template

KEY = bytes(range(32))
SEALER = KeySealer(KEY)
OTHER = KeySealer(bytes(32))

CONTENT = st.binary(max_size=200)
IDS = st.text(st.characters(exclude_categories=["C"]), max_size=8)


@given(CONTENT, IDS)
def test_what_was_sealed_comes_back(content, context):
    sealed = SEALER.seal(content, context)
    assert SEALER.open(sealed, context) == content
    assert SEALER.has_sealed(sealed)
    assert key_id_of(sealed) == SEALER.key_id


@given(CONTENT, st.data())
def test_a_change_anywhere_is_found(content, data):
    sealed = bytearray(SEALER.seal(content, "photo"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises((StoreFormatError, StoreUnavailableError)):
        SEALER.open(bytes(sealed), "photo")


@given(CONTENT, st.data())
def test_a_missing_end_is_found(content, data):
    sealed = SEALER.seal(content, "photo")
    length = data.draw(st.integers(0, len(sealed) - 1))
    with pytest.raises((StoreFormatError, StoreUnavailableError)):
        SEALER.open(sealed[:length], "photo")


@given(CONTENT, CONTENT.filter(bool))
def test_an_addition_is_found(content, more):
    with pytest.raises(StoreFormatError):
        SEALER.open(SEALER.seal(content, "photo") + more, "photo")


@given(CONTENT, IDS, IDS)
def test_content_of_another_record_is_found(content, one, other):
    sealed = SEALER.seal(content, photo_context(one, "p1"))
    for context in (
        photo_context(other + "x", "p1") if other + "x" != one else photo_context(other, "p1"),
        photo_context(one, "p2"),
        face_context(one),
        template_context(one, "p1", ""),
    ):
        with pytest.raises(StoreFormatError):
            SEALER.open(sealed, context)


@given(st.tuples(IDS, IDS, IDS), st.tuples(IDS, IDS, IDS))
def test_no_two_records_have_the_same_context(one, other):
    assert (template_context(*one) == template_context(*other)) == (one == other)
    assert (photo_context(*one[:2]) == photo_context(*other[:2])) == (one[:2] == other[:2])


def test_the_same_content_is_sealed_differently_each_time():
    assert len({SEALER.seal(b"face", "photo") for _ in range(100)}) == 100


def test_sealed_content_shows_nothing_of_what_it_is():
    assert b"unmistakable" not in SEALER.seal(b"unmistakable" * 10, "photo")


def test_another_keys_content_is_told_by_the_ids_of_both_keys():
    sealed = OTHER.seal(b"face", photo_context("c1", "p1"))
    with pytest.raises(StoreUnavailableError, match=f"{OTHER.key_id}.*{SEALER.key_id}"):
        SEALER.open(sealed, photo_context("c1", "p1"))
    with pytest.raises(StoreUnavailableError, match=f"photo c1 p1.*{OTHER.key_id}.*no data key"):
        PlainSealer().open(sealed, photo_context("c1", "p1"))


def test_plain_content_in_a_sealed_store_is_refused():
    """Whoever can write to the database cannot put content of their own into it."""
    with pytest.raises(StoreFormatError, match="was changed"):
        SEALER.open(b"\xff\xd8\xff a forged photo", "photo")


def test_the_id_of_a_key_tells_nothing_that_the_key_could_be_found_by():
    assert len(SEALER.key_id) == 16
    assert SEALER.key_id != OTHER.key_id
    assert bytes.fromhex(SEALER.key_id) not in KEY
    assert SEALER.key_id not in hashlib.sha256(KEY).hexdigest()


def test_no_plain_template_begins_like_sealed_content():
    assert np.isnan(np.frombuffer(MAGIC, "<f4")[0])


def test_a_check_value_knows_its_key():
    assert SEALER.matches(SEALER.check())
    assert not SEALER.matches(OTHER.check())
    assert not SEALER.matches(b"")
    assert PlainSealer().matches(b"")
    assert not PlainSealer().matches(SEALER.check())


def test_a_stored_digest_does_not_tell_which_photo_it_is_of():
    one = photo(content=b"a photo that the police have published")
    stored = SEALER.seal_photo(one, "c1")
    assert stored.digest not in (one.digest, OTHER.seal_photo(one, "c1").digest)
    assert stored.digest == SEALER.digest(one.digest)
    assert SEALER.open_photo(stored) == one
    assert PlainSealer().seal_photo(one, "c1") == one


def test_records_come_back_and_are_bound_to_their_ids():
    one, alert = photo(), face_alert()
    stored = SEALER.seal_photo(one, "c1")
    for moved in (replace(stored, id="p2"), replace(stored, criminal_id="c2")):
        with pytest.raises(StoreFormatError):
            SEALER.open_photo(moved)
    assert SEALER.open_alert(SEALER.seal_alert(alert)) == alert
    with pytest.raises(StoreFormatError):
        SEALER.open_alert(replace(SEALER.seal_alert(alert), id="another"))
    faceless = replace(alert, face=None)
    assert SEALER.open_alert(SEALER.seal_alert(faceless)) == faceless


@pytest.mark.parametrize("sealer", [SEALER, PlainSealer()], ids=["sealed", "plain"])
def test_many_templates_are_opened_in_their_order(sealer):
    made = [template(photo(f"c{number}")) for number in range(5)]
    rows = [(f"c{n}", one.photo_id, sealer.seal_vector(one, f"c{n}")) for n, one in enumerate(made)]
    opened = np.frombuffer(sealer.open_vectors(made[0].encoder_id, rows), "<f4")
    np.testing.assert_array_equal(opened, np.concatenate([one.vector for one in made]))
    mixed = [*rows, ("c1", "p1", OTHER.seal(b"", "x"))]
    with pytest.raises((StoreFormatError, StoreUnavailableError)):
        sealer.open_vectors(made[0].encoder_id, mixed)
