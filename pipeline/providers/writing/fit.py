"""How much fits: facts weighed, joined, split and padded to the length of the film and the number of its pictures."""

from __future__ import annotations

import functools
import itertools
import random
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing import phrases
from pipeline.providers.writing.person import Line, Voice, finished
from pipeline.providers.writing.tidy import words_of

LEAST_SCENES, MOST_SCENES = 5, 10
LONGEST_LINE, SHORTEST_LINE = 22, 3  # words
CARDS_SECONDS = 5.0  # title and end card
PAUSE_SECONDS = 0.45  # after each line
SCENE_SECONDS = 5.0  # a picture shown longer than this wants a second line
_TURN = 8  # words that a picture rather stays longer for than past the turn of a chapter


@dataclass(frozen=True, slots=True)
class Unit:
    """What one scene says of the facts: finished text, the fan's words behind it, and its place in the notes."""

    text: str
    start: int
    end: int
    voice: Voice = "creator"
    item: bool = False
    about_you: bool = False
    sad: bool = False
    parts: tuple[Line, ...] = ()
    half: bool = False  # one of the halves of a long sentence


@dataclass(slots=True)
class Plan:
    """What was chosen: the units in order, the number of scenes, and the lines there was no room for."""

    units: list[Unit] = field(default_factory=list)
    scenes: int = LEAST_SCENES
    left: list[Line] = field(default_factory=list)


@functools.lru_cache(4096)
def count(text: str) -> int:
    """Words in a text, as a reader counts them: what stands between spaces and has a letter or a digit."""
    return sum(any(c.isalnum() for c in word) for word in text.split())


def words_wanted(seconds: float, scenes: int, pace: float) -> float:
    """Words that fill a film: the time left by the cards and by a pause after each line, at `pace` words a second."""
    return max(0.0, (seconds - CARDS_SECONDS - PAUSE_SECONDS * scenes) * pace)


def weight(line: Line, place: int, *, framed: bool = False) -> float:
    """How much a fact is worth telling: names, numbers and deeds before praise anyone could get."""
    words = words_of(line.fact.text)
    inner = line.fact.text.split()[1:]
    score = 1.0
    score += 1.4 * any(c.isdigit() for c in line.text)
    score += 0.8 * any(w[:1].isupper() and w not in {"I", "I'm", "I've"} for w in inner)
    score += 0.9 * any(w in lex.PAST or (lex.is_past(w) and w not in lex.PARTICIPLES) for w in words)
    score += 0.5 * line.about_you
    score += 0.12 * len({w for w in words if len(w) > 4 and w not in lex.VAGUE})
    score -= 0.8 * sum(w in lex.VAGUE for w in words) * (len(words) < 9)
    score -= 0.08 * max(0, len(words) - 14)
    score -= 1.5 * (line.voice == "whole")
    score += 0.5 * (place == 0)
    score -= 1.0 * (framed and line.voice == "sender")
    return score


def choose(
    lines: Sequence[Line], budget: float, at_least: int, *, framed: bool = False
) -> tuple[list[Line], list[Line]]:
    """The lines worth their words within `budget` (but `at_least` that many), in their own order; and the rest.

    A line that leans on the one before ("It thinks …") never goes without it.
    """
    chosen: set[int] = set()
    spent = 0
    terse = 0.1 if budget < 20 else 0.0
    ranked = sorted(
        range(len(lines)), key=lambda k: (terse * count(lines[k].text) - weight(lines[k], k, framed=framed), k)
    )
    for k in ranked:
        chain = [k]
        while lines[chain[-1]].leans and chain[-1] > 0:
            chain.append(chain[-1] - 1)
        new = [c for c in chain if c not in chosen]
        cost = sum(count(lines[c].text) for c in new)
        if spent + cost <= budget or (len(chosen) < at_least and (not chosen or spent + cost <= budget * 1.25 + 6)):
            chosen |= set(new)
            spent += cost
    return [lines[k] for k in sorted(chosen)], [line for k, line in enumerate(lines) if k not in chosen]


def units_of(lines: Iterable[Line], *, framed: bool) -> list[Unit]:
    """Each line as a scene of its own; sentences too long for one breath become two or three."""
    units: list[Unit] = []
    for line in lines:
        pieces = breaths(line.text, LONGEST_LINE - 5 if framed and line.voice != "creator" else LONGEST_LINE - 1)
        sad = bool(lex.SENSITIVE.search(line.fact.text))
        units += [_unit(line, piece, half=len(pieces) > 1, sad=sad) for piece in pieces]
    return units


