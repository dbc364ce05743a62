"""Captions, label and cards: everything literal, on screen, readable, and lit with the voice."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pipeline.media import captions, cards, fonts, frames, label, lettering, phrasing, picture, templates
from pipeline.media.motion import Box
from pipeline.media.timeline import FilmSpec, SceneIn, Word, plan

pytestmark = pytest.mark.render

FRAMES = [(1080, 1920), (1920, 1080), (1080, 1080), (270, 480)]
NASTY = "100% it's: [x]; %{e} \\N {\\b1} <b>&amp;</b> 🎉 ❤️ 👩‍🚀 1️⃣"


def timed(text: str, pace: float = 0.35, at: float = 0.0) -> list[Word]:
    return [Word(word, at + i * pace, at + (i + 0.9) * pace) for i, word in enumerate(text.split())]


def laid(text: str, frame=(1080, 1920), until=60.0, template=templates.DEFAULT, faces=None):
    return captions.lay_out(timed(text), frame, 30, until=until, template=template, faces=faces)


def rows_of(caption: captions.Caption) -> list[str]:
    lines: dict[float, list[str]] = {}
    for word in caption.words:
        lines.setdefault(word.baseline, []).append(word.text)
    return [" ".join(words) for words in lines.values()]


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8", max_codepoint=0x1FAFF), max_size=150),
    st.sampled_from(FRAMES),
    st.sampled_from(sorted(templates.TEMPLATES)),
)
def test_whatever_is_said_is_written_in_full_and_inside_the_frame(text, frame, template):
    found = laid(text, frame, template=template)
    said = "".join("".join(fonts.literal(word).split()) for word in text.split())
    assert "".join(word.text for caption in found for word in caption.words) == said
    for caption in found:
        assert Box(0, 0, *frame).holds(caption.box)
        assert len(rows_of(caption)) <= 2
        assert all(len(row) <= phrasing.ROW_CHARACTERS for row in rows_of(caption))
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


@pytest.mark.parametrize("frame", [(1080, 1920), (1920, 1080), (1080, 1080)])
def test_rows_keep_together_what_belongs_together_however_wide_the_film_is(frame):
    said = (
        "Eileen! Another year, another cake. Somebody has been talking.",
        "And let it be said: you got married in her grandmother's garden in the rain.",
    )
    rows = [row for line in said for caption in laid(line, frame) for row in rows_of(caption)]
    assert {"another cake.", "you got married"} <= set(rows)


def test_the_spoken_word_is_lit_while_it_is_heard():
    words = timed("Happy birthday dear friend", pace=0.5)
    (caption,) = captions.lay_out(words, (1080, 1920), 30, until=5)
    for i, word in enumerate(words):
        assert caption.spoken(round((word.start + 0.2) * 30)) == i
    assert caption.spoken(caption.end - 1) is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.floats(0.03, 0.6), st.floats(0.0, 0.8)), min_size=1, max_size=40),
    st.sampled_from(FRAMES),
)
def test_every_word_is_on_the_screen_and_lit_within_80_ms_of_being_heard(said, frame):
    words, at = [], 0.4
    for letters, seconds, pause in said:
        words.append(Word("abcdefghijkl"[:letters], at, at + seconds))
        at += seconds + pause
    found = captions.lay_out(words, frame, 30, until=at + 0.3)
    placed = [(caption, word) for caption in found for word in caption.words]
    assert len(placed) == len(words)
    for word, (caption, spot) in zip(words, placed, strict=True):
        assert abs(spot.start / 30 - word.start) <= 0.08
        assert caption.start / 30 <= word.start + 0.08
        assert caption.end > spot.start
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert found[0].start >= 0
    assert found[-1].end <= round((at + 0.3) * 30)


def pace(caption: captions.Caption) -> float:
    return len(caption.text) / ((caption.end - caption.start) / 30)


def test_a_caption_stands_long_enough_to_be_read_where_the_voice_rests():
    """The words come in a rush, with a rest before and after: the caption is there before and stays."""
    words = timed("Nobody laughed louder than you did", 0.12, at=2)
    (caption,) = captions.lay_out(words, (1080, 1920), 30, until=6)
    assert len(caption.text) / (words[-1].end - words[0].start) > 2 * phrasing.PACE, "the control: said in a rush"
    assert pace(caption) <= phrasing.PACE
    assert 2 - 0.6 - 1 / 30 <= caption.start / 30 <= 2


def test_a_caption_gives_the_next_one_time_that_it_does_not_need():
    first = timed("So we all came home again.", 0.6)
    rush = timed("and everybody shouted happily together,", 0.13, at=5)
    last = timed("as we always do.", 0.5, at=6)
    found = captions.lay_out([*first, *rush, *last], (1080, 1920), 30, until=9)
    assert all(pace(caption) <= phrasing.PACE * 1.02 for caption in found)


def test_where_the_voice_is_faster_than_that_the_words_still_keep_up_and_no_time_is_lost():
    words = [Word(w, i * 0.2, i * 0.2 + 0.2) for i, w in enumerate(["remember"] * 24)]
    found = captions.lay_out(words, (1080, 1920), 30, until=5.2)
    assert max(map(pace, found)) > phrasing.PACE
    assert all(one.end == two.start for one, two in pairwise(found)), "it stands as long as it can"
    spoken = len(" ".join(w.text for w in words)) / 4.8
    assert all(pace(caption) <= 1.15 * spoken for caption in found), "no caption hurries more than the voice does"


def test_the_safe_area_is_clear_of_what_the_big_players_lay_over_a_tall_film():
    """Of 1080 × 1920: YouTube's 288, 672, 48 and 192; Reels' 14%, 35% and 6%; TikTok's 120 on the left."""
    safe = captions.safe_area((1080, 1920))
    assert safe.y >= max(288, 0.14 * 1920)
    assert safe.bottom <= 1920 - max(672, 0.35 * 1920)
    assert safe.x >= max(48, 0.06 * 1080, 120)
    assert safe.right <= 1080 - max(192, 0.06 * 1080)
    for frame in [(1920, 1080), (1080, 1080)]:
        assert Box(0.05 * frame[0], 0.05 * frame[1], 0.9 * frame[0], 0.9 * frame[1]).holds(captions.safe_area(frame))


