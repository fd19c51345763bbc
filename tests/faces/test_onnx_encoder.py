"""Networks of a site's own: what goes in, where the face lies, and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from susracker.errors import ConfigError, EncoderError
from susracker.faces import dlib_resnet
from susracker.faces.alignment import ARCFACE, find_landmarks
from susracker.faces.boxes import Box
from susracker.faces.encoder import DlibEncoder
from susracker.faces.onnx_encoder import OnnxEncoder
from susracker.faces.weights import RECOGNITION, weights_file
from susracker.plugins import open_detector, open_encoder
from tests.faces import networks
from tests.pictures import COLLINS, HOPPER, portrait

DLIB = {"size": "150", "mean": "0", "scale": "1", "alignment": '"dlib"'}


@pytest.fixture(scope="module")
def faces():
    """Faces of two people."""
    return [open_detector().find(portrait(path))[0] for path in (HOPPER, COLLINS)]


def chips_of(encoder, faces):
    return np.stack([encoder.align(face) for face in faces])


def test_dlibs_own_network_gives_the_same_numbers(faces, tmp_path):
    model = dlib_resnet.build(weights_file(RECOGNITION)).SerializeToString()
    ours, dlibs = OnnxEncoder(networks.write(tmp_path, model, **DLIB)), DlibEncoder()
    assert (ours.dimension, ours.chip_size) == (128, 150)
    chips = chips_of(ours, faces)
    assert np.array_equal(chips, chips_of(dlibs, faces))
    assert np.abs(ours.encode(chips) - dlibs.encode(chips)).max() < 1e-6
    assert np.abs(ours.embed_fast(chips) - dlibs.embed(chips)).max() < 1e-6


@pytest.mark.parametrize("form", [{}, {"channels_first": False}, {"batch": 1}])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_pixels_go_in_as_the_file_says(tmp_path, form, kind):
    model = networks.means(kind=kind, **form)
    changed = {"channels": '"BGR"', "mean": "[1, 2, 3]", "scale": "[0.5, 0.25, 0.125]"}
    encoder = OnnxEncoder(networks.write(tmp_path, model, **changed))
    chips = np.zeros((3, 32, 32, 3), np.uint8)
    chips[:] = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]])[:, None, None]
    expected = (chips[:, 0, 0, ::-1] - [1.0, 2, 3]) * [0.5, 0.25, 0.125]
    assert encoder.embed(chips) == pytest.approx(expected, rel=1e-3)


def test_whole_numbers_go_in_as_they_are(tmp_path):
    model = networks.means(kind=TensorProto.UINT8)
    encoder = OnnxEncoder(networks.write(tmp_path, model, mean="0", scale="1"))
    chips = np.full((1, 32, 32, 3), 200, np.uint8)
    assert encoder.embed(chips) == pytest.approx(np.full((1, 3), 200.0))


def test_the_mirror_image_is_added_only_if_the_file_says_so(tmp_path, faces):
    model = networks.projection()
    both = OnnxEncoder(networks.write(tmp_path / "both", model))
    one = OnnxEncoder(networks.write(tmp_path / "one", model, mirror="false"))
    chips = chips_of(one, faces)
    seen, mirrored = one.embed(chips), one.embed(chips[:, :, ::-1])
    assert one.encode(chips) == pytest.approx(unit(seen), abs=1e-6)
    assert both.encode(chips) == pytest.approx(unit(seen + mirrored), abs=1e-6)


def apart(picture, other):
    """How far two pictures are apart, in grey levels."""
    return np.abs(picture.astype(int) - other).mean()


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_eyes_are_where_arcface_has_them(tmp_path, faces):
    """Found again in the aligned face, four times as large."""
    encoder = OnnxEncoder(networks.write(tmp_path, networks.projection(448), size="448"))
    for face in faces:
        chip = encoder.align(face)
        found, _ = find_landmarks(chip, Box(100, 130, 350, 380))
        right, left = found[:2].mean(axis=0), found[2:4].mean(axis=0)
        assert left == pytest.approx(ARCFACE[0] * 4, abs=12)
        assert right == pytest.approx(ARCFACE[1] * 4, abs=12)


def test_points_of_ones_own_lie_where_the_file_says(tmp_path, faces):
    """ArcFace's points moved by eight pixels move the face by as much."""
    plain = OnnxEncoder(networks.write(tmp_path / "plain", networks.projection(112), size="112"))
    points = str((ARCFACE + np.array([8, -8])).tolist())
    model = networks.projection(112)
    moved = OnnxEncoder(networks.write(tmp_path / "moved", model, size="112", alignment=points))
    for face in faces:
        before, after = plain.align(face), moved.align(face)
        assert apart(after[:-8, 8:], before[8:, :-8]) < 5 < apart(after, before)


def test_a_turned_picture_has_the_same_aligned_face(tmp_path, faces):
    encoder = OnnxEncoder(networks.write(tmp_path, networks.projection(112), size="112"))
    face = faces[0]
    x, y = face.landmarks.T
    points = np.stack([len(face.picture) - 1 - y, x], axis=1)
    lying = replace(face, picture=np.rot90(face.picture, -1).copy(), landmarks=points)
    assert apart(encoder.align(lying), encoder.align(face)) < 5


