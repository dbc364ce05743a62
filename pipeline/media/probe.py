"""What a media file is: size, rate, length, codecs, colour and sound, read without trusting a word of it."""

from __future__ import annotations

import resource
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av

# Demuxers that read one plain file and nothing else: no playlists, no concat lists, nothing that opens further files.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,wav,mp3,ogg,flac"
LARGEST_SIDE = 8192
# Bytes that reading a file may take: its index may claim a billion pictures, and libav makes room for them all.
SPARE = 1 << 30
_alone = threading.Lock()
# ISO/IEC 23091-2 numbers, as FFmpeg names them.
_PRIMARIES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020", 12: "smpte432"}
_TRANSFER = {1: "bt709", 6: "smpte170m", 13: "iec61966-2-1", 14: "bt2020-10", 16: "smpte2084", 18: "arib-std-b67"}
_MATRIX = {0: "gbr", 1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}
_RANGE = {1: "tv", 2: "pc"}


class BadMedia(Exception):  # noqa: N818  reads as what it is, in code and in logs
    """The file cannot be used; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Color:
    """How the numbers become light, in FFmpeg's names; an empty name is "not said"."""

    primaries: str = ""
    transfer: str = ""
    matrix: str = ""
    range: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """One file. Sizes in pixels, `duration` in seconds, `fps`, `sample_rate` per second; 0 or "" where there is none.

    `frames` is counted from the packets that are really there. `faststart`: the index comes before the pictures.
    """

    width: int = 0
    height: int = 0
    fps: float = 0.0
    duration: float = 0.0
    video_codec: str = ""
    profile: str = ""
    pix_fmt: str = ""
    color: Color = Color()
    audio_codec: str = ""
    sample_rate: int = 0
    channels: int = 0
    faststart: bool = False
    frames: int = 0
    audio_duration: float = 0.0


def probe(
    path: Path, *, max_bytes: int = 500_000_000, seconds: float = 0.0, on_picture: Callable[[], None] | None = None
) -> Media:
    """Read the headers, walk every packet, decode the first picture. `max_bytes` is the largest file looked at.

    With `seconds` every picture is decoded, for so long at the most, and `on_picture` called for each: what is broken
    in its middle is found here and not by whoever makes a film of it.

    Raises BadMedia for a missing, empty, too large, unreadable, oversized or cut-off file, or one without a length.
    """
    try:
        size = path.stat().st_size
    except OSError as problem:
        raise BadMedia("The file is not there.") from problem
    if size == 0:
        raise BadMedia("The file is empty.")
    if size > max_bytes:
        raise BadMedia(f"The file is larger than {max_bytes / 1_000_000:.0f} MB.")
    try:
        with (
            _within(SPARE),
            av.open(
                f"file:{path.absolute()}", options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}
            ) as container,
        ):
            media = _read(container)
            if seconds and container.streams.video:
                container.seek(0)
                _watch(container, time.monotonic() + seconds, on_picture)
    except (av.FFmpegError, ValueError, UnicodeError, MemoryError) as problem:
        raise BadMedia("The file is not a film or a sound we can read.") from problem
    with path.open("rb") as file:
        faststart = _index_first(file, size)
    return Media(**{**media, "faststart": faststart})


@contextmanager
def _within(spare: int) -> Iterator[None]:
    """Let this process take so many more bytes and no more, where Linux says how many it has."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[5])  # proc(5): data and stack
    except OSError:
        yield
        return
    with _alone:  # the limit is the whole process's
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bounds = (pages * resource.getpagesize() + spare, soft, hard)
        limit = min(bound for bound in bounds if bound != resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _read(container: Any) -> dict[str, Any]:
    """Everything but `faststart`, from an open container. Raises BadMedia, av.FFmpegError."""
    out: dict[str, Any] = {}
    if not container.streams.video and not container.streams.audio:
        raise BadMedia("The file has neither picture nor sound.")
    if container.streams.audio:
        stream = container.streams.audio[0]
        audio = stream.codec_context
        out |= {"audio_codec": audio.name, "sample_rate": audio.sample_rate, "channels": audio.channels}
        if stream.duration is not None and stream.time_base is not None:
            out["audio_duration"] = float(stream.duration * stream.time_base)
    main = (*container.streams.video, *container.streams.audio)[0]
    if container.streams.video:
        codec = main.codec_context
        if not 0 < codec.width <= LARGEST_SIDE or not 0 < codec.height <= LARGEST_SIDE:
            raise BadMedia(f"The picture must be between 1 and {LARGEST_SIDE} pixels wide and high.")
        out |= {
            "width": codec.width,
            "height": codec.height,
            "fps": float(main.average_rate or 0),
            "video_codec": codec.name,
            "profile": str(codec.profile or ""),
            "pix_fmt": str(codec.pix_fmt or ""),
            "color": Color(
                _PRIMARIES.get(int(codec.color_primaries), ""),
                _TRANSFER.get(int(codec.color_trc), ""),
                _MATRIX.get(int(codec.colorspace), ""),
                _RANGE.get(int(codec.color_range), ""),
            ),
        }
    packets, decoded, end = 0, False, 0.0
    for packet in container.demux(main):
        if packet.size == 0:
            continue  # the flush packet at the end
        packets += 1
        if packet.is_corrupt:
            raise BadMedia("The file is damaged.")
        if packet.pts is not None and packet.time_base is not None:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if not decoded:
            decoded = bool(packet.decode()) or packets > 60
    if packets == 0 or (not decoded and not main.codec_context.decode(None)):
        raise BadMedia("The file has no picture or sound in it.")
    said = float(container.duration or 0) / av.time_base
    duration = said if said > 0 else end
    if duration <= 0:
        raise BadMedia("The file's length is not known.")
    if end < 0.9 * duration - 0.5 or (main.frames and packets < 0.9 * main.frames):
        raise BadMedia("The file is cut off before its end.")
    return out | {"duration": duration, "frames": packets if container.streams.video else 0}


def _watch(container: Any, until: float, on_picture: Callable[[], None] | None) -> None:
    """Decode the whole picture of an open container. Raises BadMedia, av.FFmpegError."""
    size = None
    for frame in container.decode(video=0):
        if on_picture is not None:
            on_picture()
        if size not in (None, (frame.width, frame.height)):
            raise BadMedia("The picture changes its size.")
        size = (frame.width, frame.height)
        if time.monotonic() > until:
            raise BadMedia("The file takes too long to read.")


def _index_first(file: BinaryIO, size: int) -> bool:
    """Whether an MP4's `moov` box comes before its `mdat` (ISO/IEC 14496-12, 4.2: box = 32-bit size, 4-letter type)."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return False
        length, kind = struct.unpack(">I4s", head[:8])
        if kind == b"moov":
            return True
        if kind == b"mdat":
            return False
        if length == 1 and len(head) == 16:
            length = struct.unpack(">Q", head[8:])[0]
        if length < 8:
            return False
        at += length
    return False
