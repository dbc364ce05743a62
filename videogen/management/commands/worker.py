"""`worker QUEUE`: one worker of one queue."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from pipeline import queue


class Command(BaseCommand):
    """One worker of one queue, until it is told to stop."""

    help = "Work for one queue until told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which queue."""
        parser.add_argument("queue", choices=settings.QUEUES)
        parser.add_argument("--burst", action="store_true", help="stop when the queue is empty")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work."""
        queue.work(options["queue"], burst=options["burst"])
