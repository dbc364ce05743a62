"""`invariants`: say which of the things that must always hold do not."""

from typing import Any

from django.core.management.base import BaseCommand

from pipeline import checkups, invariants


class Command(BaseCommand):
    """Checks every invariant; exit 1 when one is broken."""

    help = "Check everything that must always hold; exit 1 when something does not."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check and say."""
        broken = checkups.run("invariants", invariants.broken)
        for sentence in broken:
            self.stdout.write(sentence)
        if broken:
            raise SystemExit(1)
        self.stdout.write(f"All {len(invariants.ALL)} invariants hold.")
