"""From measures to a verdict: what is wrong with a finished film, how bad it is, and where.

Every limit stands in one table with its reason. A finding's sentence is for the creator and for staff.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from pathlib import Path
from typing import Literal, NamedTuple

from pipeline.media import flow, hearing, likeness, pacing
from pipeline.media.meters import (
    Measures,
    Picture,
    Sighting,
    TextBox,
    banding,
    grey,
    inside,
    measure,
    sight,
    text_strength,
)
from pipeline.media.motion import Box
from pipeline.media.probe import Media
from pipeline.media.sound import TARGET

Severity = Literal["info", "warn", "fail"]

MOST = 3  # findings of one kind that are told: a film that shakes has a hundred odd frames
DISSOLVE = 0.6  # seconds at each end of a shot in which another may be seen, too


class Limit(NamedTuple):
    """A figure beyond `warn` is worth a look, beyond `fail` the film must not go out."""

    warn: float
    fail: float
    why: str


# Figures grow with the trouble; where less is worse (text, photo) they are measured as what is missing from 1.
LIMITS = {
    "duration": Limit(0.1, 0.5, "s off: three frames are the encoders' rounding; half a second cuts a word or a card"),
    "sound_length": Limit(0.25, 1.0, "s between picture and sound: AAC pads by 0.02; a second is a cut-off read"),
    "black": Limit(0.3, 1.0, "s in one piece: a dip to black is 0.3 at the most, a second looks like the end"),
    "freeze": Limit(1.5, 3.0, "s inside a shot: every shot's camera moves; three seconds look like a stalled player"),
    "silence": Limit(3.0, 6.0, "s under −50 dB: longer than any pause between lines; an end card lasts up to 3.4"),
    "silence_share": Limit(0.35, 0.5, "of the film: narration without music is silent for about a quarter of it"),
    "loudness": Limit(0.7, 1.0, "LU off −14: half a unit is not heard, one is the platforms' own tolerance"),
    "true_peak": Limit(-1.2, -1.0, "dBTP: above −1 decoders and speakers clip (EBU R 128)"),
    "caption": Limit(
        0.89, 0.93, "of the box without strokes: text leaves 0.74 to 0.82 bare, pictures nearly all over 0.93"
    ),
    "label": Limit(0.89, 0.93, "of the box without strokes: as for captions"),
    "photo": Limit(0.28, 0.4, "missing likeness: right photos measure 0 to 0.18, wrong ones 0.44 and more"),
    "stray": Limit(2.0, 5.0, "of 255, the mean over the picture: good films have 0, one wrong frame in a dissolve 10"),
    "jump": Limit(8.0, 16.0, "of 255: every change of picture is a dissolve, with 1; a hard cut has 20 to 60"),
    "shake": Limit(
        1.0, 2.5, "thousandths of the shorter side: moves have 0.2, writing twinkles up to 0.6; 0.9 is a pixel of 1080"
    ),
    "banding": Limit(0.002, 0.02, "of the picture, beyond the photo's own: encoded skies have 0.0004, 20 shades 0.003"),
    "face_cut": Limit(
        0.12, 0.3, "of a head outside the frame: moves keep heads whole; the forehead alone is a quarter"
    ),
    "caption_face": Limit(
        0.3, math.inf, "of a head: a fifth is chin or hair, more the mouth. Never a fail: a face may fill the frame"
    ),
    "take_start": Limit(
        0.35, 0.5, "missing likeness of a clip's first frame: right ones 0 to 0.2, others 0.44 and more"
    ),
    "take_people": Limit(
        0.2, 0.45, "of the looks: once may be the detector's mistake, in half of them somebody is there"
    ),
    "take_faceless": Limit(0.45, 0.7, "of the looks: who turns round comes back; a film for somebody shows them"),
    "take_size": Limit(
        1.5, 2.0, "times within a quarter of the clip: who walks up grows by a third, who morphs doubles"
    ),
    "shot_short": Limit(0.05, 1.0, "s less than a picture needs to be looked at (1.8): a shot of 0.8 s only flashes"),
    "shot_long": Limit(0.5, math.inf, "s more than one move carries (7): it drags. Filmed takes have their own life"),
    "wrong_words": Limit(
        0.3, 0.5, "of a line's letters not heard: our voices 0 to 0.09, once 0.28; another line in its place 0.5 to 1"
    ),
    "blunt": Limit(
        0.04, 0.15, "of the samples: good films have 0.006 near their tops, cut off by 6 dB 0.05, by 10 0.17"
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: `second` is where in the film (None: all of it), `figure` the measured value."""

    code: str
    severity: Severity
    sentence: str
    second: float | None = None
    figure: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The worst severity among the findings, and the findings, worst first."""

    verdict: Literal["pass", "warn", "fail"]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ExpectedPhoto:
    """A photo, the faces in it (fractions of it), and where it lies in the frame (shares; None: about the middle)."""

    photo: Path
    faces: tuple[Box, ...] = ()
    place: Box | None = None


@dataclass(frozen=True, slots=True)
class ExpectedShot:
    """From `start` to `end` seconds the film shows `photo`. `filmed`: as a filmed take, which may leave the photo.

    `faces` are fractions of the photo; shots of one `scene` (by number) show the same photo, of None nobody knows.
    Where a second photo lies `beside` it, `place` is its own (shares of the frame).
    """

    start: float
    end: float
    photo: Path
    filmed: bool = False
    faces: tuple[Box, ...] = ()
    scene: int | None = None
    place: Box | None = None
    beside: ExpectedPhoto | None = None

    @property
    def photos(self) -> tuple[ExpectedPhoto, ...]:
        """Everything that is shown."""
        own = ExpectedPhoto(self.photo, self.faces, self.place)
        return (own,) if self.beside is None else (own, self.beside)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the film was meant to be. Boxes are in the film's pixels, times in seconds."""

    width: int
    height: int
    fps: float
    seconds: float
    captions: tuple[TextBox, ...] = ()
    labels: tuple[TextBox, ...] = ()
    shots: tuple[ExpectedShot, ...] = ()
    # What should be heard, where somebody listens.
    lines: tuple[hearing.Line, ...] = ()