def _unit(line: Line, text: str, *, half: bool, sad: bool) -> Unit:
    item = line.fact.kind == "item" and count(text) < SHORTEST_LINE
    return Unit(text, line.fact.start, line.fact.end, line.voice, item, line.about_you, sad, (line,), half)


def breaths(text: str, longest: int = LONGEST_LINE - 1) -> list[str]:
    """A sentence cut where a speaker would breathe, every piece at most `longest` words; "…" marks an open end."""
    if count(text) <= longest:
        return [text]
    words = text.split(" ")
    middle = len(words) / 2

    def cost(k: int) -> float:
        before, after = words[k - 1], words[k].casefold().strip(",.;:!?")
        natural = (
            0.0 if before[-1:] in ",;:–" else 1.5 if after in {"and", "but", "because", "so", "who", "which"} else None
        )
        if natural is None:
            natural = (
                3.0 if after in {"when", "while", "where", "that", "with", "until", "after", "before", "if"} else 4.5
            )
            natural += 4.0 * (after not in lex.PREPOSITIONS | lex.CONJUNCTIONS)
            natural += 6.0 * (before.casefold() in lex.DETERMINERS | lex.PREPOSITIONS)
        return natural + abs(k - middle) * 0.45

    at = min(range(min(4, len(words) - 1), max(5, len(words) - 3)), key=lambda k: cost(min(k, len(words) - 1)))
    first, rest = " ".join(words[:at]), " ".join(words[at:])
    first = first.rstrip(",;:– ") + ("," if first[-1:] == "," else "…")
    return [*breaths(first, longest), *breaths(rest, longest)]


def join(units: list[Unit], slots: int) -> list[Unit]:
    """Neighbours put into one scene, the shortest pair first, until there are `slots` or no pair fits a line."""
    units = list(units)
    while len(units) > max(1, slots):
        pairs = [
            (count(a.text) + count(b.text) - 6 * b.parts[0].fact.inherits, k)
            for k, (a, b) in enumerate(itertools.pairwise(units))
            if a.voice == b.voice
            and a.item == b.item
            and not (a.half or b.half)
            and count(a.text) + count(b.text) <= LONGEST_LINE
        ]
        if not pairs:
            break
        k = min(pairs)[1]
        a, b = units[k], units[k + 1]
        both = f"{a.text} {b.text}"
        units[k : k + 2] = [
            Unit(
                both,
                min(a.start, b.start),
                max(a.end, b.end),
                a.voice,
                a.item and b.item,
                a.about_you,
                a.sad or b.sad,
                a.parts + b.parts,
            )
        ]
    return units


def spread(units: list[Unit], slots: int) -> list[Unit]:
    """Long sentences halved over two pictures while there are pictures without words."""
    units = list(units)
    while len(units) < slots:
        long = [k for k, u in enumerate(units) if not u.half and len(u.parts) == 1 and count(u.text) >= 12]
        if not long:
            break
        k = max(long, key=lambda i: count(units[i].text))
        pieces = breaths(units[k].text, count(units[k].text) - 1)
        if len(pieces) < 2 or any(count(p) < 4 for p in pieces) or not _opens_well(pieces[1]):
            units[k] = replace(units[k], half=True)
            continue
        units[k : k + 1] = [replace(units[k], text=p, half=True) for p in pieces]
    return units


def _opens_well(piece: str) -> bool:
    first = piece.split(" ", maxsplit=1)[0].casefold()
    return first in lex.CONJUNCTIONS | {
        "with",
        "after",
        "before",
        "until",
        "for",
        "in",
        "at",
        "on",
        "to",
        "from",
        "like",
    }


