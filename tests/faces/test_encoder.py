from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from susracker.errors import EncoderError
from susracker.faces import built, dlib_resnet
from susracker.faces import weights as weights_module
from susracker.faces.encoder import DlibEncoder, DlibInt8Encoder, DlibReferenceEncoder
from susracker.faces.weights import RECOGNITION, weights_file
from susracker.plugins import open_detector
from tests.pictures import COLLINS, HOPPER, portrait, shared

dlib_onnx, reference = DlibEncoder(), DlibReferenceEncoder()


@pytest.fixture(scope="module")
def chips() -> np.ndarray:
    """Aligned faces of two people."""
    return np.stack([open_detector().find(portrait(path))[0].chip for path in (HOPPER, COLLINS)])


@pytest.fixture(scope="module")
def real_chips() -> np.ndarray:
    """Aligned faces of a hundred people and a few more."""
    detector, chips = open_detector(), []
    for photo in sorted(shared("lfw-dev").glob("*/*.jpg"))[::30]:
        chips += [face.chip for face in detector.find_in_bytes(photo.read_bytes())[:1]]
    assert len(chips) > 100
    return np.stack(chips)


def in_parts(encoder: DlibEncoder, chips: np.ndarray) -> np.ndarray:
    """Templates, a few at a time: ONNX Runtime keeps 300 MB if it was given all of them at once."""
    return np.concatenate([encoder.encode(part) for part in np.array_split(chips, 20)])


def test_the_network_is_dlibs_own_on_two_portraits(chips):
    assert np.abs(dlib_onnx.embed(chips) - reference.embed(chips)).max() < 1e-5


def test_the_network_is_dlibs_own_on_real_faces(real_chips):
    chips = real_chips[::5]
    assert np.abs(dlib_onnx.embed(chips) - reference.embed(chips)).max() < 1e-5


def test_templates_in_8_bits_are_nearly_the_exact_ones(real_chips, tmp_path):
    exact = in_parts(dlib_onnx, real_chips)
    quantised = in_parts(DlibInt8Encoder(cache=tmp_path), real_chips)
    similarities = (exact * quantised).sum(axis=1)
    # Two photos of one person reach about 0.9, photos of two people 0.7 to 0.8.
    assert similarities.min() > 0.995
    assert np.median(similarities) > 0.999
    assert len(list(tmp_path.glob("*int8*.onnx"))) == 1


def test_where_8_bits_are_inexact_the_exact_network_is_used_and_that_is_said(
    chips, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(DlibInt8Encoder, "max_difference", 1e-6)
    found = DlibInt8Encoder(cache=tmp_path).embed(chips)
    assert np.abs(found - dlib_onnx.embed(chips)).max() < 1e-6
    assert "using the exact network, at half the speed" in caplog.text
    assert not list(tmp_path.glob("*int8*"))


def test_a_template_has_unit_length_and_does_not_know_left_from_right(chips):
    templates = dlib_onnx.encode(chips)
    assert templates.shape == (2, 128)
    assert templates.dtype == np.float32
    assert np.linalg.norm(templates, axis=1) == pytest.approx(1)
    mirrored = dlib_onnx.encode(chips[:, :, ::-1])
    assert np.abs(templates - mirrored).max() < 1e-5


def test_the_mean_is_of_what_the_network_says(chips):
    sums = dlib_onnx.embed(chips) + dlib_onnx.embed(chips[:, :, ::-1])
    expected = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    assert np.abs(dlib_onnx.encode(chips) - expected).max() < 1e-5


def test_templates_of_both_encoders_are_interchangeable(chips):
    assert dlib_onnx.id == reference.id
    assert dlib_onnx.dimension == reference.dimension == 128
    assert np.abs(dlib_onnx.encode(chips) - reference.encode(chips)).max() < 1e-5


@pytest.mark.parametrize("encoder", [dlib_onnx, reference])
def test_no_chips_give_no_templates(encoder):
    assert encoder.encode(np.empty((0, 150, 150, 3), np.uint8)).shape == (0, 128)


def test_a_batch_is_the_same_as_one_by_one(chips):
    alone = np.concatenate([dlib_onnx.encode(chip[None]) for chip in chips])
    assert np.abs(dlib_onnx.encode(chips) - alone).max() < 1e-5


@pytest.mark.parametrize("encoder", [dlib_onnx, reference])
def test_threads_do_not_mix_their_faces(encoder, chips):
    expected = encoder.encode(chips)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: encoder.encode(chips[n % 2][None])[0], range(8)))
    for number, template in enumerate(found):
        assert np.abs(template - expected[number % 2]).max() < 1e-5


