"""The film's order of photos: by date where they know it, the best kept for the end, and never against the fan."""

import pytest

from orders import services as orders
from orders.models import OrderState
from pipeline import engine, services
from pipeline.line import STAGES
from pipeline.models import Step
from pipeline.stages import photos as stage
from tests import making

pytestmark = pytest.mark.django_db(transaction=True)

FACE = [0.35, 0.1, 0.3, 0.35]


def order_of(order) -> list[str]:
    return [photo.label for photo in order.photos.usable()]


@pytest.fixture
def settled(bells):
    """Run the stage over a draft's photos, of which the second is by far the best; the labels in the film's order."""

    def run(*, taken=("", "", "", "", ""), first: str = "") -> list[str]:
        order = making.draft()
        for photo, moment in zip(order.photos.usable(), taken, strict=True):
            photo.facts |= {"taken_at": moment, "sharpness": 0.03, "brightness": 0.7}
            photo.facts["faces"] = [FACE] if photo.label == "1.jpg" else []
            photo.save()
        if first:
            orders.sort_photos(order=order, tokens=[order.photos.get(label=first).token])
        order.state = OrderState.PLACED
        order.save()
        production = services.start(order=order)
        step = engine.claim(Step.objects.get(production=production, stage="photos").pk)
        for _ in range(2):  # it may happen twice
            stage.run(engine.Work(step, STAGES["photos"]))
        return order_of(order)

    return run


def test_the_best_photo_ends_the_film(settled):
    assert settled() == ["0.jpg", "2.jpg", "3.jpg", "4.jpg", "1.jpg"]


def test_what_the_fan_sorted_stays(settled):
    assert settled(first="3.jpg") == ["3.jpg", "0.jpg", "1.jpg", "2.jpg", "4.jpg"]


def test_years_stay_in_their_order(settled):
    taken = [f"20{number}-05-01T10:00:00" for number in (21, 20, 22, 23, 24)]
    assert settled(taken=taken) == ["1.jpg", "0.jpg", "2.jpg", "3.jpg", "4.jpg"]
