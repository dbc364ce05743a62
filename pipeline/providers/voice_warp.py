"""Turns one synthesised voice into others: moves the pitch and the resonances of a vocoder's spectrum, in numpy.

The synthesiser predicts a spectrum in parts (source and filter apart, as in a WORLD-style vocoder). Changing those
parts before they become sound is free of the phasiness and doubling that stretching finished audio brings: the pulse
train is drawn anew at the new pitch and shaped by the moved envelope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BIN_HZ = 20.0  # width of one spectral bin: 24 kHz over an FFT of 1200
BINS = 601
VOICED_HZ = 40.0  # below this the frame has no pitch (the synthesiser's own threshold)
CENTRE_HZ = 192.0  # the model's own median pitch; excursions are measured from here, so every line is treated alike
KNEE = 0.8  # the share of the band that is scaled plainly; the rest is squeezed so that the top stays where it is
HUSH_DB = -9.0  # how far the residue of a voiced frame is lowered below 2.5 kHz: it still hums at the old pitch
HUSH_HZ = (2500.0, 4000.0)
NEPER = float(np.log(10) / 20)  # decibels to natural log of amplitude


@dataclass(frozen=True, slots=True)
class VoiceRecipe:
    """How one voice is made from the model's own.

    `pitch` and `formant` are factors on the fundamental and on the resonances (below 1: deeper, larger speaker), `pace`
    a factor on speed, `lilt` an exponent on the pitch's excursions (above 1: livelier), `tilt` dB per octave around
    1 kHz (below 0: warmer), `words_per_second` the measured rate at pace 1, pauses included.
    """

    label: str
    pitch: float = 1.0
    formant: float = 1.0
    pace: float = 1.0
    lilt: float = 1.0
    tilt: float = 0.0
    words_per_second: float = 2.9

    @property
    def is_plain(self) -> bool:
        """Whether the voice is the model's own, so that its spectrum need not be touched."""
        return (self.pitch, self.formant, self.lilt, self.tilt) == (1.0, 1.0, 1.0, 0.0)


class Spectra(NamedTuple):
    """What the synthesiser predicts, one column per 12.5 ms: log amplitudes and raw phases (601 × frames) of the
    harmonics, the hiss and the residue, and the pitch in Hz (frames)."""

    harmonics: Floats
    turns: Floats
    hiss: Floats
    residue: Floats
    residue_turns: Floats
    pitch: Floats


def warp(spectra: Spectra, recipe: VoiceRecipe) -> Spectra:
    """The same words as another voice. Input and output have the same shapes; nothing is changed in place."""
    if recipe.is_plain:
        return spectra
    voiced = spectra.pitch > VOICED_HZ
    pitch = CENTRE_HZ * recipe.pitch * (np.maximum(spectra.pitch, VOICED_HZ) / CENTRE_HZ) ** recipe.lilt
    source = _source_bins(recipe.formant)
    nearest = np.rint(source).astype(np.intp)
    tilt = _tilt(recipe.tilt)
    # Fewer harmonics fall into each Hz of a higher voice, more into a deeper one: keep the power the same.
    harmonics = _blend(_between_harmonics(spectra.harmonics, spectra.pitch), source) + tilt
    residue = _blend(spectra.residue, source) + tilt + np.outer(_hush(), voiced)
    return Spectra(
        harmonics=(harmonics + 0.5 * np.log(recipe.pitch)).astype(np.float32),
        turns=spectra.turns[nearest],  # phases wrap, so they are picked, not blended
        hiss=_blend(spectra.hiss, source),
        residue=residue.astype(np.float32),
        residue_turns=spectra.residue_turns[nearest],
        pitch=np.where(voiced, pitch, 0.0).astype(np.float32),
    )


def _source_bins(formant: float) -> NDArray[np.float64]:
    """For each output bin, the (fractional) input bin it is taken from: a two-piece warp, as in vocal-tract-length
    normalisation (Lee and Rose, 1998), which scales up to the knee and keeps the top of the band in place."""
    top = BINS - 1
    bins = np.arange(BINS, dtype=np.float64)
    knee = KNEE * top * min(1.0, formant)
    above = knee / formant + (bins - knee) * (top - knee / formant) / (top - knee)
    return np.clip(np.where(bins <= knee, bins / formant, above), 0, top)


def _blend(rows: Floats, source: NDArray[np.float64]) -> Floats:
    """Rows taken at fractional positions, linearly between the two nearest."""
    low = np.minimum(source.astype(np.intp), BINS - 2)
    share = (source - low).astype(np.float32)[:, None]
    return np.asarray(rows[low] * (1 - share) + rows[low + 1] * share, dtype=np.float32)


def _between_harmonics(log_amplitude: Floats, pitch: Floats) -> Floats:
    """The envelope read at the old harmonics and drawn straight between them.

    The model only ever heard its envelope at multiples of the pitch it spoke with; what it says in between is
    arbitrary, and a moved harmonic would land there (measured: peaks three times too high).
    """
    drawn = log_amplitude.copy()
    bins = np.arange(BINS)
    for frame in np.flatnonzero(pitch > VOICED_HZ):
        step = pitch[frame] / BIN_HZ
        at = np.arange(1, int((BINS - 1) / step) + 1) * step
        drawn[:, frame] = np.interp(bins, at, np.interp(at, bins, log_amplitude[:, frame]))
    return drawn


def _tilt(db_per_octave: float) -> NDArray[np.float64]:
    """Log gain per bin (601 × 1), zero at 1 kHz, flat below 200 Hz."""
    octaves = np.log2(np.maximum(np.arange(BINS) * BIN_HZ, 200.0) / 1000.0)
    return np.asarray(db_per_octave * octaves * NEPER)[:, None]


def _hush() -> NDArray[np.float64]:
    """Log gain per bin for the residue of voiced frames: lowered at the bottom, untouched from 4 kHz up."""
    low, high = HUSH_HZ
    return np.asarray(HUSH_DB * NEPER * np.clip((high - np.arange(BINS) * BIN_HZ) / (high - low), 0, 1))
