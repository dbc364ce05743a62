"""Films without pixels for tests of reviews and re-runs: real calls of stand-in vendors, real rows, small files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Count

from accounts.models import ApprovalMode
from billing import services as billing
from orders.models import Order, OrderState
from pipeline import engine, jobs, queue, roster, services
from pipeline.engine import DONE, Work
from pipeline.models import Call, Cut, Production, Review
from pipeline.providers.base import Answer, Json, ReadRequest
from pipeline.providers.local_voice import LocalVoice

from . import making, remembered

PRICE = 12_000  # of a line, in millionths


class PaidVoice(LocalVoice):
    """Reads nothing aloud, and takes money for it. `said` is how each line was to be said, by our key."""

    said: dict[str, Json] = {}
    recovery = "same_key"

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        self.said.setdefault(key, request)
        words = [{"text": word, "start": i / 2, "end": i / 2 + 0.4} for i, word in enumerate(request["text"].split())]
        (workdir / "audio.wav").write_bytes(b"audio of " + key.encode())
        return Answer(
            "done",
            result={"seconds": len(words) / 2, "words": words},
            files={"audio": workdir / "audio.wav"},
            cost=PRICE,
        )

    def estimate(self, request: Json) -> int:
        ReadRequest.from_json(request)
        return PRICE


# What was said in films that are made once for all tests.
_said: dict[str, dict[str, Json]] = {}


def studio(monkeypatch: Any, *, verdict: str = "pass", verdicts: dict[int, str] | None = None) -> None:
    """Script, voice and shots are the real stages; the film is a few bytes of all that went into it."""
    PaidVoice.said = {}
    monkeypatch.setitem(roster.VOICES, LocalVoice.name, PaidVoice)
    real = engine.stage_of

    def cut(work: Work) -> Any:
        if not Cut.objects.filter(production=work.production).exists():
            film = default_storage.save(f"{work.production.folder}/film.mp4", ContentFile(told(work.production)))
            digest = sha256(told(work.production)).hexdigest()
            with work.fence():
                Cut.objects.create(
                    production=work.production, file=film, sha256=digest, width=1, height=1, fps=30, seconds=1
                )  # fmt: skip
        return DONE

    fake: dict[str, Callable[[Work], Any]] = {"cut": cut}
    fake |= dict.fromkeys(("first_look", "conform"), lambda work: DONE)

    def qc(work: Work) -> Any:
        made = (verdicts or {}).get(work.production.number, verdict)
        Cut.objects.filter(production=work.production).update(verdict=made)
        return DONE

    fake["qc"] = qc
    monkeypatch.setattr(engine, "stage_of", lambda key: fake.get(key) or real(key))


def told(production: Production) -> bytes:
    """All that a film is made of, as its bytes."""
    from pipeline import inherit, wishes

    lines = []
    for scene in inherit.scenes_of(production):
        take = scene.shot.takes.get(selected=True)
        lines.append(f"{scene.text}|{scene.narration.audio}|{scene.photo.token}|{take.plan}")
    return "\n".join([*lines, str(wishes.moved_captions(production)), str(wishes.music(production))]).encode()


def placed(bells: Any, *, approval: ApprovalMode = ApprovalMode.EVERY_FILM, **brief: Any) -> Order:
    """A paid order, with everything done that can be."""
    order = making.draft(approval=approval)
    if brief:
        type(order.brief).objects.filter(order=order).update(**brief)
    billing.pay(payment=billing.begin_payment(order=order), card="good")
    queue.drain(bells, jobs.JOBS)
    order.refresh_from_db()
    return order


def waiting(bells: Any, monkeypatch: Any, **more: Any) -> Review:
    """A film that waits for its creator."""
    studio(monkeypatch)
    if more:
        placed(bells, **more)
    else:
        _once("waiting", lambda: placed(bells))
    return Review.objects.get()


def delivered(bells: Any, monkeypatch: Any) -> Order:
    """A film that its creator approved."""
    studio(monkeypatch)
    _once("delivered", lambda: approved(bells, waiting(bells, monkeypatch).cut.production))
    order = Order.objects.get()
    assert order.state == OrderState.DELIVERED
    return order


def _once(name: str, make: Callable[[], object]) -> None:
    def make_and_note() -> None:
        make()
        _said[name] = PaidVoice.said

    remembered.once(name, make_and_note)
    PaidVoice.said = dict(_said[name])


def approved(bells: Any, production: Production) -> None:
    """Approve what waits, with all that follows."""
    review = Review.objects.get(cut__production=production)
    services.decide(review=review, approve=True, by=None, sha256=review.sha256)
    drain(bells)


def drain(bells: Any) -> None:
    """Do whatever has been rung for."""
    queue.drain(bells, jobs.JOBS)


def asked_twice() -> list[str]:
    """Calls of one scene's line or shot that were made for the same request more than once, over all productions."""
    counts: Counter[str] = Counter()
    for call in Call.objects.select_related("step"):
        counts[f"{call.step.stage}[{call.step.item}] {call.request}"] += 1
    return [what for what, times in counts.items() if times > 1]


def calls_by_stage(production: Production) -> dict[str, int]:
    """How many calls each stage of a production made."""
    rows = Call.objects.filter(step__production=production).values_list("step__stage").annotate(times=Count("pk"))
    return dict(rows)
