"""Stage `shot`, one step per scene: takes are asked for, hedged when late, and the best that is there is selected.

The ladder: the model the order can afford; the fast model too, when the first is late or fails; the local take, which
always exists, when time is up or nothing else is left. A take that lands after that is paid for, recorded and not used.
What has landed is looked at first (see looking): of no use, it counts as lost, and one other take is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from orders.faults import faultpoint

from .. import asking, breaker, calls, files, looking, roster
from ..engine import DONE, Done, Wait, Work
from ..history import tell
from ..models import Call, CallState, Scene, Shot, Take
from ..models.story import TakeKind, TakeState
from ..providers.base import Provider, ProviderError, ShotRequest
from ..roster import Rung

LOCAL = "local"
SHORTEST_WAIT = 0.2


@dataclass(frozen=True)
class Wanted:
    """A take that is under way: which rung of the ladder films it."""

    name: str
    rung: Rung


def run(work: Work) -> Done | Wait:
    """Bring the scene's takes one step further; done when one is selected."""
    scene = Scene.objects.select_related("photo", "script").get(
        script__production=work.production, number=work.step.item
    )
    if Take.objects.filter(shot__scene=scene, selected=True).exists():
        return DONE
    scenes = scene.script.scenes.count()
    request = asking.shot(work.order, work.production, scene, scenes)
    ladder = asking.ladder(work.order, work.production, scene, request.seconds, scenes)
    age = (timezone.now() - work.step.started_at).total_seconds() if work.step.started_at else 0.0
    soonest: list[float] = []
    landed: list[tuple[Rung, Call]] = []
    under_way: list[tuple[Wanted, Call]] = []
    refused = _refused(work, scene)
    patience = max((rung.local_after for rung in ladder), default=0.0)
    for wanted in _wanted(work, ladder, age, refused):
        if (landed or age >= patience) and not _is_filmed(calls.latest(work.step, wanted.name)):
            continue  # it has not been bought yet, and is not needed any more
        call = _film(work, wanted.rung.provider, request, scene, wanted.name)
        if call is not None and call.pk in refused:
            continue
        if call is not None and call.state == CallState.SUCCEEDED:
            landed.append((wanted.rung, call))
        elif call is not None:
            soonest.append(calls.wait(call))
            under_way.append((wanted, call))
    if landed:
        # Another may be there, too, and only nobody has asked.
        for wanted, call in under_way:
            if call.state != CallState.SUBMITTED:
                continue
            calls.hurry(call)
            again = _film(work, wanted.rung.provider, request, scene, wanted.name)
            if again is not None and again.state == CallState.SUCCEEDED:
                landed.append((wanted.rung, again))
        unseen = [call for _, call in landed if looking.due(call)]
        if unseen and not work.overdue:
            return Wait(calls.LOOK_EVERY)
        if any(looking.faults(call) for _, call in landed):
            return run(work)  # now that it is known to be of no use
        rung, best = max(landed, key=lambda pair: pair[0].quality)
        _select(work, scene, best, rung.quality)
        with work.fence():
            calls.withdraw(work.step, *map(_name, range(1, len(ladder) + 2)))  # with one asked for again
        calls.ring_next(best)  # the slot it gave back is not for one of those
        return DONE
    if not soonest or age >= patience or work.overdue:
        stand_in = _film(work, roster.local_video(), request, scene, LOCAL)
        if stand_in is not None and stand_in.state == CallState.SUCCEEDED:
            _select(work, scene, stand_in, 0.0)
            return DONE
    # Look again when the next take may be there, or when it is time to hedge or to stand in.
    edges = [edge - age for rung in ladder for edge in (rung.hedge_after, rung.local_after) if edge > age]
    return Wait(max(SHORTEST_WAIT, min([*soonest, *edges], default=calls.LOOK_EVERY)))


def _refused(work: Work, scene: Scene) -> set[int]:
    """The calls of this shot whose takes are of no use; each is written down as such once."""
    landed = work.step.calls.filter(state=CallState.SUCCEEDED, name__startswith="take-")
    found = {call.pk: call for call in landed if looking.faults(call)}
    for call in found.values():
        if not Take.objects.filter(call=call).exists():
            with work.fence():
                _take(scene, call, 0.0, TakeState.REFUSED)
                why = looking.faults(call)
                tell(work.production, "take.refused", stage="shot", item=scene.number, take=call.name, faults=why)
    return set(found)


