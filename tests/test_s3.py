"""Files on a real S3 server: what it lets through and what not, until when, and with faults in between."""

# ruff: noqa: F811  (fixtures arrive as imports and are named again as arguments)

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from orders import s3, services
from orders.far import Far, StorageAway
from orders.models import Order, OrderState
from pipeline import engine, files, housekeeping, media_links
from pipeline import services as making_services
from pipeline.models import Delivery, Step, StepState
from videogen import bucket, checks

from . import making, stores
from .stores import at, away, keys, server, shaky, store  # noqa: F401
from .waiting import PATIENCE
from .wizard import add, creator, draft, photo, till  # noqa: F401

pytestmark = pytest.mark.slow

BODY = bytes(range(256)) * 4096  # 1 MB


# --- files of a production --------------------------------------------------------------------------------------------


def test_a_file_is_published_fetched_listed_and_deleted(store: s3.FilesOnS3, tmp_path: Path) -> None:
    made = tmp_path / "film.mp4"
    made.write_bytes(BODY * 9)  # in parts: more than 8 MB
    name = files.publish(made, "films/CODE/1")
    assert default_storage.exists(name)
    assert default_storage.size(name) == len(BODY) * 9
    assert default_storage.listdir("films/CODE/1") == ([], [name.rsplit("/", 1)[1]])
    (tmp_path / "work").mkdir()
    assert files.sha256(files.fetch(name, tmp_path / "work")) == files.sha256(made)
    default_storage.delete(name)
    default_storage.delete(name)
    assert not default_storage.exists(name)


@pytest.mark.parametrize(
    ("name", "kind", "disposition"),
    [
        ("films/C/1/a.mp4", "video/mp4", "inline"),
        ("films/C/1/a.vtt", "text/vtt; charset=utf-8", "inline"),
        ("orders/C/photos/a.jpg", "image/jpeg", "inline"),
        ("orders/C/in/token", "application/octet-stream", "attachment"),
        ("films/C/1/a.html", "text/html", "attachment"),
    ],
)
def test_type_and_disposition_stand_with_the_file(store: s3.FilesOnS3, name: str, kind: str, disposition: str) -> None:
    default_storage.save(name, ContentFile(b"x"))
    got = requests.get(store.signed_url(name, seconds=60), timeout=PATIENCE)
    assert (got.headers["Content-Type"], got.headers["Content-Disposition"]) == (kind, disposition)


def test_nothing_is_overwritten(store: s3.FilesOnS3) -> None:
    first = default_storage.save("films/C/1/a.mp4", ContentFile(b"first"))
    second = default_storage.save("films/C/1/a.mp4", ContentFile(b"second"))
    assert first != second
    assert default_storage.open(first).read() == b"first"