def examine(film: Path, expected: Expected, *, on_progress: Callable[[], None] | None = None) -> Verdict:
    """Measure a film and judge it. Raises probe.BadMedia for what is no film, ffmpeg.FfmpegError."""
    return judge(measure(film, at=looks(expected), on_progress=on_progress), expected)


def looks(expected: Expected) -> tuple[float, ...]:
    """The seconds at which `judge` wants to see the film: give them to `measure`."""
    wanted = {t for box in expected.captions for t in _caption_times(box)}
    wanted |= {t for box in expected.labels for t in _label_times(box)}
    wanted |= {t for shot in expected.shots for t in _shot_times(shot)}
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
        *_text(measures, expected.captions, "caption", _caption_times),
        *_text(measures, expected.labels, "label", _label_times),
        *_photos(measures, expected),
        *_repeated(expected),
        *_paced(expected),
        *_odd_frames(measures, expected),
        *_shaken(measures, expected),
    ]
    found.sort(key=lambda finding: ("fail", "warn", "info").index(finding.severity))
    worst = found[0].severity if found else "info"
    return Verdict("pass" if worst == "info" else worst, tuple(found))


def beyond(code: str, figure: float) -> Severity | None:
    """How bad a figure is by LIMITS, None where it is good."""
    limit = LIMITS[code]
    return "fail" if figure > limit.fail else "warn" if figure > limit.warn else None


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
    """Title and end cards may stand still, so only what lies inside shots counts (all, where no shots are known)."""
    shots = [(shot.start, shot.end) for shot in expected.shots] or [(0.0, math.inf)]
    for start, end in measures.frozen:
        inside_shot = max(min(end, b) - max(start, a) for a, b in shots)
        if severity := beyond("freeze", inside_shot):
            yield Finding("freeze", severity, f"The picture stands still for {inside_shot:.1f} s.", start, inside_shot)


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
        severity = beyond("wrong_words", one.share) or "info"
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


