"""Captions, label and cards: everything literal, on screen, readable, and lit with the voice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media import captions, cards, fonts, frames, label
from pipeline.media.motion import Box
from pipeline.media.timeline import Word

pytestmark = pytest.mark.render

FRAMES = [(1080, 1920), (1920, 1080), (1080, 1080), (270, 480)]
NASTY = "100% it's: [x]; %{e} \\N {\\b1} <b>&amp;</b> 🎉 ❤️ 👩‍🚀 1️⃣"


def timed(text: str, pace: float = 0.35) -> list[Word]:
    return [Word(word, i * pace, i * pace + pace * 0.9) for i, word in enumerate(text.split())]


def laid(text: str, frame=(1080, 1920), place="low", until=60.0):
    return captions.lay_out(timed(text), frame, 30, place=place, until=until)


def rows_of(caption: captions.Caption) -> list[str]:
    lines: dict[float, list[str]] = {}
    for word in caption.words:
        lines.setdefault(word.baseline, []).append(word.text)
    return [" ".join(words) for words in lines.values()]


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8", max_codepoint=0x1FAFF), max_size=150),
    st.sampled_from(FRAMES),
    st.sampled_from(["low", "high"]),
)
def test_whatever_is_said_is_written_in_full_and_inside_the_frame(text, frame, place):
    found = laid(text, frame, place)
    said = "".join("".join(fonts.literal(word).split()) for word in text.split())
    assert "".join(word.text for caption in found for word in caption.words) == said
    for caption in found:
        assert Box(0, 0, *frame).holds(caption.box)
        assert len(rows_of(caption)) <= 2
        assert all(len(row) <= captions.ROW_CHARACTERS for row in rows_of(caption))
        for word in caption.words:
            assert caption.box.x <= word.x
            assert word.x + word.width <= caption.box.right


def test_captions_never_overlap_in_time_and_never_outlast_their_scene():
    found = laid(
        "We went up, and up, and then. We came down again, slowly, singing all the way home to you.", until=6.0
    )
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert found[-1].end <= 180


def test_captions_break_where_a_reader_pauses():
    texts = [
        caption.text for caption in laid("You drink too much coffee. We have counted, and we will not say the number.")
    ]
    assert texts[0].endswith((".", ","))
    for caption in laid(
        "It is the story of a girl who looked at the moon and went to see what was on the other side of it"
    ):
        assert rows_of(caption)[0].split()[-1] not in ("the", "a", "of", "and", "to")


def test_the_spoken_word_is_lit_while_it_is_heard():
    words = timed("Happy birthday dear friend", pace=0.5)
    (caption,) = captions.lay_out(words, (1080, 1920), 30, place="low", until=5)
    for i, word in enumerate(words):
        assert caption.spoken(round((word.start + 0.2) * 30)) == i
    assert caption.spoken(caption.end - 1) is None


def test_low_captions_stay_clear_of_a_phones_buttons_and_of_the_label():
    for frame in FRAMES:
        low, high = captions.zone(frame, "low"), captions.zone(frame, "high")
        assert not low.touches(high)
        if frame[1] > frame[0]:
            assert low.bottom <= frame[1] * 0.85
        for corner in label.corners("AI-generated · licensed voice", frame):
            assert Box(0, 0, *frame).holds(corner)
            assert not corner.touches(low)
            assert not corner.touches(high)


@pytest.mark.parametrize("ground", [16, 60, 128, 200, 235])
def test_captions_read_on_any_picture(ground):
    (caption,) = laid("Hello moon", until=5)
    text, _ = captions.bitmaps(caption, "#e8643c")
    picture = frames.blank(1080, 1920)
    picture.y[:] = ground
    frames.lay(picture, text)
    first = caption.words[0]
    area = picture.y[int(first.baseline) - 38 : int(first.baseline), int(first.x) : int(first.x + first.width)]
    grey = [tuple([round((int(v) - 16) * 255 / 219)] * 3) for v in (area.max(), np.percentile(area[area < 190], 60))]
    assert captions.contrast(*grey) >= 4.5


def test_the_pill_covers_the_word_beneath_and_its_ink_reads_on_it():
    for accent in ("#e8643c", "#ffd400", "#1b2a6b", "#ffffff", "#000000"):
        ground, ink = captions.pill_colours(accent)
        assert captions.contrast(ground, ink) >= 3
    (caption,) = laid("Hello moon", until=5)
    text, pills = captions.bitmaps(caption, "#1b2a6b")
    assert len(pills) == 2
    picture = frames.blank(1080, 1920)
    frames.lay(picture, text)
    frames.lay(picture, pills[0])
    first = caption.words[0]
    x, y = int(first.x) - 6, int(first.baseline) - 20
    assert frames.to_image(picture).getpixel((x, y))[2] > 80


def test_a_wrong_colour_is_named():
    with pytest.raises(ValueError, match="blue"):
        captions.rgb("blue")


def test_every_character_of_a_nasty_line_is_drawn_as_it_is():
    assert fonts.missing_glyphs(NASTY) == set()
    assert "".join(run for run, _ in fonts.runs("a {\\b1}", "caption")) == "a {\\b1}"
    assert fonts.width(NASTY, "caption", 50) > 500


def test_emoji_are_drawn_with_the_emoji_font_and_stay_whole():
    pieces = fonts.runs("go 👩‍🚀!", "caption")
    assert [piece for piece, _ in pieces] == ["go ", "👩‍🚀", "!"]
    assert "Emoji" in pieces[1][1].name


def test_a_character_nobody_can_draw_is_reported():
    assert fonts.missing_glyphs("ok \U0010fffd") == {"\U0010fffd"}
    assert fonts.missing_glyphs("line\nbreak\t") == set()


def test_right_to_left_words_stand_from_right_to_left():
    assert fonts.right_to_left("שלום")
    assert not fonts.right_to_left("hello")
    (caption,) = laid("שלום עולם", until=5)
    assert caption.words[0].x > caption.words[1].x


def test_an_overlay_with_odd_corner_and_size_lands_where_it_should():
    picture = frames.blank(64, 64)
    spot = frames.overlay(frames.Image.new("RGBA", (9, 7), (255, 255, 255, 255)), 11, 13)
    frames.lay(picture, spot)
    assert (picture.y[13:20, 11:20] == 235).all()
    assert (picture.y == 235).sum() == 63


def test_an_overlay_beyond_the_edge_is_cut_and_a_faded_one_is_faint():
    picture = frames.blank(32, 32)
    spot = frames.overlay(frames.Image.new("RGBA", (20, 20), (255, 255, 255, 255)), 24, -10)
    frames.lay(picture, spot, 0.5)
    assert picture.y[0, 31] == pytest.approx(126, abs=2)
    assert picture.y[11, 20] == 16


def test_colours_survive_the_way_to_film_and_back():
    rgb = np.zeros((8, 8, 3), np.uint8)
    rgb[:] = (200, 90, 30)
    back = np.asarray(frames.to_image(frames.from_rgb(rgb)))
    assert np.abs(back.astype(int) - rgb).max() <= 3


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("title", ["Eileen", NASTY, "word " * 60, "x" * 300, ""])
def test_a_title_of_any_length_stays_inside_the_frame(frame, title):
    bitmap = cards.title_bitmap(frame, title, "a film for you", "#e8643c")
    width, height = bitmap.colour.size
    assert bitmap.x >= 0 < bitmap.y
    assert bitmap.x + width <= frame[0] + 2
    assert bitmap.y + height <= frame[1]


def test_the_label_reads_on_white_and_on_black():
    text, frame = "AI-generated · licensed voice", (1080, 1920)
    spot = label.corners(text, frame)[0]
    for ground in (16, 235):
        picture = frames.blank(*frame)
        picture.y[:] = ground
        frames.lay(picture, label.bitmap(text, spot, frame))
        area = picture.y[int(spot.y) : int(spot.bottom), int(spot.x) : int(spot.right)].astype(int)
        light, dark = area.max(), np.median(area)
        assert light >= 220
        assert captions.contrast(*[tuple([max(0, int((v - 16) * 255 / 219))] * 3) for v in (light, dark)]) >= 4.5
