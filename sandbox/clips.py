"""Short real films for pretended video vendors: a slow glide over a start picture, in mixed sizes and rates.

Drawing costs time, so only so many pictures get clips as models make them; the others' move twice a second.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from pipeline.media import ffmpeg

# Pictures a second, pixels of the shorter side and range of their levels, as different models have them.
LOOKS = ((24, 480, "tv"), (25, 540, "tv"), (30, 432, "pc"))
NO_PICTURE = (9, 16)
CHEAP = 2  # pictures a second, once `drawn` pictures have clips at a real rate

Named = tuple[str, tuple[int, int], int, str, int]  # picture, size, rate, range, seconds


@dataclass
class Clips:
    """MP4s by what is in them. `drawn` is how many pictures get clips at a real rate. Any thread may ask."""

    drawn: int = 12
    _made: dict[Named, bytes] = field(default_factory=dict)
    _pictures: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, picture: bytes, seconds: int, look: int, *, side: int = 0) -> bytes:
        """An MP4 of `seconds` from a picture, or of a test card where that is empty; its index (`moov`) comes last.

        `look` picks among LOOKS; `side`, where given, is the shorter side in pixels.
        """
        rate, shorter, levels = LOOKS[look % len(LOOKS)]
        size = _size(picture, side or shorter)
        name = hashlib.sha256(picture).hexdigest() if picture else ""
        with self._lock:
            if name and name not in self._pictures and len(self._pictures) >= self.drawn:
                rate = CHEAP
            elif name:
                self._pictures.add(name)
            wanted = (name, size, rate, levels, seconds)
            if wanted not in self._made:
                self._made[wanted] = _draw(picture, size, rate, levels, seconds)
            return self._made[wanted]


def _size(picture: bytes, shorter: int) -> tuple[int, int]:
    w, h = NO_PICTURE
    if picture:
        with Image.open(io.BytesIO(picture)) as image:
            w, h = image.size
    scale = shorter / min(w, h)
    return max(2, round(w * scale / 2) * 2), max(2, round(h * scale / 2) * 2)


def _draw(picture: bytes, size: tuple[int, int], rate: int, levels: str, seconds: int) -> bytes:
    w, h = size
    with tempfile.TemporaryDirectory() as folder:
        still, out = Path(folder) / "start.jpg", Path(folder) / "clip.mp4"
        if picture:
            still.write_bytes(picture)
            source: list[str | Path] = ["-loop", "1", "-framerate", str(rate), "-i", still, "-t", str(seconds)]
            # With a colour for every pixel the crop may stand on any: steps of two are seen as jerks.
            glide = f"crop={w}:{h}:x='(in_w-out_w)*t/{seconds}'"
            large = f"scale={w * 9 // 8}:{h * 9 // 8}:out_color_matrix=bt709:out_range={levels}"
            source += ["-vf", f"{large},format=yuv444p,{glide},format=yuv420p"]
        else:
            source = ["-f", "lavfi", "-i", f"testsrc2=size={w}x{h}:rate={rate}:duration={seconds}"]
        how = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-threads", "1"]
        how += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", levels]
        ffmpeg.run([*source, *how, out], timeout=60)
        return out.read_bytes()
