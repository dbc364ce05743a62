"""What a vendor has surely never heard is asked again for nothing; what it may have heard is money."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.providers import fetch
from pipeline.providers.base import ProviderError
from pipeline.providers.http import Http

pytestmark = pytest.mark.slow  # they speak to a server


def trouble(url: str) -> str:
    with pytest.raises(ProviderError) as no:
        Http("The vendor", url, seconds=5).ask("POST", "/x", body={})
    assert no.value.retryable
    return no.value.trouble


@contextlib.contextmanager
def answering(answer):
    """A server that does this with every connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listening.accept()
                    with contextlib.suppress(OSError), peer:
                        answer(peer)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED])
def test_where_no_connection_came_about_nobody_heard_us(monkeypatch, number):
    def fails(*where, **how):
        raise OSError(number, "so says the kernel")

    monkeypatch.setattr("urllib3.util.connection.create_connection", fails)
    assert trouble("http://127.0.0.1:9") == "away"


def test_who_shows_a_certificate_we_do_not_trust_is_told_nothing(tmp_path):
    heard = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))

    def answer(peer):
        with context.wrap_socket(peer, server_side=True) as safe:
            heard.append(safe.recv(1000))

    with answering(answer) as port:
        assert trouble(f"https://localhost:{port}") == "away"
    assert heard == []


def test_a_connection_that_breaks_may_have_carried_the_request_whatever_its_host_is_called(monkeypatch):
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *how, **more: look_up("127.0.0.1", *how, **more))
    with answering(lambda peer: peer.recv(1000)) as port:
        assert trouble(f"http://refused.resolve.example:{port}") == "unknown"


def _certificate(folder: Path) -> Path:
    """A certificate that nobody has signed but itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_no_answer_makes_a_log_tell_the_address_it_came_from(caplog, tmp_path):
    """Its library quotes it beside headers it cannot read, with the signature of an upload, or of a bell."""
    odd = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header at all\r\n\r\n{}"
    with answering(lambda peer: (peer.recv(1000), peer.sendall(odd))) as port:
        base = f"http://127.0.0.1:{port}"
        Http("The vendor", base).ask("POST", "/x", body={}, params={"hf_webhook": "https://a.example/hooks/v/MARKER/"})
        fetch.safe_put(f"{base}/x?X-Amz-Signature=MARKER", b"x", {}, trusted=(base,), seconds=5)
    assert "MARKER" not in caplog.text
