"""What the fan is told of who is sent what, and asked to agree to: in whose words, and what no film needs."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from billing import services as billing
from orders import reader
from orders import services as orders
from orders.consents import REQUIRED, asked
from orders.models import ConsentKind, Order
from orders.uploads import gate

from . import making
from .samples import make_photo

pytestmark = pytest.mark.django_db(transaction=True)


def draft() -> Order:
    """An order that could be paid, with the consents it needs and no more."""
    order = making.draft()
    orders.agree(order=order, kinds=REQUIRED)
    return order


def test_consent_in_photos_names_everybody_who_is_sent_them(settings):
    plain = str(ConsentKind.PHOTOS.label)
    assert asked() == {kind: str(kind.label) for kind in REQUIRED}
    assert reader.sharing() == reader.Sharing()
    settings.HIGGSFIELD_KEY = "id:secret"
    assert asked()[ConsentKind.PHOTOS] == f"{plain} The photos go to Higgsfield, which films the shots from them."
    settings.OPENAI_API_KEY = "sk"
    assert "Small copies of the photos go to OpenAI" in asked()[ConsentKind.PHOTOS]
    assert reader.sharing().words == ("Your words go to OpenAI, which checks them and writes the story.",)
    settings.WRITER = "local"
    assert reader.sharing().words == ("Your words go to OpenAI, which checks them.",)
    settings.OPENAI_MODERATION, settings.WRITER = False, "auto"
    assert "OpenAI" not in asked()[ConsentKind.PHOTOS]
    assert reader.sharing().words == ("Your words go to OpenAI, which writes the story.",)


def test_who_reads_aloud_is_told_where_it_is_not_us(settings):
    order = making.draft()
    assert reader.sharing().words == ()
    type(order.creator.voice).objects.filter(pk=order.creator.voice.pk).update(provider="elevenlabs")
    assert reader.sharing().words == ("With some voices the script goes to ElevenLabs, to be read aloud.",)
    assert asked()[ConsentKind.PHOTOS] == str(ConsentKind.PHOTOS.label), "a voice is sent no photos"


def test_the_box_for_the_writers_eyes_is_there_only_where_it_has_some(settings):
    settings.OPENAI_VISION = True
    assert ConsentKind.LOOK not in asked(), "no key, no eyes"
    settings.OPENAI_API_KEY = "sk"
    assert ConsentKind.LOOK in asked()
    settings.WRITER = "local"
    assert ConsentKind.LOOK not in asked()


def test_whoever_is_sent_photos_later_is_asked_for_again(settings):
    order = draft()
    payment = billing.begin_payment(order=order)
    settings.HIGGSFIELD_KEY = "id:secret"
    with pytest.raises(orders.NotReady):
        orders.place(order=order, amount=payment.amount, currency=payment.currency)


def test_the_summary_offers_the_box_unticked_and_the_order_goes_on_without_it(client, settings):
    settings.OPENAI_VISION, settings.OPENAI_API_KEY = True, "sk"
    order = making.draft()
    client.force_login(order.fan)
    address = reverse("orders:summary", args=[order.code])
    orders.agree(order=order, kinds=[])
    page = client.get(address).content.decode()
    assert page.count('type="checkbox"') == 3
    assert page.count('aria-required="true"') == 2
    assert " checked" not in page
    assert "Your words go to OpenAI" in page
    price = billing.begin_payment(order=draft())
    answer = client.post(
        address, {kind.value: "on" for kind in REQUIRED} | {"price": f"{price.amount} {price.currency}"}
    )
    assert answer.status_code == 302, answer.content.decode()
    assert {consent.kind for consent in order.consents.all()} == REQUIRED


def test_the_box_for_comparing_faces_is_there_only_where_shots_are_filmed(settings):
    assert ConsentKind.LIKENESS not in asked()
    settings.HIGGSFIELD_KEY = "id:secret"
    assert "never kept" in asked()[ConsentKind.LIKENESS]
    assert ConsentKind.LIKENESS not in REQUIRED
    settings.VIDEO = "local"
    assert ConsentKind.LIKENESS not in asked()


def test_a_new_photo_asks_again_who_may_look(settings, tmp_path):
    settings.OPENAI_VISION, settings.OPENAI_API_KEY, settings.HIGGSFIELD_KEY = True, "sk", "id:secret"
    order = making.draft(by=making.fan())
    assert {consent.kind for consent in order.consents.all()} == set(ConsentKind)
    path = make_photo(tmp_path / "new.jpg", 9, (400, 400))
    orders.add_photo(order=order, upload=gate(SimpleUploadedFile("new.jpg", path.read_bytes(), "image/jpeg")))
    assert [consent.kind for consent in order.consents.all()] == [ConsentKind.AI_VOICE]


def test_the_home_page_says_who_helps_and_nothing_where_nobody_does(client, settings):
    assert "Who helps us make it" not in client.get("/").content.decode()
    settings.OPENAI_API_KEY = "sk"
    assert "Your words go to OpenAI" in client.get("/").content.decode()


def test_the_wizard_objects_by_our_own_rules_whoever_writes_and_asks_no_vendor(settings, monkeypatch):
    settings.OPENAI_API_KEY = "sk"
    monkeypatch.setattr(
        "pipeline.providers.openai_writer.OpenAIWriter.submit", lambda *args: pytest.fail("a page asked the vendor")
    )
    order = draft()
    assert reader.objection(order) == ""
    orders.tell_story(order=order, notes="She flew the shuttle. I will kill you.")
    order.refresh_from_db()
    assert "hateful" in reader.objection(order)
