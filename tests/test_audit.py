"""The audit: it tells who did what to what and why, and cannot be changed by anyone."""

from __future__ import annotations

import pytest
from django.db.models import ProtectedError
from django.urls import reverse

from accounts import audit
from accounts.models import Audit, User

from . import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> Audit:
    target = making.creator()
    staff = User.objects.get(email="staff@videogen.invalid")
    return audit.write(actor=staff, verb="licence.changed", target=target, reason=" by contract ", data={"days": 3})


def test_an_entry_says_who_did_what_to_what_and_why(entry):
    entry.refresh_from_db()
    assert (entry.who, entry.verb, entry.reason) == ("staff@videogen.invalid", "licence.changed", "by contract")
    assert (entry.target_type, entry.target_label) == ("accounts.creator", entry.target_label)
    assert entry.data == {"days": 3}
    assert [*audit.of(making.creator())] == [entry]
    assert audit.write(actor="system", verb="x.done", target=entry.actor, reason="").actor is None
    assert entry.actor.audits.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: Audit.objects.update(reason="nothing"),
        lambda entry: Audit.objects.filter(pk=entry.pk).delete(),
        lambda entry: Audit.objects.bulk_update([entry], ["reason"]),
        lambda entry: entry.actor.audits.all().delete(),
        lambda entry: entry.actor.audits.update(reason="nothing"),
        lambda entry: Audit._base_manager.update(reason="nothing"),
    ],
)
def test_nobody_changes_or_deletes_an_entry(entry, change):
    entry.reason = "nothing"
    with pytest.raises(ValueError, match="append-only"):
        change(entry)
    entry.refresh_from_db()
    assert entry.reason == "by contract"


def test_who_has_done_something_is_not_deleted(entry):
    with pytest.raises(ProtectedError):
        entry.actor.delete()


def test_the_desk_shows_it_to_superusers_and_lets_nobody_change_it(entry, client):
    client.force_login(entry.actor)
    lists = reverse("admin:accounts_audit_changelist")
    row = reverse("admin:accounts_audit_change", args=[entry.pk])
    assert "by contract" in client.get(lists).content.decode()
    assert "by contract" in client.get(row).content.decode()
    assert client.post(row, {"reason": "nothing"}).status_code == 403
    assert client.get(reverse("admin:accounts_audit_add")).status_code == 403
    assert client.post(reverse("admin:accounts_audit_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    creator = User.objects.get(email="pip@videogen.invalid")
    client.force_login(creator)
    assert client.get(lists).status_code == 403
