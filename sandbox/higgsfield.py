"""Higgsfield, pretended: uploads, submissions under a key, jobs that take their time, clips, bells and troubles.

GET /higgsfield/_charged   {our key: how many generations it was charged for}: more than one is money lost
GET /higgsfield/_jobs      every job, as it stands
"""

from __future__ import annotations

import base64
import ipaddress
import json
import math
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from pipeline.providers.fetch import is_public
from pipeline.providers.signatures import sign_standard

from . import bells
from .clips import Clips
from .filming import Job, plan
from .higgsfield_faults import REFUSALS
from .higgsfield_models import MODELS, fault
from .server import Request, Response, Route
from .world import World

KEY = "sandbox-id:sandbox-secret"
SECRET = "whsec_" + base64.b64encode(b"the secret of a pretended vendor").decode()
FIRST_WAIT = (2.0, 15.0)  # simulated seconds in the queue when nobody else is there
HOSTILE = "https://169.254.169.254/latest/meta-data/"


@dataclass(frozen=True, slots=True)
class Settings:
    """How this vendor is. `limit` jobs are filmed at once and `queue` more wait; a clip takes `median` simulated
    seconds, one in ten `p90` or longer (lognormal). With several `secrets` messages carry several signatures.
    """

    key: str = KEY
    secrets: tuple[str, ...] = (SECRET,)
    limit: int = 4
    queue: int = 8
    median: float = 150.0
    p90: float = 300.0
    http_allowed: bool = False
    drawn: int = 12


