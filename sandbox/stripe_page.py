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
<title>Pay (sandbox)</title><style>
:root{color-scheme:light dark;
--ground:#f6f7fb;--sheet:#fff;--words:#1b1f2a;--faint:#5b6275;--line:#d8dce8;--act:#4a3fd1}
@media(prefers-color-scheme:dark){
:root{--ground:#11131a;--sheet:#1b1e28;--words:#eceef5;--faint:#a8afc2;--line:#353a4a;--act:#a9a2ff}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--words);font:16px/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:0 auto;padding:1.5rem 1rem}h1{font-size:1.4rem;line-height:1.25;margin:0 0 .25rem}
.price{font-size:2rem;font-weight:700;margin:0}.faint,label span{color:var(--faint);margin:0}
fieldset{border:0;padding:0;margin:1.25rem 0}legend{padding:0 0 .5rem;font-weight:600}
label{display:grid;grid-template-columns:auto 1fr;column-gap:.75rem;padding:.6rem .8rem;background:var(--sheet);
border:1px solid var(--line);margin-top:-1px;cursor:pointer}label:has(:checked){box-shadow:inset 4px 0 var(--act)}
label span{grid-column:2}input{accent-color:var(--act);margin:.3rem 0 0}code{font-size:1rem}
button,.back{font:inherit;display:block;width:100%;padding:.8rem;margin:.6rem 0 0;border-radius:.5rem;text-align:center}
button{background:var(--act);color:var(--ground);border:0;font-weight:600;cursor:pointer}
a{color:var(--act)}.other{background:none;color:var(--act);border:1px solid var(--act)}
[role=alert]{padding:.6rem .8rem;margin:1rem 0 0;border:1px solid;color:light-dark(#a00000,#ffb3a8)}
:focus-visible{outline:3px solid var(--act);outline-offset:2px}</style><main>"""


def amount(session: Mapping[str, Any]) -> str:
    """What a session costs, for people."""
    return f"{session['amount_total'] / 100:.2f} {str(session['currency']).upper()}"


def pay(session: Mapping[str, Any], names: list[str], problem: str = "") -> bytes:
    """The page with the cards."""
    alert = f'<p role="alert">{html.escape(problem)}</p>' if problem else ""
    cards = "".join(
        f'<label><input type="radio" name="card" value="{card}"{" checked" if card == GOOD else ""}>'
        f"<code>{_grouped(card)}</code><span>{html.escape(says)}</span></label>"
        for card, (_, says) in CARDS.items()
    )
    back = session.get("cancel_url")
    way_back = f'<a class="back" href="{html.escape(back)}">Back</a>' if back else ""
    what = html.escape(", ".join(names))
    return page(
        f'<h1>{what}</h1><p class="price">{amount(session)}</p><p class="faint">A pretended till: no money moves.</p>'
        f'{alert}<form method="post"><fieldset><legend>Pay with</legend>{cards}</fieldset>'
        f'<button name="step" value="pay">Pay {amount(session)}</button>{way_back}</form>'
    )


def confirm(session: Mapping[str, Any]) -> bytes:
    """The bank's question."""
    return page(
        f'<h1>Your bank asks</h1><p>Is it you who pays {amount(session)}?</p><form method="post">'
        '<button name="step" value="confirm">Yes</button>'
        '<button name="step" value="refuse" class="other">No</button></form>'
    )


def page(body: str) -> bytes:
    """A page with this in it, which is HTML."""
    return f"{_HEAD}{body}</main>".encode()


def over(words: str, link: str = "") -> bytes:
    """A session that is over."""
    on = f'<p><a href="{html.escape(link)}">Go on</a></p>' if link else ""
    return page(f"<h1>{html.escape(words)}</h1>{on}")


def _grouped(card: str) -> str:
    """A card's number in fours, as it is printed on one; anything else in words."""
    return " ".join(card[at : at + 4] for at in range(0, len(card), 4)) if card.isdigit() else card.replace("_", " ")
