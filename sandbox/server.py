"""The sandbox's HTTP server: `/<vendor>/…` goes to that vendor's routes, `/_world` is for whoever directs the play.

GET  /_world            what is switched on, what fell, how many requests each vendor had
POST /_world            {"faults": {"higgsfield.nsfw": 0.1, "openai.refusal": "2x"}, "speed": 20, "seed": 7}
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .world import FAULTS, Asked, World

MAX_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request as a route sees it; `path` without the vendor's prefix, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    match: re.Match[str]

    def json(self) -> Any:
        """The body as JSON, None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(slots=True)
class Response:
    """What a route answers. `body` may be anything JSON can say, or bytes.

    `silent` closes the connection without a word; `trickle` sends that many bytes a second; `cut` sends only so many
    bytes of a body whose full length was promised.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    trickle: float = 0.0
    cut: int | None = None


Route = tuple[str, str, Callable[[Request], Response]]  # method, pattern of the whole path, function
Vendor = Callable[[World], list[Route]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    world: World
    routes: dict[str, list[tuple[str, re.Pattern[str], Callable[[Request], Response]]]]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:
        """The journal is the log."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, MAX_BODY)) if length else b""
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if parts.path == "/_world":
            self._send(self._direct(body))
            return
        _, vendor, rest = (*parts.path.split("/", 2), "", "")[:3]
        path = "/" + rest
        self.server.world.write(Asked(time.time(), vendor, self.command, path, headers, body))
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        for method, pattern, function in self.server.routes.get(vendor, []):
            if method == self.command and (match := pattern.fullmatch(path)):
                self._send(function(Request(self.command, path, query, headers, body, match)))
                return
        self._send(Response(404, {"detail": "Not Found"}))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815  (the base class's names)

    def _direct(self, body: bytes) -> Response:
        world = self.server.world
        try:
            wanted = json.loads(body or b"{}")
            for fault, how in wanted.get("faults", {}).items():
                times = isinstance(how, str) and how.endswith("x")
                world.switch(fault, int(how[:-1]) if times else float(how), times=times)
            world.speed = float(wanted.get("speed", world.speed))
            world.seed = int(wanted.get("seed", world.seed))
        except (ValueError, KeyError, AttributeError) as error:
            return Response(400, {"detail": str(error)})
        with world.lock:
            return Response(
                body={
                    "faults": {name: world.rules.get(name, 0) for name in sorted(FAULTS) if world.rules.get(name)},
                    "left": {name: count for name, count in world.left.items() if count},
                    "fired": dict(world.fired),
                    "requests": dict(Counter(one.vendor for one in world.journal)),
                    "speed": world.speed,
                    "seed": world.seed,
                }
            )

    def _send(self, answer: Response) -> None:
        if answer.silent:
            self.close_connection = True
            return
        is_raw = isinstance(answer.body, bytes)
        body = answer.body if is_raw else b"" if answer.body is None else json.dumps(answer.body).encode()
        kind = "application/octet-stream" if is_raw else "application/json"
        headers = {"Content-Type": kind, "Content-Length": str(len(body))} | answer.headers
        try:
            self.send_response(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if answer.cut is not None:
                self.wfile.write(body[: answer.cut])
                self.close_connection = True
            elif answer.trickle:
                for at in range(0, len(body), max(1, int(answer.trickle))):
                    self.wfile.write(body[at : at + max(1, int(answer.trickle))])
                    self.wfile.flush()
                    if self.server.world.ended.wait(1):
                        return
            else:
                self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the other side has gone


class Sandbox:
    """A running sandbox: its world and its address."""

    def __init__(self, vendors: Mapping[str, Vendor], *, port: int = 0, seed: int = 1, speed: float = 1.0) -> None:
        self.world = World(seed=seed, speed=speed)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.world.base_url = self.url
        self._server.world = self.world
        self._server.routes = {
            name: [(method, re.compile(pattern), function) for method, pattern, function in vendor(self.world)]
            for name, vendor in vendors.items()
        }

    def at(self, vendor: str) -> str:
        """A vendor's base URL."""
        return f"{self.url}/{vendor}"

    def serve(self) -> None:
        """Serve until `stop` is called."""
        self._server.serve_forever(poll_interval=0.1)

    def start(self) -> None:
        """Serve on a thread of its own."""
        threading.Thread(target=self.serve, daemon=True, name="sandbox").start()

    def stop(self) -> None:
        """End it."""
        self.world.end()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def running(vendors: Mapping[str, Vendor], **how: Any) -> Iterator[Sandbox]:
    """A sandbox for the length of a block."""
    sandbox = Sandbox(vendors, **how)
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()
