"""The contact sheet: which frames are worth a look, and that each stands where the sheet says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from pipeline.media import sheet
from pipeline.media.probe import BadMedia
from pipeline.stages import qc

pytestmark = pytest.mark.render


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds that grow lighter: a frame's grey says where it is from."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 90, 160, "yuv420p"
        for number in range(100):
            grey = np.full((160, 90, 3), 2 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        container.mux(stream.encode())
    return path


def test_every_scene_both_ends_and_all_evidence_are_shown_once():
    seconds = sheet.places([(1.0, 4.0), (4.0, 8.0)], [2.51, 6.3, 99.0], 10.0)
    assert seconds == tuple(sorted(seconds))
    assert {0.5, 9.3, 6.3, 9.9} <= set(seconds)
    assert sum(1.0 <= second < 4.0 for second in seconds) == 3, "the evidence stands for the frame beside it"
    assert all(b - a >= 0.2 - 1e-9 for a, b in pairwise(seconds))


def test_where_there_is_too_much_the_evidence_stays():
    evidence = [n * 1.5 for n in range(1, 8)]
    seconds = sheet.places([(float(n), n + 1.0) for n in range(60)], evidence, 60.0)
    assert len(seconds) == sheet.MOST
    assert set(evidence) <= set(seconds)


def test_each_frame_stands_where_the_sheet_says(film, tmp_path):
    seconds = (0.5, 2.0, 4.0, 5.0, 6.0, 8.0, 9.3)
    made = sheet.make(film, seconds, tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as picture:
        wide, high = made.tile
        assert max(made.tile) == sheet.LONGER
        assert picture.size == (wide * made.across, high * 2)
        for number, second in enumerate(seconds):
            at = (number % made.across * wide + wide // 2, number // made.across * high + high // 2)
            assert abs(picture.getpixel(at)[0] - 20 * second) < 8, second


def test_what_is_no_film_has_no_sheet(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"no film")
    with pytest.raises(BadMedia):
        sheet.make(tmp_path / "film.mp4", (0.5,), tmp_path / "sheet.jpg")


@pytest.mark.parametrize(("asked", "verdict", "made"), [(True, "pass", 1), (False, "pass", 0), (True, "fail", 0)])
def test_a_sheet_is_made_where_somebody_looks_at_the_film(monkeypatch, tmp_path, asked, verdict, made):
    sheets = []

    def make(film, seconds, out):
        sheets.append(seconds)
        return sheet.Sheet((9, 16), 1, tuple(seconds))

    monkeypatch.setattr(qc.review, "is_asked", lambda work, said: asked)
    monkeypatch.setattr(qc.files, "publish", lambda path, folder: path.name)
    monkeypatch.setattr(
        qc.contact, "make", lambda film, at, out: sheets.append(at) or sheet.Sheet((9, 16), 1, tuple(at))
    )
    judged = SimpleNamespace(verdict=verdict, findings=())
    cut = SimpleNamespace(timeline={"scenes": [[0, 5]]}, seconds=5.0)
    work = SimpleNamespace(production=SimpleNamespace(folder="films"))
    found = qc._sheet(work, cut, tmp_path / "film.mp4", judged)
    assert (len(sheets), bool(found)) == (made, bool(made))
