"""Music that fills a film: its beats, its joins, how it begins and how it closes."""

import hashlib
import json
from itertools import pairwise

import immich_memories_music
import numpy as np
import pytest

from pipeline.media import music, rhythm
from pipeline.media.samples import RATE, decode

pytestmark = pytest.mark.render

TRACKS = {path.stem: path for path in sorted(immich_memories_music.tracks_dir().glob("*/*.opus"))}
LENGTHS = [20.0, 31.2, 46.0, 61.3]


def clicks(seconds: float, every: float, first: float = 0.2) -> np.ndarray:
    """A stroke every so many seconds, each fourth one louder."""
    out = np.zeros(round(seconds * RATE), np.float32)
    stroke = (np.exp(-np.arange(4800) / 900) * np.sin(np.arange(4800) * 0.06)).astype(np.float32)
    for i, at in enumerate(np.arange(first, seconds - 0.2, every)):
        out[round(at * RATE) :][:4800] += stroke * (0.8 if i % 4 == 0 else 0.5)
    return out


def level(signal: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(signal)) + 1e-12))


def test_every_track_of_the_package_has_been_listened_to_and_is_still_the_same():
    kept = json.loads(rhythm.KEPT.read_text())
    assert kept.keys() == TRACKS.keys()
    for name, path in TRACKS.items():
        assert kept[name]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest(), f"{name}: listen again"


def test_what_is_kept_is_what_the_command_finds():
    found = rhythm.find(decode(TRACKS["tender_electronic_1"], "mono")[0][0], 99.0, (0, 4, 7))
    kept = rhythm.of(TRACKS["tender_electronic_1"])
    assert found.beats == pytest.approx(kept.beats, abs=0.011)
    assert (found.bar, found.close, found.rings) == (kept.bar, kept.close, kept.rings)


@pytest.mark.parametrize("every", [0.45, 0.6, 0.85])
def test_the_beats_of_a_click_track_are_its_clicks(every):
    found = rhythm.find(clicks(15, every))
    for beat in found.beats[1:-1]:
        off = (beat - 0.2) % every
        assert min(off, every - off) < 0.025
    assert np.diff(found.beats) == pytest.approx(every, abs=0.035)


@pytest.mark.parametrize("name", TRACKS)
def test_the_beats_kept_of_every_track_are_as_steady_as_it_was_written(name):
    steps = np.diff(rhythm.of(TRACKS[name]).beats)
    assert np.abs(steps / np.median(steps) - 1).max() < 0.08


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize("name", TRACKS)
def test_music_begins_with_the_film_keeps_its_beat_and_closes_where_the_film_does(name, seconds):
    plan = music.arranged(TRACKS[name], seconds)
    assert 0 <= plan.entry <= music.LATEST_ENTRY
    assert music.LEAST_AFTER_CLOSE <= seconds - plan.close <= 4.0
    beats = music.beats(TRACKS[name], seconds)
    assert beats[0] < 1.3
    assert beats[-1] == pytest.approx(plan.close, abs=0.002)
    steps = np.diff(beats)
    assert np.abs(steps / np.median(steps) - 1).max() < 0.08, "the beat goes on over every join"
    lengths = sum(b - a for a, b in plan.parts)
    assert plan.entry + lengths == pytest.approx(plan.close, abs=0.002)


@pytest.mark.parametrize(("name", "seconds"), [("happy_electronic_1", 46.0), ("tender_acoustic_1", 20.0)])
def test_strokes_are_heard_where_beats_are_promised(name, seconds):
    laid = music.bed(TRACKS[name], seconds)
    onsets = rhythm._onsets(rhythm._spectrum(laid.mean(axis=0)))
    near = [float(onsets[max(0, round(beat * 100) - 3) : round(beat * 100) + 4].max())
            for beat in music.beats(TRACKS[name], seconds)]  # fmt: skip
    off = [float(onsets[round((a + b) * 50) - 6 : round((a + b) * 50) - 2].max())
           for a, b in pairwise(music.beats(TRACKS[name], seconds))]  # fmt: skip
    assert np.median(near) > 2 * np.median(off)
    assert len(music.arranged(TRACKS[name], seconds).parts) > 1, "and there was a join"


@pytest.mark.parametrize("name", ["tender_acoustic_1", "nostalgic_acoustic_s411"])
def test_the_closing_stroke_is_heard_and_dies_away_by_itself(name):
    """One track that goes on after its close, so that an ending is made, and one that rings out."""
    seconds = 24.0
    plan = music.arranged(TRACKS[name], seconds)
    laid = music.bed(TRACKS[name], seconds)

    def heard(after: float) -> float:
        at = plan.close + after
        return level(laid[:, round(at * RATE) : round((at + 0.2) * RATE)])

    assert heard(0.0) > level(laid) - 8
    fall = [heard(after) for after in (0.0, 0.5, 1.0, 1.5)]
    assert fall == sorted(fall, reverse=True)
    assert fall[2] > fall[0] - 40, "it rings, it is not cut off"
    assert level(laid[:, -RATE // 10 :]) < fall[0] - 30


def test_joins_leave_no_hole_and_no_bump():
    seconds = 61.3
    plan = music.arranged(TRACKS["nostalgic_electronic_s411"], seconds)
    laid = music.bed(TRACKS["nostalgic_electronic_s411"], seconds)
    assert len(plan.parts) > 2
    now, beat = plan.entry, 0.71
    for a, b in plan.parts[:-1]:
        now += b - a
        around = level(laid[:, round((now - 2) * RATE) : round((now + 2) * RATE)])
        across = level(laid[:, round((now - beat / 2) * RATE) : round((now + beat / 2) * RATE)])
        assert across == pytest.approx(around, abs=3)


def test_a_film_shorter_than_any_way_through_fades_the_music_out():
    path = TRACKS["calm_acoustic_1"]
    assert music.arranged(path, 3.0).parts == ((0.0, 3.0),)
    assert all(beat < 3.0 for beat in music.beats(path, 3.0))
    assert level(music.bed(path, 3.0)[:, -2400:]) < -50
