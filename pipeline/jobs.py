"""What a doorbell may ask for: functions of one id, called by workers."""

from . import engine, notices, photos


def run_step(pk: int) -> None:
    """Take one step of a production, if it is due and free."""
    engine.run_step(pk)


def check_photo(pk: int) -> None:
    """Check one uploaded photo, if nobody has."""
    photos.check(pk)


def send_notice(pk: int) -> None:
    """Send one promised mail, if nobody has."""
    notices.send(pk)


JOBS = {"run_step": run_step, "check_photo": check_photo, "send_notice": send_notice}
