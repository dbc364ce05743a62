"""Captions as text."""

import re

import pytest

from pipeline.media.subtitles import WIDTH, srt, transcript, vtt, wrapped


def test_webvtt_has_its_header_its_times_and_its_words():
    assert vtt([(0, 1.5, "Hello"), (3661.0256, 3662, "Bye")]) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello\n\n01:01:01.026 --> 01:01:02.000\nBye\n"
    )


def test_webvtt_escapes_what_would_be_markup():
    text = vtt([(0, 1, "Tom & <i>Eileen</i> --> home")])
    assert "Tom &amp; &lt;i&gt;Eileen&lt;/i&gt; --&gt; home" in text
    assert text.count("-->") == 1


def test_srt_numbers_its_cues_and_keeps_arrows_out_of_the_text():
    text = srt([(2, 3, "second --> <b>"), (0, 1, "first")])
    assert text.startswith("1\n00:00:00,000 --> 00:00:01,000\nfirst\n\n2\n00:00:02,000 --> 00:00:03,000\n")
    assert text.count("-->") == 2
    assert "<b>" not in text


def test_a_blank_line_or_a_zero_byte_inside_a_cue_cannot_end_it():
    text = vtt([(0, 1, "one\n\ntwo\r\n\x00 three\u2028four")])
    assert "one two three four" in text
    assert len(re.findall("\n\n", text)) == 1


def test_empty_cues_are_left_out():
    assert vtt([(0, 1, "  \n ")]) == "WEBVTT\n"


@pytest.mark.parametrize("cue", [(-1, 1, "a"), (2, 2, "a"), (3, 2, "a")])
def test_impossible_times_are_refused(cue):
    with pytest.raises(ValueError, match="cannot go from"):
        vtt([cue])


def test_long_captions_wrap_into_lines_of_about_equal_length():
    lines = wrapped("You laughed so hard that you dropped the coffee on the cat").split("\n")
    assert len(lines) == 2
    assert all(len(line) <= WIDTH for line in lines)
    assert abs(len(lines[0]) - len(lines[1])) <= 8


def test_a_word_longer_than_a_line_stays_whole():
    assert wrapped("a " + "x" * 60) == "a\n" + "x" * 60


def test_emoji_and_right_to_left_text_stay_as_they_are():
    assert "👩‍🚀 🎉 مرحبا 100% it's: [x]; %{e}" in vtt([(0, 1, "👩‍🚀 🎉 مرحبا 100% it's: [x]; %{e}")])


def test_the_transcript_is_one_paragraph_a_scene():
    assert transcript(["One\n line.", "", " Two. "]) == "One line.\n\nTwo.\n"
