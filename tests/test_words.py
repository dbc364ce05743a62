"""The words beside the film: files to keep, the creator's template, and signs that nothing can draw."""

from __future__ import annotations

import contextlib
import dataclasses
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import models as accounts
from orders import reader
from orders import services as orders
from orders.models import OrderState
from pipeline import engine, film, progress, roster, services, wording
from pipeline.media import fonts, templates
from pipeline.models import Call, Cut, Delivery, Scene, Script, Step
from pipeline.providers.base import SceneDraft, ScriptDraft
from pipeline.stages import script

from . import making

pytestmark = pytest.mark.django_db

CUES = [[0.5, 2.0, "She dreamed of space --> and"], [2.0, 3.25, "never <b>stopped</b>."]]
LINES = ["She dreamed of space --> and never <b>stopped</b>.", "Come home soon, Eileen."]
NOBODYS = "\U000f1234"  # a private character: no font has it


@pytest.fixture
def order():
    """A delivered film without its pixels."""
    made = making.draft()
    made.state = OrderState.PLACED
    made.save()
    production = services.start(order=made)
    told = Script.objects.create(production=production, title="A film")
    for number, text in enumerate(LINES, 1):
        Scene.objects.create(script=told, number=number, text=text, photo=made.photos.first())
    cut = Cut.objects.create(
        production=production,
        file="films/x/film.mp4",
        captions="films/x/c.vtt",
        sha256="a" * 64,
        timeline={"cues": CUES},
        width=1080,
        height=1920,
        fps=30,
        seconds=20,
        size=5,
    )
    Delivery.objects.create(order=made, cut=cut)
    made.state = OrderState.DELIVERED
    made.save()
    return made


def get(user, address):
    client = Client()
    if user is not None:
        client.force_login(user)
    return client.get(address)


def test_the_fan_keeps_what_is_said_as_captions_and_as_a_text(order):
    srt = get(order.fan, f"/orders/{order.code}/film/words.srt")
    assert srt.status_code == 200
    assert srt["Content-Type"] == "application/x-subrip; charset=utf-8"
    assert srt["Content-Disposition"] == 'attachment; filename="captions-for-eileen.srt"'
    assert srt.content.decode() == (
        "1\n00:00:00,500 --> 00:00:02,000\nShe dreamed of space → and\n\n"
        "2\n00:00:02,000 --> 00:00:03,250\nnever ‹b›stopped‹/b›.\n"
    )
    text = get(order.fan, f"/orders/{order.code}/film/words.txt")
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert text["X-Content-Type-Options"] == "nosniff"
    assert text.content.decode() == "\n\n".join(LINES) + "\n"


def test_the_page_offers_every_file_of_words(order):
    html = get(order.fan, f"/orders/{order.code}/film/").content.decode()
    for address in ("words.srt", "words.txt", ".vtt"):
        assert address in html


@pytest.mark.parametrize("kind", ["srt", "txt"])
def test_nobody_else_gets_the_words_and_nobody_does_when_the_film_is_withdrawn(order, kind):
    address = f"/orders/{order.code}/film/words.{kind}"
    assert get(None, address).status_code == 404
    assert get(making.fan("stranger@films.example"), address).status_code == 404
    Delivery.objects.update(revoked_at=timezone.now())
    assert get(order.fan, address).status_code == 404


def test_there_are_no_other_kinds_of_words(order):
    assert get(order.fan, f"/orders/{order.code}/film/words.exe").status_code == 404


def test_a_film_made_before_its_captions_were_written_down_offers_what_it_has(order):
    Cut.objects.update(timeline={})
    made = progress.read(order).film
    assert made is not None
    assert made.srt == ""
    assert get(order.fan, f"/orders/{order.code}/film/words.srt").status_code == 404
    assert get(order.fan, made.text).status_code == 200


def test_the_template_of_a_creator_is_one_that_can_be_drawn_and_reaches_the_film(order):
    assert set(accounts.Template.values) == set(templates.TEMPLATES)
    assert accounts.Creator._meta.get_field("template").default == templates.DEFAULT
    making.creator()
    assert len(set(accounts.Creator.objects.values_list("template", flat=True))) == 3
    order.creator.template = "comic"
    production = order.productions.get()
    assert film.spec(SimpleNamespace(order=order, production=production)).template == "comic"
    assert templates.of("gone") == templates.TEMPLATES[templates.DEFAULT]


# --- what nothing can draw --------------------------------------------------------------------------------------------


def test_a_name_that_no_font_has_is_said_before_anything_is_paid():
    order = making.draft()
    assert reader.objection(order) == ""
    order.brief.name = f"Eileen {NOBODYS}"
    assert NOBODYS in reader.objection(order)
    assert "typeface" in reader.objection(order)


@pytest.mark.parametrize("name", ["李小龙", "أحمد", "שרה", "प्रिया", "สมหญิง", "Юля", "Łukasz", "민준", "さくら"])
def test_names_of_all_scripts_that_a_fan_may_give_can_be_drawn(name):
    order = making.draft()
    orders.describe(order=order, name=name, seconds=20)
    order.refresh_from_db()
    assert wording.undrawable_words(order) == ""


def test_a_machine_that_cannot_shape_a_script_says_so_instead_of_drawing_a_jumble(monkeypatch):
    order = making.draft()
    order.brief.name = "أحمد"
    assert wording.undrawable_words(order) == ""
    monkeypatch.setattr(fonts, "shaping", lambda: False)
    assert wording.undrawable_words(order) in "أحمد"
    assert wording.undrawable_words(order)


def test_the_doctor_says_so_and_how_to_mend_it(monkeypatch, capsys):
    monkeypatch.setattr(fonts, "shaping", lambda: False)
    with contextlib.suppress(SystemExit):  # something else may be bad here
        call_command("doctor")
    said = capsys.readouterr().out
    assert "FriBiDi is missing" in said
    assert "libfribidi0" in said


def draft_of(text: str) -> ScriptDraft:
    scenes = [
        SceneDraft(text=f"{text} {n}.", photo=n, fact="", role="fact", idea="a room") for n in range(making.PHOTOS)
    ]
    return ScriptDraft(title="For Eileen", scenes=tuple(scenes), language="en")


def test_a_script_with_a_sign_that_no_font_has_is_not_used():
    assert wording.fault_of(draft_of("She laughed"), photos=making.PHOTOS, must_say=()) == ""
    assert "U+F1234" in wording.fault_of(draft_of(f"She {NOBODYS}"), photos=making.PHOTOS, must_say=())
    titled = dataclasses.replace(draft_of("She laughed"), title=NOBODYS)
    assert "no font" in wording.fault_of(titled, photos=making.PHOTOS, must_say=())


def test_such_an_order_ends_with_a_sentence_before_any_vendor_is_asked(monkeypatch):
    """It may be placed all the same: by the command line, or before a font was taken from the machine."""
    production = making.production()
    order = production.order
    order.brief.must_say = [f"Happy birthday {NOBODYS}"]
    monkeypatch.setattr(roster, "writer", lambda: pytest.fail("a writer was chosen"))
    step = Step.objects.get(production=production, stage="script")
    with pytest.raises(engine.StageFailed) as failed:
        script.run(SimpleNamespace(order=order, production=production, step=step))
    assert "U+F1234" in str(failed.value)
    assert NOBODYS in failed.value.fan
    assert not Call.objects.exists()
