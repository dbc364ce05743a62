"""`rerun`: make an order's film again from a stage on, having said what is kept, the price and the time."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.models import Order
from pipeline.rerun import FROM, CannotRerun, Change, Plan, plan, rerun
from pipeline.wishes import ANOTHER, LOCAL


class Command(BaseCommand):
    """Shows the plan, asks, and begins a new production; the site's workers make it. Exit 1: it cannot be."""

    help = "Make an order's film again from a stage on. Shows what is kept, the price and the time, then asks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which order, from where, and what should differ."""
        parser.add_argument("code", help="the order's code")
        parser.add_argument("--from", dest="stage", required=True, choices=FROM, help="the first stage made again")
        parser.add_argument("--scenes", default="", metavar="1,3", help="only these scenes' lines, shots or captions")
        parser.add_argument("--model", default="", help=f"a video model's slug, or {LOCAL}")
        parser.add_argument("--seed", type=int, help="a shot's own number")
        parser.add_argument("--photo", default="", help=f"a photo's token, or {ANOTHER}")
        parser.add_argument("--calm", action="store_true", help="less motion")
        parser.add_argument("--respelling", default="", help="how the name is said, or WORD=HOW IT IS SAID")
        parser.add_argument("--music", default="", help=f"a mood, or {ANOTHER}")
        parser.add_argument("--note", default="", help="what the writer should do differently")
        parser.add_argument("--captions", action="store_true", help="captions stand elsewhere")
        parser.add_argument("--reason", default="", help="why, for the record")
        parser.add_argument("--key", default="", help="asked twice under one key, it is made once")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say it, ask, do it."""
        order = Order.objects.filter(code=options["code"].upper()).select_related("brief", "creator__voice").first()
        if order is None:
            raise CommandError(f"There is no order {options['code']}.")
        change = self._change(options)
        try:
            self._show(plan(order=order, change=change))
            if not options["yes"] and input("Make it again? [y/N] ").strip().lower() not in ("y", "yes"):
                self.stdout.write("Nothing was changed.")
                return
            made = rerun(
                order=order,
                change=change,
                by=None,
                reason=options["reason"],
                key=options["key"] or f"command-{secrets.token_hex(8)}",
            )
        except CannotRerun as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Production {made} has begun.")

    def _change(self, options: dict[str, Any]) -> Change:
        try:
            scenes = tuple(int(number) for number in options["scenes"].split(",") if number.strip())
        except ValueError:
            raise CommandError("--scenes takes numbers, such as 1,3.") from None
        wishes = ("model", "seed", "photo", "calm", "respelling", "music", "note", "captions")
        return Change(options["stage"], scenes=scenes, **{name: options[name] for name in wishes})

    def _show(self, planned: Plan) -> None:
        for title, parts in (("kept", planned.kept), ("made again", planned.remade)):
            self.stdout.write(f"{title}:")
            for part in parts:
                self.stdout.write(f"  {part}")
        self.stdout.write(
            f"at most {planned.price / 100:.2f} {planned.currency}, {planned.left / 100:.2f} are left of the order's "
            f"budget; about {planned.seconds} to {planned.slow} s and the review"
        )
        if not planned.fits:
            self.stdout.write("That is more than is left: shots will be filmed from the photos, lines cannot be read.")