@pytest.mark.parametrize("template", templates.TEMPLATES)
@pytest.mark.parametrize("frame", FRAMES)
def test_captions_stand_inside_the_safe_area_and_away_from_the_label(frame, template):
    safe = captions.safe_area(frame)
    for caption in laid(
        "We went up, and up. We came down again, slowly, singing all the way.", frame, template=template
    ):
        for word in caption.words:
            assert safe.holds(Box(word.x, word.baseline - caption.size, word.width, caption.size))
        assert not any(corner.touches(caption.box) for corner in label.corners("AI-generated · licensed voice", frame))


LINE = "We went up, and up, and then up again. We came down slowly, singing all the way home to you."


def test_captions_stand_low_and_keep_their_place_while_no_face_is_there():
    bottoms = {caption.box.bottom for caption in laid(LINE)}
    assert len(bottoms) == 1
    assert bottoms.pop() == pytest.approx(1248, abs=3)


def test_one_face_moves_all_captions_of_a_scene_to_one_other_place():
    """The face is there during the second caption only: the first does not stand elsewhere for that."""
    quiet = laid(LINE)
    face = Box(300, 1000, 400, 300)
    found = laid(LINE, faces=lambda first, end: [face] if first <= quiet[1].start < end else [])
    assert len(found) == len(quiet) > 2
    assert not any(caption.box.touches(face) for caption in found)
    assert len({caption.box.y for caption in found if len(rows_of(caption)) == 2}) == 1, "no hopping about"