def _name(number: int) -> str:
    """What the call of a take is called, by its rung."""
    return f"take-{number}"


def _wanted(work: Work, ladder: list[Rung], age: float, refused: set[int]) -> list[Wanted]:
    """The takes that should be under way: those begun, and one more when the last is late or came to nothing.

    A vendor that is left alone is sent nothing; what it was sent before is waited for as always. A take that only waits
    for a slot when the next begins gives its place to it: both would be bought, although neither is late. After a take
    of no use one more is asked for, of the same model where no other is left; after that, none.
    """
    found: list[Wanted] = []
    waited = age
    again = ladder[-1:] if refused and len(ladder) == 1 else []
    for number, rung in enumerate([*ladder, *again], start=1):
        name = _name(number)
        begun = calls.latest(work.step, name)
        if begun is None and len(refused) > looking.RETAKES:
            break
        lost = bool(refused) and all(call.pk in refused for call in _begun(work, found))
        if begun is None and found and not lost:
            if not _late(work, found[-1], waited):
                break
            with work.fence():
                calls.withdraw(work.step, found[-1].name)
        if breaker.is_open(rung.provider.name) and not _is_filmed(begun):
            continue
        found.append(Wanted(name, rung))
        if begun is None:
            break
        if number > 1:
            waited = (timezone.now() - begun.created_at).total_seconds()
    return found


def _begun(work: Work, takes: list[Wanted]) -> list[Call]:
    return [call for take in takes if (call := calls.latest(work.step, take.name)) is not None]


def _is_filmed(begun: Call | None) -> bool:
    """Whether a take may well come of a call, although its vendor is left alone: it is paid for."""
    if begun is None or begun.state == CallState.SUCCEEDED:
        return begun is not None
    return begun.is_open and begun.sent_at is not None and begun.trouble != "locked"


def _late(work: Work, last: Wanted, waited: float) -> bool:
    call = calls.latest(work.step, last.name)
    if call is not None and call.state == CallState.SUCCEEDED:
        return False  # it is here, and being looked at
    lost = call is not None and not call.is_open and not calls.more(call)
    stuck = call is not None and call.trouble in ("locked", "capped")
    return lost or stuck or waited >= last.rung.hedge_after


def _film(work: Work, provider: Provider, request: ShotRequest, scene: Scene, name: str) -> Call | None:
    """Move one take forward; None when nothing will come of it."""
    with files.workspace("shot") as folder:
        begun = calls.latest(work.step, name)
        # What was prepared is kept with the call; a new attempt after a failed one is prepared anew.
        kept = begun is not None and begun.prepared is not None and begun.state != CallState.FAILED
        if provider.name != roster.LOCAL_STUDIO and not kept:
            with work.waiting(files.PATIENCE):
                files.fetch(scene.photo.file, folder)
        try:
            return calls.ask(work, provider, request.to_json(), folder, name=name)
        except ProviderError as error:
            if error.trouble == "gone":
                tell(work.production, "model.retired", stage="shot", item=scene.number, model=provider.model)
            return None


def _select(work: Work, scene: Scene, call: Call, quality: float) -> None:
    faultpoint("take.before_select", call.provider)
    with work.fence():
        _take(scene, call, quality, TakeState.READY)
        tell(work.production, "shot.filmed", stage="shot", item=scene.number, provider=call.provider, take=call.name)


def _take(scene: Scene, call: Call, quality: float, state: TakeState) -> None:
    """Write down the take a call made, selected where it is ready."""
    shot, _created = Shot.objects.get_or_create(scene=scene)
    Take.objects.create(
        shot=shot,
        number=shot.takes.count() + 1,
        kind=TakeKind(call.result.get("kind", TakeKind.CLIP)),
        state=state,
        provider=call.provider,
        call=call,
        file=call.files.get("video", ""),
        plan=call.result.get("plan", {}),
        score=quality,
        selected=state == TakeState.READY,
    )
