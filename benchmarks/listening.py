"""How well the demo voices are understood: a recogniser writes down films' scripts, and the words are compared.

    python -m benchmarks.listening [--show] [--voice mira] [story …]

Prints, for every voice, the share of words heard wrong, missing or too many (word error rate) over the scripts of eight
stories: as the lines are read, and in the finished sound, with music. Numbers and abbreviations are compared as they
are said. With --show, what was written and heard where they differ. The recogniser is the smallest Whisper there is, so
a part of the errors is its own. Measured: 0.2 to 0.7 % as read, 0.7 to 1.1 % in the film, of 453 words a voice.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.media import hearing, music, samples, sound, voicebox
from pipeline.providers import local_voice
from pipeline.providers.base import ScriptDraft
from pipeline.providers.hearing import words
from pipeline.providers.local_writer import LocalWriter
from tests.stories import STORIES, Story

DEFAULT = ("demo", "wedding", "retirement", "apology", "condolence", "pet", "team", "child")
TITLE, PAUSE, END = 2.0, 0.6, 2.4  # seconds, as in a film


def heard(signal: np.ndarray, rate: int, beams: int = 5) -> str:
    """What the recogniser writes down of one channel."""
    model = hearing.model()
    if model is None:
        raise SystemExit("There is no recogniser here: install requirements-dev.txt.")
    pcm = np.rint(np.clip(signal, -1, 1) * 32767).astype(np.int16)
    return hearing.heard(pcm, model, rate=rate, channels=1, beams=beams)


def wrong(wanted: Sequence[str], got: Sequence[str]) -> int:
    """Words wrong, missing and too many, at the least (Levenshtein). One word heard as its two halves is right."""
    row = list(range(len(got) + 1))
    before: list[int] = []
    for i, word in enumerate(wanted, 1):
        last, row = row, [i]
        for j, other in enumerate(got, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (word != other))
            if j > 1 and got[j - 2] + other == word:
                best = min(best, last[j - 2])
            if i > 1 and wanted[i - 2] + word == other:
                best = min(best, before[j - 1])
            row.append(best)
        before = last
    return row[-1]


def listen(story: Story, voice: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Where it was heard ("read", "film"), the words that were said, and the words that were heard."""
    request = story.request()
    script = ScriptDraft.from_json(LocalWriter().submit(story.slug, request.to_json(), Path()).result)
    said = [word for scene in script.scenes for word in words(scene.text)]
    rate = local_voice.RATE
    with tempfile.TemporaryDirectory() as folder:
        at, reads, spans, plain = TITLE, [], [], [np.zeros(round(PAUSE * rate), np.float32)]
        for number, scene in enumerate(script.scenes):
            line, timed = local_voice.read(scene.text, local_voice.VOICES[voice])
            plain += [line, np.zeros(round(PAUSE * rate), np.float32)]
            path = Path(folder, f"{number}.wav")
            voicebox.write_wav(path, line, rate)
            reads.append((path, at))
            spans += [(at + word.start, at + word.end) for word in timed]
            at += len(line) / rate + PAUSE
        yield "read", said, words(heard(np.concatenate(plain), rate))
        mixed = Path(folder, "mix.wav")
        track = music.choose(story.tone, story.occasion, STORIES.index(story))
        sound.mix(reads, track.path, at - PAUSE + END, mixed, words=spans)
        film, rate = samples.decode(mixed, "mono")
        yield "film", said, words(heard(film[0], rate))


def main() -> None:
    """Print one row for each voice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stories", nargs="*", default=DEFAULT)
    parser.add_argument("--voice", choices=local_voice.VOICES, action="append")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    stories = [story for story in STORIES if story.slug in options.stories and story.expect == "script"]
    print(f"{'voice':8}{'words':>8}{'wrong, as read':>18}{'wrong, in the film':>22}")
    for voice in options.voice or local_voice.VOICES:
        count, errors = 0, {"read": 0, "film": 0}
        for story in stories:
            for place, said, got in listen(story, voice):
                errors[place] += wrong(said, got)
                if options.show and said != got:
                    print(f"  {story.slug}, {place}\n    said  {' '.join(said)}\n    heard {' '.join(got)}")
            count += len(said)
        shares = [f"{errors[place] / count:.1%}" for place in ("read", "film")]
        print(f"{voice:8}{count:8}{shares[0]:>18}{shares[1]:>22}")


if __name__ == "__main__":
    main()