def test_a_caption_moves_within_a_scene_only_where_faces_leave_no_place_for_all():
    quiet = laid(LINE)
    middle = quiet[len(quiet) // 2].start
    top, bottom = Box(0, 0, 1080, 960), Box(0, 960, 1080, 960)
    found = laid(LINE, faces=lambda first, end: [bottom] if end <= middle else [top])
    assert not any(c.box.touches(bottom if c.end <= middle else top) for c in found)
    moves = sum(one.box.bottom != two.box.bottom and one.box.y != two.box.y for one, two in pairwise(found))
    assert moves == 1


def test_a_face_may_send_captions_out_of_the_safe_area_and_covers_least_where_it_is_everywhere():
    tall = Box(100, 200, 880, 1050)
    (below,) = laid("Hello moon", faces=lambda first, end: [tall])
    assert not below.box.touches(tall)
    assert below.box.bottom <= 1920 * 0.815 + 2
    everywhere = [Box(0, 0, 1080, 900), Box(0, 900, 300, 1020)]
    (corner,) = laid(
        "Hello moon, hello sun, hello stars", faces=lambda first, end: [*everywhere, Box(780, 900, 300, 700)]
    )
    assert not corner.box.touches(everywhere[0])


@pytest.mark.parametrize("template", templates.TEMPLATES)
@pytest.mark.parametrize("ground", [16, 60, 128, 200, 235])
def test_captions_read_on_any_picture(ground, template):
    (caption,) = laid("Hello moon", until=5, template=template)
    grey = (ground - 16) * 255 / 219
    caption = replace(caption, halo=lettering.strength(grey))
    text, _ = lettering.bitmaps(caption, "#e8643c")
    picture = frames.blank(1080, 1920)
    picture.y[:] = ground
    frames.lay(picture, text)
    first = caption.words[0]
    area = picture.y[int(first.baseline) - 38 : int(first.baseline), int(first.x) : int(first.x + first.width)]
    grey = [tuple([round((int(v) - 16) * 255 / 219)] * 3) for v in (area.max(), np.percentile(area[area < 190], 60))]
    assert lettering.contrast(*grey) >= 4.5


@pytest.mark.parametrize("template", templates.TEMPLATES)
@pytest.mark.parametrize("photo", ["1-portrait", "2-deep-field", "4-coffee", "6-moon", "white"])
def test_letters_stand_out_from_what_is_around_them_on_real_photos(photo, template, tmp_path):
    """In a frame of a film: the ring around the letters against the letters, WCAG's 3 for large type and more."""
    path = Path(__file__).parent / "photos" / "story" / f"{photo}.jpg"
    if photo == "white":
        path = tmp_path / "white.jpg"
        Image.new("RGB", (900, 1600), "white").save(path)
    scene = SceneIn("", tuple(timed("Nobody laughed as loudly as you did")), 3.0, path)
    spec = FilmSpec(540, 960, "", "", "", "", "", 8, template=template)
    timeline = plan([scene], spec)
    caption = timeline.captions[0]
    silent = replace(caption, words=tuple(replace(word, start=0, end=0) for word in caption.words))
    timeline = replace(timeline, captions=(silent,))
    grey = np.asarray(picture.still(timeline, (caption.start + caption.end) // 2, tmp_path).convert("L"))
    bare = np.asarray(
        picture.still(replace(timeline, captions=()), (caption.start + caption.end) // 2, tmp_path).convert("L")
    )
    x, y, right, bottom = (int(v) for v in (caption.box.x, caption.box.y, caption.box.right, caption.box.bottom))
    assert np.abs(grey.astype(int) - bare)[y:bottom, x:right].mean() > 10, "the control: there is a caption"
    letters = Image.new("L", spec.size)
    for word in caption.words:
        fonts.draw(letters, (word.x, word.baseline), word.text, templates.of(template).caption, caption.size, fill=255)
    mask = (np.asarray(letters) > 200).astype(np.uint8)
    near, far = (cv2.dilate((np.asarray(letters) > 0).astype(np.uint8), np.ones((k, k), np.uint8)) for k in (3, 7))
    ring, inside = grey[(far - near) > 0], grey[cv2.erode(mask, np.ones((2, 2), np.uint8)) > 0]
    light, dark = int(np.percentile(inside, 30)), int(np.percentile(ring, 90))
    assert lettering.contrast((light,) * 3, (dark,) * 3) >= 3.5


def test_the_pill_covers_the_word_beneath_and_its_ink_reads_on_it():
    for accent in ("#e8643c", "#ffd400", "#1b2a6b", "#ffffff", "#000000"):
        ground, ink = lettering.pill_colours(accent)
        assert lettering.contrast(ground, ink) >= 3
    (caption,) = laid("Hello moon", until=5)
    text, pills = lettering.bitmaps(caption, "#1b2a6b")
    assert len(pills) == 2
    picture = frames.blank(1080, 1920)
    frames.lay(picture, text)
    frames.lay(picture, pills[0])
    first = caption.words[0]
    x, y = int(first.x) - 6, int(first.baseline) - 20
    assert frames.to_image(picture).getpixel((x, y))[2] > 80


def test_a_wrong_colour_is_named():
    with pytest.raises(ValueError, match="blue"):
        lettering.rgb("blue")


def test_every_character_of_a_nasty_line_is_drawn_as_it_is():
    assert fonts.missing_glyphs(NASTY) == set()
    assert "".join(run for run, _ in fonts.runs("a {\\b1}", "caption")) == "a {\\b1}"
    assert fonts.width(NASTY, "caption", 50) > 500


SCRIPTS = {
    "arabic": "عيد ميلاد سعيد يا أحمد (اليوم)!",
    "hebrew": "יום הולדת שמח, יואב!",
    "devanagari": "जन्मदिन की शुभकामनाएँ, प्रिया!",
    "thai": "สุขสันต์วันเกิด สมหญิง",
    "chinese": "生日快乐，李小龙！",
    "japanese": "お誕生日おめでとう、さくら",
    "korean": "생일 축하해요, 민준!",
    "greek and cyrillic": "Χρόνια πολλά, Юля!",
    "latin": "Łukasz, Ağça, Ngũgĩ, Nguyễn, Œdipe, ßørn",
}


@pytest.mark.parametrize("style", ["caption", "caption-serif", "caption-round", "title", "title-round", "note"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_drawn_from_fonts_that_come_with_the_film_maker(script, style, monkeypatch):
    """Not from the machine's: another one has others."""
    monkeypatch.setattr(fonts, "_system_fonts", lambda: ())
    fonts.runs.cache_clear()
    assert fonts.missing_glyphs(SCRIPTS[script]) == set()
    for run, path in fonts.runs(SCRIPTS[script], style):
        assert all(ord(ch) in fonts._coverage(path) for ch in run if not fonts._invisible(ch)), (run, path.name)


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_letter_of_a_word_is_an_empty_box(script):
    """What FreeType draws for a glyph it has not is the same box each time: letters differ from it and from nothing."""
    for word in SCRIPTS[script].split():
        drawn, box = Image.new("L", (700, 120)), Image.new("L", (700, 120))
        fonts.draw(drawn, (20, 80), word, "caption", 50, fill=255)
        (_, path), *_ = fonts.runs(word, "caption")
        ImageDraw.Draw(box).text((20, 80), "\U0010fffd" * len(word), font=fonts._font(path, "caption", 50), anchor="ls")
        assert drawn.getbbox() is not None
        assert np.abs(np.asarray(drawn, int) - np.asarray(box, int)).sum() > 255 * 50


def test_a_word_keeps_one_face_and_its_joined_letters():
    assert len(fonts.runs("Łukasz", "caption-round")) == 1
    assert fonts.width("سلام", "caption", 50) < 0.8 * sum(fonts.width(ch, "caption", 50) for ch in "سلام")


def test_emoji_are_drawn_with_the_emoji_font_and_stay_whole():
    pieces = fonts.runs("go 👩‍🚀!", "caption")
    assert [piece for piece, _ in pieces] == ["go ", "👩‍🚀", "!"]
    assert "Emoji" in pieces[1][1].name


def test_emoji_come_in_colour_and_those_without_a_picture_as_shapes():
    (caption,) = laid("We 🎉 danced 👍🏽 on", until=5)
    assert ["Color" in path.name for run, path in fonts.runs("🎉👍🏽❤️👩‍🚀1️⃣", "caption")] == [True, False, True]
    text, pills = lettering.bitmaps(caption, "#e8643c")
    picture = frames.blank(1080, 1920)
    frames.lay(picture, text)
    for word, coloured in ((caption.words[1], True), (caption.words[0], False), (caption.words[3], False)):
        x, y = int(word.x), int(word.baseline)
        area = np.asarray(frames.to_image(picture).crop((x, y - 40, x + int(word.width), y + 6)), int)
        assert ((area.max(axis=2) - area.min(axis=2)).max() > 120) == coloured
    frames.lay(picture, pills[1])
    x, y = int(caption.words[1].x), int(caption.words[1].baseline)
    blue = np.asarray(frames.to_image(picture).crop((x, y - 40, x + 50, y + 6)), int)
    assert (blue[..., 2] - blue[..., 0]).max() > 60, "the popper's own blue, on the orange pill"


def test_a_character_nobody_can_draw_is_reported():
    assert fonts.missing_glyphs("ok \U0010fffd") == {"\U0010fffd"}
    assert fonts.missing_glyphs("line\nbreak\t") == set()


def test_where_nothing_shapes_letters_their_scripts_are_reported_instead_of_jumbled(monkeypatch):
    monkeypatch.setattr(fonts, "shaping", lambda: False)
    assert fonts.missing_glyphs("Dear سلام") == set("سلام")
    assert fonts.missing_glyphs("Dear प्रिया") == set("प्रिया")
    assert fonts.missing_glyphs("Dear 李小龙, Юля and Łukasz 🎉") == set()


def test_right_to_left_words_stand_from_right_to_left():
    assert fonts.right_to_left("שלום")
    assert not fonts.right_to_left("hello")
    (caption,) = laid("שלום עולם", until=5)
    assert caption.words[0].x > caption.words[1].x


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("dear אבא היקר come home", "dear היקר אבא come home"),
        ("שלום John Smith שלי", "שלי John Smith שלום"),
        ("שלום 1998 שלי", "שלי 1998 שלום"),
        ("one two", "one two"),
    ],
)
def test_words_of_both_directions_stand_in_their_order(line, seen):
    words = line.split()
    order = fonts.in_order(words, backwards=fonts.right_to_left(line))
    assert [words[i] for i in order] == seen.split()


def test_punctuation_of_a_right_to_left_word_stands_on_its_left():
    """The mark comes from another font than the letters."""
    plain, marked = Image.new("L", (500, 120)), Image.new("L", (500, 120))
    fonts.draw(plain, (100, 80), "שלום", "caption", 60, fill=255)
    fonts.draw(marked, (100, 80), "שלום!", "caption", 60, fill=255)
    mark = round(fonts.width("שלום!", "caption", 60) - fonts.width("שלום", "caption", 60))
    assert mark > 8
    moved = np.abs(np.asarray(marked, int)[:, mark:] - np.asarray(plain, int)[:, :-mark])
    assert (moved[:, 100:] > 128).mean() < 0.01, "the letters stand to the right of the mark"


def test_a_word_too_long_for_a_row_is_cut_between_letters_and_stands_as_one():
    (caption,) = laid("प्रि" * 12, until=5)
    assert caption.text == "प्रि" * 12
    assert all(word.text.startswith("प्रि") for word in caption.words)
    family = "👨‍👩‍👧"
    assert all(
        word.text == family * (len(word.text) // len(family)) for c in laid(family * 20, until=5) for word in c.words
    )


def test_templates_differ_in_type_mark_and_ground():
    looks = []
    for template in templates.TEMPLATES:
        (caption,) = laid("Hello moon", until=5, template=template)
        picture = frames.blank(1080, 1920)
        text, marks = lettering.bitmaps(caption, "#7b4bb7")
        frames.lay(picture, text)
        frames.lay(picture, marks[0])
        title = cards.title_bitmap((1080, 1920), "Eileen", "from us", "#7b4bb7", template)
        looks.append(
            (picture.y.tobytes(), cards.end_ground((270, 480), "#7b4bb7", template).y.mean(), title.colour.size)
        )
    assert len({pixels for pixels, _, _ in looks}) == len(looks) == 3
    grounds = sorted(light for _, light, _ in looks)
    assert all(two - one > 4 for one, two in pairwise(grounds))


@pytest.mark.parametrize("template", templates.TEMPLATES)
@pytest.mark.parametrize("accent", ["#e4572e", "#1f7a8c", "#7b4bb7", "#ffd400", "#ffffff"])
def test_the_end_card_reads_on_its_ground(template, accent):
    ground = frames.to_image(cards.end_ground((270, 480), accent, template))
    lightest = max(((r, g, b) for _, (r, g, b) in ground.getcolors(270 * 480)), key=sum)
    assert lettering.contrast((255, 252, 246), lightest) >= 4.5


def test_the_dark_around_letters_is_only_as_strong_as_the_picture_needs():
    strengths = [lettering.strength(luma) for luma in range(0, 256, 5)]
    assert strengths == sorted(strengths)
    assert strengths[0] < 0.5
    assert strengths[-1] == 1.0


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
        assert lettering.contrast(*[tuple([max(0, int((v - 16) * 255 / 219))] * 3) for v in (light, dark)]) >= 4.5
