"""`reconcile`: compare the gateway's books with the ledger, and say every difference."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from billing import reconcile
from billing.gateways.base import GatewayError


class Command(BaseCommand):
    """Prints the differences; exit 1 when there are any, 2 when a gateway could not be asked."""

    help = "Compare what the payment gateway lists with the ledger, payment by payment. Exit 1 when they differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How far back."""
        parser.add_argument("--days", type=int, default=reconcile.DAYS, help="how far back payments are compared")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare and print."""
        differ = False
        for gateway in reconcile.gateways():
            try:
                found = reconcile.compare(gateway, days=options["days"])
            except (GatewayError, ImproperlyConfigured) as error:
                raise CommandError(f"{gateway} could not be asked: {error}", returncode=2) from None
            for sentence in found.mended:
                self.stdout.write(f"put right: {sentence}")
            for sentence in found.differences:
                self.stdout.write(f"DIFFERS: {sentence}")
            figures = f"{found.compared} compared, {len(found.mended)} put right, {len(found.differences)} differ"
            self.stdout.write(f"{gateway}: {figures}")
            differ = differ or bool(found.differences)
        if differ:
            raise SystemExit(1)
