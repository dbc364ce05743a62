"""`many`: a hundred thousand invented orders, for work on speed."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from videogen import demo, many


class Command(BaseCommand):
    """Fills the database quickly with orders and all that belongs to them, without files. Never in production."""

    help = "Fill the database with invented orders, payments, productions and reviews, to see how fast the desk is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many."""
        parser.add_argument("--orders", type=int, default=100_000, help="how many orders (100000)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill, and say what was made."""
        if options["orders"] < 1:
            raise CommandError("--orders takes a number of 1 or more.")
        try:
            demo.seed()
            began, total = time.monotonic(), 0
            for what, made in many.fill(options["orders"]):
                total += made
                self.stdout.write(f"{made:>9,}  {what}")
        except RuntimeError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{total:>9,}  rows in {time.monotonic() - began:.1f} s")