def test_what_is_gone_is_not_found(store: s3.FilesOnS3, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.fetch("films/C/1/gone.mp4", tmp_path)
    assert list(tmp_path.iterdir()) == []
    name = default_storage.save("films/C/1/a.mp4", ContentFile(b"x"))
    opened = default_storage.open(name)
    default_storage.delete(name)
    for _ in range(2):  # the second read must not find an empty file either
        with pytest.raises(FileNotFoundError):
            opened.read()


def test_a_big_file_goes_through_the_disk_and_not_through_memory(store: s3.FilesOnS3) -> None:
    name = default_storage.save("films/C/1/a.mp4", ContentFile(BODY * 2))
    with default_storage.open(name) as opened:
        assert opened.read(4) == BODY[:4]
        assert opened._file._rolled


def test_a_process_makes_one_client_for_all_threads_and_a_fork_its_own(
    store: s3.FilesOnS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = [store.connection]
    thread = threading.Thread(target=lambda: seen.append(store.connection))
    thread.start()
    thread.join()
    assert seen[0] is seen[1]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert store.connection is not seen[0]


@pytest.mark.django_db
def test_files_without_a_row_are_removed_and_what_is_not_ours_stays(
    client: Client, draft: Order, store: s3.FilesOnS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client, draft, photo(0), photo(1))
    kept = set(draft.photos.values_list("original", flat=True))
    for number in range(5):
        default_storage.save(f"films/{draft.code}/1/{number}.mp4", ContentFile(b"x"))
    default_storage.save("elsewhere/backup.sql", ContentFile(b"x"))
    assert list(housekeeping.orphans()) == [], "they are young"
    monkeypatch.setattr(housekeeping, "YOUNG", timedelta(seconds=-60))
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    assert housekeeping.clear() == 5
    assert set(keys(store)) == kept | {"elsewhere/backup.sql"}


# --- links ------------------------------------------------------------------------------------------------------------


def test_a_signed_address_gives_the_file_in_parts_until_it_runs_out(store: s3.FilesOnS3) -> None:
    name = default_storage.save("films/C/1/a.mp4", ContentFile(BODY))
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        address, short = store.signed_url(name, seconds=7200), store.signed_url(name, seconds=60)
    assert requests.get(address, timeout=PATIENCE).content == BODY
    part = requests.get(address, headers={"Range": "bytes=100-199"}, timeout=PATIENCE)
    assert (part.status_code, part.content) == (206, BODY[100:200])
    assert requests.get(address, headers={"Range": "bytes=9999999-"}, timeout=PATIENCE).status_code == 416
    assert requests.get(short, timeout=PATIENCE).status_code == 403


def test_a_signed_address_is_good_for_one_file_one_method_and_one_signer(
    store: s3.FilesOnS3, at: Any, server: str
) -> None:
    name = default_storage.save("films/C/1/a.mp4", ContentFile(BODY))
    default_storage.save("films/C/1/b.mp4", ContentFile(BODY))
    address = store.signed_url(name, seconds=60)
    last = "1" if address.endswith("0") else "0"
    forged = at(**stores.entry_at(server, keys=(stores.KEYS[0], "another secret"))).signed_url(name, seconds=60)
    stranger = at(**stores.entry_at(server, keys=("nobody", "secret"))).signed_url(name, seconds=60)
    for bad in (
        address.replace("a.mp4", "b.mp4"),
        address[:-1] + last,
        address.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        address.split("?", maxsplit=1)[0],
        forged,
        stranger,
    ):
        assert requests.get(bad, timeout=PATIENCE).status_code == 403, bad
    assert requests.head(address, timeout=PATIENCE).status_code == 403
    assert requests.head(store.signed_url(name, seconds=60, method="HEAD"), timeout=PATIENCE).status_code == 200


def follow(client: Client, link: str, method: str = "get", **headers: str) -> requests.Response:
    """Ask our link, then where it leads."""
    redirect = getattr(client, method)(link)
    assert redirect.status_code == 302
    assert redirect["Cache-Control"] == "private, max-age=60"
    return requests.request(method, redirect.url, headers=headers, timeout=PATIENCE)


def body_of(response: Any) -> bytes:
    async def read() -> bytes:
        return b"".join([chunk async for chunk in response.streaming_content])

    return asyncio.run(read())


@pytest.fixture
def film(db: None, store: s3.FilesOnS3, client: Client) -> tuple[Order, str]:
    """A delivered order with its film; the fan is signed in."""
    order = making.draft()
    Order.objects.filter(pk=order.pk).update(state=OrderState.DELIVERED)
    client.force_login(order.fan)
    return order, default_storage.save(f"films/{order.code}/1/abc.mp4", ContentFile(BODY))


def test_our_link_leads_the_owner_to_the_file_and_nobody_else(client: Client, film: tuple[Order, str]) -> None:
    _, name = film
    link = media_links.link(name)
    assert follow(client, link).content == BODY
    assert follow(client, link, Range="bytes=5-9").content == BODY[5:10]
    assert follow(client, link, "head").headers["Content-Length"] == str(len(BODY))
    stranger = Client()
    assert stranger.get(link).status_code == 404
    stranger.force_login(User.objects.create_user("stranger@films.example"))
    assert stranger.get(link).status_code == 404
    got = follow(client, media_links.link(name, filename="film for Zoë.mp4"))
    assert got.headers["Content-Disposition"] == "attachment; filename*=utf-8''film%20for%20Zo%C3%AB.mp4"


def test_a_revoked_delivery_closes_the_link(
    client: Client, film: tuple[Order, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order, name = film
    monkeypatch.setattr(Order, "delivery", Delivery(order=order, revoked_at=timezone.now()), raising=False)
    assert client.get(media_links.link(name)).status_code == 404


def test_what_ran_out_during_play_comes_back_by_the_link_and_the_link_by_the_page(
    client: Client, film: tuple[Order, str]
) -> None:
    _, name = film
    link = media_links.link(name)
    with time_machine.travel(timezone.now() - timedelta(seconds=media_links.FAR_SECONDS - 120)):
        address = client.get(link).url
    assert requests.get(address, headers={"Range": "bytes=0-9"}, timeout=PATIENCE).status_code == 206
    with time_machine.travel(timezone.now() - timedelta(seconds=media_links.FAR_SECONDS + 120)):
        address = client.get(link).url
    assert requests.get(address, headers={"Range": "bytes=10-19"}, timeout=PATIENCE).status_code == 403
    assert follow(client, link, Range="bytes=10-19").content == BODY[10:20]
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        assert client.get(link).status_code == 404
        assert client.get(media_links.link(name)).status_code == 302, "a page shown again has new links"


def test_captions_come_from_us(client: Client, film: tuple[Order, str]) -> None:
    order, _ = film
    name = default_storage.save(f"films/{order.code}/1/abc.vtt", ContentFile(b"WEBVTT\n"))
    got = client.get(media_links.link(name), headers={"Range": "bytes=0-5"})
    assert (got.status_code, body_of(got)) == (206, b"WEBVTT")
    assert got["Content-Type"] == "text/vtt; charset=utf-8"
    default_storage.delete(name)
    assert client.get(media_links.link(name)).status_code == 404


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def test_cloudfront_links_are_signed_by_our_key(at: Any, private_key: rsa.RSAPrivateKey) -> None:
    store = at(
        **bucket.storage(
            "films", region="eu-central-1", keys=stores.KEYS, cloudfront=("f.example.org", "K2ABC", pem(private_key))
        )
    )
    address = store.signed_url("films/C/1/a.mp4", seconds=300, filename="film.mp4")
    parts = urlsplit(address)
    said = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "f.example.org", "/films/C/1/a.mp4")
    assert said["Key-Pair-Id"] == "K2ABC"
    assert said["response-content-disposition"] == 'attachment; filename="film.mp4"'
    assert abs(int(said["Expires"]) - time.time() - 300) < PATIENCE
    resource = address.split("&Expires=", maxsplit=1)[0]
    until = {"DateLessThan": {"AWS:EpochTime": int(said["Expires"])}}
    policy = {"Statement": [{"Resource": resource, "Condition": until}]}
    signature = base64.b64decode(said["Signature"].translate(str.maketrans("-_~", "+=/")))
    signed = json.dumps(policy, separators=(",", ":")).encode()
    private_key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA1())


def test_a_cloudfront_key_that_is_none_says_so(at: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="AWS_CLOUDFRONT_KEY"):
        at(**bucket.storage("films", region="eu-central-1", cloudfront=("f.example.org", "K2ABC", "nonsense")))


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_server_that_says_503_is_asked_again(store: s3.FilesOnS3, shaky: Any, tmp_path: Path) -> None:
    made = tmp_path / "film.mp4"
    made.write_bytes(BODY)
    shaky.extend(["503", "503"])
    name = files.publish(made, "films/C/1")
    assert keys(store) == [name]
    (tmp_path / "work").mkdir()
    shaky.extend(["503", "503"])
    assert files.fetch(name, tmp_path / "work").read_bytes() == BODY
    assert not shaky


def test_an_answer_cut_off_in_the_middle_is_fetched_again(store: s3.FilesOnS3, shaky: Any, tmp_path: Path) -> None:
    name = default_storage.save("films/C/1/a.mp4", ContentFile(BODY))
    shaky.extend(["", "cut"])  # the HEAD passes
    assert files.fetch(name, tmp_path).read_bytes() == BODY
    assert not shaky


def test_what_lasts_is_an_error_of_the_store_that_the_engine_tries_again(
    store: s3.FilesOnS3, at: Any, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "RETRIES", 0)
    name = default_storage.save("films/C/1/a.mp4", ContentFile(BODY))
    with stores.faulty(server) as (address, faults):
        shaky = at(address)
        for act in (
            lambda: files.fetch(name, tmp_path),
            lambda: default_storage.exists(name),
            lambda: default_storage.delete(name),
            lambda: default_storage.size(name),
            lambda: default_storage.get_modified_time(name),
            lambda: default_storage.listdir("films"),
            lambda: default_storage.save("films/C/1/b.mp4", ContentFile(b"x")),
            lambda: list(shaky.walk("films")),
            lambda: shaky.copy(name, "films/C/1/c.mp4"),
        ):
            faults.append("503")
            with pytest.raises(StorageAway):
                act()
            assert not faults
        assert files.fetch(name, tmp_path).read_bytes() == BODY, "afterwards all is well"
    assert issubclass(StorageAway, OSError)


def test_a_bucket_that_does_not_exist_is_not_a_file_that_is_gone(store: s3.FilesOnS3, at: Any, server: str) -> None:
    other = at(**bucket.storage("nowhere", region=stores.REGION, own=server, keys=stores.KEYS))
    with pytest.raises(StorageAway, match="NoSuchBucket"):
        list(other.walk("films"))


@pytest.mark.django_db
def test_a_step_whose_files_cannot_be_reached_is_parked_uncounted_and_then_done(
    store: s3.FilesOnS3, at: Any, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = default_storage.save("films/C/1/a.mp4", ContentFile(BODY))
    order = making.draft()
    Order.objects.filter(pk=order.pk).update(state=OrderState.PLACED)
    order.refresh_from_db()
    step = Step.objects.get(production=making_services.start(order=order), stage="photos")

    def stage(work: engine.Work) -> engine.Done:
        files.fetch(name, tmp_path)
        return engine.DONE

    monkeypatch.setattr(engine, "stage_of", lambda key: stage)
    monkeypatch.setattr(s3, "RETRIES", 0)
    with stores.faulty(server) as (address, faults):
        at(address)
        faults.append("503")
        engine.run_step(step.pk)
        step.refresh_from_db()
        assert (step.state, step.failures) == (StepState.WAITING, 0)
        assert step.error.startswith("StorageAway")
        with time_machine.travel(timezone.now() + engine.PARKED + timedelta(seconds=1)):
            engine.run_step(step.pk)
        step.refresh_from_db()
        assert step.state == StepState.DONE


@pytest.mark.django_db
def test_tidying_and_removing_outlive_a_store_that_is_away(
    client: Client, draft: Order, away: None, django_capture_on_commit_callbacks: Any
) -> None:
    assert housekeeping.clear() == 0
    draft.photos.create(original="orders/x/in/y", sha256="a", token="t")
    with django_capture_on_commit_callbacks(execute=True):
        assert services.remove_photo(order=draft, token="t")


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "region", "own", "origin"),
    [
        ("films", "eu-central-1", "", "https://films.s3.eu-central-1.amazonaws.com"),
        ("films", "us-east-1", "", "https://films.s3.us-east-1.amazonaws.com"),
        ("films.example.org", "eu-central-1", "", "https://s3.eu-central-1.amazonaws.com"),
        ("films", "us-east-1", "https://s3.example.org:9000", "https://s3.example.org:9000"),
    ],
)
def test_pages_may_load_from_where_links_lead_and_post_to_where_forms_go(
    at: Any, name: str, region: str, own: str, origin: str
) -> None:
    store = at(**bucket.storage(name, region=region, own=own, keys=stores.KEYS))
    assert isinstance(store, Far)
    address = store.signed_url("films/C/1/a.mp4", seconds=60)
    form = store.upload_form("orders/C/in/t", kind="image/png", most=10, seconds=60)
    assert bucket.origin(name, region, own) == origin
    assert [address.startswith(origin + "/"), form["url"].startswith(origin + "/")] == [True, True]
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in address


SHOW = """
import django, json
django.setup()
from django.conf import settings
from django.core.files.storage import storages
address = storages["default"].signed_url("a/b.mp4", seconds=9)
print(json.dumps([address, settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]]))
"""


def test_the_environment_alone_switches_to_the_bucket(private_key: rsa.RSAPrivateKey) -> None:
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "videogen.settings",
        "AWS_STORAGE_BUCKET_NAME": "films",
        "AWS_S3_REGION_NAME": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_S3_CUSTOM_DOMAIN": "f.example.org",
        "AWS_CLOUDFRONT_KEY_ID": "K2ABC",
        "AWS_CLOUDFRONT_KEY": pem(private_key).replace("\n", "\\n"),
    }
    said = subprocess.run([sys.executable, "-c", SHOW], env=env, capture_output=True, text=True, check=True).stdout
    address, policy = json.loads(said)
    assert address.startswith("https://f.example.org/a/b.mp4?Expires=")
    assert policy["img-src"][-1] == policy["media-src"][-1] == "https://f.example.org"
    assert policy["connect-src"][-1] == "https://films.s3.eu-central-1.amazonaws.com"


