"""The local video twin: a shot is the fan's own photo, moved by a camera. It plans; the cut draws.

No clip is encoded here: drawing straight from the photo into the film keeps every pixel and costs one encode less.
The answer says which photo, what must stay in view, and a seed that makes neighbours move differently.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from .base import Answer, Json, Provider, ProviderError, ShotRequest


class LocalStudio(Provider):
    """Plans a still take; answers at once."""

    name = "local-studio"
    job: Literal["writer", "voice", "video"] = "video"
    recovery: Literal["same_key", "redo", "wait"] = "redo"

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        """The plan of a still take: `kind`, `faces`, `interest`, `seed`."""
        wanted = ShotRequest.from_json(request)
        if wanted.width <= 0 or wanted.height <= 0:
            raise ProviderError(f"{key}: a shot needs a size", retryable=False)
        plan = {"faces": wanted.faces, "interest": wanted.interest, "seed": wanted.seed}
        return Answer("done", result={"kind": "still", "plan": plan})

    def find(self, key: str) -> Answer | None:
        """Nothing is kept; planning again is free."""
        return None

    def cancel(self, external_id: str) -> None:
        """Nothing to stop."""
