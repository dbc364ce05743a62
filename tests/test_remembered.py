"""What tests begin with is made once and put back: as old as if it had just been made."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User

from . import making, remembered


@pytest.mark.django_db(transaction=True)
def test_what_is_put_back_is_as_old_as_if_it_had_just_been_made():
    made: list[User] = []
    for hours in (0, 3):
        with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False):
            remembered.once("a fan of this test", lambda: made.append(making.fan()))
            assert User.objects.get().date_joined == timezone.now()
        User.objects.all().delete()
    assert len(made) == 1
