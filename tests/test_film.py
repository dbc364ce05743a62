"""A production's film as material: what the timeline is told of each scene's photo and clip."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from pipeline import engine, film
from pipeline.engine import LostLease, Work
from pipeline.line import STAGES
from pipeline.media import startframe
from pipeline.media.motion import Box
from pipeline.models import Call, Narration, Scene, Script, Step

from . import making, samples
from .board import outlast_a_lease

pytestmark = pytest.mark.django_db(transaction=True)

LEFT = (0.1, 0.2, 0.2, 0.2)


@pytest.fixture
def work():
    production = making.production()
    step = engine.claim(Step.objects.get(production=production, stage="photos").pk)
    photo = production.order.photos.first()
    photo.file = default_storage.save("orders/x/photos/wide.jpg", ContentFile(samples.jpeg_bytes(1, (1600, 1200))))
    photo.facts |= {"faces": [list(LEFT)], "interest": [0.05, 0.1, 0.3, 0.4]}
    photo.save()
    script = Script.objects.create(production=production, title="A film")
    scene = Scene.objects.create(script=script, number=1, text="Hello there.", photo=photo)
    call = Call.objects.create(step=step, key="read", provider="v", job="voice", request={})
    audio = default_storage.save("films/x/1/a.wav", ContentFile(b"audio"))
    Narration.objects.create(scene=scene, call=call, audio=audio, seconds=2, words=[["Hello", 0, 1]])
    return Work(step, STAGES["photos"])


def test_faces_are_told_where_the_clip_has_them_and_not_only_where_the_photo_has(work, tmp_path):
    (part,) = film.material(work, tmp_path)
    assert part.scene.faces == (LEFT,)
    face, interest = Box(*LEFT), Box(0.05, 0.1, 0.3, 0.4)
    size = work.order.brief.size
    seen = startframe.seen((1600, 1200), size, [face], interest, [face, interest])
    assert [*part.scene.clip_faces, part.scene.clip_interest] == seen
    assert part.scene.clip_faces[0].w > 2 * face.w, "a tall crop of a wide photo shows it larger"


@pytest.mark.slow
@pytest.mark.parametrize("is_patient", [True, False])
def test_material_that_takes_longer_than_a_lease_to_come_is_waited_for(
    work, tmp_path, settings, monkeypatch, is_patient
):
    settings.LEASE_SECONDS = 1.5
    with work.fence():  # from here on the lease is that short
        fetch, taken = film.files.fetch, []

    def slow(*args):
        taken.append(outlast_a_lease(work.step))
        return fetch(*args)

    monkeypatch.setattr(film.files, "fetch", slow)
    monkeypatch.setattr(film.files, "PATIENCE", 60.0 if is_patient else 0.0)
    if is_patient:
        assert len(film.material(work, tmp_path)) == 1
    else:
        with pytest.raises(LostLease):
            film.material(work, tmp_path)
    assert any(taken) is not is_patient


def test_nobody_hears_cheerful_music_in_a_film_for_a_pet_that_died(work):
    brief = work.order.brief
    brief.occasion, brief.tone, brief.name = "pet", "funny", "Biscuit"
    brief.notes = "He ate the couch. He snores."
    assert film.track(work).mood == "happy"
    brief.notes = "Biscuit crossed the rainbow bridge last week. He loved the snow."
    assert film.track(work).mood == "calm"


def test_nobody_hears_funny_music_under_a_hard_life(work):
    brief = work.order.brief
    brief.tone = "funny"
    scene = Scene.objects.get()
    assert film.track(work).mood == "happy"
    scene.text = "You survived cancer and the war."
    scene.save()
    assert film.track(work).mood == "tender"
