"""The script writer on two dozen stories: a table of what was said, kept, left out and made up, and the scripts.

Run as `python -m benchmarks.stories [--show] [--all | slug …]`. Facts are counted as said, left out (the script says
which) or lost. Made up is every word of the script that stands neither in the order nor among the writer's own phrases.
`name` and `fact` are the seconds at which the name and the first fact begin to be heard, `shots` the shortest and the
longest time a picture stands, in a film planned from these lines. Ends with 1 where a careful reader would object to
something.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

from pipeline.media.pacing import DISSOLVE, END, LEAD, LONGEST_SHOT, PAUSE, SHORTEST_SHOT, TITLE
from pipeline.media.timeline import FilmSpec, SceneIn, Timeline, Word, plan
from pipeline.providers.base import ProviderError, ScriptDraft, WriteRequest
from pipeline.providers.local_writer import LocalWriter
from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing import phrases
from pipeline.providers.writing.facts import gather
from pipeline.providers.writing.fit import count, words_wanted
from pipeline.providers.writing.person import who_is
from pipeline.providers.writing.tidy import plain_words, squeeze
from tests.samples import PORTRAIT
from tests.stories import CHOSEN, STORIES, Story

SAD = {"condolence", "sorry"}
FEWEST_NAMES, MOST_NAMES = 2, 4
NAMED_BY, TOLD_BY = 3.0, 8.5  # seconds: the opening second earns the next
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_EMPTY = (
    lex.PRONOUNS | lex.DETERMINERS | lex.PREPOSITIONS | lex.CONJUNCTIONS | lex.MODALS | set(lex.BE_HAVE)
    | {"are", "were", "have", "do", "be", "been", "to", "so", "too", "very", "really", "there", "also", "just"}
)  # fmt: skip


def stems(word: str) -> set[str]:
    """A word with and without the endings a change of person may add or take."""
    word = word.casefold().replace("’", "'").strip("'")
    bare = re.sub(r"'(?:s|re|ve|d|ll|m)$", "", word)
    return {word, bare, bare.removesuffix("s"), bare.removesuffix("es"), re.sub(r"ies$", "y", bare)}


def vocabulary(*texts: str) -> set[str]:
    """All words of some texts, with and without endings."""
    return {stem for text in texts for word in _WORD.findall(text) for stem in stems(word)}


def all_strings(value: object) -> list[str]:
    """Every string in nested tuples and dictionaries."""
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value
    return [text for child in children for text in all_strings(child)]  # type: ignore[attr-defined]


@cache
def own_phrases() -> set[str]:
    """Every word of the writer's own phrases."""
    return vocabulary(*all_strings([v for k, v in vars(phrases).items() if k.isupper()]))


@cache
def connectives() -> set[str]:
    """Every word of its own the writer may put around a fact."""
    around = [
        phrases.ASIDES,
        phrases.BRIDGES,
        phrases.PREFIXES,
        phrases.ITEM_FRAMES,
        phrases.QUOTES,
        phrases.QUOTE_ON,
        phrases.JOINER,
    ]
    return vocabulary(
        *all_strings(around),
        "you your yours yourself yourselves you're you've you'd you'll I a an the and are were have do don't aren't "
        "weren't haven't",
        "my love",  # "your songs", said by the creator; a heart between two words
    )


def made_up(request: WriteRequest, script: ScriptDraft) -> list[str]:
    """The words of a script that nobody told: neither the order's, slips put right, nor the writer's own phrases."""
    told = vocabulary(request.name, f"{request.name}'s", request.sender, request.occasion)
    told |= vocabulary(request.notes, " ".join(plain_words(request.notes)), *request.must_say)
    return [
        word
        for scene in script.scenes
        for word in _WORD.findall(scene.text)
        if scene.role != "must_say"
        and not stems(word) & (told | (connectives() if scene.role == "fact" else own_phrases()))
    ]


