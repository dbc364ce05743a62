"""`demo`: make the demo creators and logins."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from videogen import demo


class Command(BaseCommand):
    """Makes the three demo creators and the demo logins where they are missing."""

    help = "Make the three demo creators and the demo logins where they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed and say who may sign in."""
        try:
            demo.seed()
        except RuntimeError as error:
            raise CommandError(str(error)) from None
        for email, who in demo.logins():
            self.stdout.write(f"{email}  {demo.password()}  ({who})")
