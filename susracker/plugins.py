"""From a name or a URL to a backend.

Built-in backends are entry points of this package, others of theirs; all are found by the same
road, and a backend's module is imported only when it is asked for. The groups are
`susracker.detectors`, `susracker.encoders`, `susracker.matchers`, `susracker.stores` and
`susracker.cooldowns`; an entry point's name is the name or URL scheme that selects it, and its
extra, if it needs one, is called the same.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from susracker.config import DEFAULT_DETECTOR
from susracker.errors import ConfigError, InputError, MissingDriverError, UnknownBackendError
from susracker.passwords import without_password

if TYPE_CHECKING:
    from susracker.config import Settings
    from susracker.cooldowns.base import Cooldown
    from susracker.faces.detector import Detector
    from susracker.faces.encoder import Encoder
    from susracker.matchers.base import Matcher
    from susracker.stores.base import Store


def open_store(url: str, data_key: str = "") -> Store:
    """Open a store by its URL, such as `sqlite:///people.db`; see `Store.from_url`.

    Args:
        data_key: file of the key that the store is encrypted with; empty where it is not.
    """
    backend = store_backend(url)
    if not data_key:
        return backend.from_url(url)
    if not backend.encrypts:
        raise ConfigError(
            f"data_key is set, and the store {url.partition(':')[0]!r} cannot encrypt: unset it, "
            "or choose another store"
        )
    return backend.from_url(url, data_key)


def open_store_of(settings: Settings) -> Store:
    """Open the store that settings name, with the data key that they name."""
    return open_store(settings.store, settings.data_key)


def open_existing_store_of(settings: Settings) -> Store:
    """Open the store that settings name, and do not create one.

    Raises:
        InputError: there is none.
    """
    refuse_missing_store(settings.store)
    return open_store_of(settings)


def refuse_missing_store(url: str) -> None:
    """Refuse a URL at which there is no store: to open it would create an empty one.

    Raises:
        InputError: there is none.
    """
    if not store_backend(url).exists(url):
        raise InputError(
            f"there is no store {without_password(url)}: check --store, or enrol someone, which "
            "creates one"
        )


def store_backend(url: str) -> type[Store]:
    """The class of the store at a URL."""
    try:
        backend: type[Store] = _backend("stores", url)
    except UnknownBackendError as error:
        if "://" in url:
            raise
        raise UnknownBackendError(
            f"{url!r} is no store: for a file, give sqlite:///{url or 'PATH'}"
        ) from error
    return backend


def open_matcher(url: str, dimension: int) -> Matcher:
    """Open a matcher by its name or URL, such as `exact`, for templates of `dimension` numbers."""
    matcher: Matcher = _backend("matchers", url).from_url(url, dimension)
    return matcher


@lru_cache
def open_detector(name: str = DEFAULT_DETECTOR) -> Detector:
    """The detector of that name, such as `cnn`: one for this process, whoever asks."""
    detector: Detector = _backend("detectors", name)()
    return detector


@lru_cache
def open_encoder(name: str) -> Encoder:
    """The encoder of that name, such as `dlib` or `onnx:FILE`: one for this process, whoever asks.

    Its network takes tens of megabytes. dlib's is loaded when it is first used.
    """
    encoder: Encoder = _backend("encoders", name).from_name(name)
    return encoder


def open_cooldown(url: str, seconds: float) -> Cooldown:
    """Open a cooldown by its name or URL, such as `memory`, that lasts `seconds`."""
    cooldown: Cooldown = _backend("cooldowns", url).from_url(url, seconds)
    return cooldown


def backend_names(kind: str) -> list[str]:
    """The names that are valid for a kind, such as "encoders"."""
    return sorted(_points(tuple(sys.path))[kind])


def _backend(kind: str, name_or_url: str) -> Any:
    name = name_or_url.partition(":")[0]
    point = _points(tuple(sys.path))[kind].get(name)
    if point is None:
        valid = ", ".join(backend_names(kind)) or "none: is susracker installed with pip?"
        raise UnknownBackendError(f"no {kind[:-1]} is called {name!r}; there are: {valid}")
    try:
        return point.load()
    except ModuleNotFoundError as error:
        raise MissingDriverError(
            f"the {kind[:-1]} {name!r} needs the package {error.name!r}: "
            f"pip install 'susracker[{name.partition('+')[0]}]'"
        ) from error


@lru_cache
def _points(path: tuple[str, ...]) -> dict[str, dict[str, EntryPoint]]:
    """The entry points of each kind by name, of all packages on `sys.path`: they take 10 ms to
    read."""
    found = entry_points()
    return {
        kind: {point.name: point for point in found.select(group=f"susracker.{kind}")}
        for kind in ("detectors", "encoders", "matchers", "stores", "cooldowns")
    }
