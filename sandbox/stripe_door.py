"""The pretended Stripe's door: who may ask, idempotency keys, what is kept, lists, events and their webhooks."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from . import bells
from .forms import nested
from .server import Request, Response
from .world import World

Thing = dict[str, Any]

# Known to everybody: nothing is behind it.
SECRET = "whsec_sandbox"  # noqa: S105  # nosec B105
FORGED = "whsec_somebody_else"
VERSION = "2026-10-28.endive"
KEY_SECONDS = 86400


class Refused(Exception):  # noqa: N818  (what is said to whoever asked)
    """An answer that is an error."""

    def __init__(self, status: int, message: str, *, kind: str = "invalid_request_error", **more: str | None) -> None:
        super().__init__(message)
        self.status = status
        said = {name: value for name, value in more.items() if value is not None}
        self.body = {"error": {"type": kind, "message": message, **said}}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to the API: what its address names, and its parameters."""

    ids: tuple[str, ...]
    params: Thing
    request_id: str
    key: str


@dataclass(slots=True)
class Kept:
    """What an idempotency key remembers."""

    at: float
    same: str
    status: int
    body: Thing


class Door:
    """Everything Stripe knows. One request at a time changes it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lock = threading.RLock()
        self.things: dict[str, Thing] = {}  # by id, in the order they were made
        self.keys: dict[str, Kept] = {}
        self.ahead = 0.0
        self.count = 0
        self.asking: Ask | None = None

    # -- the door ------------------------------------------------------------------------------------------------------

    def api(self, do: Callable[[Ask], Thing]) -> Callable[[Request], Response]:
        """A function of the API as a route: who asks, what falls, what the idempotency key remembers."""

        def route(request: Request) -> Response:
            self.world.sleep(0.1 + 0.3 * self.world.dice(f"stripe:{len(self.world.journal)}").random())
            with self.lock:
                self.count += 1
                request_id = f"req_{self.count:014d}"
                headers = {"Request-Id": request_id, "Stripe-Version": request.headers.get("stripe-version", VERSION)}
                try:
                    return self._route(request, do, request_id, headers)
                except Refused as no:
                    return Response(no.status, no.body, headers)
                finally:
                    self.asking = None

        return route

    def _route(
        self, request: Request, do: Callable[[Ask], Thing], request_id: str, headers: dict[str, str]
    ) -> Response:
        secret = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not secret.startswith(("sk_", "rk_")) or self.falls("bad_key"):
            raise Refused(401, "Invalid API Key provided.")
        if self.falls("rate"):
            raise Refused(429, "Too many requests.", code="rate_limit")
        posted = request.method == "POST"
        form = request.body.decode("utf-8", "replace") if posted else urlencode(request.query)
        try:
            params = nested(form)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        key = request.headers.get("idempotency-key", "") if posted else ""
        if key and self.falls("in_use"):
            raise Refused(409, "The key is being used.", kind="idempotency_error", code="idempotency_key_in_use")
        same = f"{request.method} {request.path} {json.dumps(params, sort_keys=True)}"
        kept = self.keys.get(key)
        if kept is not None and kept.at > self.now() - KEY_SECONDS:
            if kept.same != same:
                words = (
                    "Keys for idempotent requests can only be used with the same parameters they were first used with."
                )
                raise Refused(400, words, kind="idempotency_error")
            return Response(kept.status, kept.body, headers | {"Idempotent-Replayed": "true"})
        self.asking = Ask(request.match.groups(), params, request_id, key)
        down = Refused(500, "An unknown error occurred.", kind="api_error")
        try:
            if posted and self.falls("down"):
                raise down
            made = do(self.asking)
            if made["object"] != "list":  # of a list, each is expanded
                made = self.expanded(made, params)
            status, body = 200, copy.deepcopy(made)
            if posted and self.falls("down_after"):
                raise down
        except Refused as no:
            if no.status not in (402, 500):
                raise  # what fails validation is not remembered
            status, body = no.status, no.body
        if key:
            self.keys[key] = Kept(self.now(), same, status, body)
        if posted and self.falls("silent"):
            return Response(silent=True)
        return Response(status, body, headers)

    # -- events --------------------------------------------------------------------------------------------------------

    def listen(self, ask: Ask) -> Thing:
        """Register an address; all share one secret."""
        kinds = ask.params.get("enabled_events", [])
        if not ask.params.get("url") or not isinstance(kinds, list) or not kinds:
            raise Refused(400, "url and enabled_events are needed.", code="parameter_missing")
        ears = {"url": ask.params["url"], "enabled_events": kinds, "status": "enabled", "secret": SECRET}
        return self.make("webhook_endpoint", "we", **ears)

    def tell(self, kind: str, thing: Thing) -> None:
        """Make an event, and ring whoever listens."""
        ask = self.asking
        ears = [
            one["url"]
            for one in self.all("webhook_endpoint")
            if kind in one["enabled_events"] or "*" in one["enabled_events"]
        ]
        event = self.make(
            "event",
            "evt",
            type=kind,
            api_version=VERSION,
            data={"object": public(thing)},
            pending_webhooks=len(ears),
            request={"id": ask.request_id if ask else None, "idempotency_key": ask.key or None if ask else None},
        )
        body = json.dumps(public(event)).encode()

        def make(off: int, forged: bool) -> tuple[bytes, Mapping[str, str]]:
            return body, {"Stripe-Signature": signature(body, FORGED if forged else SECRET, int(time.time()) + off)}

        after = 120.0 if ears and self.falls("hook_shuffled", event["id"]) else 0.5
        for address in ears:
            bells.ring(self.world, "stripe", address, event["id"], make, after, stubborn=True)

    # -- the store -----------------------------------------------------------------------------------------------------

    def falls(self, name: str, key: str = "") -> bool:
        """Whether a switch falls."""
        return self.world.falls(f"stripe.{name}", key)

    def now(self) -> float:
        """Unix seconds, as far as the clock was put forward."""
        return time.time() + self.ahead

    def shows(self, kind: str) -> Callable[[Ask], Thing]:
        """A function that retrieves one of a kind."""
        return lambda ask: self.get(ask.ids[0], kind)

    def lists(self, kind: str, *filters: str) -> Callable[[Ask], Thing]:
        """A function that lists one kind, newest first, by those of its fields."""

        def do(ask: Ask) -> Thing:
            known(ask.params, " ".join(filters) + " limit starting_after ending_before created expand")
            found = self.all(kind)[::-1]
            for name in filters:
                if name in ask.params:
                    found = [one for one in found if one.get(name) == ask.params[name]]
            since = ask.params.get("created")
            if isinstance(since, dict) and "gte" in since:
                found = [one for one in found if one["created"] >= number(since, "gte")]
            page = listed(found, ask.params, f"/v1/{kind.replace('.', '/')}s")
            inside = [path.removeprefix("data.") for path in ask.params.get("expand", [])]
            page["data"] = [self.expanded(one, {"expand": inside}) for one in page["data"]]
            return page

        return do

    def make(self, kind: str, prefix: str, **fields: Any) -> Thing:
        """A new thing; fields that begin with an underscore are never shown."""
        mark = hashlib.sha256(f"{self.world.seed}:{kind}:{len(self.things)}".encode()).hexdigest()[:24]
        thing = {"id": f"{prefix}_{mark}", "object": kind, "created": int(self.now()), "livemode": False, **fields}
        self.things[thing["id"]] = thing
        return thing

    def get(self, ident: str, kind: str) -> Thing:
        """One thing. Raises Refused, 404."""
        thing = self.things.get(ident)
        if thing is None or thing["object"] != kind:
            raise Refused(404, f"No such {kind}: '{ident}'", code="resource_missing", param="id")
        return thing

    def all(self, kind: str) -> list[Thing]:
        """All of a kind, in the order they were made."""
        return [thing for thing in self.things.values() if thing["object"] == kind]

    def expanded(self, thing: Thing, params: Thing) -> Thing:
        """A thing as it is shown, with what `expand` names in the place of its id."""
        out = public(thing)
        for path in params.get("expand", []):
            place = out
            for name in str(path).split("."):
                value = place.get(name)
                if value is None and name in place:
                    break  # nothing there yet is nothing
                if isinstance(value, str) and value in self.things:
                    place[name] = value = public(self.things[value])
                if not isinstance(value, dict):
                    raise Refused(400, f"This property cannot be expanded ({path}).", param="expand")
                place = value
        return out


def signature(body: bytes, secret: str, at: int) -> str:
    """The header Stripe-Signature of a message at Unix second `at`."""
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def public(thing: Thing) -> Thing:
    """A copy without what is only ours."""
    return {name: copy.deepcopy(value) for name, value in thing.items() if not name.startswith("_")}


def known(params: Thing, names: str, inside: str = "") -> None:
    """Refuse parameters that are not among the names, which are separated by spaces."""
    if not isinstance(params, dict):
        raise Refused(400, "Invalid object", param=inside)
    for name in params:
        if name not in names.split():
            full = f"{inside}[{name}]" if inside else name
            raise Refused(400, f"Received unknown parameter: {full}", code="parameter_unknown", param=full)


def number(params: Thing, name: str, otherwise: int | None = None) -> int:
    """An integer of minor units or seconds; nothing with a point in it."""
    value = params.get(name)
    if value is None and otherwise is not None:
        return otherwise
    if not isinstance(value, str) or not value.lstrip("-").isdigit():
        raise Refused(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    return int(value)


def metadata(params: Thing) -> dict[str, str]:
    """The metadata among parameters. Raises Refused."""
    found = params.get("metadata") or {}
    fits = isinstance(found, dict) and len(found) <= 50
    if not fits or any(not isinstance(v, str) or len(v) > 500 or len(k) > 40 for k, v in found.items()):
        raise Refused(400, "Metadata has up to 50 keys of 40 characters, with values of 500.", param="metadata")
    return dict(found)


def listed(found: list[Thing], params: Thing, url: str) -> Thing:
    """One page of a list."""
    limit = min(100, max(1, number(params, "limit", 10)))
    ids = [one["id"] for one in found]
    if (after := params.get("starting_after")) in ids:
        found = found[ids.index(after) + 1 :]
    elif (before := params.get("ending_before")) in ids:
        found = found[max(0, ids.index(before) - limit) : ids.index(before)]
    data = [public(one) for one in found[:limit]]
    return {"object": "list", "url": url, "has_more": len(found) > limit, "data": data}
