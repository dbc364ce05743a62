"""`prove`: many orders through real workers and pretended vendors, with trouble on the way; what it comes to."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.models import Creator, Voice
from billing import reconcile
from billing.gateways import chosen
from billing.gateways.base import GatewayError
from pipeline import invariants
from pipeline.media.lifeline import die_with
from pipeline.providers.video_models import DEFAULT_MODELS
from sandbox.environment import environment
from sandbox.higgsfield import Settings, higgsfield
from sandbox.server import Sandbox, Vendor
from sandbox.vendors import VENDORS
from videogen import demo, site
from videogen.management.commands.sandbox import listen
from videogen.proving.figures import Books, Figures, figures, plain
from videogen.proving.people import wrong_money
from videogen.proving.trial import Plan, Trial, to_the_terminal
from videogen.proving.troubles import MIXES
from videogen.supervisor import Supervisor

# Set for the process that runs on the trial's own ground.
GROUND = "VIDEOGEN_PROVING"
PHOTOS = settings.BASE_DIR / "tests" / "photos" / "story"
# Settings that would lead a trial to somebody's real database, bucket, queue or vendor.
FOREIGN = (
    "DATABASE_URL", "REDIS_URL", "SITE_URL", "EMAIL_URL", "PRODUCTION", "VIDEO_MODELS", "VIDEOGEN_FAULTS", "GATEWAY",
    "SECRET_KEY", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS",
)  # fmt: skip
# Whose voice is read by whom in a trial: one creator at each of two vendors, the rest at home.
READERS = {"mira": "elevenlabs", "bram": "custom-voice"}
# A video account that is large enough for the orders that are under way at once.
SLOTS = 64
# How often the gateway is asked for its books, which take several requests.
BOOK_TURNS = 30


class Command(BaseCommand):
    """Runs a trial on a ground of its own and says what it came to; exit 0 only when nothing is wrong."""

    help = (
        "Prove the site: N orders through real processes against pretended vendors, with faults and kills. "
        "Exit 0 only when every order ended as it should, no call was paid twice and all invariants hold."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many, how fast, how bad."""
        parser.add_argument("--orders", type=int, default=100)
        parser.add_argument("--faults", choices=MIXES, default="usual")
        parser.add_argument("--seed", type=int, default=1, help="decides everything that chance decides")
        parser.add_argument("--speed", type=float, default=20.0, help="how many of the vendors' seconds pass in one")
        parser.add_argument("--in-flight", type=int, default=4, help="orders under way at once")
        parser.add_argument("--seconds", type=int, default=30, help="length of each film")
        parser.add_argument("--scale", type=float, default=1.0, help="size of the films; 0.25 is quick and small")
        parser.add_argument("--photos-only", action="store_true", help="no video vendor: films from the photos alone")
        parser.add_argument(
            "--money",
            action="store_true",
            help="declined cards, double clicks, changes, refusals, refunds and re-runs too",
        )
        parser.add_argument("--database", default="", metavar="URL", help="an empty PostgreSQL database of its own")
        parser.add_argument("--patience", type=float, default=900.0, help="seconds in which some order must end")
        parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the ground and run on it, or, being there, run."""
        if not (options["orders"] > 0 and options["in_flight"] > 0 and options["speed"] > 0):
            raise CommandError("--orders, --in-flight and --speed are numbers above 0.")
        if not os.environ.get(GROUND):
            raise SystemExit(self._elsewhere(options))
        # Standard output is for the figures alone; what the site's processes say goes to standard error.
        figures_out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        found = self._prove(options)
        print(
            json.dumps(plain(found), ensure_ascii=False) if options["json"] else told(found),
            file=figures_out,
            flush=True,
        )
        if not found.good:
            raise SystemExit(1)

    def _elsewhere(self, options: Mapping[str, Any]) -> int:
        """Run this command again in a folder of its own, with settings that lead to nobody real; its exit code."""
        with tempfile.TemporaryDirectory(prefix="videogen-proving-") as folder:
            kept = {name: value for name, value in os.environ.items() if name not in FOREIGN and name[:4] != "AWS_"}
            ports = {"PORT": str(_free_port()), "SANDBOX_PORT": str(_free_port())}
            env = {
                **kept,
                **ports,
                **environment(f"http://127.0.0.1:{ports['SANDBOX_PORT']}"),
                **_pace(options["speed"]),
                GROUND: "1",
                "VIDEOGEN_ALONE": "1",
                "RECOGNISER": "off",  # it comes with the tests only
                "DEBUG": "off",  # which writes every query down
                "HOST": "127.0.0.1",
                "VIDEOGEN_VAR": folder,
                "DATABASE_URL": options["database"],
                "RENDER_SCALE": str(options["scale"]),
                "VIDEO": "local" if options["photos_only"] else "higgsfield",
                "EMAIL_URL": "dummymail://",
                "HIGGSFIELD_LIMIT": str(SLOTS),
                "DAY_BUDGET": str(10**9),
            }
            # Whoever kills this process ends the trial with it.
            return subprocess.run(
                [sys.executable, *sys.argv],
                env=env,
                check=False,
                preexec_fn=die_with(os.getpid()),
            ).returncode

    def _prove(self, options: Mapping[str, Any]) -> Figures:
        mix = MIXES[options["faults"]]
        # Before anything is written: a database that somebody uses is not even migrated.
        if connection.introspection.table_names():
            raise CommandError("The database is not empty; a trial wants one of its own.")
        call_command("migrate", verbosity=0, interactive=False)
        demo.seed()
        for slug, provider in READERS.items():
            Voice.objects.filter(creator__slug=slug).update(provider=provider)
        sandbox = self._sandbox(options)
        supervisor, vendors = Supervisor(), Supervisor()
        trial = Trial(
            plan=Plan(
                orders=options["orders"],
                in_flight=options["in_flight"],
                seconds=options["seconds"],
                seed=options["seed"],
                kill_every=mix.kill_every,
                money=options["money"],
                patience=options["patience"],
            ),
            site=supervisor,
            photos=sorted(PHOTOS.glob("*.jpg")),
            creators=list(Creator.objects.order_by("place")),
            say=to_the_terminal,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        try:
            vendors.start("vendors", sandbox.serve)
            site.start(supervisor)
            listen(sandbox.at("stripe"), f"{settings.SITE_URL}/hooks/stripe/")
            trial.run()
            books_differ = _differences(chosen.name())
            books = Books(
                charged=_ask(f"{sandbox.at('higgsfield')}/_charged"),
                over={job["key"]: job["over_at"] for job in _ask(f"{sandbox.at('higgsfield')}/_jobs")},
            )
            fired = _ask(f"{sandbox.url}/_world")["fired"]
            # Before the vendors' process has ended, and counts among our own.
            supervisor.stop()
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
        except site.NotServing as error:
            raise CommandError(str(error)) from None
        finally:
            supervisor.stop()
            vendors.stop()
        return figures(
            placed=trial.placed,
            books=books,
            speed=options["speed"],
            seed=options["seed"],
            faults=options["faults"],
            cpu_seconds=used.ru_utime + used.ru_stime + trial.cpu,
            fired=fired,
            kills=trial.kills,
            broken=[*invariants.broken(), *books_differ],
            wrong_money=wrong_money(trial.placed, money=options["money"]),
        )

    def _sandbox(self, options: Mapping[str, Any]) -> Sandbox:
        account = partial(higgsfield, settings=Settings(limit=SLOTS, queue=2 * SLOTS, http_allowed=True))
        vendors: dict[str, Vendor] = {**VENDORS, "higgsfield": account}
        port = int(os.environ["SANDBOX_PORT"])
        sandbox = Sandbox(vendors, port=port, seed=options["seed"], speed=options["speed"])
        for name, chance in MIXES[options["faults"]].faults.items():
            sandbox.world.switch(name, chance)
        return sandbox


def _pace(speed: float) -> dict[str, str]:
    """Our patience with shots, and the sweep that ends it, as fast as the vendors are."""
    models = [
        dataclasses.asdict(
            dataclasses.replace(
                model, hedge_after=max(1.0, model.hedge_after / speed), local_after=max(1.0, model.local_after / speed)
            )
        )
        for model in DEFAULT_MODELS
    ]
    return {"VIDEO_MODELS": json.dumps(models), "SWEEP_SECONDS": str(max(0.5, 5.0 / speed))}


def _differences(gateway: str) -> list[str]:
    """Where the gateway's books and ours differ; it may refuse to show them, and is asked again."""
    for turn in range(BOOK_TURNS):
        try:
            return reconcile.compare(gateway).differences
        except GatewayError as error:
            refused = f"the books of {gateway} could not be read: {error}"
            time.sleep(min(turn, 5))
    return [refused]


