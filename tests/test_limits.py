"""Nobody may keep the site busy: what costs work is counted per address."""

from __future__ import annotations

import pytest
from django.urls import reverse

from orders.models import Order

from . import making

pytestmark = pytest.mark.django_db


def test_beginning_films_without_end_is_answered_with_a_page_that_says_when(client):
    making.creator()
    address = reverse("orders:begin", args=["mira"])
    answers = [client.post(address).status_code for _ in range(61)]
    assert answers[:60] == [302] * 60
    assert answers[60] == 429
    last = client.post(address)
    assert 0 < int(last["Retry-After"]) <= 3600
    assert Order.objects.count() == 1
    # Looking is not counted, and another address is another count.
    assert client.get(address).status_code == 302
    assert client.post(address, REMOTE_ADDR="203.0.113.9").status_code == 302
