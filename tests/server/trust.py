"""Both ends of TLS under gevent, for servers that a test runs itself."""

from __future__ import annotations

import ssl
from typing import Any

from gevent.ssl import SSLContext

from susracker.loading import make_settings
from susracker.server.tls import tls_context
from tests.certificates import Certificate


def both_ends(certificate: Certificate) -> tuple[dict[str, Any], SSLContext]:
    """Options of a server that has a certificate, and the context of a client that trusts it."""
    settings = make_settings({"cert": str(certificate.cert), "key": str(certificate.key)})
    trusting = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(certificate.cert)
    return {"ssl_context": tls_context(settings)}, trusting