def facts_of(request: WriteRequest, script: ScriptDraft) -> tuple[int, int, list[str]]:
    """How many of the facts in the notes are said, how many are named as left out, and those that are neither."""
    said = vocabulary(*(scene.text for scene in script.scenes))
    left = {squeeze(quote) for quote in script.left_out}
    kept, out, lost = 0, 0, []
    harvest = gather(request.notes, names=(request.name, request.name.split()[0]))
    for fact in harvest.facts:
        content = [word for word in plain_words(fact.text) if not stems(word) & _EMPTY] or plain_words(fact.text)
        if any(squeeze(fact.quote) in quote for quote in left):
            out += 1
        elif 3 * sum(bool(stems(word) & said) for word in content) >= 2 * len(content):
            kept += 1
        else:
            lost.append(fact.text)
    return kept, out, lost


def planned(request: WriteRequest, script: ScriptDraft) -> Timeline:
    """The film of a script, read at the request's pace, over one photo."""
    scenes = []
    for number, scene in enumerate(script.scenes):
        words = scene.text.split()
        timed = [(k / request.words_per_second, (k + 0.9) / request.words_per_second) for k in range(len(words))]
        line = tuple(Word(word, *times) for word, times in zip(words, timed, strict=True))
        scenes.append(SceneIn(scene.text, line, len(words) / request.words_per_second, PORTRAIT, seed=number))
    return plan(scenes, FilmSpec(270, 480, script.title, "", "", "", "", float(request.seconds)))


def heard(request: WriteRequest, script: ScriptDraft, film: Timeline) -> tuple[float, float]:
    """The seconds at which the name and the first fact (a must-say is one) begin to be said."""
    name = fact = film.seconds
    for scene, (_, start) in reversed(list(zip(script.scenes, film.narration, strict=True))):
        before, said, _ = scene.text.partition(request.name)
        name = start + count(before) / request.words_per_second if said else name
        fact = start if scene.role in {"fact", "must_say"} else fact
    return name, fact


def shots_of(film: Timeline) -> tuple[float, float]:
    """The shortest and the longest time from cut to cut, in seconds."""
    lengths = [(shot.end - shot.start) / film.spec.fps - DISSOLVE for shot in film.shots if shot.kind == "photo"]
    return min(lengths), max(lengths)


def names_of(request: WriteRequest, script: ScriptDraft) -> int:
    """How often the name is said."""
    return sum(len(re.findall(rf"\b{re.escape(request.name)}\b", scene.text)) for scene in script.scenes)


def findings(request: WriteRequest, script: ScriptDraft) -> list[str]:
    """What a careful reader would object to."""
    lines = [s.text for s in script.scenes]
    found = []
    wanted = words_wanted(request.seconds, len(lines), request.words_per_second)
    words = sum(map(count, lines))
    if words > wanted * 1.12:
        found.append(f"long +{words / wanted - 1:.0%}")
    stretched = (request.seconds - TITLE[2] - LEAD - END[2] - PAUSE[2] * len(lines)) * request.words_per_second
    if words < stretched:  # cards and pauses at their longest do not fill the film
        found.append(f"short {words / stretched - 1:.0%}")
    free = [s.text for s in script.scenes if s.role != "must_say"]
    found += [f"line of {count(t)}" for t in free if not 3 <= count(t) <= 22]
    if len(set(lines)) < len(lines):
        found.append("a line twice")
    who = who_is(request.name, request.occasion, request.notes)
    if (request.occasion in SAD or who.mourned) and any("!" in t for t in free):
        found.append("exclaims")
    if missing := [line for line in request.must_say if line not in lines]:
        found.append(f"not said: {missing}")
    if not FEWEST_NAMES <= names_of(request, script) <= MOST_NAMES:
        found.append("name")
    if invented := made_up(request, script):
        found.append(f"made up: {invented}")
    film = planned(request, script)
    name, fact = heard(request, script, film)
    if min(name, fact) > NAMED_BY:
        found.append(f"neither name nor fact before {min(name, fact):.1f} s")
    if fact > TOLD_BY:
        found.append(f"no fact before {fact:.1f} s")
    shortest, longest = shots_of(film)
    if shortest < SHORTEST_SHOT - 0.05 or longest > LONGEST_SHOT + 0.05:
        found.append(f"shots of {shortest:.1f} to {longest:.1f} s")
    if lost := facts_of(request, script)[2]:
        found.append(f"lost: {lost}")
    found += [
        f"broken: {m.group()}"
        for t in free
        if (m := re.search(r"\b[Yy]ou (?:is|was|has|does|drinks|loves|flies)\b", t))
    ]
    found += [f"marks: {m.group()}" for t in free if (m := re.search(r"[.!?]['\"’”]?[.!]|\b(\w+) \1\b", t))]
    says_you = any(re.search(r"\byou\b", t, re.I) for t in free)
    if says_you and request.occasion != "new_baby" and who.pronoun in {"she", "he"}:
        own = {"she": r"\b(?:she|herself)\b", "he": r"\b(?:he|himself)\b"}[who.pronoun]
        found += [f"person: {t}" for t in free if who.spoken_to and re.search(own, t, re.I)]
    return found


