"""Networks that are built once from dlib's weights, checked, and kept in the cache folder."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from susracker.errors import EncoderError
from susracker.faces.cache import replacing
from susracker.faces.images import decode
from susracker.models import Picture
from susracker.runtime.installed import installed_file

if TYPE_CHECKING:
    import onnx

log = logging.getLogger(__name__)


ORT_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
"""What ONNX Runtime raises of a network that is damaged, or that it cannot run."""


class InexactNetworkError(EncoderError):
    """What a network puts out differs from what dlib's own does."""


def load_network(
    folder: Path,
    name: str,
    weights: Path,
    build: Callable[[Path], onnx.ModelProto],
    check: Callable[[Any], None],
) -> Any:
    """Open a network from the cache folder; build, check and keep it if it is missing or damaged.

    Args:
        name: of the network and of its format; the weights' digest is added to it.
        check: called with a session; raises InexactNetworkError.

    Returns:
        a session of ONNX Runtime. Safe to use from any thread.

    Raises:
        EncoderError: it cannot be built or written.
    """
    file = folder / f"{name}-{_digest(weights)}.onnx"
    if kept := _kept(file):
        return kept
    model = build(weights).SerializeToString()
    session = open_session(model)
    check(session)
    _write(file, model)
    return session


def open_session(model: bytes) -> Any:
    """Open a serialised model, for threads of which each uses one core."""
    options = ort.SessionOptions()
    # Each thread of the pool uses one core; threads inside ONNX Runtime would compete with them.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # It plans memory for each size of picture, and keeps what it needed before: after two frames of
    # 8 megapixels a session held 290 MB instead of 125, and was no faster.
    options.enable_mem_pattern = False
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def sample_portrait() -> Picture:
    """A real face to check networks on: Grace Hopper's portrait, which is in the public domain.

    Raises:
        EncoderError: it is missing.
    """
    try:
        portrait = installed_file("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")
    except FileNotFoundError as error:
        raise EncoderError(
            f"no face to check the network with ({error}): pip install --force-reinstall matplotlib"
        ) from error
    return decode(portrait.read_bytes())


@lru_cache(maxsize=4)
def _digest(weights: Path) -> str:
    """64 bits of the file's SHA-256; read once, for the exact network and the fast one."""
    try:
        return hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise EncoderError(f"cannot read the weights in {weights}: {error}") from error


def _kept(file: Path) -> Any:
    """Open the model in the cache; None if it is missing or damaged."""
    try:
        return open_session(file.read_bytes()) if file.exists() else None
    except (ort_errors.InvalidProtobuf, ort_errors.Fail, OSError) as error:
        log.warning("cannot read %s, building it again: %s", file, error)
        return None


def _write(file: Path, model: bytes) -> None:
    try:
        with replacing(file) as temporary:
            temporary.write_bytes(model)
    except OSError as error:
        raise EncoderError(
            f"cannot write the network to {file}: {error}; set XDG_CACHE_HOME to use another folder"
        ) from error
