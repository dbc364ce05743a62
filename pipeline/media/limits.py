"""How much is too much: every meter's limits in one table with their reasons, and what a figure beyond one becomes.

A finding's sentence is for the creator and for staff.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["info", "warn", "fail"]


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
    "banding": Limit(
        0.1,
        1.0,
        "levels, steps' mean height beyond the photo's own: good films 0.04, a sky in steps of 2 to 24 levels 0.4",
    ),
    "face_cut": Limit(
        0.12, 0.3, "of a head outside the frame: moves keep heads whole; the forehead alone is a quarter"
    ),
    "depth_torn": Limit(
        0.14, 0.2, "by which an edge turns or is drawn apart (0.1: 6 degrees): 0.02 without depth, ours 0.05 to 0.11"
    ),
    "depth_face": Limit(0.004, 0.008, "of a face's height, by which its parts move: ours 0.001, an eye is 0.03 high"),
    "caption_face": Limit(
        0.3, math.inf, "of a head: a fifth is chin or hair, more the mouth. Never a fail: a face may fill the frame"
    ),
    "take_start": Limit(
        0.35, 0.5, "missing likeness of a clip's first frame: right ones 0 to 0.2, others 0.44 and more"
    ),
    "take_end": Limit(
        0.85,
        0.93,
        "of the first frame's details gone in the last: a camera that comes close or goes round leaves 0.82 at the "
        "most, a picture that melts 0.91 and more, another one 0.98",
    ),
    "take_person": Limit(0.6, 0.7, "apart by dlib's face model"),
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


def beyond(code: str, figure: float) -> Severity | None:
    """How bad a figure is by LIMITS, None where it is good."""
    limit = LIMITS[code]
    return "fail" if figure > limit.fail else "warn" if figure > limit.warn else None


def of_a_take(severity: Severity) -> Severity:
    """What is odd inside a filmed take weighs less: much of it is its vendor's manner, and it was looked at when it
    landed. It is no reason for having no film at all; a little of it is none for keeping a film from its fan."""
    return "warn" if severity == "fail" else "info"