def plan(
    lines: Sequence[Line], *, photos: int, seconds: int, pace: float, said: Sequence[str], fixed: int, frames: bool
) -> Plan:
    """Choose, join and split facts for a film of `photos` pictures.

    `said` are the must-says; `fixed` scenes are neither those nor facts.
    `frames`: whether quoted lines will get a few words before them.
    """
    fewest = max(photos, LEAST_SCENES)
    wished = min(MOST_SCENES, max(fewest, round(seconds / SCENE_SECONDS)))
    taken = len(said) + fixed
    slots = max(0, min(MOST_SCENES, max(wished, taken + 1)) - taken)
    wanted = words_wanted(seconds, wished, pace)
    reserve = min(20.0, max(6.0, wanted * 0.24))
    budget = wanted - sum(map(count, said)) - reserve - 4 * frames
    bare = max(0, fewest - taken)  # pictures that a fact or a filler has to speak for: better a fact
    budget = max(budget, min(bare, len(lines)) * 6.0 - 4)
    chosen, left = choose(lines, budget, at_least=min(slots, max(1, bare)) if slots else 0, framed=frames)
    units = join(units_of(chosen, framed=frames), slots)
    while len(units) > slots and chosen:  # a long sentence that takes more pictures than there are
        worst = min(range(len(chosen)), key=lambda k: weight(chosen[k], k) - 0.1 * count(chosen[k].text))
        drop = {worst}
        while worst + 1 < len(chosen) and chosen[worst + 1].leans:
            worst += 1
            drop.add(worst)
        if len(drop) == len(chosen):
            units = units[:slots]
            break
        left = [*left, *(chosen[k] for k in sorted(drop))]
        chosen = [line for k, line in enumerate(chosen) if k not in drop]
        units = join(units_of(chosen, framed=frames), slots)
    units = spread(units, fewest - taken)
    left.sort(key=lambda line: line.fact.start)
    scenes = max(fewest, taken + len(units))
    short = words_wanted(seconds, scenes, pace) - sum(count(u.text) for u in units) - sum(map(count, said))
    # An opening and an ending of one scene each hold some 34 words; a lead and a closer in scenes of their own, more.
    spare = (short > 34) + (short > 44) if fixed == 2 else 0
    spare = min(spare, max(0, 2 - (scenes - taken - len(units))))
    return Plan(units, min(max(scenes, wished), scenes + spare), left)


def frame_items(units: list[Unit], mood: str, rng: random.Random) -> list[Unit]:
    """Single words said so that they make a line: "Let's start with coffee." Groups of words stand as they are."""
    frames = phrases.item_frames(mood)
    items = [k for k, unit in enumerate(units) if unit.item]
    out = list(units)
    if items and items[0]:  # "Exhibit B" needs an "Exhibit A"
        frames = frames if mood == "soft" else phrases.ITEM_FRAMES["warm"]
    nexts = list(frames["next"])
    for n, k in enumerate(items):
        text = units[k].text
        if len(units[k].parts) > 1 and count(text) >= SHORTEST_LINE:
            continue
        bare = text.rstrip(".!?")
        plain = units[k].parts[0].fact.text
        x = _with_article(
            plain if len(units[k].parts) == 1 and bare.casefold() == plain.casefold() else bare[:1].lower() + bare[1:]
        )
        one_word = len(units) == 1 and count(bare) == 1
        if one_word:
            frame = rng.choice(frames["only"])
        elif n == 0 and k == 0:
            frame = rng.choice(frames["first"])
        elif n == len(items) - 1 and k == len(units) - 1:
            frame = rng.choice(frames["last"])
        else:
            frame = nexts.pop(0) if nexts else "{x}."
        out[k] = replace(units[k], text=finished(frame.format(x=x)), item=False, half=True)
    return out


def _with_article(noun: str) -> str:
    """ "cat" → "a cat" for the plain things this lexicon can count; the rest as the fan wrote it."""
    words = noun.split()
    if len(words) == 1 and noun.casefold() in lex.COUNTABLE:
        return ("an " if noun[0] in "aeiou" else "a ") + noun
    return noun


def listed(units: list[Unit]) -> list[Unit]:
    """Groups of list items as "Coffee. A cat. Space."."""
    out = []
    for unit in units:
        if not unit.item or len(unit.parts) == 1:
            out.append(unit)
            continue
        said = " ".join(finished(_with_article(part.text.rstrip(".!?"))) for part in unit.parts)
        out.append(replace(unit, text=said, item=count(said) < SHORTEST_LINE))
    return out


def photos_of(words: Sequence[int], turns: Collection[int], photos: int) -> list[int]:
    """The picture of each scene, from the words of its line: all of them, in order.

    Where there are fewer than scenes, those stay whose neighbouring lines are soonest said, if possible not for two
    between which a chapter `turns` (numbers of scenes that begin one).
    """
    count_, photos = len(words), min(photos, len(words))

    def cost(cuts: tuple[int, ...]) -> int:
        spans = list(itertools.pairwise((0, *cuts, count_)))
        return sum(sum(words[a:b]) ** 2 for a, b in spans) + _TURN**2 * sum(turn not in cuts for turn in turns)

    cuts = min(itertools.combinations(range(1, count_), photos - 1), key=cost)
    return [sum(cut <= scene for cut in cuts) for scene in range(count_)]


def ends_open(text: str) -> bool:
    """Whether a line is the first half of a sentence."""
    return bool(re.search(r"[,…]$", text))
