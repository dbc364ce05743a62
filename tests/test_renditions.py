"""A delivered film in another shape or without captions: asked for once, made once, kept to its fan."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import User, VoiceLicence
from orders.choices import Format
from orders.far import StorageAway
from orders.models import Order, OrderState
from pipeline import (
    engine,
    files,
    housekeeping,
    invariants,
    jobs,
    progress,
    queue,
    renditions,
    services,
    sweeping,
)
from pipeline.claims import LostLease
from pipeline.line import STAGES
from pipeline.media import compose, encode, meters
from pipeline.models import (
    Cut,
    Delivery,
    Event,
    Narration,
    Production,
    ProductionState,
    Rendition,
    RenditionState,
    Scene,
    Script,
    Step,
)
from pipeline.queue import CLAIMS
from pipeline.stages import cut as cut_stage

from . import making
from .board import Died
from .samples import STORY
from .test_make_video import make

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = b"a film"


@pytest.fixture
def order() -> Order:
    """A delivered film without its pixels."""
    made = making.draft()
    made.move(OrderState.DRAFT, OrderState.PLACED, placed_at=timezone.now())
    production = services.start(order=made)
    Step.objects.filter(production=production).update(state="done")
    Production.objects.filter(pk=production.pk).update(state=ProductionState.DONE)
    name = default_storage.save(f"films/{made.code}/1/film.mp4", ContentFile(GOOD))
    cut = Cut.objects.create(
        production=production, file=name, sha256="a" * 64, width=1080, height=1920, fps=30, seconds=20, size=len(GOOD)
    )
    Delivery.objects.create(order=made, cut=cut)
    made.move(OrderState.PLACED, OrderState.DELIVERED, ended_at=timezone.now())
    return made


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> list[Rendition]:
    """Renditions are made of a few bytes; the list says which were, as often as they were begun."""
    begun: list[Rendition] = []

    def make_(work: renditions.Making) -> None:
        begun.append(work.row)
        stored = default_storage.save(f"{work.production.folder}/{work.row.pk}.mp4", ContentFile(GOOD))
        with work.fence():
            renditions._mine(work.row).update(state=RenditionState.READY, file=stored, size=6, ended_at=timezone.now())

    monkeypatch.setattr(renditions, "_make", make_)
    return begun


def client_of(user: Any) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def address(order: Order) -> str:
    return reverse("pipeline:version", args=[order.code])


def page(order: Order, user: Any = None) -> str:
    return client_of(user or order.fan).get(reverse("pipeline:order", args=[order.code])).content.decode()


def press(order: Order, shape: str = "16:9", captions: str = "yes", user: Any = None, **more: Any) -> Any:
    return client_of(user or order.fan).post(address(order), {"format": shape, "captions": captions}, **more)


# --- asking -----------------------------------------------------------------------------------------------------------


def test_the_page_offers_every_shape_with_and_without_captions_but_not_the_film_itself(order):
    html = page(order)
    assert html.count("Make it") == 5
    for name in ("Phone (9:16) without captions", "Wide (16:9) with captions", "Square (1:1) without captions"):
        assert name in html
    assert "Phone (9:16) with captions" not in html


def test_what_was_asked_for_is_made_and_downloaded_under_a_name_that_says_what_it_is(order, studio, bells):
    answer = press(order, "16:9", "no")
    assert (answer.status_code, answer.url) == (302, f"/orders/{order.code}/film/#film-versions")
    html = page(order)
    assert "waits its turn" in html
    assert f'ws-connect="/ws/orders/{order.code}/"' in html, "an open page hears how far it is"
    assert "every 5s" in html
    assert "<noscript><p><a" in html
    queue.drain(bells, jobs.JOBS)
    html = page(order)
    assert "film-for-eileen-wide-without-captions.mp4" in html
    assert "Wide (16:9) without captions is ready." in html
    assert "every 5s" not in html, "there is nothing more to ask for"
    [version] = progress.read(order).versions.asked
    got = client_of(order.fan).get(version.download)
    assert got.status_code == 200
    assert got["Content-Disposition"] == 'attachment; filename="film-for-eileen-wide-without-captions.mp4"'
    assert Event.objects.filter(name="rendition.asked").count() == 1


def test_the_second_click_gives_the_same_one(order, studio, bells):
    first = renditions.ask(order=order, format="1:1", captions=True)
    assert renditions.ask(order=order, format="1:1", captions=True) == first
    queue.drain(bells, jobs.JOBS)
    assert renditions.ask(order=order, format="1:1", captions=True) == first
    queue.drain(bells, jobs.JOBS)
    assert len(studio) == 1
    assert Event.objects.filter(name="rendition.asked").count() == 1


@pytest.mark.parametrize(
    ("shape", "captions", "status"),
    [("9:16", "yes", 302), ("4:3", "yes", 400), ("", "yes", 400), ("16:9", "perhaps", 400), ("16:9", "", 400)],
)
def test_what_is_no_other_version_cannot_be_asked_for(order, shape, captions, status):
    assert press(order, shape, captions).status_code == status
    assert not Rendition.objects.exists()


def test_no_more_are_made_of_one_film_than_the_setting_says(order, settings, studio, bells):
    settings.RENDITIONS_PER_FILM = 2
    for shape in ("16:9", "1:1", "9:16"):
        press(order, shape, "no")
    assert Rendition.objects.count() == 2
    html = page(order)
    assert "Make it" not in html
    with pytest.raises(renditions.NotOffered, match="All versions"):
        renditions.ask(order=order, format="9:16", captions=False)
    assert renditions.ask(order=order, format="1:1", captions=False), "what was asked for before is still given"


def test_a_setting_of_none_offers_none(order, settings):
    settings.RENDITIONS_PER_FILM = 0
    assert "Other versions" not in page(order)


def test_nobody_but_the_fan_asks(order):
    stranger, creator = making.fan("stranger@films.example"), order.creator.user
    for user in (None, stranger, creator):
        assert client_of(user).post(address(order), {"format": "1:1", "captions": "yes"}).status_code == 404
    assert client_of(order.fan).get(address(order)).status_code == 405
    assert not Rendition.objects.exists()
    assert press(order).status_code == 302, "the fan does"
    assert "Make it" not in page(order, creator)
    assert "Wide (16:9) with captions" in page(order, creator)


def test_an_order_without_a_film_has_no_versions():
    draft = making.draft()
    with pytest.raises(renditions.NotOffered, match="no film"):
        renditions.ask(order=draft, format="1:1", captions=True)


def test_after_the_voice_was_withdrawn_none_is_offered_and_those_there_are_stay(order, studio, bells):
    press(order)
    queue.drain(bells, jobs.JOBS)
    VoiceLicence.objects.update(revoked_at=timezone.now())
    with pytest.raises(renditions.NotOffered, match="voice"):
        renditions.ask(order=order, format="1:1", captions=True)
    html = page(order)
    assert "Make it" not in html
    assert "film-for-eileen-wide.mp4" in html


def test_a_withdrawn_film_withdraws_its_versions(order, studio, bells):
    press(order)
    queue.drain(bells, jobs.JOBS)
    [version] = progress.read(order).versions.asked
    renditions.ask(order=order, format="1:1", captions=True)
    Delivery.objects.update(revoked_at=timezone.now())
    assert client_of(order.fan).get(version.download).status_code == 404
    assert "Other versions" not in page(order)
    assert press(order, "9:16", "no").status_code == 302
    queue.drain(bells, jobs.JOBS)
    assert renditions.sweep() == 0
    assert len(studio) == 1, "nobody makes versions of a film that was taken back"
    Delivery.objects.update(revoked_at=None)
    assert renditions.sweep() == 1


def test_a_link_is_for_those_who_may_see_the_order(order, studio, bells):
    press(order)
    queue.drain(bells, jobs.JOBS)
    [version] = progress.read(order).versions.asked
    statuses = {
        who: client_of(user).get(version.download).status_code
        for who, user in (
            ("fan", order.fan),
            ("creator", order.creator.user),
            ("stranger", making.fan("stranger@films.example")),
            ("nobody", None),
        )
    }
    assert statuses == {"fan": 200, "creator": 200, "stranger": 404, "nobody": 404}


# --- claiming ---------------------------------------------------------------------------------------------------------


def test_two_workers_make_it_once(order, studio):
    row = renditions.ask(order=order, format="1:1", captions=True)
    assert renditions.claim(row.pk) is not None
    assert renditions.claim(row.pk) is None
    renditions.make(row.pk)
    assert studio == []


def test_a_worker_that_dies_in_the_middle_is_followed_by_another_which_is_heard_to_write(order, studio, monkeypatch):
    row = renditions.ask(order=order, format="1:1", captions=True)
    real = renditions._make

    def die(work: renditions.Making) -> None:
        raise Died

    with time_machine.travel(timezone.now(), tick=False) as clock:
        monkeypatch.setattr(renditions, "_make", die)
        with pytest.raises(Died):
            renditions.make(row.pk)
        dead = Rendition.objects.get()
        assert dead.state == RenditionState.RUNNING
        assert renditions.sweep() == 0, "it may only be slow"
        monkeypatch.setattr(renditions, "_make", real)
        clock.shift(engine.lease() + timedelta(seconds=1))
        assert renditions.sweep() == 1
        renditions.make(row.pk)
        with pytest.raises(LostLease):
            renditions.Making(dead)._renew()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.failures) == (RenditionState.READY, 2, 1)


def test_a_fork_that_hangs_is_known_by_its_claim(order, studio):
    row = renditions.ask(order=order, format="1:1", captions=True)
    find = CLAIMS["pipeline.jobs.make_rendition"]
    assert find(row.pk) is None
    claimed = renditions.claim(row.pk)
    assert find(row.pk) == (claimed.token, claimed.lease_until)


def test_after_the_third_death_it_is_given_up_and_said_kindly(order, studio, monkeypatch, caplog):
    row = renditions.ask(order=order, format="1:1", captions=True)
    monkeypatch.setattr(renditions, "_make", lambda work: (_ for _ in ()).throw(Died()))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3):
            with pytest.raises(Died):
                renditions.make(row.pk)
            clock.shift(engine.lease() + timedelta(seconds=1))
        renditions.make(row.pk)
    row.refresh_from_db()
    assert row.state == RenditionState.FAILED
    assert "its worker died each time" in row.error
    assert "not good enough to send" in page(order)
    [event] = Event.objects.filter(name="rendition.failed")
    assert event.data["format"] == "1:1"
    assert order.code in caplog.text, "staff are told"


def test_an_error_is_tried_again_later_each_time_and_then_for_staff_who_may_try_once_more(order, studio, monkeypatch):
    row, real = renditions.ask(order=order, format="1:1", captions=True), renditions._make
    monkeypatch.setattr(renditions, "_make", lambda work: 1 / 0)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        waits = []
        for _ in range(3):
            renditions.make(row.pk)
            row.refresh_from_db()
            waits.append((row.not_before - timezone.now()).total_seconds())
            clock.shift(max(0.0, waits[-1]))
        assert waits[0] < waits[1]
    assert (row.state, row.attempts) == (RenditionState.FAILED, 3)
    assert "ZeroDivisionError" in row.error
    monkeypatch.setattr(renditions, "_make", real)
    staff = User.objects.get(email="staff@videogen.invalid")
    assert renditions.again(row=row, by=staff, reason="The disk was full.")
    assert not renditions.again(row=row, by=staff, reason="The disk was full.")
    assert [line.reason for line in audit.of(order)] == ["The disk was full."]
    renditions.make(row.pk)
    row.refresh_from_db()
    assert row.state == RenditionState.READY


def test_without_room_or_storage_it_waits_uncounted_until_its_deadline(order, studio, monkeypatch):
    row = renditions.ask(order=order, format="1:1", captions=True)

    def away(work: renditions.Making) -> None:
        raise StorageAway("gone")

    monkeypatch.setattr(renditions, "_make", away)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(6):
            renditions.make(row.pk)
            clock.shift(engine.PARKED)
        row.refresh_from_db()
        assert (row.state, row.failures) == (RenditionState.WAITING, 0)
        clock.shift(renditions.DEADLINE)
        renditions.make(row.pk)
    row.refresh_from_db()
    assert row.state == RenditionState.FAILED


def test_films_that_are_being_made_go_first_for_a_while(order, studio):
    row = renditions.ask(order=order, format="1:1", captions=True)
    other = making.draft(by=making.fan("other@films.example"))
    other.move(OrderState.DRAFT, OrderState.PLACED)
    cut = services.start(order=other).steps.get(stage="cut")
    Step.objects.filter(pk=cut.pk).update(state="ready", not_before=timezone.now() - timedelta(seconds=1))
    with time_machine.travel(timezone.now() + timedelta(seconds=1), tick=False) as clock:
        renditions.make(row.pk)
        assert studio == []
        row.refresh_from_db()
        assert row.state == RenditionState.WAITING
        assert row.not_before > timezone.now()
        clock.shift(renditions.PATIENCE)
        renditions.make(row.pk)
    assert studio == [row]


def test_negative_control_a_step_that_renders_nothing_keeps_nobody_waiting(order, studio):
    row = renditions.ask(order=order, format="1:1", captions=True)
    other = making.draft(by=making.fan("other@films.example"))
    other.move(OrderState.DRAFT, OrderState.PLACED)
    services.start(order=other)
    renditions.make(row.pk)
    assert studio == [row]


def test_a_lost_bell_is_rung_again_by_the_sweep_and_what_nobody_comes_for_is_noticed(order, studio, bells):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        row = renditions.ask(order=order, format="1:1", captions=True)
        bells.clear()
        sweeping.sweep_once()
        assert ("make_rendition", row.pk) in bells
        clock.shift(invariants.GRACE + timedelta(seconds=1))
        assert any("rendition" in sentence for sentence in invariants.i4_nothing_forgotten())
        queue.drain(bells, jobs.JOBS)
        assert not any("rendition" in sentence for sentence in invariants.i4_nothing_forgotten())


def test_a_version_that_fails_its_checks_is_kept_from_everybody(order, monkeypatch):
    def unfit(work: renditions.Making) -> None:
        raise renditions.Unfit([{"code": "face_cut", "severity": "fail", "sentence": "The frame cuts a face."}])

    row = renditions.ask(order=order, format="1:1", captions=True)
    monkeypatch.setattr(renditions, "_make", unfit)
    renditions.make(row.pk)
    row.refresh_from_db()
    assert (row.state, row.verdict, row.attempts) == (RenditionState.FAILED, "fail", 1)
    assert row.findings[0]["code"] == "face_cut"
    assert not row.file
    html = page(order)
    assert "not good enough to send" in html
    assert "face_cut" not in html


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_the_tidying_keeps_versions_of_the_film_and_forgets_those_of_a_film_that_was_replaced(order, studio, bells):
    press(order)
    queue.drain(bells, jobs.JOBS)
    row = Rendition.objects.get()
    assert row.file in housekeeping.known_names({order.code})
    assert housekeeping.forget_replaced() == 0
    again = Production.objects.create(order=order, number=2, state=ProductionState.DONE)
    cut = Cut.objects.create(production=again, file="x", sha256="b" * 64, width=9, height=16, fps=30, seconds=20)
    Delivery.objects.update(cut=cut)
    assert housekeeping.forget_replaced() == 0, "a link to it may just have been followed"
    assert progress.read(order).versions.asked == [], "the new film has versions of its own"
    Rendition.objects.update(asked_at=timezone.now() - housekeeping.REPLACED - timedelta(minutes=1))
    assert housekeeping.forget_replaced() == 1
    assert row.file not in housekeeping.known_names()


# --- real films -------------------------------------------------------------------------------------------------------


def frames_of(name: str, seconds: list[float]) -> list[np.ndarray]:
    return meters.sample_frames(Path(default_storage.path(name)), seconds)


@pytest.fixture
def film(tmp_path, settings) -> Order:
    """A real film, small, delivered."""
    settings.RENDER_SCALE = 0.2
    report, code = make(*STORY, out=tmp_path / "film.mp4", seconds=20)
    assert code == 0
    return Order.objects.get(code=report["order"])


def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of pieces that are encoded from now on, of picture and sound."""
    made: list[str] = []
    segment, sound = encode.segment, encode.sound
    monkeypatch.setattr(encode, "segment", lambda out, *a, **k: (made.append(out.name), segment(out, *a, **k))[1])
    monkeypatch.setattr(encode, "sound", lambda audio, out: (made.append(out.name), sound(audio, out))[1])
    return made