def test_the_id_is_that_of_both_files(tmp_path):
    first = networks.write(tmp_path / "first", networks.projection())
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    copy = tmp_path / "copy" / "network.onnx"
    other = networks.write(tmp_path / "other", networks.projection(dimension=8))
    changed = networks.write(tmp_path / "changed", networks.projection(), mirror="false")
    assert OnnxEncoder(first).id == OnnxEncoder(copy).id
    assert len({OnnxEncoder(one).id for one in (first, other, changed)}) == 3


def test_the_name_has_the_file(tmp_path):
    file = networks.write(tmp_path, networks.projection())
    assert open_encoder(f"onnx:{file}").id == OnnxEncoder(file).id
    assert open_encoder(f"onnx:{file}") is open_encoder(f"onnx:{file}")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("onnx", "give onnx:FILE"),
        ("onnx:", "give onnx:FILE"),
        ("onnx:nowhere.onnx", r"cannot read the network in nowhere\.onnx: No such file"),
        ("dlib:nowhere.onnx", "dlib takes nothing after a colon"),
    ],
)
def test_a_name_without_a_network_is_refused(name, said):
    with pytest.raises(ConfigError, match=said):
        open_encoder(name)


def test_a_network_without_a_toml_file_is_refused(tmp_path):
    file = networks.write(tmp_path, networks.projection())
    file.with_suffix(".toml").unlink()
    with pytest.raises(ConfigError, match=r"network\.toml: No such file.*beside it"):
        OnnxEncoder(file)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"size": ""}, "size is missing: it must be width and height in pixels, 16 to 1024"),
        ({"size": "8"}, "size = 8: it must be"),
        ({"channels": '"rgb"'}, 'channels = .rgb.: it must be "RGB" or "BGR"'),
        ({"mean": "[1, 2]"}, "mean = .*three in the order of the channels"),
        ({"scale": "nan"}, "scale = nan: it must be a number"),
        ({"alignment": '"eyes"'}, 'alignment = .eyes.: it must be "arcface", "dlib", or five'),
        ({"alignment": "[[1, 2], [3, 4]]"}, "alignment = .*five points"),
        ({"mirror": ""}, "mirror is missing"),
        ({"margin": "1"}, "there is no 'margin'; there are: size, channels"),
        ({"size": "= 3"}, "is no TOML"),
        ({"size": "64"}, "takes pictures of 32 x 32 pixels, .* says size = 64"),
    ],
)
def test_a_wrong_toml_file_says_what_is_wrong(tmp_path, changed, said):
    file = networks.write(tmp_path, networks.projection(), **changed)
    with pytest.raises(ConfigError, match=said):
        OnnxEncoder(file)


def four_numbers(**form) -> bytes:
    """A network that puts out a picture."""
    nodes = [helper.make_node("Identity", ["first"], ["out"])]
    return networks.network(nodes, {}, ["n", 3, 32, 32], 32, **form)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: b"no network", "no network that ONNX Runtime can open"),
        (lambda: networks.projection()[:-200], "no network that ONNX Runtime can open"),
        (lambda: networks.means(batch=4), "takes 4 pictures at once"),
        (lambda: networks.means(kind=TensorProto.INT64), r"takes in: tensor\(int64\)"),
        (lambda: networks.means(kind=TensorProto.UINT8), "must say mean = 0, scale = 1"),
        (four_numbers, r"shape \[2, 3, 32, 32\].*must be the embedding"),
    ],
)
def test_a_network_that_does_not_fit_says_why(tmp_path, model, said):
    file = networks.write(tmp_path, model())
    with pytest.raises(ConfigError, match=said):
        OnnxEncoder(file)


@pytest.mark.parametrize("where", ["initializer", "constant"])
def test_weights_in_another_file_are_refused(tmp_path, monkeypatch, where):
    """ONNX Runtime would take them from wherever the program runs, and the id would not tell."""
    model = onnx.ModelProto.FromString(networks.projection())
    weights = model.graph.initializer[0]
    (tmp_path / "weights.bin").write_bytes(weights.raw_data)
    onnx.external_data_helper.set_external_data(weights, "weights.bin")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    if where == "constant":
        model.graph.node.insert(0, helper.make_node("Constant", [], ["weights"], value=weights))
        del model.graph.initializer[:]
    folder = tmp_path / "elsewhere"
    file = networks.write(folder, model.SerializeToString())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"other files \('weights.bin'\).*as one file"):
        OnnxEncoder(file)


def test_what_is_no_number_is_no_template(tmp_path):
    """The channels' means minus 100, of a picture that is 100 everywhere: its length is zero."""
    file = networks.write(tmp_path, networks.means(), mean="100", scale="1")
    encoder = OnnxEncoder(file)
    with pytest.raises(EncoderError, match="makes no embedding of some face"):
        encoder.encode(np.full((2, 32, 32, 3), 100, np.uint8))
