"""`make_video`: one order from photos to film on the command line, with no server."""

from __future__ import annotations

import json
import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from orders import services as orders
from orders.choices import Format, Length, Occasion, Tone
from orders.models import Order
from pipeline import files, progress
from pipeline.line import LINE
from pipeline.models import Cut, Finding, Production, ProductionState, Scene
from videogen import demo, making

BAR = 30
BAD_INPUT, FAILED = 2, 1


class Command(BaseCommand):
    """Makes one film and says what it took. Exit 0 delivered, 1 failed, 2 bad input."""

    help = "Make one film from photos and a story, with no web server. Exit 0 delivered, 1 failed, 2 bad input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Photos, story and wishes."""
        parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="5 to 10 photos")
        parser.add_argument("--story", required=True, help="the story notes, or @FILE to read them from a file")
        parser.add_argument("--for", dest="name", required=True, help="who the film is for")
        parser.add_argument("--said-as", default="", help="how the name is said, such as see-oh-MAH-ra")
        parser.add_argument("--from", dest="sender", default="", help="who the film is from")
        parser.add_argument("--occasion", default=Occasion.BIRTHDAY.value, choices=Occasion.values)
        parser.add_argument("--tone", default=Tone.WARM.value, choices=Tone.values)
        parser.add_argument("--creator", default="mira", metavar="SLUG")
        parser.add_argument("--format", default=Format.TALL.value, choices=Format.values)
        parser.add_argument("--seconds", type=int, default=Length.MEDIUM.value, choices=Length.values)
        parser.add_argument("--must-say", action="append", default=[], metavar="LINE", help="may be given three times")
        parser.add_argument("--out", type=Path, help="where the film goes (film-for-NAME.mp4)")
        parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        self.json: bool = options["json"]
        call_command("migrate", verbosity=0, interactive=False)
        if not settings.PRODUCTION:
            demo.seed()
        out = options["out"] or Path(f"film-for-{slugify(options['name']) or 'you'}.mp4")
        order = self._order(options, out)
        self.percent = -1
        try:
            production = making.make(order, on_change=self._show)
        except KeyboardInterrupt:
            orders.cancel(order=order, actor="command line")
            raise CommandError("Stopped; the order was cancelled.", returncode=FAILED) from None
        if production.state != ProductionState.DONE:
            self._fail(order, production)
        self._finish(order, production, out)

    def _order(self, options: dict[str, Any], out: Path) -> Order:
        faults: list[str] = []
        story = options["story"]
        if story.startswith("@"):
            try:
                story = Path(story[1:]).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                faults.append(
                    f"The story file {story[1:]} cannot be read: {getattr(error, 'strerror', None) or error}."
                )
        if not out.resolve().parent.is_dir():
            faults.append(f"There is no folder {out.resolve().parent} to put the film in.")
        wish = making.Wish(
            photos=options["photos"],
            story=story,
            name=options["name"],
            occasion=options["occasion"],
            creator=options["creator"],
            format=options["format"],
            tone=options["tone"],
            seconds=options["seconds"],
            said_as=options["said_as"],
            sender=options["sender"],
            must_say=options["must_say"],
        )
        try:
            if faults:
                raise making.BadInput(faults)
            return making.order_for(wish)
        except making.BadInput as bad:
            if self.json:
                self.stdout.write(json.dumps({"delivered": False, "faults": bad.faults}, ensure_ascii=False))
            raise CommandError("\n".join(bad.faults), returncode=BAD_INPUT) from None

    def _show(self, code: str) -> None:
        if not sys.stderr.isatty():
            return
        now = progress.read(Order.objects.select_related("brief", "creator").get(code=code))
        if now.percent != self.percent:
            self.percent = now.percent
            full = "█" * (BAR * now.percent // 100)
            self.stderr.write(f"\r{full:░<{BAR}} {now.percent:3} %  {now.sentence:60.60}", ending="")
            self.stderr.flush()
            if now.percent == 100:
                self.stderr.write("")

    def _fail(self, order: Order, production: Production) -> None:
        order.refresh_from_db()
        if self.json:
            report = self._report(order, production, None)
            report |= {"failed_stage": production.failed_stage, "error": production.error, "ending": order.ending}
            self.stdout.write(json.dumps(report, ensure_ascii=False))
        raise CommandError(
            f"Stage {production.failed_stage} failed: {production.error}\n{order.ending}".rstrip(), returncode=FAILED
        )

    def _finish(self, order: Order, production: Production, out: Path) -> None:
        with files.workspace("deliver") as folder:
            film = files.fetch(production.cut.file, folder)
            draft = out.with_name(f".{out.name}.part")
            try:
                shutil.copyfile(film, draft)
                draft.replace(out)
            except OSError as error:
                draft.unlink(missing_ok=True)
                raise CommandError(
                    f"The film is made (order {order.code}), but {out} cannot be written: {error.strerror}.",
                    returncode=FAILED,
                ) from None
        report = self._report(order, production, out)
        if self.json:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            return
        for stage in report["stages"]:
            self.stdout.write(f"  {stage['stage']:10} {stage['seconds']:7.2f} s  {stage['cpu_seconds']:7.2f} CPU s")
        for finding in report["findings"]:
            self.stdout.write(f"  {finding['severity']}: {finding['sentence']}")
        made = report["film"]
        self.stdout.write(
            f"Order {order.code}: {made['path']}, {made['width']}×{made['height']}, {made['duration']:.1f} s, "
            f"{made['loudness']:.1f} LUFS"
        )

    def _report(self, order: Order, production: Production, out: Path | None) -> dict[str, Any]:
        cut = Cut.objects.filter(production=production).first()
        spans = cut.timeline.get("scenes", []) if cut else []
        shots = cut.timeline.get("shots", []) if cut else []
        scenes = Scene.objects.filter(script__production=production).select_related("photo").order_by("number")
        return {
            "order": order.code,
            "delivered": production.state == ProductionState.DONE,
            "seconds": round((production.ended_at - production.started_at).total_seconds(), 3)
            if production.ended_at
            else None,
            "stages": [self._stage(production, line.key) for line in LINE],
            "scenes": [
                {
                    "text": scene.text,
                    "photo": scene.photo.label,
                    "fact": scene.fact,
                    "start": spans[index][0] if index < len(spans) else None,
                    "end": spans[index][1] if index < len(spans) else None,
                }
                for index, scene in enumerate(scenes)
            ],
            "shots": [{"scene": shot[5], "start": shot[0], "end": shot[1]} for shot in shots],
            "film": {
                "path": str(out),
                "title": production.script.title,
                "verdict": cut.verdict,
                "width": cut.width,
                "height": cut.height,
                "fps": cut.fps,
                "duration": cut.seconds,
                "loudness": cut.lufs,
                "true_peak": cut.true_peak,
            }
            if cut and out
            else None,
            "findings": [
                {
                    "code": f.code,
                    "severity": f.severity,
                    "sentence": f.sentence,
                    "second": f.second,
                    "frame": f.frame,
                    "figure": f.figure,
                }
                for f in Finding.objects.filter(cut=cut).select_related("cut")
            ]
            if cut
            else [],
        }

    def _stage(self, production: Production, stage: str) -> dict[str, Any]:
        steps = list(production.steps.filter(stage=stage))
        begun = [step.started_at for step in steps if step.started_at]
        ended = [step.ended_at for step in steps if step.ended_at]
        seconds = (max(ended) - min(begun)).total_seconds() if begun and ended else 0.0
        return {
            "stage": stage,
            "seconds": round(seconds, 3),
            "cpu_seconds": round(sum(step.cpu_seconds for step in steps), 3),
        }
