"""Exits with 0 if the server of this container answers. It has the server's own settings."""

import ssl
import sys
import urllib.request

from susracker.loading import load_settings

settings = load_settings().settings
scheme = "https" if settings.cert else "http"
# It asks only its own machine whether anyone is there, and no certificate is for 127.0.0.1.
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
try:
    urllib.request.urlopen(
        f"{scheme}://127.0.0.1:{settings.port}/healthz", timeout=4, context=context
    )
except OSError as error:
    sys.exit(f"no answer: {error}")