@dataclass
class Higgsfield:
    """The vendor's memory and its routes."""

    world: World
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        self.clips = Clips(self.settings.drawn)
        self.jobs: dict[str, Job] = {}
        self.live: list[Job] = []  # in the order they came
        self.keys: dict[str, tuple[str, str]] = {}  # Idempotency-Key → what was asked, job
        self.pictures: dict[str, bytes] = {}
        self.tries: Counter[str] = Counter()

    def routes(self) -> list[Route]:
        """Every address it answers at."""
        ident = r"(?P<ident>[0-9a-f-]+)"
        return [
            ("GET", "/_charged", lambda asked: Response(body=self.charged())),
            ("GET", "/_jobs", lambda asked: Response(body=self.told())),
            ("GET", "/models", self.models),
            ("POST", "/files/generate-upload-url", self.upload_url),
            ("PUT", f"/_storage/{ident}", self.upload),
            ("GET", f"/_clips/{ident}[.]mp4", self.download),
            ("GET", f"/requests/{ident}/status", self.status),
            ("POST", f"/requests/{ident}/cancel", self.cancel),
            ("POST", r"/estimate/(?P<slug>.+)", self.estimate),
            ("POST", r"/(?P<slug>[a-z0-9].*)", self.submit),
        ]

    # --- pictures ---

    def upload_url(self, asked: Request) -> Response:
        """Where to put a picture, and under which headers."""
        if refused := self._unknown(asked):
            return refused
        kind = (asked.json() or {}).get("content_type")
        if kind not in ("image/jpeg", "image/png", "image/webp"):
            return Response(422, {"detail": [fault("content_type", "Unsupported content type", "value_error")]})
        ident, base = str(uuid.uuid4()), f"{self.world.base_url}/higgsfield"
        return Response(
            body={
                "public_url": f"{base}/_inputs/{ident}.jpeg",
                "upload_url": f"{base}/_storage/{ident}?X-Amz-Signature=abc",
                "content_type": kind,
                "upload_headers": {"Content-Type": kind, "x-amz-tagging": "retention=temporary"},
            }
        )

    def upload(self, asked: Request) -> Response:
        """The store's side: it knows no key of ours, and signed every header."""
        if "authorization" in asked.headers:
            return Response(400, b"<Error><Code>InvalidArgument</Code></Error>")
        signed = asked.headers.get("x-amz-tagging") == "retention=temporary" and "X-Amz-Signature" in asked.query
        if not signed or not asked.headers.get("content-type", "").startswith("image/"):
            return Response(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        if self.world.falls("higgsfield.upload_error"):
            return Response(500, b"<Error><Code>InternalError</Code></Error>")
        self.pictures[asked.match["ident"]] = asked.body
        return Response(200, b"")

    # --- jobs ---

    def submit(self, asked: Request) -> Response:
        """Accept a job, or say why not."""
        with self.world.lock:
            job, answer = self._submit(asked)
        if job is None:
            return answer
        if self._falls("hook_early", job.key or job.ident):
            job.starts = job.ends = self.world.now()
            bells.wait_for(self._over(job))
        if self._falls("silent_after", job.key or job.ident):
            self.world.sleep(120)
            return Response(silent=True)
        if self._falls("garbage_after", job.key or job.ident):
            return Response(200, b"<html>all is well</html>", {"Content-Type": "text/html"})
        if self._falls("error_after", job.key or job.ident):
            return Response(500, {"detail": "Internal Server Error"})
        return answer

    def _submit(self, asked: Request) -> tuple[Job | None, Response]:
        """The answer, and the job if it is a new one."""
        if refused := self._unknown(asked):
            return None, refused
        key, slug, body = asked.headers.get("idempotency-key", ""), asked.match["slug"], asked.json()
        self.tries[key] += 1
        for name, (status, detail) in REFUSALS.items():
            if self._falls(name, f"{key}#{self.tries[key]}"):
                return None, Response(status, {"detail": detail})
        if slug not in MODELS:
            return None, Response(404, {"detail": "Model not found"})
        if not isinstance(body, dict):
            return None, Response(422, {"detail": [fault("", "Input should be a valid dictionary", "dict_type")]})
        if faults := MODELS[slug].faults(body):
            return None, Response(422, {"detail": faults})
        hook = asked.query.get("hf_webhook", "")
        same = json.dumps([slug, body, hook], sort_keys=True)
        if key in self.keys:
            before, ident = self.keys[key]
            if before != same:
                return None, Response(422, {"detail": "Idempotency-Key was used with different parameters"})
            return None, self._accepted(self.jobs[ident])
        if wrong := self._hook_fault(hook) or self._picture_fault(str(body["image_url"])):
            return None, Response(400, {"detail": wrong})
        now = self.world.now()
        self._plan(now)
        limit, room = self.settings.limit, self.settings.limit + self.settings.queue
        busy = self._falls("busy", f"{key}#{self.tries[key]}")
        if self._falls("mode_a") and (busy or len(self.live) >= limit):
            return None, Response(400, {"detail": f"Maximum number of concurrent requests ({limit}) has been reached"})
        if busy or len(self.live) >= room:
            full = {"detail": "The account's queue is full", "code": "account_queue_full", "limit": room}
            return None, Response(429, full, {"Retry-After": "1"})
        job = self._new(key, slug, body, hook, now)
        if key:
            self.keys[key] = (same, job.ident)
        self._plan(now)
        return job, self._accepted(job)

    def _new(self, key: str, slug: str, body: dict[str, object], hook: str, now: float) -> Job:
        ident = str(uuid.UUID(int=self.world.dice(f"higgsfield:{key or uuid.uuid4()}").getrandbits(128), version=4))
        fates = ("failed", "nsfw", "canceled", "never")
        outcome = next((fate for fate in fates if self._falls(fate, key or ident)), "completed")
        # The law of real queues and renderers: log-normal, given by its median and its ninth decile (1.2816 sigma).
        spread = math.log(self.settings.p90 / self.settings.median) / 1.2816
        takes = self.settings.median * math.exp(self.world.dice(f"higgsfield:takes:{ident}").gauss(0, spread))
        takes *= MODELS[slug].pace * (6 if self._falls("slow", key or ident) else 1)
        waits = self.world.dice(f"higgsfield:waits:{ident}").uniform(*FIRST_WAIT)
        job = Job(ident, key, slug, body, hook, now, waits, takes, outcome)
        self.jobs[ident] = job
        self.live.append(job)
        return job

    def _plan(self, now: float) -> None:
        waiting = [job for job in self.live if job.starts > now and job.hook]
        self.live = plan(self.live, now, self.settings.limit)
        for job in waiting:
            self.world.later(job.ends - now, partial(self._over, job))

    def _accepted(self, job: Job) -> Response:
        base = f"{self.world.base_url}/higgsfield/requests/{job.ident}"
        return Response(
            body={
                "status": job.state(self.world.now()),
                "request_id": job.ident,
                "status_url": f"{base}/status",
                "cancel_url": f"{base}/cancel",
            }
        )

    def status(self, asked: Request) -> Response:
        """How far a job is."""
        if refused := self._unknown(asked):
            return refused
        job = self.jobs.get(asked.match["ident"])
        if job is None:
            return Response(404, {"detail": "Request not found"})
        job.looks += 1
        if self._falls("status_lost", f"{job.ident}#{job.looks}"):
            return Response(404, {"detail": "Request not found"})
        if self._falls("status_error", f"{job.ident}#{job.looks}"):
            return Response(500, {"detail": "Internal Server Error"})
        return Response(body=self._accepted(job).body | self._outcome(job))

    def _outcome(self, job: Job) -> dict[str, object]:
        state = job.state(self.world.now())
        if state == "failed":
            return {"error": "Generation failed"}
        if state != "completed" or self._falls("no_clip", job.ident):
            return {}
        hostile = self._falls("hostile", job.ident)
        return {"video": {"url": HOSTILE if hostile else f"{self.world.base_url}/higgsfield/_clips/{job.ident}.mp4"}}

    def cancel(self, asked: Request) -> Response:
        """Stop a job that is still queued."""
        if refused := self._unknown(asked):
            return refused
        with self.world.lock:
            job, now = self.jobs.get(asked.match["ident"]), self.world.now()
            if job is None:
                return Response(404, {"detail": "Request not found"})
            if job.state(now) != "queued":
                return Response(400, {"detail": "Request can no longer be cancelled"})
            job.outcome = "stopped"
            self._plan(now)
        return Response(202, b"")

    def download(self, asked: Request) -> Response:
        """The clip, or what has become of it."""
        job = self.jobs.get(asked.match["ident"])
        if job is None or job.state(self.world.now()) != "completed":
            return Response(404, b"")
        job.downloads += 1
        mp4, turn = {"Content-Type": "video/mp4"}, f"{job.ident}#{job.downloads}"
        if self._falls("expired", turn):
            return Response(403, b"<Error><Code>AccessDenied</Code></Error>")
        if self._falls("page", job.ident):
            return Response(200, b"<html>Not found</html>", {"Content-Type": "text/html"})
        if self._falls("empty", job.ident):
            return Response(200, b"", mp4)
        if self._falls("garbage", job.ident):
            return Response(200, self.world.dice(job.ident).randbytes(200_000), mp4)
        picture = self.pictures.get(str(job.body["image_url"]).rpartition("/")[2].removesuffix(".jpeg"), b"")
        seconds = 1 if self._falls("short", job.ident) else job.seconds
        look = self.world.dice(f"higgsfield:look:{job.ident}").randrange(3)
        content = self.clips.get(picture, seconds, look, side=64 if self._falls("small", job.ident) else 0)
        if self._falls("truncated", job.ident):
            return Response(200, content[: len(content) // 2], mp4)
        if self._falls("holes", job.ident):
            half, end = len(content) // 2, content.rindex(b"moov") - 4
            return Response(200, content[:half] + bytes(end - half) + content[end:], mp4)
        if self._falls("cut", turn):
            return Response(200, content, mp4, cut=len(content) // 2)
        if self._falls("huge", job.ident):
            return Response(200, content, mp4 | {"Content-Length": str(10 * 1024**3)}, cut=len(content))
        return Response(200, content, mp4, trickle=1 if self._falls("trickle", turn) else 0)

    # --- bells ---

    def _over(self, job: Job) -> list[threading.Timer]:
        """Ring when a job is really over: it may have come forward or been stopped since this was planned."""
        with self.world.lock:
            now = self.world.now()
            if job.rung or not job.hook or job.outcome not in ("completed", "failed", "nsfw"):
                return []
            if now < job.ends:
                return [self.world.later(job.ends - now, partial(self._over, job))]
            job.rung = True
        return bells.ring(
            self.world, "higgsfield", job.hook, job.key or job.ident, lambda off, bad: self._message(job, off, bad)
        )

    def _message(self, job: Job, off: int, forged: bool) -> tuple[bytes, Mapping[str, str]]:
        outcome = self._outcome(job)
        error = outcome.pop("error", None)
        told: dict[str, object] = {"request_id": job.ident, "status": job.state(self.world.now()), "error": error}
        if self._falls("hook_odd", job.ident):
            told = {"event": "generation.finished", "data": told}
        elif self._falls("hook_flat", job.ident):
            told |= outcome
        else:
            told["payload"] = outcome
        body = json.dumps(told).encode()
        secrets = ("whsec_" + base64.b64encode(b"somebody else").decode(),) if forged else self.settings.secrets
        stamp = int(time.time()) + off
        signed = [sign_standard(f"msg_{job.ident}", stamp, body, secret) for secret in secrets]
        return body, signed[0] | {"webhook-signature": " ".join(one["webhook-signature"] for one in signed)}

    # --- told for nothing ---

    def models(self, asked: Request) -> Response:
        """The catalogue."""
        if refused := self._unknown(asked):
            return refused
        items = [
            {"slug": slug, "title": slug, "output_type": "video", "operation_type": "image-to-video"} for slug in MODELS
        ]
        return Response(body={"items": items})

    def estimate(self, asked: Request) -> Response:
        """What a body would cost."""
        if refused := self._unknown(asked):
            return refused
        model, body = MODELS.get(asked.match["slug"]), asked.json()
        if model is None:
            return Response(404, {"detail": "Model not found"})
        if not isinstance(body, dict) or (faults := model.faults(body)):
            return Response(422, {"detail": faults if isinstance(body, dict) else []})
        if model.described:
            return Response(body={"type": "description", "pricing_description": "By resolution and length."})
        usd = model.price * int(body.get("duration", model.durations[0]))
        return Response(body={"type": "estimate", "credits": f"{usd * 16:.2f}", "usd": f"{usd:.4f}", "discount": None})

    def charged(self) -> dict[str, int]:
        """How often each of our keys was charged: what failed, was refused by the filter or stopped costs nothing."""
        now = self.world.now()
        with self.world.lock:
            free = ("failed", "nsfw", "canceled")
            return dict(Counter(job.key for job in self.jobs.values() if job.state(now) not in free))

    def told(self) -> list[dict[str, object]]:
        """Every job, for people and tests; `usd` is what it costs, `over_at` the Unix time it is over."""
        now = self.world.now()
        with self.world.lock:
            return [
                {
                    "request_id": job.ident,
                    "key": job.key,
                    "slug": job.slug,
                    "status": job.state(now),
                    "seconds": job.seconds,
                    "takes": round(job.takes, 1),
                    "over_at": None if job.outcome == "never" else round(self.world.wall(job.ends), 3),
                    "usd": round(MODELS[job.slug].price * job.seconds, 4),
                    "downloads": job.downloads,
                }
                for job in self.jobs.values()
            ]

    # --- checks ---

    def _falls(self, name: str, key: str = "") -> bool:
        return self.world.falls(f"higgsfield.{name}", key)

    def _unknown(self, asked: Request) -> Response | None:
        if asked.headers.get("authorization") == f"Key {self.settings.key}":
            return None
        return Response(401, {"detail": "Invalid credentials"})

    def _http_allowed(self, url: str) -> bool:
        return url.startswith("http://") and (self.settings.http_allowed or self._falls("http_allowed"))

    def _hook_fault(self, url: str) -> str:
        parts = urlsplit(url)
        if not url or self._http_allowed(url):
            return ""
        if parts.scheme != "https" or parts.username is not None or not parts.hostname:
            return "hf_webhook must be an https address without credentials"
        try:
            public = is_public(str(ipaddress.ip_address(parts.hostname)))
        except ValueError:
            public = parts.hostname != "localhost" and "." in parts.hostname
        return "" if public else "hf_webhook must lead to a public address"

    def _picture_fault(self, url: str) -> str:
        ours = f"{self.world.base_url}/higgsfield/_inputs/"
        if url.startswith(ours):
            there = url.removeprefix(ours).removesuffix(".jpeg") in self.pictures
            return "" if there else "Input image could not be read"
        return "" if url.startswith("https://") or self._http_allowed(url) else "image_url must be https"


def higgsfield(world: World, settings: Settings | None = None) -> list[Route]:
    """The vendor's routes in a world."""
    return Higgsfield(world, settings or Settings()).routes()
