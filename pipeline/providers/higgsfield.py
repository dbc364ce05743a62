"""Higgsfield films a shot from its start picture: uploaded, submitted under our key, looked at until the clip is there.

Spoken is the API at api.higgsfield.ai (2026): flat bodies, `Idempotency-Key`, bells with a Standard Webhooks signature.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

from pipeline.media import startframe
from pipeline.media.motion import Box
from pipeline.media.probe import BadMedia, Media, probe

from . import signatures
from .base import (
    Answer,
    BadHook,
    Hooked,
    HookNews,
    JobFailed,
    Json,
    Provider,
    ProviderError,
    ShotRequest,
    Trouble,
    silently,
)
from .fetch import origin, safe_get, safe_put
from .http import Http, Reply, said
from .video_models import DEFAULT_MODELS, VideoModel, parse_models

__all__ = ["DEFAULT_MODELS", "Higgsfield", "VideoModel", "parse_models"]

API = "https://api.higgsfield.ai"
HOSTS = (".higgsfield.ai", ".cloudfront.net", ".amazonaws.com")
LOOK_AGAIN = 8.0  # seconds
LARGEST, LONGEST_FETCH = 200 * 1024 * 1024, 120.0  # bytes and seconds of a clip
LONGEST_WATCHED = 120.0  # seconds; decoding all pictures of a usual clip takes about one, of the largest twenty
PUT_SECONDS = 60.0
SMALLEST_SIDE = 320  # pixels; every model films at 480 lines or more
TYPES = ("video/mp4", "video/quicktime", "application/octet-stream", "binary/octet-stream")
CALM = " The camera hardly moves, and people keep still."
NOBODY = "00000000-0000-0000-0000-000000000000"
LONGEST_PROMPT = 600
MANNER = "Slow, natural motion. Every face stays exactly as in the picture. No text, no new people."

# The vendor's states of a job that is over without a clip; it charges none of them.
ENDED: dict[str, tuple[Trouble, str]] = {
    "failed": ("passing", "the job failed"),
    "nsfw": ("refused", "the vendor's filter refused the picture or its clip"),
    "canceled": ("passing", "the job was cancelled"),
}

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Higgsfield(Provider, Hooked):
    """Films with one model. `key` is "id:secret".

    `webhook` gives the address at which the vendor may ring about the call of a key; it is sent when it is https, or
    when `base_url` itself is plain http, which only an operator's own sandbox is. `secrets` are the webhook's, `hosts`
    those a clip may be fetched from besides `base_url` (a leading dot meaning "and below"). Raises ValueError.
    """

    name = "higgsfield"
    job: Literal["writer", "voice", "video"] = "video"
    recovery: Literal["same_key", "redo", "wait"] = "same_key"
    limit = 6
    model = ""

    def __init__(
        self,
        key: str,
        model: VideoModel,
        *,
        base_url: str = API,
        webhook: Callable[[str], str] | None = None,
        limit: int = 6,
        secrets: Sequence[str] = (),
        hosts: Sequence[str] = HOSTS,
    ) -> None:
        if not re.fullmatch(r"[!-9;-~]+:[!-~]+", key):
            raise ValueError('the key of Higgsfield must be "id:secret"')
        self._http = Http("Higgsfield", base_url, {"Authorization": f"Key {key}"}, judge=_judge)
        self.film, self.model, self.limit = model, model.slug, limit
        self._webhook, self._secrets, self._hosts = webhook, tuple(secrets), tuple(hosts)
        self._trusted = {origin(base_url)}

    @property
    def patience(self) -> float:
        """A place to upload to, the upload, the submission."""
        return 2 * self._http.seconds + PUT_SECONDS

    def prepare(self, request: Json, workdir: Path) -> Json:
        """Crop and upload the photo of a `ShotRequest`, and build the body: {"slug", "seconds", "body"}.

        A request with an `image_url` of our own brings its start picture: nothing is cropped or uploaded. Raises
        ProviderError.
        """
        wanted = ShotRequest.from_json(request)
        if wanted.width <= 0 or wanted.height <= 0 or not 0 < wanted.seconds < 3600:
            raise ProviderError("a shot needs a size and a length", retryable=False)
        image, seconds = str(request.get("image_url") or ""), self.film.length(wanted.seconds)
        if image and not self._may_name(image):
            raise ProviderError("our own image_url must be https", retryable=False)
        body: Json = {
            **self.film.extra,
            self.film.image_param: image or self._upload(self._start(wanted, workdir)),
            self.film.prompt_param: _prompt(wanted.prompt) + (CALM if wanted.calm else ""),
            self.film.duration_param: seconds,
            self.film.seed_param: wanted.seed % 1_000_000,
        }
        body.pop("", None)
        return {"slug": self.film.slug, "seconds": seconds, "body": body}

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        """Ask for what `prepare` made. Raises ProviderError."""
        hook = self._webhook(key) if self._webhook is not None else ""
        reply = self._http.ask(
            "POST",
            f"/{request['slug']}",
            body=request["body"],
            params={"hf_webhook": hook} if hook and self._may_name(hook) else None,
            headers={"Idempotency-Key": key},
        )
        found = reply.json()
        ident = found.get("request_id") if isinstance(found, dict) else None
        if not isinstance(ident, str) or not _ID.fullmatch(ident):
            raise ProviderError("Higgsfield: its answer names no request", retryable=True, trouble="unknown")
        # A key that was sent before may find its job long done.
        over = found.get("status") in (*ENDED, "completed")
        return Answer("pending", external_id=ident, poll_after=0.0 if over else LOOK_AGAIN)

    def look(self, external_id: str, workdir: Path, on_progress: Callable[[], None] = silently) -> Answer:
        """Where a job stands; a finished clip is fetched and looked at. Raises JobFailed when the job came to nothing
        (free) or its clip is of no use (charged), and ProviderError when only our question, or the fetching, failed.
        """
        if not _ID.fullmatch(external_id):
            raise JobFailed(f"Higgsfield cannot have given the id {external_id[:80]!r}", retryable=True)
        try:
            found = self._http.ask("GET", f"/requests/{external_id}/status").json()
        except ProviderError as error:
            if error.trouble != "gone":
                raise
            # Its own records may be late. To film again would be to pay again: only the deadline says it is lost.
            raise ProviderError(str(error), retryable=True, trouble="busy") from error
        state = found.get("status") if isinstance(found, dict) else None
        if not isinstance(state, str):
            raise ProviderError("Higgsfield: its answer names no state", retryable=True)
        if state in ENDED:
            trouble, what = ENDED[state]
            words = " ".join(str(found.get("error") or "").split())[:300]
            raise JobFailed(
                f"Higgsfield: {what}: {words}".rstrip(": "), retryable=trouble == "passing", trouble=trouble
            )
        if state == "completed":
            return self._clip(external_id, found, workdir, on_progress)
        return Answer("pending", external_id=external_id, poll_after=LOOK_AGAIN)  # also in states yet to be invented

    def find(self, key: str) -> Answer | None:
        """The vendor cannot be searched; the same key again is answered with the first job."""
        return None

    def cancel(self, external_id: str) -> None:
        """Stop a job that is still queued; one that is being filmed goes on. Raises ProviderError."""
        try:
            self._http.ask("POST", f"/requests/{external_id}/cancel", changes=False)
        except ProviderError as error:
            if error.retryable or error.trouble == "locked":
                raise

    def estimate(self, request: Json) -> int:
        """The price of the length that will be filmed, by our own list; takes what `prepare` made, too."""
        return self.film.cost(float(request["seconds"]))

    def quote(self, request: Json) -> int | None:
        """The vendor's own price for what `prepare` made, in millionths of a US dollar; None where it only describes
        one. Asking is free. Raises ProviderError.
        """
        found = self._http.ask("POST", f"/estimate/{request['slug']}", body=request["body"], changes=False).json()
        try:
            price = Decimal(str(found["usd"])) * 1_000_000
            return round(price) if 0 <= price < 10**12 else None
        except (TypeError, KeyError, InvalidOperation):
            return None

    def check(self) -> str:
        """Ask for a job that does not exist: whom the vendor does not know hears 401, others 404. Raises
        ProviderError.
        """
        try:
            self._http.ask("GET", f"/requests/{NOBODY}/status")
        except ProviderError as error:
            if error.trouble != "gone":
                raise
        return "the key is good"

    def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> HookNews:
        """Check a message's signature and age; both shapes of its body name the request in the same place. Raises
        BadHook.
        """
        if len(body) > signatures.LARGEST:
            raise BadHook("the message is too large")
        event = signatures.standard(headers, body, self._secrets, now)
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        ident = found.get("request_id") if isinstance(found, dict) else None
        if not isinstance(ident, str) or not _ID.fullmatch(ident):
            raise BadHook("the message names no request")
        return HookNews(event, ident)

    def _may_name(self, url: str) -> bool:
        """Whether an address of ours may be given to the vendor."""
        return url.startswith("https://") or (self._http.base_url.startswith("http://") and url.startswith("http://"))

    def _start(self, wanted: ShotRequest, workdir: Path) -> bytes:
        out = workdir / "start.jpg"
        faces, interest = [Box(*face) for face in wanted.faces], Box(*wanted.interest)
        try:
            startframe.write(workdir / Path(wanted.photo).name, out, (wanted.width, wanted.height), faces, interest)
            return out.read_bytes()
        except OSError as error:
            raise ProviderError(f"the photo cannot be used: {type(error).__name__}", retryable=False) from error

    def _upload(self, picture: bytes) -> str:
        """Give the vendor a picture; its address there."""
        found = self._http.ask(
            "POST", "/files/generate-upload-url", body={"content_type": "image/jpeg"}, changes=False
        ).json()
        try:
            target, address = str(found["upload_url"]), str(found["public_url"])
            # Older answers name no headers.
            headers = {str(k): str(v) for k, v in dict(found.get("upload_headers") or {}).items()}
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise ProviderError("Higgsfield: its answer names no place to upload to", retryable=True) from error
        if not self._may_name(address):
            raise ProviderError("Higgsfield: the picture's address is not https", retryable=True)
        safe_put(target, picture, headers or {"Content-Type": "image/jpeg"}, trusted=self._trusted, seconds=PUT_SECONDS)
        return address

    def _clip(self, ident: str, found: Json, workdir: Path, on_progress: Callable[[], None]) -> Answer:
        video = found.get("video")
        address = video.get("url") if isinstance(video, dict) else None
        if not isinstance(address, str):
            raise JobFailed("Higgsfield: a completed job without a clip", retryable=True, cost=None)
        out = workdir / f"{ident}.mp4"
        try:
            safe_get(
                address, out, hosts=self._hosts, trusted=self._trusted,
                max_bytes=LARGEST, seconds=LONGEST_FETCH, types=TYPES, on_bytes=lambda _: on_progress(),
            )  # fmt: skip
            media = probe(out, max_bytes=LARGEST, seconds=LONGEST_WATCHED, on_picture=on_progress)
        except ProviderError as error:
            if error.retryable:
                raise
            raise JobFailed(str(error), retryable=False, cost=None) from error
        except BadMedia as bad:
            raise JobFailed(f"the clip is of no use: {bad}", retryable=True, cost=None) from bad
        if fault := self._fault(media):
            raise JobFailed(f"the clip is of no use: {fault}", retryable=True, cost=None)
        billed = min(self.film.durations, key=lambda length: abs(length - media.duration))
        return Answer(
            "done",
            result={"kind": "clip", "model": self.film.slug, "seconds": round(media.duration, 3)},
            files={"video": out},
            external_id=ident,
            cost=billed * self.film.price_per_second,
        )

    def _fault(self, media: Media) -> str:
        if not media.video_codec:
            return "it has no picture"
        if media.duration < 0.8 * self.film.durations[0]:
            return f"it lasts only {media.duration:.1f} s"
        if min(media.width, media.height) < SMALLEST_SIDE:
            return f"it has only {media.width} × {media.height} pixels"
        return ""


def _judge(reply: Reply) -> tuple[Trouble, str] | None:
    """Where the vendor's statuses mean something of their own; docs.higgsfield.ai/docs/concepts/errors."""
    if reply.status == 400 and "concurrent requests" in said(reply):
        return "busy", said(reply)
    if reply.status == 503:
        return "passing", said(reply)  # the model is switched off or not ready: nothing was accepted
    return None


def _prompt(idea: str) -> str:
    words = " ".join(idea.split())[:LONGEST_PROMPT].rstrip(" .")
    return f"{words}. {MANNER}" if words else MANNER