def _ask(url: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        return json.load(answer)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stop(number: int, frame: object) -> None:
    raise CommandError("Stopped.")


def told(found: Figures) -> str:
    """Figures for people."""
    look = f"p50 {found.first_look_p50_seconds} s, p90 {found.first_look_p90_seconds}"
    lines = [
        f"{found.orders} orders, faults {found.faults}, speed {found.speed:g}, seed {found.seed}",
        f"  ended as they should      {found.success_rate:.1%}",
        f"  till to film              p50 {found.p50_minutes} min, p90 {found.p90_minutes}, p99 {found.p99_minutes}",
        f"    of it at vendors        p50 {found.vendor_p50_seconds} s; ourselves {found.own_wall_p50_seconds} s",
        f"    after the last shot     p50 {found.after_last_shot_p50_seconds} s, "
        f"to the master {found.master_after_last_shot_p50_seconds}",
        f"  till to first look        {'there was none' if math.isnan(found.first_look_p90_seconds) else look}",
        f"  films an hour             {found.films_per_hour}",
        f"  our CPU seconds per film  {found.own_seconds_per_film}",
        f"    by stage                {', '.join(f'{k} {v:g}' for k, v in found.own_seconds_by_stage.items())}",
        f"  clips paid                {found.paid_calls}; paid twice {found.repaid_calls}; unknown {found.unknown}",
        f"  retries {found.retries}, hedges {found.hedges}, local takes {found.local_takes} "
        f"in {found.orders_with_local_takes} orders, local scripts {found.local_scripts}",
        f"  bells                     {_listed(found.bells)}",
        f"  faults                    {_listed(found.faults_fired)}",
        f"  killed                    {_listed(found.kills)}",
        *(f"  NOT AS EXPECTED: {sentence}" for sentence in found.not_as_expected),
        *(f"  WRONG MONEY: {sentence}" for sentence in found.wrong_money),
        *(f"  BROKEN: {sentence}" for sentence in found.invariants_broken),
    ]
    return "\n".join(lines)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
