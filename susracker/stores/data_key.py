"""Data keys: what a store's content is encrypted with, as a file or as text.

No message shows what the setting says: it may be the key itself, or one with a slip.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from contextlib import ExitStack
from pathlib import Path

from susracker.errors import ConfigError, InputError
from susracker.runtime.files import FILE_MODE, expanded, sync_folder
from susracker.stores.sealing import KEY_BYTES, KeySealer, PlainSealer, Sealer

PREFIX = "base64:"
"""Begins a setting that is the key itself, and not the path of its file."""

_HEX = re.compile(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")


def sealer_of(data_key: str) -> Sealer:
    """What seals a store's content.

    Args:
        data_key: the setting: path of a file that holds a key, or `base64:` and the key; empty for
            a store that is not encrypted.

    Raises:
        ConfigError: the file cannot be read, or holds no key.
    """
    if not data_key:
        return PlainSealer()
    if data_key.startswith(PREFIX):
        return KeySealer(_parsed(data_key.removeprefix(PREFIX), "data_key"))
    return KeySealer(_parsed(_read(Path(data_key)), "the file that data_key names"))


def create_data_key(path: Path) -> Sealer:
    """Write a new random key to a new file, which its owner only may read.

    Raises:
        InputError: the file exists, or cannot be written.
    """
    key = secrets.token_bytes(KEY_BYTES)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE)
        with ExitStack() as undo, open(handle, "w", encoding="ascii") as file:
            # Half a key would be in the way of the next attempt.
            undo.callback(path.unlink)
            file.write(base64.b64encode(key).decode() + "\n")
            file.flush()
            os.fsync(handle)
            undo.pop_all()
        sync_folder(path.absolute().parent)
    except FileExistsError as error:
        raise InputError(f"{path} exists already: name a new file") from error
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}: name another file") from error
    return KeySealer(key)


def _read(path: Path) -> str:
    try:
        return expanded(path).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(
            f"cannot read the file that data_key names: {reason}: make one with "
            f"`susracker keys new-data-key FILE`, or write {PREFIX} before a key itself"
        ) from error


def _parsed(text: str, where: str) -> bytes:
    text = text.strip()
    try:
        key = bytes.fromhex(text) if _HEX.fullmatch(text) else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"{where} holds no data key: it must be {KEY_BYTES} random bytes as base64 or in "
            "hexadecimal, as `susracker keys new-data-key FILE` makes them"
        )
    return key
