"""Says when a store was created, so that a mistyped URL is noticed."""

from __future__ import annotations

import click

from susracker.config import Settings
from susracker.passwords import without_password
from susracker.plugins import open_store_of, store_backend
from susracker.stores.base import Store


def is_missing(settings: Settings) -> bool:
    """Whether the store that settings name is still to be created."""
    return not store_backend(settings.store).exists(settings.store)


def say_created(settings: Settings) -> None:
    """Say, on standard error, that the store was created."""
    click.echo(f"created the store {without_password(settings.store)}", err=True)


def open_or_create(settings: Settings) -> Store:
    """Open the store that settings name, and say if it is new."""
    is_new = is_missing(settings)
    store = open_store_of(settings)
    if is_new:
        say_created(settings)
    return store
