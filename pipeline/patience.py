"""How long a shot is waited for before a second take begins: as the model says, or less where it is faster here."""

from __future__ import annotations

import datetime as dt

from django.core.cache import cache
from django.utils import timezone

from .models import Call, CallState
from .providers.video_models import VideoModel

# Of a model's last calls this share is given the time to land by itself; fewer than LEAST say nothing.
SHARE, LEAST, LAST = 0.65, 20, 100
KEPT_SECONDS = 60


def hedge_after(model: VideoModel) -> float:
    """Seconds until a shot of this model counts as late: its own 65th percentile, never more than its row allows."""
    key = f"hedge-after:{model.slug}"
    kept: tuple[float, float] | None = cache.get(key)
    if kept is None or kept[0] != model.hedge_after:
        kept = model.hedge_after, _measured(model)
        cache.set(key, kept, KEPT_SECONDS)
    return kept[1]


def _measured(model: VideoModel) -> float:
    """From calls sent so long ago that what has not landed is late for certain: the slow ones count, too."""
    most = model.hedge_after
    sent = Call.objects.filter(
        model=model.slug,
        sent_at__lte=timezone.now() - dt.timedelta(seconds=most),
        state__in=[CallState.SUCCEEDED, CallState.SUBMITTED],
    )
    times = sorted(
        min(most, (ended - begun).total_seconds()) if begun and ended else most
        for begun, ended in sent.order_by("-sent_at").values_list("sent_at", "ended_at")[:LAST]
    )
    return times[int(SHARE * len(times))] if len(times) >= LEAST else most
