"""Encoding in this process: closed segments with equal parameters, and their join with the sound into one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
from av.audio.resampler import AudioResampler

from pipeline.media import frames

# "superfast" with steady frame types, and half of x264's care for plain ground: of what benchmarks/encoder.py compares
# the picture that is worth its CPU seconds and bytes.
OPTIONS = {
    "preset": "superfast",
    "crf": "21",
    "profile": "high",
    "x264-params": "scenecut=0:b-adapt=0:weightp=0:aq-strength=0.5:open-gop=0:keyint=150:stitchable=1:threads=1"
    ":colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=off",
}
# A first look is watched once, small, while the film is being made: a fifth less work, in files of the same weight.
DRAFT = OPTIONS | {"preset": "ultrafast", "crf": "27", "profile": "baseline"}
SOUND_RATE = 192_000  # bits a second
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


def segment(
    out: Path,
    size: tuple[int, int],
    fps: int,
    count: int,
    draw: Callable[[int, frames.Planes], None],
    *,
    options: dict[str, str] = OPTIONS,
) -> None:
    """Encode `count` frames as one closed segment; `draw(i, planes)` writes frame i straight into the encoder's memory.

    Whatever `draw` raises ends the work and leaves no file.
    """
    with replaced(out) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
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


def sound(audio: Path, out: Path) -> None:
    """Encode `audio` (any file with sound) as the film's: AAC in MP4, 48 kHz stereo at 192 kbit/s.

    Raises av.error.FFmpegError when it cannot be read.
    """
    with replaced(out) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48000, layout="stereo")
        stream.bit_rate = SOUND_RATE
        resampler = AudioResampler(format="fltp", layout="stereo", rate=48000)
        with av.open(str(audio)) as source:
            for frame in [*source.decode(audio=0), None]:
                for piece in resampler.resample(frame):
                    container.mux(stream.encode(piece))
            container.mux(stream.encode())


def join(segments: Sequence[Path], audio: Path | None, out: Path, *, fps: int = 30, title: str = "") -> int:
    """Join segments, and `audio` as `sound` encodes it, by copying their packets; write `out` at once.

    The index comes in front. Returns the number of frames written. Raises ValueError when the segments do not have
    equal parameters, and av.error.FFmpegError when a file cannot be read.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "+faststart"}
    with ExitStack() as stack:
        temporary = stack.enter_context(replaced(out))
        film = stack.enter_context(av.open(str(temporary), "w", format="mp4", options=options))
        if title:
            film.metadata["title"] = title
        with av.open(str(segments[0])) as first:
            source = first.streams.video[0]
            picture = film.add_stream_from_template(source)
            parameters = bytes(source.codec_context.extradata or b"")
        picture.time_base = Fraction(1, fps)
        sounds: Iterator[av.Packet[Any]] = iter(())
        if audio is not None:
            heard = stack.enter_context(av.open(str(audio)))
            sounds = _sounds(heard, film.add_stream_from_template(heard.streams.audio[0]))
        return _interleave(film, _pictures(segments, picture, parameters, fps), sounds)


def take_out(film: Path, spans: Mapping[Path, tuple[int, int]], *, fps: int) -> None:
    """Take segments back out of a film that `join` made: to each path the frames from first to end (not included).

    Packets are copied, nothing is encoded. Spans must be those of the segments it was joined from, for each of them is
    closed in itself. Raises ValueError when a span is not whole, av.error.FFmpegError when the film cannot be read.
    """
    with ExitStack() as stack:
        source = stack.enter_context(av.open(str(film)))
        stream = source.streams.video[0]
        found: dict[Path, list[av.Packet[Any]]] = {path: [] for path in spans}
        for packet in source.demux(stream):
            if packet.pts is None or packet.dts is None:
                continue
            tick = Fraction(packet.time_base) * fps
            frame = round(packet.pts * tick)
            for path, (first, end) in spans.items():
                if first <= frame < end:
                    packet.pts, packet.dts = frame - first, round(packet.dts * tick) - first
                    packet.time_base, packet.duration = Fraction(1, fps), 1
                    found[path].append(packet)
        for path, packets in found.items():
            if len(packets) != spans[path][1] - spans[path][0] or not packets[0].is_keyframe:
                raise ValueError(f"{film.name} holds no whole segment at {spans[path]}")
            _copy(packets, stream, path, Fraction(1, fps))


def take_sound(film: Path, out: Path) -> None:
    """Copy a film's sound out of it, as `sound` encoded it. Raises as `take_out` does, ValueError for a silent film."""
    with av.open(str(film)) as source:
        stream = next(iter(source.streams.audio), None)
        if stream is None:
            raise ValueError(f"{film.name} has no sound")
        _copy([packet for packet in source.demux(stream) if packet.dts is not None], stream, out, None)


def _copy(packets: Sequence[av.Packet[Any]], like: Any, out: Path, time_base: Fraction | None) -> None:
    with replaced(out) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream_from_template(like)
        if time_base is not None:
            stream.time_base = time_base
        for packet in packets:
            packet.stream = stream
            container.mux(packet)


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


def _sounds(source: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.Packet[Any]]:
    for packet in source.demux(audio=0):
        if packet.dts is not None:
            packet.stream = stream
            yield packet


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
