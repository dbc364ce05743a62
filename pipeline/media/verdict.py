"""From measures to a verdict: what is wrong with a finished film, how bad it is, and where."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.media import hearing, shotcheck
from pipeline.media.expected import Expected, TextBox, caption_times, label_times, shot_times
from pipeline.media.limits import Finding, Severity, beyond
from pipeline.media.meters import Measures, inside, measure, text_strength
from pipeline.media.probe import Media
from pipeline.media.sound import TARGET


@dataclass(frozen=True, slots=True)
class Verdict:
    """The worst severity among the findings, and the findings, worst first."""

    verdict: Literal["pass", "warn", "fail"]
    findings: tuple[Finding, ...]


def examine(film: Path, expected: Expected, *, on_progress: Callable[[], None] | None = None) -> Verdict:
    """Measure a film and judge it. Raises probe.BadMedia for what is no film, ffmpeg.FfmpegError."""
    return judge(measure(film, at=looks(expected), on_progress=on_progress), expected)


def looks(expected: Expected) -> tuple[float, ...]:
    """The seconds at which `judge` wants to see the film: give them to `measure`."""
    wanted = {t for box in expected.captions for t in caption_times(box)}
    wanted |= {t for box in expected.labels for t in label_times(box)}
    wanted |= {t for shot in expected.shots for t in shot_times(shot)}
    return tuple(sorted(wanted))


def judge(measures: Measures, expected: Expected) -> Verdict:
    """Hold what was measured against what was meant."""
    found = [
        *_streams(measures.media, expected),
        *_lengths(measures.media, expected),
        *_decoded(measures),
        *_black(measures),
        *_frozen(measures, expected),
        *_silent(measures),
        *_loud(measures),
        *_misheard(measures, expected),
        *_text(measures, expected.captions, "caption", caption_times),
        *_text(measures, expected.labels, "label", label_times),
        *shotcheck.check(measures, expected),
    ]
    found.sort(key=lambda finding: ("fail", "warn", "info").index(finding.severity))
    worst = found[0].severity if found else "info"
    return Verdict("pass" if worst == "info" else worst, tuple(found))


def _streams(media: Media, expected: Expected) -> Iterator[Finding]:
    color = media.color
    tags = [tag for tag in (color.primaries, color.transfer, color.matrix) if tag]
    facts: Sequence[tuple[str, bool, Severity, str]] = (
        ("size", (media.width, media.height) == (expected.width, expected.height), "fail",
         f"The picture is {media.width} × {media.height}, not {expected.width} × {expected.height}."),
        ("rate", abs(media.fps - expected.fps) < 0.02, "fail",
         f"The film runs at {media.fps:.3g} pictures a second, not {expected.fps:.3g}."),
        ("video_codec", media.video_codec == "h264", "fail", f"The picture is {media.video_codec}, not H.264."),
        ("pix_fmt", media.pix_fmt == "yuv420p", "fail", f"The picture is {media.pix_fmt}; many players need yuv420p."),
        ("profile", media.profile == "High", "warn", f"The H.264 profile is {media.profile or 'unknown'}, not High."),
        ("color", {*tags, "bt709"} == {"bt709"} and color.range in ("tv", ""), "fail",
         "The colours are not tagged as BT.709, so they will look wrong."),
        ("color_tag", len(tags) == 3 and color.range != "", "warn",
         "Part of the colour tag is missing: players will guess."),
        ("audio_codec", media.audio_codec == "aac", "fail",
         f"The sound is {media.audio_codec}, not AAC." if media.audio_codec else "The film has no sound."),
        ("audio_form", not media.audio_codec or (media.sample_rate, media.channels) == (48_000, 2), "fail",
         f"The sound is {media.sample_rate} Hz with {media.channels} channels, not 48000 Hz stereo."),
        ("faststart", media.faststart, "warn", "The film cannot start before it is loaded: its index is at the end."),
    )  # fmt: skip
    for code, good, severity, sentence in facts:
        if not good:
            yield Finding(code, severity, sentence)


def _lengths(media: Media, expected: Expected) -> Iterator[Finding]:
    off = abs(media.duration - expected.seconds)
    if severity := beyond("duration", off):
        sentence = f"The film is {media.duration:.1f} s long instead of {expected.seconds:.1f} s."
        yield Finding("duration", severity, sentence, figure=media.duration)
    apart = abs(media.frames / media.fps - media.audio_duration) if media.audio_codec and media.fps else 0.0
    if severity := beyond("sound_length", apart):
        sentence = f"Picture and sound differ in length by {apart:.1f} s."
        yield Finding("sound_length", severity, sentence, figure=apart)


def _decoded(measures: Measures) -> Iterator[Finding]:
    if measures.errors:
        sentence = f"The film does not play cleanly: {len(measures.errors)} errors while decoding."
        yield Finding("decode", "fail", sentence, figure=float(len(measures.errors)))


def _black(measures: Measures) -> Iterator[Finding]:
    for start, end in measures.black:
        if severity := beyond("black", end - start):
            yield Finding("black", severity, f"The picture is black for {end - start:.1f} s.", start, end - start)


def _frozen(measures: Measures, expected: Expected) -> Iterator[Finding]:
    """Title and end cards may stand still, so only what lies inside shots counts (all, where no shots are known).

    Over a photo the camera always moves; before a filmed take's camera that stands still, something does.
    """
    filmed = [(shot.start, shot.end) for shot in expected.shots if shot.filmed]
    photos = [(shot.start, shot.end) for shot in expected.shots if not shot.filmed]
    filmed = filmed if expected.shots else [(0.0, math.inf)]
    for spans, shots in ((measures.frozen, filmed), (measures.held, photos)):
        for start, end in spans:
            long, first = max(((min(end, b) - max(start, a), max(start, a)) for a, b in shots), default=(0.0, 0.0))
            if severity := beyond("freeze", long):
                yield Finding("freeze", severity, f"The picture stands still for {long:.1f} s.", round(first, 3), long)


def _silent(measures: Measures) -> Iterator[Finding]:
    for start, end in measures.silent:
        if severity := beyond("silence", end - start):
            yield Finding("silence", severity, f"Nothing is heard for {end - start:.1f} s.", start, end - start)
    share = sum(b - a for a, b in measures.silent) / measures.media.duration
    if severity := beyond("silence_share", share):
        yield Finding("silence_share", severity, f"{share:.0%} of the film is silent.", figure=share)


def _loud(measures: Measures) -> Iterator[Finding]:
    if measures.loudness is None:
        return
    lufs, peak = measures.loudness.lufs, measures.loudness.true_peak
    if not math.isfinite(lufs):
        yield Finding("loudness", "fail", "The sound is silent from beginning to end.")
    elif severity := beyond("loudness", abs(lufs - TARGET)):
        word = "loud" if lufs > TARGET else "quiet"
        yield Finding("loudness", severity, f"The film is too {word}: {lufs:.1f} LUFS, not {TARGET:.0f}.", figure=lufs)
    if severity := beyond("true_peak", peak):
        yield Finding("true_peak", severity, f"The sound peaks at {peak:.1f} dBTP and may crackle.", figure=peak)
    if severity := beyond("blunt", measures.blunt):
        yield Finding("blunt", severity, "The sound was cut off where it is loudest, and rasps.", figure=measures.blunt)


def _misheard(measures: Measures, expected: Expected) -> Iterator[Finding]:
    """Lines of which much is not heard, or something else is. A word alone is a remark: recognisers mishear, too."""
    if measures.heard is None:
        return
    for one in hearing.misheard(expected.lines, measures.heard):
        if not (one.missing or one.extra):
            continue
        alone = max(len(one.missing), len(one.extra)) == 1 < len(one.line.words) / 2
        severity = "info" if alone else beyond("wrong_words", one.share) or "info"
        words = ", ".join(f"“{word}”" for word in one.missing or one.extra)
        what = "not heard as written" if one.missing else "heard and not written"
        yield Finding("wrong_words", severity, f"In this line {what}: {words[:200]}.", one.line.start, one.share)


def _text(
    measures: Measures, boxes: Sequence[TextBox], code: str, times: Callable[[TextBox], tuple[float, ...]]
) -> Iterator[Finding]:
    width, height = measures.media.width, measures.media.height
    for box in boxes:
        if not inside(box, width, height):
            yield Finding(f"{code}_outside", "fail", f"The {code} comes too near to the edge.", box.start)
            continue
        stills = [measures.stills[t] for t in times(box) if t in measures.stills]
        strength = text_strength(stills, box, width)
        if severity := beyond(code, 1 - strength):
            sentence = f"The {code} is missing or hard to read." if code == "caption" else "The AI label is missing."
            yield Finding(code, severity, sentence, box.start, strength)