def made(order: Order, shape: Format, *, captions: bool) -> Rendition:
    row = renditions.ask(order=order, format=shape, captions=captions)
    renditions.make(row.pk)
    row.refresh_from_db()
    assert row.state == RenditionState.READY, (row.error, row.findings)
    assert row.verdict == "pass", row.findings
    return row


@pytest.mark.render
@pytest.mark.slow
def test_real_versions_pass_the_same_checks_and_encode_only_what_is_new(film, monkeypatch):
    cut = film.delivery.cut
    names = encoded(monkeypatch)
    clean = made(film, Format.TALL, captions=False)
    pieces = {name: (first, end) for name, first, end in cut.timeline["pieces"]}
    spoken = [(round(start * 30), round(end * 30)) for start, end, *_ in cut.timeline["captions"]]
    told = {name for name, (a, b) in pieces.items() if any(a < end and b > start for start, end in spoken)}
    silent = set(pieces) - told - {name for name in pieces if name.startswith("sound-")}
    assert len(silent) >= 2, "title and end card have no captions"
    assert not silent & set(names), "what has no captions is taken out of the film"
    assert len(names) == len(pieces) - len(silent) - 1
    assert not [name for name in names if name.startswith("sound-")], "so is the sound"
    # The captions are gone, all else is the same.
    start, end, x, y, w, h = cut.timeline["captions"][0]
    [[with_], [without]] = (frames_of(one.file, [(start + end) / 2]) for one in (cut, clean))
    area = np.s_[round(y) : round(y + h), round(x) : round(x + w)]
    assert np.abs(with_[area].astype(int) - without[area]).mean() > 10
    rest = np.abs(with_.astype(int) - without)
    rest[area] = 0
    assert rest.mean() < 2
    # Another shape: all pictures are new, the sound is not; its clean version takes over what has no captions.
    names.clear()
    wide = made(film, Format.WIDE, captions=True)
    assert (wide.width, wide.height) == (384, 216)
    assert len(names) == len(pieces) - 1
    names.clear()
    bare = made(film, Format.WIDE, captions=False)
    assert 0 < len(names) <= len(pieces) - 1 - len(silent)
    for row in (clean, wide, bare):
        with av.open(default_storage.path(row.file)) as opened:
            video, audio = opened.streams.video[0], opened.streams.audio[0]
            assert (video.width, video.height) == (row.width, row.height)
            assert (audio.rate, round(row.seconds, 1)) == (48_000, round(cut.seconds, 1))
        assert files.sha256(Path(default_storage.path(row.file))) == row.sha256
    assert invariants.broken() == []
    # Without its label it would be no version to send.
    with monkeypatch.context() as spoiled:
        spoiled.setattr(compose.Timeline, "label_box", lambda self, frame: None)
        row = renditions.ask(order=film, format=Format.SQUARE, captions=False)
        renditions.make(row.pk)
    row.refresh_from_db()
    assert (row.state, row.findings[0]["code"], row.file) == (RenditionState.FAILED, "label", "")
    # And a film whose captions are changed is cut again of all pieces that the change does not reach.
    names.clear()
    scene = Scene.objects.get(script__production=cut.production, number=2)
    words = scene.narration.words
    Narration.objects.filter(scene=scene).update(words=[["Hello", *words[0][1:]], *words[1:]])
    again = Production.objects.create(order=film, number=2)
    Script.objects.update(production=again)
    step = Step.objects.create(production=again, stage="cut", state="ready", not_before=timezone.now())
    cut_stage.run(engine.Work(engine.claim(step.pk), STAGES["cut"]))
    since, until = (round(30 * second) for second in cut.timeline["scenes"][1])
    near = {name for name, (first, end) in pieces.items() if first < until and end > since and name in told}
    assert 1 <= len(names) <= len(near) < len(pieces) / 2
    assert not set(names) & set(pieces)
    [event] = Event.objects.filter(production=again, name="film.cut")
    assert event.data["ready"] == len(pieces) - len(names)