def test_half_a_group_is_an_error(settings: Any) -> None:
    assert checks.files_are_whole(None) == []
    settings.AWS_STORAGE_BUCKET_NAME = "films"
    (error,) = checks.files_are_whole(None)
    assert error.msg == "AWS_STORAGE_BUCKET_NAME is set, AWS_S3_REGION_NAME is not."
    settings.AWS_S3_REGION_NAME = "eu-central-1"
    assert checks.files_are_whole(None) == []
    for alone in ("AWS_ACCESS_KEY_ID", "AWS_S3_CUSTOM_DOMAIN", "AWS_CLOUDFRONT_KEY_ID", "AWS_CLOUDFRONT_KEY"):
        setattr(settings, alone, "-----BEGIN PRIVATE KEY-----")
        assert [e.id for e in checks.files_are_whole(None)] == ["videogen.E010"], alone
        setattr(settings, alone, "")
    settings.AWS_S3_ENDPOINT_URL = "s3.example.org"
    assert [e.id for e in checks.files_are_whole(None)] == ["videogen.E011"]


@pytest.mark.django_db
def test_the_doctor_says_that_a_bucket_is_half_set(settings: Any) -> None:
    settings.AWS_STORAGE_BUCKET_NAME, out = "films", io.StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", stdout=out)
    assert "AWS_STORAGE_BUCKET_NAME is set, AWS_S3_REGION_NAME is not." in out.getvalue()


@pytest.mark.django_db
def test_the_doctor_asks_the_bucket(store: s3.FilesOnS3, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> str:
        out = io.StringIO()
        with contextlib.suppress(SystemExit):
            call_command("doctor", stdout=out)
        return next(line for line in out.getvalue().splitlines() if " bucket " in line)

    assert "films answers" in said()
    monkeypatch.setattr(s3, "RETRIES", 0)
    at("http://127.0.0.1:9")
    assert said().startswith("BAD")
