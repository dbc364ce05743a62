"""The end card is drawn once for all films that show it; what was kept of it may be missing, broken or old."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from pipeline import files, sweeping
from pipeline.media import cards
from pipeline.media.frames import Overlay

FRAME = (270, 480)


def drawn(folder: Path, words: str = "Told by Mira") -> tuple[Overlay, ...]:
    return cards.end_bitmaps(FRAME, words, "Made with Videogen", "#7b4bb7", fps=30, keep_in=folder)


def no_drawing(*_: object) -> None:
    raise AssertionError("it is drawn again")


def same(one: tuple[Overlay, ...], other: tuple[Overlay, ...]) -> bool:
    return len(one) == len(other) and all(
        (a.x, a.y) == (b.x, b.y) and np.array_equal(a.colour.y, b.colour.y) for a, b in zip(one, other, strict=True)
    )


def test_the_second_film_shows_what_the_first_one_drew(tmp_path, monkeypatch):
    first = drawn(tmp_path / "kept")
    [kept] = (tmp_path / "kept").iterdir()
    os.utime(kept, (0, 0))
    monkeypatch.setattr(cards, "_animated", no_drawing)
    assert same(drawn(tmp_path / "kept"), first)
    assert kept.stat().st_mtime > time.time() - 60, "what is used is not old"
    with pytest.raises(AssertionError, match="drawn again"):
        drawn(tmp_path / "kept", "Told by Bram")


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04 and no more", b"not at all"])
def test_what_was_kept_and_is_broken_is_drawn_again(tmp_path, monkeypatch, broken):
    first = drawn(tmp_path)
    [kept] = tmp_path.iterdir()
    whole = kept.read_bytes()
    for damaged in (broken, whole[: len(whole) // 2], whole[:200] + bytes(400) + whole[600:]):
        kept.write_bytes(damaged)
        assert same(drawn(tmp_path), first)
        monkeypatch.setattr(cards, "_animated", no_drawing)
        assert same(drawn(tmp_path), first), "and kept again"
        monkeypatch.undo()


def test_where_it_cannot_be_kept_the_card_is_drawn_all_the_same_and_nothing_stays(tmp_path, monkeypatch):
    def full(out: Path, **_: object) -> None:
        Path(out).write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    first = drawn(tmp_path / "kept")
    monkeypatch.setattr(np, "savez_compressed", full)
    assert same(drawn(tmp_path / "full"), first)
    assert list((tmp_path / "full").iterdir()) == []
    (tmp_path / "a file").write_bytes(b"")
    assert same(drawn(tmp_path / "a file" / "below"), first)


def test_the_folder_may_be_emptied_and_hold_anything_while_it_is_tidied(db):
    files.kept().mkdir(parents=True, exist_ok=True)
    there = [files.kept() / f"end-{number}.npz" for number in range(3)]
    strange = files.kept() / "lost+found"
    strange.mkdir()
    for path in there:
        path.write_bytes(b"x")
    for path in (*there, strange):
        os.utime(path, (0, 0))
    try:
        tidying = sweeping.tidying()
        first = next(tidying)
        for path in there:
            path.unlink(missing_ok=True)
        assert [first, *tidying]
        assert strange.exists()
    finally:
        strange.rmdir()


def test_what_no_film_has_shown_for_long_is_tidied_away(db):
    files.kept().mkdir(parents=True, exist_ok=True)
    old, young = files.kept() / "end-old.npz", files.kept() / "end-young.npz"
    for path, days in ((old, 31), (young, 29)):
        path.write_bytes(b"x")
        os.utime(path, (time.time() - days * 86400,) * 2)
    try:
        list(sweeping.tidying())
        assert not old.exists()
        assert young.exists()
    finally:
        young.unlink(missing_ok=True)
    assert files.kept().is_relative_to(settings.VAR_DIR)
