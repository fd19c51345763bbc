"""From photos to stored photos and templates."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from susracker.enrolment.enroller import Enroller
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import DuplicateError, FaceRefusedError, PictureError
from susracker.faces.encoder import Encoder
from tests.enrolment import samples


class OtherEncoder(Encoder):
    """As after a change of the network."""

    id, dimension = "another-network", 4

    def embed(self, chips):
        return np.ones((len(chips), 4), np.float32)


def enroll(enroller, name, *photos):
    criminal = criminal_from_fields({"name": name})
    enroller.enroll(criminal, [enroller.prepare(photo) for photo in photos])
    return criminal


def test_a_photo_is_prepared(enroller):
    prepared = enroller.prepare(samples.hopper())
    assert prepared.digest == hashlib.sha256(samples.hopper()).hexdigest()
    assert prepared.content == samples.hopper()
    assert prepared.media_type == "image/jpeg"
    assert prepared.vector.shape == (128,)
    assert prepared.vector.dtype == np.float32
    assert np.linalg.norm(prepared.vector) == pytest.approx(1, abs=1e-5)
    assert prepared.quality.eye_distance > 60


@pytest.mark.parametrize(
    ("photo", "reason"),
    [
        (samples.no_face, "no face"),
        (samples.two_faces, "several faces"),
        (samples.group, "group photo"),
        (samples.too_small, "too small"),
        (samples.too_blurred, "too blurred"),
    ],
)
def test_a_face_that_cannot_be_enrolled_is_refused(enroller, photo, reason):
    with pytest.raises(FaceRefusedError) as caught:
        enroller.prepare(photo())
    assert caught.value.reason == reason


@pytest.mark.parametrize("content", [b"", b"no picture", samples.hopper()[:5000]])
def test_what_is_no_picture_is_refused(enroller, content):
    with pytest.raises(PictureError):
        enroller.prepare(content)


def test_a_picture_of_too_many_pixels_is_refused(store, encoder):
    with pytest.raises(PictureError, match="at most 1,000"):
        Enroller(store, encoder, max_pixels=1000).prepare(samples.hopper())


def test_what_is_enrolled_is_stored_as_it_was_handed_in(enroller, store):
    hopper = enroll(enroller, "Grace Hopper", samples.hopper(), samples.hopper(80))
    assert store.criminal(hopper.id).name == "Grace Hopper"
    photos = [store.photo(photo_id) for photo_id in store.photo_ids(hopper.id)]
    assert [photo.content for photo in photos] == [samples.hopper(), samples.hopper(80)]
    rows = store.template_rows(enroller.encoder.id)
    assert rows.criminal_ids == [hopper.id] * 2
    expected = [enroller.prepare(photo).vector for photo in (samples.hopper(), samples.hopper(80))]
    assert sorted(rows.vectors.tolist()) == sorted(vector.tolist() for vector in expected)


def test_of_a_duplicate_nothing_is_stored(enroller, store):
    enroll(enroller, "Grace Hopper", samples.hopper())
    with pytest.raises(DuplicateError):
        enroll(enroller, "Eileen Collins", samples.collins(), samples.hopper())
    assert [one.name for one in store.criminals()] == ["Grace Hopper"]


def test_a_new_encoder_encodes_what_is_stored(enroller, store):
    hopper = enroll(enroller, "Grace Hopper", samples.hopper(), samples.hopper(80))
    collins = enroll(enroller, "Eileen Collins", samples.collins())
    other = Enroller(store, OtherEncoder())
    assert store.template_counts(OtherEncoder.id) == {}

    stopped_at = iter([False, True, True])
    assert other.encode_missing(stopped=lambda: next(stopped_at)) == 1
    seen = []
    made = other.encode_missing(lambda *args: seen.append(args), workers=2)
    photos = [*store.photo_ids(hopper.id), *store.photo_ids(collins.id)]
    assert made == 2
    assert seen == [(photo_id, None) for photo_id in photos[1:]]
    assert store.template_counts(OtherEncoder.id) == {hopper.id: 2, collins.id: 1}
    assert store.template_counts(enroller.encoder.id) == {hopper.id: 2, collins.id: 1}
    assert other.encode_missing() == 0


def test_a_stored_photo_that_the_new_encoder_refuses_is_reported_and_kept(enroller, store):
    hopper = enroll(enroller, "Grace Hopper", samples.hopper(), samples.hopper(80))
    first, second = store.photo_ids(hopper.id)
    strict = Enroller(store, OtherEncoder(), max_pixels=1000)
    refusals = {}
    assert strict.encode_missing(refusals.__setitem__) == 0
    assert refusals.keys() == {first, second}
    assert all(isinstance(refusal, PictureError) for refusal in refusals.values())
    assert store.photo(first).content == samples.hopper()
    assert store.photos_without_template(OtherEncoder.id) == [first, second]


def test_a_photo_that_is_removed_while_it_waits_is_passed_over(enroller, store, monkeypatch):
    hopper = enroll(enroller, "Grace Hopper", samples.hopper())
    enroll(enroller, "Eileen Collins", samples.collins())
    missing = store.photos_without_template(OtherEncoder.id)
    monkeypatch.setattr(store, "photos_without_template", lambda encoder_id: missing)
    store.remove_criminal(hopper.id)
    assert Enroller(store, OtherEncoder()).encode_missing() == 1
