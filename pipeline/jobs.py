"""What a doorbell may ask for: functions of one id, called by workers."""

from billing import payout_accounts, reconcile, truth

from . import calls, checkups, engine, escalations, looking, money, notices, photos, renditions, roster


def run_step(pk: int) -> None:
    """Take one step of a production, if it is due and free."""
    engine.run_step(pk)


def check_photo(pk: int) -> None:
    """Check one uploaded photo, if nobody has."""
    photos.check(pk)


def look_at_take(pk: int) -> None:
    """Look at one landed take, if nobody has."""
    looking.look(pk)


def make_rendition(pk: int) -> None:
    """Make one rendition of a delivered film, if nobody does."""
    renditions.make(pk)


def send_notice(pk: int) -> None:
    """Send one promised mail, if nobody has."""
    notices.send(pk)


def send_escalation(pk: int) -> None:
    """Mail staff what they are called for, if nobody has."""
    escalations.send(pk)


def follow_call(pk: int) -> None:
    """Bring a call nobody waits for any more to its end."""
    call = calls.unwanted().filter(pk=pk).select_related("step__production").first()
    if call is not None:
        calls.follow(call, roster.by_name(call.provider, call.model))


def look_at_payment(pk: int) -> None:
    """Ask a gateway how a payment stands, if its alarm has gone off."""
    truth.look_if_due(pk)


def send_refund(pk: int) -> None:
    """Send one refund, if nobody has; or ask how it stands."""
    truth.follow_refund(pk)


def settle_order(pk: int) -> None:
    """Bring an order's money to where the order ended."""
    money.settle(pk)


def send_payout(pk: int) -> None:
    """Send a creator their money, if nobody does."""
    money.send_payout(pk)


def look_at_account(pk: int) -> None:
    """Ask the gateway whether a creator can be paid, if the alarm of their account has gone off."""
    payout_accounts.look_if_due(pk)


def compare_books(_pk: int) -> None:
    """Compare the gateway's books with ours, if nobody has today, and keep what was found for the desk."""
    for made in reconcile.daily():
        assert made.ended_at is not None
        seconds = (made.ended_at - made.begun_at).total_seconds()
        checkups.keep(f"reconcile {made.gateway}", made.differences, seconds)


JOBS = {
    "run_step": run_step,
    "check_photo": check_photo,
    "look_at_take": look_at_take,
    "make_rendition": make_rendition,
    "send_notice": send_notice,
    "send_escalation": send_escalation,
    "follow_call": follow_call,
    "look_at_payment": look_at_payment,
    "send_refund": send_refund,
    "settle_order": settle_order,
    "send_payout": send_payout,
    "look_at_account": look_at_account,
    "compare_books": compare_books,
}
