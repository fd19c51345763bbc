"""The server's own TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

from gevent.ssl import SSLContext

from susracker.config import Settings
from susracker.errors import ConfigError
from susracker.server.sending import TlsConnection


def tls_context(settings: Settings) -> SSLContext | None:
    """TLS with the certificate of the settings `cert` and `key`; None if there is none.

    Raises:
        ConfigError: only one of the two is set, a file cannot be read or is wrong, or they do not
            belong together.
    """
    if not settings.cert and not settings.key:
        return None
    if not (settings.cert and settings.key):
        raise ConfigError("TLS needs both --cert FILE and --key FILE")
    _check_readable(cert=settings.cert, key=settings.key)
    context = SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = TlsConnection
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.cert, settings.key, _no_passphrase)
    except ssl.SSLError as error:
        raise ConfigError(_what_is_wrong(settings, error)) from error
    return context


def _check_readable(**files: str) -> None:
    for name, file in files.items():
        try:
            Path(file).read_bytes()
        except OSError as error:
            raise ConfigError(f"{name}: cannot read {file}: {error.strerror}") from error


def _no_passphrase() -> str:
    """Called if the key is encrypted; OpenSSL would otherwise ask at the terminal."""
    raise ConfigError("key: the file is encrypted; decrypt it with openssl pkey -in FILE -out FILE")


def _what_is_wrong(settings: Settings, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"key: {settings.key} is not the private key of the certificate in {settings.cert}"
    return (
        f"cert, key: {settings.cert} must be a certificate as PEM, and {settings.key} its private "
        f"key as PEM: {error.reason or error}"
    )