def _photos(measures: Measures, expected: Expected) -> Iterator[Finding]:
    for shot, of in ((one, of) for one in expected.shots for of in one.photos):
        photo, seen, still = _photo(of.photo), Sighting(math.nan), None
        stills = [
            (measures.stills[second], _words(expected, measures.stills[second], second, second))
            for second in _shot_times(shot)
            if second in measures.stills
        ]
        # A filmed take may leave its photo, so it is not worth the longer search.
        for thorough, (look, words) in product([False] if shot.filmed else [False, True], stills):
            if thorough and math.isnan(seen.likeness):
                break
            scale = look.shape[1] / expected.width
            found = sight(look, photo, scale=scale, taken=words, thorough=thorough, place=of.place)
            if math.isnan(seen.likeness) or found.likeness > seen.likeness:
                seen, still = found, look
            if seen.likeness >= 1 - LIMITS["photo"].warn:
                break
        if still is None or math.isnan(seen.likeness):
            yield Finding("photo_plain", "info", "This photo is too plain for its shot to be checked.", shot.start)
            continue
        if severity := beyond("photo", 1 - seen.likeness):
            # A filmed take starts from the photo and may well turn away from it.
            severity = _of_a_take(severity) if shot.filmed else severity
            yield Finding("photo", severity, "This shot does not seem to show its photo.", shot.start, seen.likeness)
        else:
            yield from _faces(shot, of, seen, still, expected)
        bands = banding(still) - banding(photo)
        if severity := beyond("banding", bands):
            severity = _of_a_take(severity) if shot.filmed else severity
            yield Finding("banding", severity, "Even gradients have steps in this shot.", shot.start, bands)


def _faces(
    shot: ExpectedShot, of: ExpectedPhoto, seen: Sighting, still: Picture, expected: Expected
) -> Iterator[Finding]:
    """Where the photo's faces stand in the film, by where the photo was found in it: cut, or under a caption?"""
    frame = Box(0, 0, *still.shape[::-1])
    # A caption that goes with the shot before, or comes with the next, keeps clear of that one's faces.
    words = _words(expected, still, shot.start + DISSOLVE, shot.end - DISSOLVE)
    heads = [seen.place(face, _photo(of.photo)) for face in of.faces]
    cut = max((1 - _covered(head, frame) for head in heads), default=0.0)
    under = max((_covered(head, box) for head in heads for box in words), default=0.0)
    if severity := beyond("face_cut", cut):
        severity = _of_a_take(severity) if shot.filmed else severity
        yield Finding("face_cut", severity, "The frame cuts a face in this shot.", shot.start, cut)
    if severity := beyond("caption_face", under):
        yield Finding("caption_face", severity, "A caption stands over a face in this shot.", shot.start, under)


def _words(expected: Expected, still: Picture, first: float, last: float) -> list[Box]:
    """Where captions stand between two seconds, in pixels of a still."""
    scale = still.shape[1] / expected.width
    return [
        Box(box.x, box.y, box.width, box.height).scaled(scale, scale)
        for box in expected.captions
        if box.start <= last and box.end >= first
    ]


def _covered(box: Box, by: Box) -> float:
    """The share of `box` that lies under `by`."""
    width = min(box.right, by.right) - max(box.x, by.x)
    height = min(box.bottom, by.bottom) - max(box.y, by.y)
    return max(0.0, width) * max(0.0, height) / max(1e-9, box.w * box.h)


def _repeated(expected: Expected) -> Iterator[Finding]:
    """A photo that follows itself, or one that looks the same, in another scene."""
    for one, other in pairwise(expected.shots):
        if one.scene is None or one.scene == other.scene:
            continue
        if one.photo == other.photo:
            yield Finding("repeat", "warn", "The same photo is shown twice in a row.", other.start)
        elif likeness.alike(_hash(one.photo), _hash(other.photo)):
            yield Finding("repeat_like", "info", "This photo looks very much like the one before.", other.start)


