"""`sandbox`: every vendor, pretended, at one address of this machine."""

from __future__ import annotations

import signal
import threading
import urllib.request
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sandbox.environment import environment, port
from sandbox.server import Sandbox
from sandbox.vendors import VENDORS

# Bells go to a site on this machine, which has no https.
AT_HOME = "higgsfield.http_allowed"


def listen(stripe: str, address: str) -> None:
    """Have the pretended Stripe ring there, as somebody would set it up in Stripe's dashboard."""
    wanted = urllib.request.Request(  # noqa: S310  (our own sandbox)
        f"{stripe}/v1/webhook_endpoints",
        urlencode({"url": address, "enabled_events[0]": "*"}).encode(),
        {"Authorization": "Bearer sk_test_sandbox"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(wanted, timeout=10):
        pass


class Command(BaseCommand):
    """Pretends to be the vendors until told to stop."""

    help = "Pretend to be OpenAI, Higgsfield, ElevenLabs, a voice service and Stripe, for trials without keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, how fast, and with what trouble."""
        parser.add_argument("--port", type=int, default=port())
        parser.add_argument("--speed", type=float, default=4.0, help="simulated seconds in a real one")
        parser.add_argument("--seed", type=int, default=1, help="decides everything that chance decides")
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="NAME=CHANCE",
            help="such as higgsfield.nsfw=0.1; GET /_world says what fell",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve."""
        if options["speed"] <= 0:
            raise CommandError("--speed is a number above 0.")
        try:
            sandbox = Sandbox(VENDORS, port=options["port"], seed=options["seed"], speed=options["speed"])
        except (OSError, OverflowError) as error:
            raise CommandError(f"Port {options['port']} cannot be used ({error}); choose another.") from None
        sandbox.world.switch(AT_HOME, 1.0)
        for rule in options["fault"]:
            name, _, chance = rule.partition("=")
            try:
                sandbox.world.switch(name, float(chance))
            except (KeyError, ValueError) as error:
                raise CommandError(f"--fault {rule}: {error.args[0]}") from None
        self.stdout.write(f"The vendors are pretended at {sandbox.url}. A site goes there with:")
        for name, value in environment(sandbox.url).items():
            self.stdout.write(f"  {name}={value}")
        self.stdout.flush()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        sandbox.start()
        listen(sandbox.at("stripe"), f"{settings.SITE_URL}/hooks/stripe/")
        stop.wait()
        sandbox.stop()
