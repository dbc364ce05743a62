"""Encoding in this process: closed segments with equal parameters, and their join with the sound into one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
from av.audio.resampler import AudioResampler

from pipeline.media import frames

# "superfast" with steady frame types: the best steadiness of slow moves per CPU second; see benchmarks/picture.py.
OPTIONS = {
    "preset": "superfast",
    "crf": "21",
    "profile": "high",
    "x264-params": "scenecut=0:b-adapt=0:weightp=0:open-gop=0:keyint=150:stitchable=1:threads=1"
    ":colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=off",
}
_BT709, _LIMITED = 1, 1


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """A temporary name beside `out` that becomes `out` when the block ends well and is removed when it does not."""
    temporary = out.with_name(f".{out.stem}-{uuid4().hex[:12]}{out.suffix}")
    try:
        yield temporary
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)


def segment(out: Path, size: tuple[int, int], fps: int, count: int, draw: Callable[[int, frames.Planes], None]) -> None:
    """Encode `count` frames as one closed segment; `draw(i, planes)` writes frame i straight into the encoder's memory.

    Whatever `draw` raises ends the work and leaves no file.
    """
    with replaced(out) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options=OPTIONS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, fps)
        stream.thread_count = 1
        context = stream.codec_context
        context.colorspace, context.color_range = _BT709, _LIMITED
        context.color_primaries, context.color_trc = _BT709, _BT709
        for i in range(count):
            frame = av.VideoFrame(*size, "yuv420p")
            draw(i, frames.of_frame(frame))
            frame.pts, frame.time_base = i, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def join(segments: Sequence[Path], audio: Path | None, out: Path, *, fps: int = 30, title: str = "") -> int:
    """Join segments by copying their packets, encode `audio` (any file with sound) as AAC, and write `out` at once.

    48 kHz stereo at 192 kbit/s, the index in front. Returns the number of frames written. Raises ValueError when the
    segments do not have equal parameters, and av.error.FFmpegError when a file cannot be read.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "+faststart"}
    with replaced(out) as temporary, av.open(str(temporary), "w", format="mp4", options=options) as film:
        if title:
            film.metadata["title"] = title
        with av.open(str(segments[0])) as first:
            source = first.streams.video[0]
            picture = film.add_stream_from_template(source)
            parameters = bytes(source.codec_context.extradata or b"")
        picture.time_base = Fraction(1, fps)
        sound = film.add_stream("aac", rate=48000, layout="stereo") if audio is not None else None
        if sound is not None:
            sound.bit_rate = 192_000
        packets = _pictures(segments, picture, parameters, fps)
        if audio is None or sound is None:
            done = 0
            for packet in packets:
                film.mux(packet)
                done += 1
            return done
        return _interleave(film, packets, _sound(audio, sound))


def _pictures(
    segments: Sequence[Path], stream: av.VideoStream, parameters: bytes, fps: int
) -> Iterator[av.Packet[Any]]:
    start, last = 0, None
    for path in segments:
        with av.open(str(path)) as part:
            source = part.streams.video[0]
            if bytes(source.codec_context.extradata or b"") != parameters:
                raise ValueError(f"{path.name} was encoded with other parameters than its neighbours")
            count = 0
            for packet in part.demux(source):
                if packet.dts is None or packet.pts is None:
                    continue
                tick = Fraction(packet.time_base) * fps
                packet.pts, packet.dts = round(packet.pts * tick) + start, round(packet.dts * tick) + start
                packet.time_base, packet.stream, packet.duration = Fraction(1, fps), stream, 1
                if last is not None and packet.dts <= last:
                    raise ValueError(f"{path.name} does not continue the segment before it")
                last = packet.dts
                count += 1
                yield packet
            start += count


def _sound(audio: Path, stream: av.AudioStream) -> Iterator[av.Packet[Any]]:
    resampler = AudioResampler(format="fltp", layout="stereo", rate=48000)
    with av.open(str(audio)) as source:
        for frame in source.decode(audio=0):
            for piece in resampler.resample(frame):
                yield from stream.encode(piece)
        for piece in resampler.resample(None):
            yield from stream.encode(piece)
        yield from stream.encode()


def _interleave(
    film: av.container.OutputContainer, pictures: Iterator[av.Packet[Any]], sounds: Iterator[av.Packet[Any]]
) -> int:
    """Write whichever packet comes earlier, so that a player need not jump about in the file."""
    done, sound = 0, next(sounds, None)
    for picture in pictures:
        while sound is not None and _second(sound) <= _second(picture):
            film.mux(sound)
            sound = next(sounds, None)
        film.mux(picture)
        done += 1
    while sound is not None:
        film.mux(sound)
        sound = next(sounds, None)
    return done


def _second(packet: av.Packet[Any]) -> float:
    return float((packet.dts or 0) * Fraction(packet.time_base))
