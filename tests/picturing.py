"""What the tests of films' pictures share: photos with a texture, scenes of them, a vendor's clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pipeline.media.timeline import FilmSpec, SceneIn, Word

SPEC = FilmSpec(
    270, 480, "Happy birthday, Eileen", "a film", "With love", "from all", "AI-generated · licensed voice", 12.0
)
FACE = (0.4, 0.2, 0.2, 0.15)


def words(text: str, seconds: float) -> tuple[Word, ...]:
    split = text.split()
    pace = seconds / len(split)
    return tuple(Word(word, i * pace, (i + 0.85) * pace) for i, word in enumerate(split))


def texture(seed: int, size: tuple[int, int]) -> Image.Image:
    """A picture with detail of every size, as photos have (a spectrum that falls with frequency)."""
    width, height = size
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    noise = np.fft.rfft2(np.random.default_rng(seed).standard_normal((height, width)))
    grey = np.fft.irfft2(noise / np.maximum(np.hypot(fx, fy), 1 / width), s=(height, width))
    grey = np.clip((grey - grey.mean()) / grey.std() * 45 + 120, 0, 255).astype(np.uint8)
    return Image.merge("RGB", [Image.fromarray(grey)] * 3)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    made = []
    for i, size in enumerate([(600, 800), (900, 600), (500, 500)]):
        texture(i, size).save(folder / f"{i}.jpg", quality=90)
        made.append(folder / f"{i}.jpg")
    return made


def scenes(photos: list[Path], seconds: float = 2.0, **change: object) -> list[SceneIn]:
    line = "Nobody laughed as loudly as you did."
    return [
        replace(SceneIn(line, words(line, seconds), seconds, photo, None, (FACE,), seed=i), **change)
        for i, photo in enumerate(photos)
    ]


def clip(path: Path, *, seconds: float, rate: int, size: tuple[int, int]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(round(seconds * rate)):
            picture_ = np.full((size[1], size[0], 3), 60 + 3 * i % 150, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture_, "rgb24")))
        container.mux(stream.encode())
    return path


def decoded(film: Path) -> list[np.ndarray]:
    with av.open(str(film)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