def row(story: Story) -> tuple[list[str], ScriptDraft | None]:
    """The table's row of a story, its last cell what was found ("-" for nothing), and its script where there is one."""
    request = story.request()
    try:
        script = ScriptDraft.from_json(LocalWriter().submit(story.slug, request.to_json(), Path()).result)
    except ProviderError as error:
        fine = story.expect == "refused"
        return [story.slug, *[""] * 10, "-" if fine else f"UNEXPECTED: {error.fan[:60]}"], None
    lines = [s.text for s in script.scenes]
    wanted = words_wanted(request.seconds, len(lines), request.words_per_second)
    kept, out, lost = facts_of(request, script)
    film = planned(request, script)
    trouble = findings(request, script) + (["UNEXPECTED script"] if story.expect == "refused" else [])
    return [
        story.slug,
        f"{sum(m in lines for m in request.must_say)}/{len(request.must_say)}",
        f"{len(lines)}",
        f"{kept} + {out} + {len(lost)}",
        f"{len(made_up(request, script))}",
        f"{sum(map(count, lines))}/{wanted:.0f}",
        f"{names_of(request, script)}",
        f"{max(map(count, lines))}",
        *(f"{second:.1f}" for second in heard(request, script, film)),
        "{:.1f}–{:.1f}".format(*shots_of(film)),
        ", ".join(trouble) or "-",
    ], script


def main(arguments: list[str]) -> int:
    """Print the table, and the scripts where asked to; 1 where something was found."""
    show = "--show" in arguments
    slugs = [a for a in arguments if not a.startswith("--")] or CHOSEN
    head = [
        "story",
        "must-says",
        "scenes",
        "facts said + out + lost",
        "made up",
        "words",
        "names",
        "longest",
        "name",
        "fact",
        "shots",
        "found",
    ]
    widths = [24, 11, 8, 25, 9, 10, 7, 9, 6, 6, 9, 0]
    print("".join(f"{cell:{width}}" for cell, width in zip(head, widths, strict=True)))
    troubled = 0
    for story in STORIES:
        if story.slug not in slugs and "--all" not in arguments:
            continue
        cells, script = row(story)
        troubled += cells[-1] != "-"
        cells[1] = cells[1] if script else "refused"
        print("".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)))
        if show and script:
            print(f"    [{script.title}] {story.occasion}, {story.tone}, {story.seconds} s, {story.photos} photos")
            for scene in script.scenes:
                print(f"    {scene.photo} {scene.role:9} {scene.text}")
            for quote in script.left_out:
                print(f"      left out: {squeeze(quote)}")
    print(f"{troubled} with findings")
    return min(1, troubled)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
