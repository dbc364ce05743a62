"""Fetching from, and uploading to, what a vendor's answer names, as if that were hostile: https, public addresses only.

Every address a name resolves to is looked at, and the connection goes to the one that was looked at, so that a second
look-up cannot lead elsewhere (DNS rebinding). Redirects are followed by hand, at most three, each judged anew.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

import certifi
import urllib3

from .base import ProviderError
from .deadline import PlainPool, TlsPool

CHUNK = 256 * 1024
CONNECT_SECONDS = 5.0
MOST_REDIRECTS = 3
# What `is_global` lets through although it leads into somebody's inside: embedded IPv4 in its several dresses.
_HIDDEN = tuple(
    ipaddress.ip_network(net)
    for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "100.64.0.0/10")
)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet and hides no other address inside."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return False
    if any(ip.version == net.version and ip in net for net in _HIDDEN):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def origin(url: str) -> str:
    """Scheme, host and port, which decide whom one speaks to."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def safe_get(
    url: str,
    out: Path,
    *,
    hosts: Collection[str],
    trusted: Collection[str] = (),
    max_bytes: int,
    seconds: float,
    types: Collection[str] = (),
    on_bytes: Callable[[int], None] | None = None,
) -> int:
    """Fetch what a vendor made from `url` into `out`, whole or not at all; the bytes it has.

    `hosts`: host names allowed, a leading dot meaning "and below". `trusted`: addresses the owner of this site has
    configured; what has their origin may be anywhere and plain http. `types`: content types allowed, none meaning any.
    `on_bytes` is called with the bytes so far, at least every 256 KB. Raises ProviderError; its trouble is "unfetched"
    where another try may help.
    """
    try:
        return _get(url, out, hosts, trusted, max_bytes, seconds, types, on_bytes)
    except ProviderError as error:
        if error.retryable:
            error.trouble, error.cost = "unfetched", None
        raise


def _get(
    url: str,
    out: Path,
    hosts: Collection[str],
    trusted: Collection[str],
    max_bytes: int,
    seconds: float,
    types: Collection[str],
    on_bytes: Callable[[int], None] | None,
) -> int:
    until = time.monotonic() + seconds
    known = {origin(address) for address in trusted}
    draft = out.with_name(f".{out.name}.part")
    try:
        for _ in range(MOST_REDIRECTS + 1):
            moved = _get_once(url, draft, hosts, known, max_bytes, until, types, on_bytes)
            if moved is None:
                os.replace(draft, out)
                return out.stat().st_size
            url = _joined(url, moved)
        raise ProviderError("the address leads on and on", retryable=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ProviderError(f"fetching failed: {type(error).__name__}", retryable=True) from error
    except ValueError as error:  # such as a label of a name that is longer than names may be
        raise ProviderError("the address is refused: it is malformed", retryable=False) from error
    finally:
        draft.unlink(missing_ok=True)


def safe_put(
    url: str, content: bytes, headers: Mapping[str, str], *, trusted: Collection[str] = (), seconds: float
) -> None:
    """Upload `content` to `url`: on any public host, or where `trusted` has its origin, as for `safe_get`.

    Nothing of ours but `headers` goes along, and no redirect is followed. Raises ProviderError, after which another try
    may help.
    """
    try:
        host = urlsplit(url).hostname or ""
        pool, path, shown = _connection(url, (host,), {origin(address) for address in trusted})
        with pool:
            reply = pool.urlopen(
                "PUT", path, body=content, headers={**headers, "Host": shown}, redirect=False, retries=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds, total=seconds),
            )  # fmt: skip
            reply.close()
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise ProviderError(f"uploading failed: {type(error).__name__}", retryable=True) from error
    if not 200 <= reply.status < 300:
        raise ProviderError(f"the upload was answered with {reply.status}", retryable=True)


def _get_once(
    url: str,
    out: Path,
    hosts: Collection[str],
    trusted: Collection[str],
    max_bytes: int,
    until: float,
    types: Collection[str],
    on_bytes: Callable[[int], None] | None,
) -> str | None:
    """One request; the place it was moved to, or None when the file is there."""
    pool, path, host = _connection(url, hosts, trusted)
    left = max(0.1, until - time.monotonic())
    timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, left), read=left)
    with pool:
        response = pool.urlopen(
            "GET", path, headers={"Host": host, "Accept-Encoding": "identity"}, redirect=False, retries=False,
            preload_content=False, timeout=timeout,
        )  # fmt: skip
        try:
            if response.status in (301, 302, 303, 307, 308):
                return response.headers.get("Location") or _no("it leads nowhere")
            if response.status != 200:
                # Links of vendors run out: a new one may work.
                raise ProviderError(f"the address answers {response.status}", retryable=True)
            kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
            if types and kind not in types:
                _no(f"it is {kind or 'of no type'}")
            said = response.headers.get("Content-Length", "")
            if said.isdigit() and int(said) > max_bytes:
                _no(f"it has {said} bytes")
            had = 0
            with out.open("wb") as file:
                # Not `stream`: that waits for a whole chunk, and a body of one byte a second would never be late.
                while chunk := response.read1(CHUNK):
                    had += len(chunk)
                    if had > max_bytes:
                        _no(f"it has more than {max_bytes} bytes")
                    if time.monotonic() > until:
                        raise ProviderError("it came too slowly", retryable=True)
                    file.write(chunk)
                    if on_bytes is not None:
                        on_bytes(had)
            if said.isdigit() and had != int(said):
                raise ProviderError(f"only {had} of {said} bytes came", retryable=True)
            if had == 0:
                raise ProviderError("it is empty", retryable=True)
            return None
        finally:
            response.close()


def _connection(
    url: str, hosts: Collection[str], trusted: Collection[str]
) -> tuple[urllib3.HTTPConnectionPool, str, str]:
    """A connection to an address that has been looked at, the path to ask for, and the Host header."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        _no("it is malformed")
    if parts.username is not None or parts.password is not None:
        _no("it carries a name or a password")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    shown = parts.netloc
    if host and parts.scheme in ("http", "https") and origin(url) in trusted:
        if parts.scheme == "http":
            return PlainPool(host, port or 80), path, shown
        return TlsPool(host, port or 443, ca_certs=certifi.where()), path, shown
    if parts.scheme != "https" or port not in (None, 443):
        _no("it is not https")
    if not any(host == allowed.lstrip(".") or (allowed[:1] == "." and host.endswith(allowed)) for allowed in hosts):
        _no(f"{host} is not a host of this vendor")
    address = _looked_at(host)
    return (
        TlsPool(
            address, 443, server_hostname=host, assert_hostname=host, cert_reqs=ssl.CERT_REQUIRED,
            ca_certs=certifi.where(),
        ),
        path,
        shown,
    )  # fmt: skip


def _joined(url: str, moved: str) -> str:
    try:
        return urljoin(url, moved)
    except ValueError:
        _no("it leads to a malformed one")


def _looked_at(host: str) -> str:
    """One of the host's addresses, when all of them are public."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise ProviderError(f"{host} cannot be found", retryable=True) from error
    if not found or not all(is_public(address) for address in found):
        _no(f"{host} leads inside")
    return found[0]


def _no(why: str) -> NoReturn:
    raise ProviderError(f"the address is refused: {why}", retryable=False)
