"""The hosted page of the pretended Stripe: what it costs, test cards to pay with, a way back."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

GOOD = "4242424242424242"
# Cards, with what becomes of them: "" is paid, else the decline code, or one of our own words below.
CARDS: Mapping[str, tuple[str, str]] = {
    GOOD: ("", "is paid"),
    "4000002500003155": ("3ds", "asks for a confirmation first"),
    "4000000000000002": ("generic_decline", "is declined"),
    "4000000000009995": ("insufficient_funds", "is declined: too little money"),
    "4000000000000069": ("expired_card", "has run out"),
    "4000000000000127": ("incorrect_cvc", "has another check number"),
    "4000000000000119": ("processing_error", "cannot be processed"),
    "4000000000007726": ("refund_pending", "is paid; a refund takes its time"),
    "4000000000005126": ("refund_fails", "is paid; a refund fails later"),
    "delayed": ("delayed", "a bank transfer that arrives later"),
    "delayed_fails": ("delayed_fails", "a bank transfer that never arrives"),
}
# What an API error says for a decline that is not `card_declined` itself.
CODES = ("expired_card", "incorrect_cvc", "processing_error")
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Pay (sandbox)</title><style>body{font:16px/1.5 sans-serif;max-width:34em;margin:3em auto;padding:0 1em}
label{display:block;padding:.3em 0}button,a{font:inherit;margin-right:1em}[role=alert]{color:#a00000}</style>"""


def amount(session: Mapping[str, Any]) -> str:
    """What a session costs, for people."""
    return f"{session['amount_total'] / 100:.2f} {str(session['currency']).upper()}"


def pay(session: Mapping[str, Any], names: list[str], problem: str = "") -> bytes:
    """The page with the cards."""
    alert = f'<p role="alert">{html.escape(problem)}</p>' if problem else ""
    cards = "".join(
        f'<label><input type="radio" name="card" value="{card}"{" checked" if card == GOOD else ""}> '
        f"<code>{card}</code> {html.escape(says)}</label>"
        for card, (_, says) in CARDS.items()
    )
    back = session.get("cancel_url")
    way_back = f'<a href="{html.escape(back)}">Back</a>' if back else ""
    what = html.escape(", ".join(names))
    return (
        f"{_HEAD}<h1>{what}</h1><p><strong>{amount(session)}</strong>. A pretended till: no money moves.</p>{alert}"
        f'<form method="post">{cards}<p><button name="step" value="pay">Pay</button>{way_back}</p></form>'
    ).encode()


def confirm(session: Mapping[str, Any]) -> bytes:
    """The bank's question."""
    return (
        f"{_HEAD}<h1>Your bank asks</h1><p>Is it you who pays {amount(session)}?</p><form method='post'>"
        '<button name="step" value="confirm">Yes</button><button name="step" value="refuse">No</button></form>'
    ).encode()


def page(body: str) -> bytes:
    """A page with this in it, which is HTML."""
    return f"{_HEAD}{body}".encode()


def over(words: str, link: str = "") -> bytes:
    """A session that is over."""
    on = f'<p><a href="{html.escape(link)}">Go on</a></p>' if link else ""
    return f"{_HEAD}<h1>{html.escape(words)}</h1>{on}".encode()
