"""The script writer on every story: a table of what was said, kept and left out, and with --show the scripts.

Run as `python -m benchmarks.stories [--show] [slug …]`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pipeline.providers.base import ProviderError, ScriptDraft, WriteRequest
from pipeline.providers.local_writer import LocalWriter
from pipeline.providers.writing.facts import gather
from pipeline.providers.writing.fit import count, words_wanted
from pipeline.providers.writing.person import who_is
from tests.stories import STORIES, Story


def findings(request: WriteRequest, script: ScriptDraft) -> list[str]:
    """What a careful reader would object to."""
    lines = [s.text for s in script.scenes]
    found = []
    wanted = words_wanted(request.seconds, len(lines), request.words_per_second)
    words = sum(map(count, lines))
    if words > wanted * 1.12:
        found.append(f"long +{words / wanted - 1:.0%}")
    stretched = (request.seconds - 5.8 - 1.6 * (len(lines) + 1)) * request.words_per_second
    if words < stretched:  # cards and pauses at their longest do not fill the film
        found.append(f"short {words / stretched - 1:.0%}")
    free = [s.text for s in script.scenes if s.role != "must_say"]
    found += [f"line of {count(t)}" for t in free if not 3 <= count(t) <= 22]
    if len(set(lines)) < len(lines):
        found.append("a line twice")
    if request.occasion in {"condolence", "sorry"} and any("!" in t for t in free):
        found.append("exclaims")
    found += [
        f"broken: {m.group()}"
        for t in free
        if (m := re.search(r"\b[Yy]ou (?:is|was|has|does|drinks|loves|flies)\b", t))
    ]
    found += [f"marks: {m.group()}" for t in free if (m := re.search(r"[.!?]['\"’”]?[.!]|\b(\w+) \1\b", t))]
    says_you = any(re.search(r"\byou\b", t, re.I) for t in free)
    if (
        says_you
        and request.occasion != "new_baby"
        and (who := who_is(request.name, request.occasion, request.notes)).pronoun in {"she", "he"}
    ):
        own = {"she": r"\b(?:she|herself)\b", "he": r"\b(?:he|himself)\b"}[who.pronoun]
        found += [f"person: {t}" for t in free if who.spoken_to and re.search(own, t, re.I)]
    return found


def row(story: Story) -> tuple[list[str], ScriptDraft | None]:
    """The table's row of a story, and its script where there is one."""
    request = story.request()
    try:
        script = ScriptDraft.from_json(LocalWriter().submit(story.slug, request.to_json(), Path()).result)
    except ProviderError as error:
        verdict = "as expected" if story.expect == "refused" else "UNEXPECTED"
        return [story.slug, "refused", "", "", "", "", "", f"{verdict}: {error.fan[:60]}"], None
    lines = [s.text for s in script.scenes]
    wanted = words_wanted(request.seconds, len(lines), request.words_per_second)
    said = sum(m in lines for m in request.must_say)
    kept = sum(s.role == "fact" for s in script.scenes)
    facts = len(gather(request.notes, names=(request.name,)).facts)
    names = sum(len(re.findall(rf"\b{re.escape(request.name)}\b", t)) for t in lines)
    trouble = findings(request, script) + (["UNEXPECTED script"] if story.expect == "refused" else [])
    return [
        story.slug,
        f"{said}/{len(request.must_say)}",
        f"{len(lines)}",
        f"{kept} of {facts}, {len(script.left_out)} out",
        f"{sum(map(count, lines))}/{wanted:.0f}",
        f"{names}",
        f"{max(map(count, lines))}",
        ", ".join(trouble) or "-",
    ], script


def main(arguments: list[str]) -> None:
    """Print the table, and the scripts where asked to."""
    show = "--show" in arguments
    slugs = [a for a in arguments if not a.startswith("--")]
    head = ["story", "must-says", "scenes", "facts said", "words", "names", "longest", "findings"]
    print(f"{head[0]:24}{head[1]:11}{head[2]:8}{head[3]:20}{head[4]:10}{head[5]:7}{head[6]:9}{head[7]}")
    for story in STORIES:
        if slugs and story.slug not in slugs:
            continue
        cells, script = row(story)
        print(f"{cells[0]:24}{cells[1]:11}{cells[2]:8}{cells[3]:20}{cells[4]:10}{cells[5]:7}{cells[6]:9}{cells[7]}")
        if show and script:
            print(f"    [{script.title}] {story.occasion}, {story.tone}, {story.seconds} s, {story.photos} photos")
            for scene in script.scenes:
                print(f"    {scene.photo} {scene.role:9} {scene.text}")
            for quote in script.left_out:
                print(f"      left out: {quote}")


if __name__ == "__main__":
    main(sys.argv[1:])