def _paced(expected: Expected) -> Iterator[Finding]:
    """Pictures that go before they have been seen, or stay when they have been."""
    for shot in expected.shots:
        seconds = shot.end - shot.start - pacing.DISSOLVE  # from cut to cut
        if severity := beyond("shot_short", pacing.SHORTEST_SHOT - seconds):
            yield Finding("shot_short", severity, f"This shot is gone after {seconds:.1f} s.", shot.start, seconds)
        if not shot.filmed and (severity := beyond("shot_long", seconds - pacing.LONGEST_SHOT)):
            yield Finding("shot_long", severity, f"This picture stands for {seconds:.1f} s.", shot.start, seconds)


def _odd_frames(measures: Measures, expected: Expected) -> Iterator[Finding]:
    """Frames that do not belong, and hard cuts."""
    stray = flow.strays(measures.small)
    near = {odd.frame + step for odd in stray for step in range(-1, flow.LONGEST_STRAY + 2)}
    for odd in stray[:MOST]:
        if severity := beyond("stray", odd.figure):
            second = odd.frame / measures.media.fps
            severity = _of_a_take(severity) if _filmed_at(expected, second) else severity
            sentence = f"Frame {odd.frame} flashes up and does not belong there."
            yield Finding("stray", severity, sentence, round(second, 3), odd.figure)
    hard = [odd for odd in flow.jumps(measures.small) if odd.frame not in near]
    for odd in hard[:MOST]:
        if severity := beyond("jump", odd.figure):
            second = odd.frame / measures.media.fps
            severity = _of_a_take(severity) if _filmed_at(expected, second) else severity
            sentence = f"The picture jumps at frame {odd.frame}: every change should be a dissolve."
            yield Finding("jump", severity, sentence, round(second, 3), odd.figure)


def _of_a_take(severity: Severity) -> Severity:
    """What is odd inside a filmed take weighs less: much of it is its vendor's manner, and it was looked at when it
    landed. It is no reason for having no film at all; a little of it is none for keeping a film from its fan."""
    return "warn" if severity == "fail" else "info"


def _filmed_at(expected: Expected, second: float) -> bool:
    """Whether nothing but filmed takes is shown at a second."""
    about = [shot.filmed for shot in expected.shots if shot.start <= second < shot.end]
    return bool(about) and all(about)


def _shaken(measures: Measures, expected: Expected) -> Iterator[Finding]:
    for shot in expected.shots:
        first, last = (round(second * measures.media.fps) for second in (shot.start + DISSOLVE, shot.end - DISSOLVE))
        pace = 1000 * flow.shake(measures.small[max(0, first) : max(0, last)])
        if severity := beyond("shake", pace):
            # A take may be held by hand, or follow who runs: that alone keeps no film from being approved.
            severity = "info" if shot.filmed else severity
            yield Finding("shake", severity, "The picture trembles in this shot.", shot.start, pace)


@lru_cache(maxsize=16)
def _photo(path: Path) -> Picture:
    return grey(path)


@lru_cache(maxsize=16)
def _hash(path: Path) -> str:
    return likeness.picture_hash(path)


def _caption_times(box: TextBox) -> tuple[float, ...]:
    long = box.end - box.start
    return tuple(round(box.start + share * long, 3) for share in ((0.3, 0.7) if long > 0.6 else (0.5,)))


def _label_times(box: TextBox) -> tuple[float, ...]:
    """Every four seconds or so, from once it has faded in."""
    first, last = box.start + min(0.6, (box.end - box.start) / 2), box.end - 0.1
    count = max(2, min(9, round((last - first) / 4) + 1))
    return tuple(round(first + (last - first) * i / (count - 1), 3) for i in range(count))


def _shot_times(shot: ExpectedShot) -> tuple[float, ...]:
    """Outside the dissolves; early for a filmed take, which leaves its photo as it goes."""
    shares = (0.25, 0.5) if shot.filmed else (0.45, 0.75)
    return tuple(round(shot.start + share * (shot.end - shot.start), 3) for share in shares)
