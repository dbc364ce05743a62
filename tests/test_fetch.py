"""Fetching what a vendor's answer names: whatever it names, only what was asked for arrives, from where it may come."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest
import urllib3

from pipeline.providers import fetch
from pipeline.providers.base import ProviderError
from pipeline.providers.fetch import is_public, origin, safe_get
from sandbox.server import Response, running

pytestmark = pytest.mark.slow  # they speak to a server, and wait for it

HOSTS = ("cdn.vendor.example", ".store.example")
FILM = bytes(range(256)) * 8000  # 2 MB

# (where a trusted server sends us, what comes of it)
AWAY = {
    "/to-loopback": "http://127.0.0.1:9/x",
    "/to-private": "https://10.0.0.1/x",
    "/to-file": "file:///etc/passwd",
    "/to-stranger": "https://elsewhere.example/x",
    "/to-nothing": "",
    "/to-nonsense": "https://cdn.vendor.example:99999/",
}


@pytest.fixture(scope="module")
def server():
    def files(world):
        def moved(asked):
            return Response(302, headers={"Location": AWAY[asked.path]})

        def leg(asked):
            left = int(asked.match[1])
            return Response(307, headers={"Location": f"./{left - 1}"}) if left else Response(body=b"there")

        mp4 = {"Content-Type": "video/mp4; codecs=avc1"}
        return [
            ("GET", "/film", lambda asked: Response(body=FILM, headers=mp4)),
            ("GET", "/page", lambda asked: Response(body=b"<html>", headers={"Content-Type": "text/html"})),
            ("GET", "/empty", lambda asked: Response(body=b"", headers=mp4)),
            ("GET", "/cut", lambda asked: Response(body=FILM, cut=1_000_000)),
            ("GET", "/drip", lambda asked: Response(body=b"x" * 8, trickle=1)),
            ("GET", "/promised", lambda asked: Response(body=b"x", headers={"Content-Length": "10000000000"}, cut=1)),
            ("GET", "/gone", lambda asked: Response(403, b"expired")),
            ("GET", "/silent", lambda asked: Response(silent=True)),
            ("GET", "/legs/([0-9])", leg),
            ("GET", "/to-.*", moved),
        ]

    with running({"files": files}) as made:
        yield made


def get(url, tmp_path, **how):
    how = {"hosts": HOSTS, "max_bytes": 10**7, "seconds": 5.0, **how}
    return safe_get(url, tmp_path / "got", **how)


def refused(url, tmp_path, **how):
    with pytest.raises(ProviderError) as no:
        get(url, tmp_path, **how)
    assert list(tmp_path.iterdir()) == [], "nothing may be left behind"
    return no.value


@pytest.fixture
def trusted(server, tmp_path):
    """Fetch a path of the server the operator configured, or hear why not."""

    def ask(path, *, no=False, **how):
        return (refused if no else get)(server.at("files") + path, tmp_path, trusted=(server.url,), **how)

    return ask


@contextlib.contextmanager
def saying(raw: bytes):
    """A server that answers anything with these bytes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listening.accept()
                    with peer:
                        peer.recv(65536)
                        peer.sendall(raw)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def names(monkeypatch):
    """What names resolve to, each time they are asked for; and where connections would have gone."""
    answers: dict[str, list[list[str]]] = {}
    reached: list[tuple[str, str]] = []

    def look_up(host, port, **how):
        if host not in answers:
            raise socket.gaierror("unknown")
        found = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    class Pool:
        def __init__(self, host, port, **how):
            reached.append((host, how["server_hostname"]))
            assert how["assert_hostname"] == how["server_hostname"]
            assert how["cert_reqs"] == "CERT_REQUIRED" or how["cert_reqs"].name == "CERT_REQUIRED"

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def urlopen(self, *what, **how):
            assert how["redirect"] is False
            raise urllib3.exceptions.ProtocolError("no network here")

    monkeypatch.setattr(fetch.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(fetch, "TlsPool", Pool)
    return answers, reached


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("8.8.8.8", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("172.32.0.1", True),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("100.127.255.254", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("::ffff:127.0.0.1", False),  # mapped
        ("::ffff:8.8.8.8", False),
        ("::127.0.0.1", False),  # compatible
        ("64:ff9b::7f00:1", False),  # NAT64
        ("64:ff9b::808:808", False),
        ("64:ff9b:1::a00:1", False),
        ("2002:7f00:1::", False),  # 6to4
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),  # Teredo
    ],
)
def test_only_the_open_internet_is_public(address, public):
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://A.example/x", "https://a.example:443/y?z", True),
        ("http://a.example", "http://a.example:80/", True),
        ("http://a.example", "https://a.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://a.example.evil.example", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one, other, same):
    assert (origin(one) == origin(other)) is same


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://cdn.vendor.example/x", "not https"),
        ("file:///etc/passwd", "not https"),
        ("ftp://cdn.vendor.example/x", "not https"),
        ("gopher://cdn.vendor.example/x", "not https"),
        ("//cdn.vendor.example/x", "not https"),
        ("/etc/passwd", "not https"),
        ("", "not https"),
        ("https://cdn.vendor.example:8443/x", "not https"),
        ("https://cdn.vendor.example:99999/x", "malformed"),
        ("https://[::1/x", "malformed"),
        ("https://user:word@cdn.vendor.example/x", "a name or a password"),
        ("https://cdn.vendor.example@10.0.0.1/x", "a name or a password"),
        ("https:///x", "not a host"),
        ("https://elsewhere.example/x", "not a host"),
        ("https://cdn.vendor.example.evil.example/x", "not a host"),
        ("https://evilstore.example/x", "not a host"),
        ("https://127.0.0.1/x", "not a host"),
        ("https://[::ffff:127.0.0.1]/x", "not a host"),
        ("https://2130706433/x", "not a host"),
    ],
)
def test_an_address_that_is_not_the_vendors_is_refused_before_anything_is_looked_up(url, why, names, tmp_path):
    error = refused(url, tmp_path)
    assert why in str(error)
    assert (error.trouble, error.retryable) == ("refused", False)
    assert names[1] == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)  # fmt: skip
