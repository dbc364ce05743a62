"""`sweep`: the safety net as a process."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from pipeline import sweeping


class Command(BaseCommand):
    """Rings again for everything due, every few seconds, until told to stop."""

    help = "Ring again for everything due that nobody came for, every few seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Once, or for ever."""
        parser.add_argument("--once", action="store_true", help="sweep once and say how much was due")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep."""
        if options["once"]:
            self.stdout.write(f"{sweeping.sweep_once()} due")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        sweeping.sweep_forever(stop.wait)