def test_colours_are_not_swapped(chips):
    """dlib's network expects R, G, B. With channels swapped, a face becomes someone else's."""
    swapped = dlib_onnx.encode(chips[..., ::-1].copy())
    assert (np.linalg.norm(dlib_onnx.encode(chips) - swapped, axis=1) > 0.02).all()


def test_the_model_is_built_once_and_kept(tmp_path, chips, monkeypatch):
    DlibEncoder(cache=tmp_path).encode(chips)
    (file,) = tmp_path.iterdir()
    monkeypatch.setattr(dlib_resnet, "build", None)
    assert np.abs(DlibEncoder(cache=tmp_path).encode(chips) - dlib_onnx.encode(chips)).max() == 0
    assert list(tmp_path.iterdir()) == [file]


def test_a_model_that_differs_from_dlibs_is_not_kept(tmp_path, chips, monkeypatch):
    monkeypatch.setattr(dlib_resnet, "MEAN_RGB", (122.7, 117.001, 104.298))
    with pytest.raises(EncoderError, match="differs from dlib's"):
        DlibEncoder(cache=tmp_path).encode(chips)
    assert not list(tmp_path.iterdir())


def test_a_kept_model_that_is_damaged_is_built_again(tmp_path, chips):
    DlibEncoder(cache=tmp_path).encode(chips)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    DlibEncoder(cache=tmp_path).encode(chips)
    assert file.stat().st_size > 20_000_000


@pytest.mark.parametrize("damage", ["cut", "text", "missing", "swapped"])
def test_weights_that_are_wrong_are_named(tmp_path, chips, damage):
    data = weights_file(RECOGNITION).read_bytes()
    wrong = {
        "cut": data[: len(data) // 2],
        "text": b"no weights at all",
        "swapped": data.replace(b"affine_", b"effine_", 1),
    }
    file = tmp_path / "weights.dat"
    if damage in wrong:
        file.write_bytes(wrong[damage])
    with pytest.raises(EncoderError, match=r"weights\.dat"):
        DlibEncoder(cache=tmp_path / "cache", weights=file).encode(chips)
    assert not (tmp_path / "cache").exists()


def test_a_missing_package_of_weights_says_what_to_install(monkeypatch):
    def missing(package: str, path: str):
        raise FileNotFoundError(f"{path} of the package {package} is missing")

    monkeypatch.setattr(weights_module, "installed_file", missing)
    with pytest.raises(EncoderError, match="pip install"):
        weights_file(RECOGNITION)


def test_without_a_face_to_check_it_on_no_network_is_used(tmp_path, chips, monkeypatch):
    def missing(package: str, path: str):
        raise FileNotFoundError(f"{path} of the package {package} is missing")

    monkeypatch.setattr(built, "installed_file", missing)
    with pytest.raises(EncoderError, match="pip install"):
        DlibEncoder(cache=tmp_path).encode(chips)
    assert not list(tmp_path.iterdir())


def test_the_same_person_is_nearer_than_another():
    detector = open_detector()

    def template(person: str, number: int) -> np.ndarray:
        photo = shared("lfw-dev") / person / f"{person}_{number:04}.jpg"
        return dlib_onnx.encode(detector.find_in_bytes(photo.read_bytes())[0].chip[None])[0]

    first, second = template("Aaron_Peirsol", 1), template("Aaron_Peirsol", 2)
    other = template("Adam_Sandler", 1)
    assert np.linalg.norm(first - second) < np.linalg.norm(first - other) - 0.1
