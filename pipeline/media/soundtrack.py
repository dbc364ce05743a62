"""A film's sound, from its plan to an encoded file that is named by all that decides what is heard."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.media import encode, sound

# Raised when the same material sounds otherwise than before: a film that is half made then gets its sound anew.
VERSION = 4


@dataclass(frozen=True)
class Soundtrack:
    """Reads at their start seconds, the music under them, the length in seconds, and (start, end) of every word."""

    reads: tuple[tuple[Path, float], ...]
    music: Path
    seconds: float
    words: tuple[tuple[float, float], ...]

    @cached_property
    def name(self) -> str:
        """Its file's name. Raises OSError where a read or the music is not there."""
        facts = {
            "how": (VERSION, sound.TARGET, sound.CEILING, sound.SPEECH, sound.MUSIC, sound.ROOM, encode.SOUND_RATE),
            "reads": [(_told(path), start) for path, start in self.reads],
            "music": _told(self.music),
            "seconds": self.seconds,
            "words": self.words,
        }
        return f"sound-{hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]}.m4a"

    def make(self, folder: Path) -> Path:
        """Mix and encode it into `folder` under its name, unless it lies there already. Raises as `sound.mix` does."""
        out = folder / self.name
        if not out.exists():
            folder.mkdir(parents=True, exist_ok=True)
            mixed = out.with_suffix(".wav")
            sound.mix(self.reads, self.music, self.seconds, mixed, words=self.words)
            encode.sound(mixed, out)
            mixed.unlink()
        return out


def _told(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
