"""Named boundaries where a test may make this process die, hang or fail; without VIDEOGEN_FAULTS they do nothing.

`VIDEOGEN_FAULTS="files.after_publish=kill9:0.2;step.after_claim=kill9:once"` switches points on, each with an optional
probability, or `once` for all processes together (a file in VIDEOGEN_VAR/faults remembers). Where a point is passed for
several vendors a rule may name one of them: `call.after_answer@higgsfield=kill9:once`. Every name is registered here,
so that a test can walk the whole registry and a new boundary is tested without anyone remembering it.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

POINTS = {
    "step.after_claim": "a worker has taken a step and done nothing yet",
    "step.before_leave": "a stage has done its work, the board does not know",
    "step.after_leave": "the board knows, the next steps have no doorbell yet",
    "call.before_send": "a call is written down, the provider has not heard of it",
    "call.after_slot": "a call holds its slot and its share of the budgets, the provider has not heard of it",
    "call.before_submit": "a call is marked as sent, the provider has not heard of it",
    "call.after_answer": "the provider has answered, we have not written it down",
    "call.after_fetch": "what a vendor made later has been fetched, no row says so",
    "take.before_select": "a take has landed and is paid for, its shot does not name it",
    "hook.before_commit": "a vendor's message is written down and its step rung, nothing is committed",
    "hook.after_commit": "a vendor's message is committed, the vendor has not been told so",
    "files.before_publish": "a file is made under its temporary name",
    "files.after_publish": "a file stands in storage, no row names it",
    "photo.after_check": "a photo has been checked, no row says so",
    "cut.after_render": "the film is encoded, not yet published",
    "rendition.after_render": "another version of a film is encoded, not yet measured or published",
    "payment.after_hold": "the gateway holds the money, no row says so",
    "payment.after_place": "the money is held and the order placed, the fan has not been told",
    "payment.before_capture": "the amount to be taken is written down, the gateway has not heard of it",
    "payment.after_capture": "the gateway has taken the money, no row says so",
    "payment.after_release": "the gateway has let the money go, no row says so",
    "refund.before_send": "a refund is written down, the gateway has not heard of it",
    "refund.after_send": "the gateway has the refund in hand, no row says so",
    "till.before_commit": "a gateway's message is written down, nothing is committed",
    "till.after_commit": "a gateway's message is committed, the gateway has not been told so",
    "review.before_effect": "a decision can no longer be taken back, no row says so",
    "review.after_effect": "a decision has taken effect, its step does not say so",
    "delivery.before_finish": "the delivery exists, the order does not say so",
}

_VARIABLE = "VIDEOGEN_FAULTS"


class InjectedFault(Exception):  # noqa: N818  (asked for)
    """The failure a test asked for."""


def faultpoint(name: str, vendor: str = "") -> None:
    """Do what VIDEOGEN_FAULTS says for this point: `kill9`, `raise`, `hang`, `stop`, or `sleep`; usually nothing.

    `vendor` is whose boundary it is, where it is one.
    """
    if name not in POINTS:
        raise KeyError(f"{name} is not a registered fault point")
    wanted = os.environ.get(_VARIABLE)
    if not wanted:
        return
    for rule in wanted.split(";"):
        point, _, what = rule.partition("=")
        action, _, chance = what.partition(":")
        if point in (name, "*", f"{name}@{vendor}") and _falls(name if point == "*" else point, chance):
            _act(action, name)


def _falls(name: str, chance: str) -> bool:
    if chance != "once":
        return random.random() < float(chance or 1)
    remembered = Path(os.environ["VIDEOGEN_VAR"]) / "faults" / name
    remembered.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(remembered, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _act(action: str, name: str) -> None:
    if action == "kill9":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "raise":
        raise InjectedFault(name)
    elif action in ("sleep", "hang"):
        time.sleep(1 if action == "sleep" else 3600)
    else:
        raise ValueError(f"{_VARIABLE}: {action} is not an action")
