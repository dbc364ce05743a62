"""What the meters say about films' sound: loudness, peaks, range, the lines' levels, the music under them, the quiet.

    python -m benchmarks.loudness [--voice mira] [--keep folder] [story …]

One row for each story and voice, the script read aloud and mixed as in a film:
LUFS, dBTP and LRA of the finished sound after AAC (EBU R 128); how far apart the lines are in integrated loudness; how
far the music goes down where somebody speaks; the quiet between lines without music, in dBFS; the longest stretch of
speech without a breath of a tenth of a second; and when the music closes, counted from the film's end.
Measured: −14.1 to −14.0 LUFS, −1.8 dBTP at most, 1.9 to 3.5 LU, lines at most 0.53 LU apart, pauses at −64 dBFS.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.listening import DEFAULT, END, PAUSE, TITLE
from pipeline.media import encode, music, samples, sound, voicebox
from pipeline.media.samples import RATE
from pipeline.providers import local_voice
from pipeline.providers.base import ScriptDraft
from pipeline.providers.local_writer import LocalWriter
from tests.stories import STORIES, Story


def level(signal: np.ndarray) -> float:
    """In dBFS (rms)."""
    return float(10 * np.log10(np.square(signal).mean() + 1e-12))


def longest_stretch(read: np.ndarray) -> float:
    """Seconds of speech without a tenth of a second 35 dB under its loudest."""
    hop = local_voice.RATE // 100
    power = np.square(read[: len(read) // hop * hop]).reshape(-1, hop).mean(axis=1)
    quiet, longest, begun, now = 10, 0, 0, 0
    for now, loud in enumerate(power > power.max() * 10**-3.5):
        if loud and quiet >= 10:
            begun = now
        quiet = 0 if loud else quiet + 1
        if loud:
            longest = max(longest, now + 1 - begun)
    return longest / 100


def row(story: Story, voice: str, folder: Path) -> list[str]:
    """The figures of one film."""
    script = ScriptDraft.from_json(LocalWriter().submit(story.slug, story.request().to_json(), Path()).result)
    at, reads, spans, lines, stretch = TITLE, [], [], [], 0.0
    for number, scene in enumerate(script.scenes):
        line, timed = local_voice.read(scene.text, local_voice.VOICES[voice])
        path = folder / f"{number}.wav"
        voicebox.write_wav(path, line, local_voice.RATE)
        reads.append((path, at))
        lines.append((at, at + len(line) / local_voice.RATE))
        spans += [(at + word.start, at + word.end) for word in timed]
        stretch = max(stretch, longest_stretch(line))
        at += len(line) / local_voice.RATE + PAUSE
    seconds = at - PAUSE + END
    track = music.choose(story.tone, story.occasion, STORIES.index(story))
    sound.mix(reads, None, seconds, folder / "plain.wav", words=spans)
    sound.mix(reads, track.path, seconds, folder / f"{story.slug}-{voice}.wav", words=spans)
    encode.sound(folder / f"{story.slug}-{voice}.wav", folder / "film.m4a")
    measured = sound.loudness(folder / "film.m4a")
    plain = samples.decode(folder / "plain.wav", "stereo")[0]
    levels = [samples.loudness_of(plain[:, round(a * RATE) : round(b * RATE)]) for a, b in lines]
    gaps = [plain[:, round((b + 0.1) * RATE) : round((b + PAUSE - 0.1) * RATE)] for _, b in lines[:-1]]
    ducked = -sound.DUCK * music.duck(spans, seconds)
    spoken = np.zeros(len(ducked), bool)
    for a, b in spans:
        spoken[round(a * RATE) : round(b * RATE)] = True
    return [
        story.slug,
        voice,
        f"{measured.lufs:.1f}",
        f"{measured.true_peak:.1f}",
        f"{measured.range:.1f}",
        f"{max(levels) - min(levels):.2f}",
        f"{ducked[spoken].mean():.1f}",
        f"{max(map(level, gaps), default=math.nan):.0f}",
        f"{stretch:.1f}",
        f"{seconds - music.arranged(track.path, seconds).close:.1f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stories", nargs="*", default=DEFAULT)
    parser.add_argument("--voice", choices=local_voice.VOICES, action="append")
    parser.add_argument("--keep", type=Path, help="a folder the mixes are left in")
    options = parser.parse_args()
    heads = ["story", "voice", "LUFS", "dBTP", "LRA", "lines LU", "music dB", "gaps dB", "stretch s", "close s"]
    print(f"{heads[0]:24}" + "".join(f"{head:>10}" for head in heads[1:]))
    for story in STORIES:
        for voice in options.voice or local_voice.VOICES:
            if story.slug in options.stories and story.expect == "script":
                with tempfile.TemporaryDirectory() as folder:
                    cells = row(story, voice, options.keep or Path(folder))
                print(f"{cells[0]:24}" + "".join(f"{cell:>10}" for cell in cells[1:]), flush=True)


if __name__ == "__main__":
    main()
