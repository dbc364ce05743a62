"""A real S3 server on loopback for the tests, and a proxy before it that fails when asked to."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import sysconfig
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from django.core.files.storage import storages

from orders import s3
from videogen import bucket

from .waiting import PATIENCE

NAME, REGION = "films", "eu-central-1"
KEYS = ("loopback-key", "loopback-secret")
PARTS = ("master", "volume", "filer", "s3")


def entry_at(server: str, keys: tuple[str, str] = KEYS) -> dict[str, Any]:
    """What STORAGES says for the bucket on this server, by the site's own recipe."""
    return bucket.storage(NAME, region=REGION, own=server, keys=keys)


@contextmanager
def running() -> Iterator[str]:
    """SeaweedFS with one bucket and one identity; its address. Takes three seconds to start."""
    folder = Path(tempfile.mkdtemp(prefix="weed-"))  # short: there are sockets in it
    try:
        identity = {"name": "site", "actions": ["Admin"], "credentials": [{"accessKey": KEYS[0], "secretKey": KEYS[1]}]}
        (folder / "identities.json").write_text(json.dumps({"identities": [identity]}))
        ports = _free_ports(2 * len(PARTS))
        outer = dict(zip(PARTS, ports, strict=False))
        inner = dict(zip(PARTS, ports[len(PARTS) :], strict=True))
        address = f"http://127.0.0.1:{outer['s3']}"
        process = subprocess.Popen(
            [
                Path(sysconfig.get_path("scripts")) / "weed",
                "-logtostderr=true",
                "server",
                f"-dir={folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-filer",
                "-s3",
                f"-s3.config={folder / 'identities.json'}",
                *(f"-{part}.port={port}" for part, port in outer.items()),
                *(f"-{part}.port.grpc={port}" for part, port in inner.items()),
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                *(f"-{part}.localSocket={folder / part}.sock" for part in ("filer", "s3")),
                "-master.volumeSizeLimitMB=64",
                "-volume.max=8",
                "-volume.preStopSeconds=0",
            ],
            stdout=subprocess.DEVNULL,
            stderr=(folder / "log").open("wb"),
        )
        try:
            _make_bucket(address, folder / "log")
            yield address
        finally:
            process.kill()
            process.wait()
            for part, port in inner.items():  # it has no option for where these are
                Path(f"/tmp/seaweedfs-{part}-grpc-{port}.sock").unlink(missing_ok=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def _make_bucket(address: str, log: Path) -> None:
    patience = time.monotonic() + PATIENCE
    store = s3.FilesOnS3(**entry_at(address)["OPTIONS"])
    while True:
        try:
            if requests.get(address, timeout=1).status_code < 500:
                store.bucket.create()
                store.bucket.put_object(Key="warm", Body=b"up").delete()
                return
        except (requests.RequestException, OSError, ClientError) as error:
            if time.monotonic() > patience:
                raise RuntimeError(log.read_text()[-3000:]) from error
        time.sleep(0.1)


@contextmanager
def faulty(address: str) -> Iterator[tuple[str, deque[str]]]:
    """A proxy before a server: its address, and the faults to come, one a request: "503", "cut" (half the body)."""
    host = address.removeprefix("http://")
    faults: deque[str] = deque()

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = faults.popleft() if faults else ""
            if fault == "503":
                self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
                return
            upstream = http.client.HTTPConnection(host, timeout=PATIENCE)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            self._answer(answer.status, dict(answer.getheaders()), answer.read(), cut=fault == "cut")
            upstream.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes, cut: bool = False) -> None:
            self.send_response_only(status)
            length = headers.get("Content-Length", str(len(body)))  # a HEAD says more than it sends
            for name, value in {**headers, "Content-Length": length}.items():
                if name.lower() not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.end_headers()
            if (
                self.command != "HEAD"
            ):  # whose answer has no body: what stands after it would be the next answer's beginning
                self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815  (http.server's names)

        def log_message(self, *args: Any) -> None:
            pass

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}", faults
    finally:
        proxy.shutdown()
        proxy.server_close()


# --- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The real server, for one module's tests."""
    with running() as address:
        yield address


@pytest.fixture
def at(settings: Any) -> Any:
    """Put the site's files onto a server, or into what `entry` says."""

    def at(server: str = "", **entry: Any) -> s3.FilesOnS3:
        settings.STORAGES = settings.STORAGES | {"default": entry or entry_at(server)}
        settings.AWS_STORAGE_BUCKET_NAME = NAME
        return storages["default"]

    return at


@pytest.fixture
def store(at: Any, server: str) -> Iterator[s3.FilesOnS3]:
    """The site's files on the real server; the bucket is emptied afterwards."""
    made = at(server)
    yield made
    made.bucket.objects.all().delete()


@pytest.fixture
def shaky(at: Any, store: s3.FilesOnS3, server: str) -> Iterator[Any]:
    """The same bucket through a proxy; yields the faults to come."""
    with faulty(server) as (address, faults):
        at(address)
        yield faults


@pytest.fixture
def away(at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not there, and nobody waits for it."""
    monkeypatch.setattr(s3, "RETRIES", 0)
    at("http://127.0.0.1:9")


def keys(store: s3.FilesOnS3) -> list[str]:
    """The names of all objects."""
    return [found.key for found in store.bucket.objects.all()]