@pytest.mark.parametrize("beside", [(), ("93.184.215.14",)])
def test_a_good_name_that_leads_inside_is_refused_even_if_only_one_of_its_addresses_does(
    address, beside, names, tmp_path
):
    names[0]["cdn.vendor.example"] = [[*beside, address]]
    error = refused("https://cdn.vendor.example/x", tmp_path)
    assert "leads inside" in str(error)
    assert not error.retryable
    assert names[1] == []


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "0x7f.1", "2130706433"])
def test_an_address_in_the_list_of_hosts_is_still_looked_at(host, tmp_path):
    assert not refused(f"https://{host}/x", tmp_path, hosts=(host,)).retryable


@pytest.mark.parametrize("host", ["cdn.vendor.example", "CDN.Vendor.Example", "store.example", "a.b.store.example"])
def test_the_connection_goes_to_the_address_that_was_looked_at_not_to_the_name(host, names, tmp_path):
    # The second answer is what DNS rebinding would use: it must never be asked for.
    names[0][host.lower()] = [["93.184.215.14"], ["127.0.0.1"]]
    assert refused(f"https://{host}/x", tmp_path).retryable
    assert names[1] == [("93.184.215.14", host.lower())]
    assert len(names[0][host.lower()]) == 1


def test_a_name_that_cannot_be_found_may_be_found_later(names, tmp_path):
    assert refused("https://cdn.vendor.example/x", tmp_path).retryable


def test_a_file_arrives_whole_under_its_own_name_and_tells_how_far_it_is(trusted, tmp_path):
    told: list[int] = []
    assert trusted("/film", types=("video/mp4",), on_bytes=told.append) == len(FILM)
    assert (tmp_path / "got").read_bytes() == FILM
    assert [path.name for path in tmp_path.iterdir()] == ["got"]
    assert told == sorted(told)
    assert told[-1] == len(FILM)
    assert max(b - a for a, b in zip([0, *told], told, strict=False)) <= fetch.CHUNK


def test_only_the_very_origin_that_is_trusted_may_be_plain_and_inside(server, tmp_path):
    other = server.url.replace("127.0.0.1", "localhost")
    assert "not https" in str(refused(f"{server.at('files')}/film", tmp_path, trusted=(other, "http://127.0.0.1:9")))


@pytest.mark.parametrize(
    ("path", "why", "again"),
    [
        ("/to-loopback", "not https", False),
        ("/to-private", "not a host", False),
        ("/to-file", "not https", False),
        ("/to-stranger", "not a host", False),
        ("/to-nothing", "leads nowhere", False),
        ("/to-nonsense", "malformed", False),
        ("/legs/4", "on and on", False),
        ("/page", "text/html", False),
        ("/promised", "10000000000 bytes", False),
        ("/empty", "empty", True),
        ("/cut", "", True),
        ("/gone", "403", True),
        ("/silent", "", True),
    ],
)
def test_what_is_wrong_is_refused_and_what_may_pass_may_be_asked_again(path, why, again, trusted):
    error = trusted(path, no=True, types=("video/mp4", "application/octet-stream"))
    assert why in str(error)
    assert error.retryable is again
    assert error.trouble == ("unfetched" if again else "refused")


def test_three_moves_are_followed(trusted, tmp_path):
    assert trusted("/legs/3") == 5


def test_where_a_redirect_leads_is_looked_at_even_if_the_host_is_allowed(trusted):
    assert "10.0.0.1 leads inside" in str(trusted("/to-private", no=True, hosts=("10.0.0.1",)))


def test_more_bytes_than_allowed_are_not_kept(trusted):
    assert "bytes" in str(trusted("/film", no=True, max_bytes=len(FILM) - 1))


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n",
    ],
    ids=["unannounced", "chunked"],
)
def test_bytes_are_counted_where_no_length_was_said(raw, tmp_path):
    with saying(raw) as url:
        assert "more than 999 bytes" in str(refused(url, tmp_path, trusted=(url,), max_bytes=999))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500 + b"\r\n",
    ],
    ids=["nothing", "ssh", "broken-chunk", "cut", "headers-without-end"],
)
def test_no_answer_but_an_answer_is_an_answer(raw, tmp_path):
    with saying(raw) as url:
        assert refused(url, tmp_path, trusted=(url,)).retryable


def test_a_body_that_drips_is_given_up_in_time(trusted):
    began = time.monotonic()
    error = trusted("/drip", no=True, seconds=1.5)
    assert error.retryable
    assert time.monotonic() - began < 4


def test_a_redirect_that_cannot_be_read_is_refused_like_the_rest(tmp_path):
    with saying(b"HTTP/1.1 302 Found\r\nLocation: https://[bad\r\nContent-Length: 0\r\n\r\n") as url:
        assert not refused(url, tmp_path, trusted=(url,)).retryable
