"""`voice_samples`: record what fans hear on the creators' pages, in the demo voices."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from pipeline.media import ffmpeg
from pipeline.providers.base import ReadRequest
from pipeline.providers.local_voice import LocalVoice

SAMPLES = {
    "mira": "Hello, I'm Mira. Tell me about someone you love. The small things, please: they are the ones that stay.",
    "bram": "Captain Bram here. Give me a few good pictures and the truth, and I will tell it slowly.",
    "pip": "Hi! Pip speaking. If there is a cat, a cake, or a secret in your story, I am going to enjoy this.",
}


class Command(BaseCommand):
    """Writes static/creators/<slug>.m4a for each demo creator."""

    help = "Record the demo creators' voice samples into static/creators."

    def handle(self, *args: Any, **options: Any) -> None:
        """Read and encode."""
        voice = LocalVoice()
        for slug, text in SAMPLES.items():
            out = Path(settings.BASE_DIR) / "static" / "creators" / f"{slug}.m4a"
            with tempfile.TemporaryDirectory() as folder:
                answer = voice.submit(f"sample-{slug}", ReadRequest(text=text, voice=slug).to_json(), Path(folder))
                ffmpeg.run(
                    [
                        "-y",
                        "-i",
                        answer.files["audio"],
                        *("-ar", "48000", "-b:a", "64k", "-movflags", "+faststart"),
                        out,
                    ],
                    timeout=60,
                )
            self.stdout.write(f"{out.name}: {answer.result['seconds']:.1f} s")
