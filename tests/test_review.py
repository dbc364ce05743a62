"""The creator's word: on one exact film, given once, only by the creator it belongs to, in the admin."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from accounts.models import ApprovalMode, User
from billing import services as billing
from orders.models import OrderState
from pipeline import engine, jobs, progress, queue, services
from pipeline.engine import DONE
from pipeline.line import LINE
from pipeline.models import Cut, Review, ReviewState

from . import making

pytestmark = pytest.mark.django_db(transaction=True)


def finished(bells, monkeypatch, *, approval=ApprovalMode.EVERY_FILM, verdict: str = "pass") -> Review:
    """A paid order whose film is made and waits, or does not wait, for the creator."""
    order = making.draft(approval=approval)
    billing.pay(payment=billing.begin_payment(order=order), card="good")
    real = engine.stage_of

    def cut(work):
        if not Cut.objects.filter(production=work.production).exists():
            film = default_storage.save(f"films/{order.code}/1/film.mp4", ContentFile(b"film"))
            Cut.objects.create(
                production=work.production,
                file=film,
                sha256="a" * 64,
                width=1,
                height=1,
                fps=30,
                seconds=1,
                verdict=verdict,
            )
        return DONE

    def script(work):
        from pipeline.models import Script, Step

        with work.fence():
            Script.objects.get_or_create(production=work.production, defaults={"title": "A film"})
            for stage in (line.key for line in LINE if line.per_item):
                Step.objects.get_or_create(production=work.production, stage=stage, item=1)
        return DONE

    fake = {"cut": cut, "script": script}
    fake |= dict.fromkeys(("narration", "shot", "first_look", "conform", "qc"), lambda work: DONE)
    monkeypatch.setattr(engine, "stage_of", lambda key: fake.get(key) or real(key))
    queue.drain(bells, jobs.JOBS)
    return Review.objects.get()


def decide(client, review: Review, verdict: str, reason: str = "", sha: str | None = None):
    address = reverse("admin:decide_review", args=[review.pk])
    return client.post(address, {"verdict": verdict, "reason": reason, "sha256": sha or review.sha256}, follow=True)


def test_green_checks_approve_by_themselves_where_the_creator_agreed(bells, monkeypatch):
    review = finished(bells, monkeypatch, approval=ApprovalMode.AUTOMATIC)
    assert (review.state, review.automatic) == (ReviewState.APPROVED, True)
    review.cut.production.order.refresh_from_db()
    assert review.cut.production.order.state == OrderState.DELIVERED


def test_a_warning_is_looked_at_even_where_the_creator_agreed_to_green(bells, monkeypatch):
    review = finished(bells, monkeypatch, approval=ApprovalMode.AUTOMATIC, verdict="warn")
    assert review.state == ReviewState.WAITING


def test_the_fans_page_says_who_is_looking(bells, monkeypatch):
    review = finished(bells, monkeypatch)
    now = progress.read(review.cut.production.order)
    assert now.state == "review"
    assert now.sentence == "Pip Pepperwick is looking at your film."
    assert "has not reviewed a film here yet" in now.detail
    assert now.percent < 98


def test_approving_in_the_admin_delivers_and_takes_the_money(bells, monkeypatch, client):
    review = finished(bells, monkeypatch)
    client.force_login(review.creator.user)
    page = client.get(reverse("admin:pipeline_review_change", args=[review.pk])).content.decode()
    assert "<video" in page
    assert "Approve" in page
    assert "Approved. The film is on its way." in decide(client, review, "approve").content.decode()
    queue.drain(bells, jobs.JOBS)
    order = review.cut.production.order
    order.refresh_from_db()
    assert order.state == OrderState.DELIVERED
    assert order.payments.get().state == "captured"
    review.refresh_from_db()
    assert review.decided_by == review.creator.user


def test_refusing_needs_a_reason_and_releases_the_money(bells, monkeypatch, client):
    review = finished(bells, monkeypatch)
    client.force_login(review.creator.user)
    assert "Please say why" in decide(client, review, "refuse").content.decode()
    decide(client, review, "refuse", reason="I would not say this.")
    queue.drain(bells, jobs.JOBS)
    order = review.cut.production.order
    order.refresh_from_db()
    assert order.state == OrderState.REFUSED
    assert "decided not to lend their voice" in order.ending
    assert order.payments.get().state == "cancelled"


def test_a_second_decision_and_one_on_another_version_are_refused(bells, monkeypatch, client):
    review = finished(bells, monkeypatch)
    client.force_login(review.creator.user)
    late = "was decided already, or has changed"
    assert late in decide(client, review, "approve", sha="b" * 64).content.decode()
    review.refresh_from_db()
    assert review.state == ReviewState.WAITING
    decide(client, review, "approve")
    assert late in decide(client, review, "refuse", reason="Changed my mind.").content.decode()
    with pytest.raises(services.StaleReview):
        services.decide(review=review, approve=False, by=None, sha256=review.sha256, reason="again")


@pytest.mark.parametrize("who", ["another creator", "a fan", "nobody"])
def test_nobody_else_sees_or_decides_it(bells, monkeypatch, client, who):
    review = finished(bells, monkeypatch)
    users = {
        "another creator": User.objects.get(email="mira@videogen.invalid"),
        "a fan": review.cut.production.order.fan,
        "nobody": None,
    }
    if users[who] is not None:
        client.force_login(users[who])
    assert (
        "<video"
        not in client.get(reverse("admin:pipeline_review_change", args=[review.pk]), follow=True).content.decode()
    )
    assert (
        review.cut.production.order.code
        not in client.get(reverse("admin:pipeline_review_changelist"), follow=True).content.decode()
    )
    decide(client, review, "approve")
    review.refresh_from_db()
    assert review.state == ReviewState.WAITING


@pytest.mark.slow
def test_every_admin_list_opens_for_staff(bells, monkeypatch, client):
    finished(bells, monkeypatch)
    client.force_login(User.objects.get(email="staff@videogen.invalid"))
    page = client.get(reverse("admin:index")).content.decode()
    from django.contrib import admin

    for model in admin.site._registry:
        meta = model._meta
        if meta.app_label in ("accounts", "orders", "billing", "pipeline"):
            assert client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")).status_code == 200
    assert "Reviews" in page
