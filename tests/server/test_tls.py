"""The server's own TLS, and cameras and operators that trust a site's own authority."""

from __future__ import annotations

import socket
import ssl
import struct
from datetime import datetime, timezone

import certifi
import pytest
import requests
from click.testing import CliRunner

from susracker.cli import main
from susracker.client import Camera
from susracker.errors import ConfigError
from tests.certificates import make_certificate
from tests.server.conftest import SocketClient
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), "site")


@pytest.fixture
def tls_site(own_site, certificate):
    return own_site("--cert", str(certificate.cert), "--key", str(certificate.key), enrolled=False)


def test_cameras_and_operators_come_by_tls(tls_site, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.cert))  # for operators that poll
    assert tls_site.url.startswith("https://127.0.0.1:")
    answer = requests.get(tls_site.url + "/healthz", verify=str(certificate.cert), timeout=60)
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    heard = []
    operators = []
    for transports in (["websocket"], ["polling"], ["polling", "websocket"]):
        operator = SocketClient(
            websocket_extra_options={"sslopt": {"ca_certs": str(certificate.cert)}}
        )
        operator.on("alert", lambda alert: heard.append(alert["camera_id"]))
        operator.connect(tls_site.url, transports=transports)
        operators.append(operator)
    with Camera(tls_site.url, "gate-1", "Gate", ca=certificate.cert) as camera:
        camera.send_activity("violence", datetime.now(timezone.utc))
        assert camera.flush(60)
        assert camera.counts.sent == 1
    assert wait_until(lambda: len(heard) == len(operators))
    for operator in operators:
        operator.disconnect()
    assert heard == ["gate-1"] * 3


def test_a_cameras_authority_goes_before_the_environments(tls_site, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    with Camera(tls_site.url, "gate-1", "Gate", ca=certificate.cert) as camera:
        camera.send_activity("violence", datetime.now(timezone.utc))
        assert camera.flush(60)


def test_a_client_that_speaks_no_tls_is_no_news(tls_site, capfd):
    with pytest.raises(requests.ConnectionError):
        requests.get(tls_site.url.replace("https", "http"), timeout=60)
    tls_site.server.stop()
    assert "Traceback" not in capfd.readouterr().err


def test_clients_that_break_off_are_no_news(tls_site, certificate, capfd):
    """In the handshake, and in the middle of a body, without a word of TLS."""
    address = ("127.0.0.1", int(tls_site.url.rsplit(":", 1)[1]))
    trusting = ssl.create_default_context(cafile=str(certificate.cert))
    with socket.create_connection(address) as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01")
        abort(client)
    with socket.create_connection(address) as client:
        secured = trusting.wrap_socket(client, server_hostname="127.0.0.1")
        head = b"POST /api/detections HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
        secured.sendall(head + b"\r\nContent-Length: 1000\r\n\r\n{")
        abort(secured)
    answer = requests.get(tls_site.url + "/healthz", verify=str(certificate.cert), timeout=60)
    assert answer.status_code == 200
    assert tls_site.server.stop() == 0
    assert "Traceback" not in capfd.readouterr().err


def abort(client: socket.socket) -> None:
    """Close a connection with a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_camera_without_the_authority_sends_nothing_and_says_why(tls_site, caplog):
    with Camera(tls_site.url, "gate-1", "Gate") as camera:
        camera.send_activity("violence", datetime.now(timezone.utc))
        assert wait_until(lambda: "not trusted" in caplog.text)
        camera.close(0.1)
    assert camera.counts.sent == 0
    assert "its certificate is not trusted (name its authority with --ca" in caplog.text


def test_a_file_of_authorities_must_be_one(certificate):
    with pytest.raises(ConfigError, match=r"site\.key\.pem is not a file of PEM certificates"):
        Camera("https://127.0.0.1:1", "gate-1", "Gate", ca=certificate.key)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_of_tls_are_refused(tls_site, version):
    with pytest.warns(DeprecationWarning, match="deprecated"):
        assert not handshakes(tls_site, version)
    assert handshakes(tls_site, ssl.TLSVersion.TLSv1_2)


def handshakes(site, version: ssl.TLSVersion) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    host, port = site.url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        try:
            with context.wrap_socket(connection, do_handshake_on_connect=False) as secured:
                secured.do_handshake()
        except (ssl.SSLError, ConnectionError):
            return False
    return True


@pytest.fixture
def refused(tmp_path):
    def run(*flags: object) -> str:
        store = f"sqlite:///{tmp_path / 'x.db'}"
        command = ["serve", "--port", "0", "--store", store, *map(str, flags)]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 2
        return result.output.splitlines()[-1]

    return run


def test_what_is_wrong_with_a_pair_is_said_in_one_line(refused, certificate, tmp_path):
    other = make_certificate(tmp_path, "other")
    cert, key = certificate.cert, certificate.key
    assert refused("--cert", cert) == "Error: TLS needs both --cert FILE and --key FILE"
    assert refused("--key", key) == "Error: TLS needs both --cert FILE and --key FILE"
    missing = tmp_path / "none.pem"
    assert refused("--cert", missing, "--key", key) == (
        f"Error: cert: cannot read {missing}: No such file or directory"
    )
    assert refused("--cert", cert, "--key", other.key) == (
        f"Error: key: {other.key} is not the private key of the certificate in {cert}"
    )
    assert refused("--cert", key, "--key", cert).startswith(
        f"Error: cert, key: {key} must be a certificate as PEM, and {cert} its private key as PEM"
    )
    assert refused("--cert", cert, "--key", certificate.encrypted_key).startswith(
        "Error: key: the file is encrypted"
    )
