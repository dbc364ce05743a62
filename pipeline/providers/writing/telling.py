"""One script being told: openings, facts, asides, fillers and endings put in order and tuned to the film's length."""

from __future__ import annotations

import functools
import random
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from pipeline.providers.base import PhotoNote, SceneDraft, ScriptDraft, WriteRequest
from pipeline.providers.writing import fit, phrases, safety, wish
from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing.address import Who
from pipeline.providers.writing.facts import Harvest
from pipeline.providers.writing.fit import LONGEST_LINE, MOST_SCENES, SHORTEST_LINE, Unit, count
from pipeline.providers.writing.person import Line, finished, lowered, told
from pipeline.providers.writing.tidy import squeeze, words_of

MOST_REMARKS = 2  # of the creator's own in a film: more would be chatter
NAMED_AFTER = 3  # words of a greeting, at the most, comes the name
OPENING = 10  # words until the first fact, some four seconds: who waits longer is gone
LETTER_OPENING = 12  # a letter has to be announced
NAME_LENGTH = 40  # characters
TITLE_LENGTH = 32  # characters


class Telling:
    """One script being written."""

    def __init__(
        self,
        request: WriteRequest,
        *,
        name: str,
        must_say: tuple[str, ...],
        harvest: Harvest,
        who: Who,
        rng: random.Random,
    ) -> None:
        self.request, self.name, self.must_say, self.harvest, self.rng = request, name, must_say, harvest, rng
        lines, self.who, self.dropped = told(harvest.facts, who, request.occasion)
        self.occasion = "condolence" if who.mourned else request.occasion
        self.grave = is_grave([line.text for line in lines])
        tone = wish.tone_of(request.note) or request.tone
        self.tone = "warm" if self.grave and tone == "funny" else tone  # no jokes about a hard life
        self.mood = phrases.mood_of(self.occasion, self.tone)
        self.gentle = self.mood in {"soft", "sorry"}
        self.sender = _sender(request.sender) or _sender(harvest.sender)
        self.lines = _adjectives(lines, self.who)
        quoted = [line for line in self.lines if line.voice == "sender"]
        self.letter = bool(quoted) and (
            len(quoted) >= 0.4 * len(self.lines) or self.mood == "sorry" or _addressed(harvest) >= 0.5
        )

    def script(self) -> ScriptDraft:
        """The whole script."""
        request, room = self.request, MOST_SCENES - len(self.must_say)
        fixed = min(2, room)
        plan = fit.plan(
            self.lines,
            photos=len(request.photos),
            seconds=request.seconds,
            pace=request.words_per_second,
            said=self.must_say,
            fixed=fixed,
            frames=not self.letter and any(line.voice != "creator" for line in self.lines),
        )
        units = fit.frame_items(fit.listed(plan.units), self.mood, self.rng)
        wanted = fit.words_wanted(request.seconds, plan.scenes, request.words_per_second)
        roomy = wanted - sum(count(u.text) for u in units) - sum(map(count, self.must_say)) > 14
        units = self._quoted(self._connected(self._gentle(units), roomy=roomy))
        missing = plan.scenes - len(units) - len(self.must_say) - fixed
        scenes = self._assembled(units, fixed, missing, plan.scenes)
        drafts = self._with_photos(scenes)
        left = [line.fact.quote for line in plan.left] + self.dropped + self.harvest.left_out
        return ScriptDraft(self._title(), tuple(drafts), tuple(dict.fromkeys(q for q in left if q.strip())))

    # --- facts -----------------------------------------------------------------------------------

    def _gentle(self, units: list[Unit]) -> list[Unit]:
        """No exclamation marks where someone mourns or asks forgiveness."""
        return [replace(u, text=u.text.replace("!", ".")) for u in units] if self.gentle else units

    def _connected(self, units: list[Unit], *, roomy: bool) -> list[Unit]:
        """ "And" before the last of several facts, one turn of phrase of the tone, and no line too short to be read."""
        out = list(units)
        turns = [k for k, u in enumerate(out) if self._plain(u) and u.text.startswith(("You ", "Your ", "As a "))]
        if len(turns) > 1 and turns[-1] == len(out) - 1 and ", and" not in out[-1].text:
            out[turns[-1]] = _before(phrases.JOINER, out[turns[-1]])
            turns.pop()
        prefixes = () if self.letter or self.grave else phrases.PREFIXES[self.mood]
        spare = [k for k in turns[1:] if not out[k].sad and ":" not in out[k].text and not out[k].parts[0].leans]
        if prefixes and spare and roomy:
            k = self.rng.choice(spare)
            out[k] = _before(self.rng.choice(prefixes), out[k])
        for k, unit in enumerate(out):
            if count(unit.text) < SHORTEST_LINE and not unit.half:
                out[k] = _before(phrases.JOINER if k else phrases.FIRST, unit)
        return out

    @staticmethod
    def _plain(unit: Unit) -> bool:
        return (
            unit.voice == "creator" and not unit.half and len(unit.parts) == 1 and count(unit.text) <= LONGEST_LINE - 5
        )

    def _quoted(self, units: list[Unit]) -> list[Unit]:
        """Somebody's own words in quotation marks, the first of a run with a word about whose they are."""
        if self.letter or self.who.mourned:
            return units
        frames = phrases.about(phrases.QUOTES["signed" if self.sender else "unsigned"], spoken_to=self.who.spoken_to)
        self.rng.shuffle(frames)
        out: list[Unit] = []
        for k, unit in enumerate(units):
            if unit.voice == "creator":
                out.append(unit)
                continue
            goes_on = unit.half and k > 0 and units[k - 1].parts == unit.parts
            ends = not unit.half or k + 1 == len(units) or units[k + 1].parts != unit.parts
            words = ("" if goes_on else "“") + squeeze(re.sub('["“”]', " ", unit.text)) + ("”" if ends else "")
            follows = goes_on or (k > 0 and units[k - 1].voice != "creator")
            fitting = [f for f in frames if not follows and count(f) + count(words) - 1 <= LONGEST_LINE]
            fitting = [f for f in fitting if k or not f.startswith("And ")]  # nothing has been said yet
            if fitting:
                frames.remove(fitting[0])
                words = fitting[0].format(x=words.strip("“”"), sender=self.sender).removesuffix("" if ends else "”")
            elif count(words) < SHORTEST_LINE:
                words = phrases.QUOTE_ON.format(x=words.strip("“”"))
            out.append(replace(unit, text=words if goes_on else words[:1].upper() + words[1:]))
        return out

    # --- the whole -------------------------------------------------------------------------------

    def _assembled(self, units: list[Unit], fixed: int, missing: int, scenes: int) -> list[SceneDraft]:
        """Opening, facts with asides, fillers, must-says and ending, tuned to the words wanted."""
        wanted = fit.words_wanted(self.request.seconds, scenes, self.request.words_per_second)
        body = sum(count(u.text) for u in units) + sum(map(count, self.must_say))
        opening, ending, fillers, asides = self._tuned(
            units, wanted - body, slack=0.06 * wanted, fixed=fixed, missing=missing
        )
        for k, aside in asides:
            units[k] = replace(units[k], text=f"{units[k].text} {aside}")
        facts = [SceneDraft(u.text, 0, self.request.notes[u.start : u.end].strip()) for u in units]
        said = [SceneDraft(line, 0, line, "must_say") for line in self.must_say]
        middle = self._interleaved(facts, fillers)
        first = [SceneDraft(text, 0, "", "opening") for text in opening]
        last = [SceneDraft(text, 0, "", "ending") for text in ending]
        return [*first, *middle, *said, *last]

    def _tuned(
        self, units: list[Unit], room: float, *, slack: float, fixed: int, missing: int
    ) -> tuple[list[str], list[str], list[str], list[tuple[int, str]]]:
        """The openings, endings, fillers and asides whose words come nearest to `room`.

        What there is to say before the first fact is short; a bridge after it takes the words that are left.
        """
        fill = self._names_in
        spoken_to = self.who.spoken_to
        greetings = self._fresh([fill(t) for t in phrases.greetings(self.occasion, self.tone, spoken_to=spoken_to)])
        leads = [
            fill(t) for t in phrases.leads(self.mood, letter=self.letter, signed=bool(self.sender), spoken_to=spoken_to)
        ]
        closers = [fill(t) for t in phrases.closers(self.mood, spoken_to=spoken_to)]
        finals = self._fresh([fill(t) for t in phrases.endings(self.occasion, self.tone, spoken_to=spoken_to)])
        if self.gentle:
            greetings, leads, closers, finals = (
                [t.replace("!", ".") for t in ts] for ts in (greetings, leads, closers, finals)
            )
        signs = [fill(t) for t in phrases.SIGN_OFFS] if self.sender and self.mood != "sorry" else [""]
        own_closer, own_bridge = missing >= 2, missing >= 1 and not self.letter and bool(units)
        n_fillers = max(0, missing - own_bridge - own_closer)
        fillers = self._fillers(n_fillers, scarce=room < 25 + 5 * n_fillers)
        room -= sum(map(count, fillers))
        asides = self._asides(units)
        starts = [
            (greeting, [f"{greeting} {lead}".strip()])
            for greeting in greetings
            for lead in [*leads, *([] if self.letter else [""])]
            if not _REPEATED & set(words_of(greeting)) & set(words_of(lead))
        ]
        stops = [
            (final, [closer, f"{final} {sign}".strip()] if own_closer else [f"{closer} {final} {sign}".strip()])
            for final in finals
            for closer in [*closers, *([] if own_closer else [""])]
            for sign in signs
            if not (sign and _echoes(sign, f"{closer} {final}"))
        ]
        starts = self._brief(starts) or [(greetings[0], [greetings[0]])]
        bridges = self._bridges(units, leads, own=own_bridge)
        stops = [s for s in stops if all(count(t) <= LONGEST_LINE for t in s[1])] or [(finals[0], [finals[0]])]
        sizes = [sum(count(a) for _, a in asides[:n]) for n in range(len(asides) + 1)]
        starts, stops = self._one_a_size(starts), self._one_a_size(stops)
        start_sizes = [sum(map(count, s[1])) for s in starts]
        stop_sizes = [sum(map(count, s[1])) for s in stops]
        start_luck = [4 * self.rng.random() for _ in starts]
        stop_luck = [4 * self.rng.random() for _ in stops]

        def cost(i: int, j: int, n: int, b: int) -> float:
            total = start_sizes[i] + stop_sizes[j] + sizes[n] + count(bridges[b])
            off = total - room if total > room else 0.5 * (room - total)  # too few words: the pictures stand longer
            twice = 3 * _repeats(starts[i][0], stops[j][0])
            twice += 6 * bool(_REPEATED & set(words_of(" ".join(starts[i][1]))) & set(words_of(bridges[b])))
            twice += 6 * bool(_REPEATED & set(words_of(" ".join(stops[j][1]))) & set(words_of(bridges[b])))
            return max(0.0, off - slack) + twice + start_luck[i] + stop_luck[j] + n

        i, j, n, b = min(
            product(*(range(n) for n in (len(starts), len(stops), len(sizes), len(bridges)))), key=lambda c: cost(*c)
        )
        opening, ending = starts[i][1], stops[j][1]
        if fixed < 2:
            ending = []
        if fixed < 1:
            opening = []
        chosen = [(k, aside) for k, aside in asides[:n] if own_bridge or k or not bridges[b]]
        if own_bridge:
            fillers = [bridges[b], *fillers]
        elif bridges[b]:
            chosen.append((0, bridges[b]))
        return opening, ending, fillers, chosen

    def _brief(self, starts: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
        """The openings that say the name soon and come to the point; where none does, the shortest."""
        soon = [s for s in starts if count(s[0].partition(self.name)[0]) <= NAMED_AFTER] or starts
        most = LETTER_OPENING if self.letter else OPENING
        sizes = [sum(map(count, lines)) for _, lines in soon]
        return [s for s, size in zip(soon, sizes, strict=True) if size <= max(most, min(sizes))]

    def _bridges(self, units: list[Unit], leads: list[str], *, own: bool) -> list[str]:
        """What may be said after the first fact, none where nothing should be: a scene of its `own`, or more of that
        fact's. After a fact that is the only one nothing leads on to others, so that an opening's words are said."""
        if own and len(units) == 1:
            return leads
        options = phrases.about(phrases.BRIDGES[self.mood], spoken_to=self.who.spoken_to)
        self.rng.shuffle(options)
        if own:
            return options
        fits = len(units) > 1 and self._plain(units[0]) and not units[0].sad and not self.letter
        leans = fits and bool(units[1].parts) and units[1].parts[0].leans
        if not fits or leans or fit.ends_open(units[0].text):
            return [""]
        return ["", *(o for o in options if count(units[0].text) + count(o) <= LONGEST_LINE)]

    def _one_a_size(self, options: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
        """One option of every length, drawn by lot: the rest of the choice is about length."""
        self.rng.shuffle(options)
        return list({sum(map(count, option[1])): option for option in options}.values())

    def _names_in(self, template: str) -> str:
        text = template.format(name=self.name, sender=self.sender or "", x="{x}")
        return text[:1].upper() + text[1:]

    def _fresh(self, options: list[str]) -> list[str]:
        """Without those that say what a must-say says anyway ("Happy birthday, Eileen" twice), if any are left."""
        said = " ".join(" ".join(words_of(line)) for line in self.must_say)
        fresh = [o for o in options if not said or " ".join(words_of(o)[:2]) not in said]
        return fresh or options

    def _fillers(self, n: int, *, scarce: bool) -> list[str]:
        """`n` different lines that state nothing; the shortest where words are scarce."""
        pool = list(phrases.FILLERS[self.mood])
        self.rng.shuffle(pool)
        if scarce:
            pool.sort(key=count)
        return pool[:n]

    def _asides(self, units: list[Unit]) -> list[tuple[int, str]]:
        """Remarks that may follow light facts, with the number of the fact; neighbours come last."""
        kinds = phrases.ASIDES[self.mood]
        if not kinds or self.letter or not self.who.spoken_to:
            return []
        light = [
            k
            for k, u in enumerate(units)
            if u.voice == "creator"
            and not u.sad
            and not fit.ends_open(u.text)
            and len(u.parts) == 1
            and u.text.startswith(("You ", "You've ", "As a "))
        ]
        light = [k for k in light if not (k + 1 < len(units) and units[k + 1].parts and units[k + 1].parts[0].leans)]
        used: set[str] = set()
        out: list[tuple[int, str]] = []
        for k in light[::2] + light[1::2]:
            if len(out) == MOST_REMARKS:
                break
            remarks = [r for r in kinds[_kind_of(units[k])] if r not in used]
            if remarks and count(units[k].text) + count(remark := self.rng.choice(remarks)) <= LONGEST_LINE:
                used.add(remark)
                out.append((k, remark))
        return out

    @staticmethod
    def _interleaved(facts: list[SceneDraft], fillers: list[str]) -> list[SceneDraft]:
        """Fillers spread between the facts, never inside a sentence that runs over two pictures."""
        gaps = [k for k in range(1, len(facts) + 1) if not fit.ends_open(facts[k - 1].text)] or [0]
        after: dict[int, list[SceneDraft]] = {}
        for n, filler in enumerate(fillers):
            gap = gaps[min(len(gaps) - 1, n * len(gaps) // len(fillers))]
            after.setdefault(gap, []).append(
                SceneDraft(filler, 0, "", "opening" if gap <= len(facts) / 2 else "ending")
            )
        out = list(after.get(0, []))
        for k, fact in enumerate(facts, 1):
            out += [fact, *after.get(k, [])]
        return out

    # --- pictures and title ----------------------------------------------------------------------

    def _with_photos(self, scenes: list[SceneDraft]) -> list[SceneDraft]:
        photos = self.request.photos
        drafts = []
        turns = [k for k in range(1, len(scenes)) if scenes[k].role != scenes[k - 1].role]
        chosen = fit.photos_of([count(scene.text) for scene in scenes], turns, len(photos))
        for k, (scene, at) in enumerate(zip(scenes, chosen, strict=True)):
            drafts.append(replace(scene, photo=at, idea=_idea(photos[at], k, last=k == len(scenes) - 1)))
        return drafts

    def _title(self) -> str:
        title = phrases.TITLES.get(self.occasion, "For {name}").format(name=self.name)
        short = f"For {self.name}"
        first = f"For {self.name.split()[0]}"
        return next((t for t in (title, short, first) if len(t) <= TITLE_LENGTH), first[:TITLE_LENGTH].rstrip())


def _idea(photo: PhotoNote, scene: int, *, last: bool) -> str:
    ideas = phrases.IDEAS["ending" if last else "faces" if photo.faces > 1 else "face" if photo.faces else "none"]
    return ideas[scene % len(ideas)]


def _addressed(harvest: Harvest) -> float:
    """The share of facts that speak to the person already: "you drove me home" is the sender talking."""
    return sum(bool({"you", "your"} & set(words_of(f.text))) for f in harvest.facts) / max(1, len(harvest.facts))


def _kind_of(unit: Unit) -> str:
    """Whether a fact is a deed, a quirk or neither: the remark after it should know."""
    if lex.QUIRK.search(unit.parts[0].fact.text if unit.parts else unit.text):
        return "quirk"
    words = words_of(unit.parts[0].fact.text if unit.parts else unit.text)
    return "deed" if any(w in lex.PAST or (lex.is_past(w) and w not in lex.PARTICIPLES) for w in words) else "any"


def _before(words: str, unit: Unit) -> Unit:
    """A unit's text after a few words: "And" + "You flew it." → "And you flew it."."""
    return replace(unit, text=f"{words} {lowered(unit.text)}")


@functools.cache
def _repeats(greeting: str, final: str) -> bool:
    """Whether an ending says what the greeting said: "Happy birthday" is nicer once."""
    return words_of(greeting)[:2] == words_of(final)[:2]


def is_grave(told: Sequence[str]) -> bool:
    """Whether half of what is told is hard to bear: nobody jokes about that."""
    return 2 * sum(bool(lex.SENSITIVE.search(line)) for line in told) >= max(2, len(told))


_REPEATED = frozenset(["words", "pictures", "story", "photos", "worth", "only"])


def _echoes(sign: str, ending: str) -> bool:
    """Whether a sign-off says a word again that was just said: love twice, or "This was for … This was from …"."""
    twice = "This was " in sign and "This was " in ending
    return twice or ("love" in sign and "love" in ending.casefold())


def _sender(raw: str) -> str:
    """A signature as it can be said after "from": "Love, Sam xx" → "Sam"; empty where it is not a plain name."""
    text = " ".join(safety.speakable(raw).split())
    text = re.sub(
        r"^(?:(?:with |lots of |all (?:my|our) |much )*(?:love|from|regards|best wishes|hugs|yours),?\s+)+",
        "",
        text,
        flags=re.I,
    )
    text = re.sub(r"(?:^|[\s,]+)(?:x+|xoxo)$", "", text, flags=re.I).strip(" .,;:!?-–")
    plain = 0 < len(text.split()) <= 6 and len(text) <= NAME_LENGTH and any(c.isalpha() for c in text)
    return text if plain and not safety.judge(raw) and unicodedata.normalize("NFKC", text) else ""


def _adjectives(lines: list[Line], who: Who) -> list[Line]:
    """ "kind", "funny", "stubborn" → "You are kind, funny and stubborn."."""
    run = [
        line
        for line in lines
        if line.fact.kind == "item" and set(words_of(line.fact.text)) <= lex.ADJECTIVES | lex.ADVERBS | {"very", "so"}
    ]
    run = [line for line in run if set(words_of(line.fact.text)) & lex.ADJECTIVES]
    if not run or len(run) > 5 or who.mourned or (len(run) == 1 and len(lines) > 1):
        return lines
    said = [line.fact.text[:1].lower() + line.fact.text[1:] for line in run]
    text = ("you are " if who.spoken_to else f"{who.name} is ") + (
        ", ".join(said[:-1]) + " and " + said[-1] if len(said) > 1 else said[0]
    )
    first, last = run[0].fact, run[-1].fact
    adjacent = lines[lines.index(run[0]) : lines.index(run[-1]) + 1] == run
    if not adjacent:
        return lines
    fact = replace(first, text=text, quote=", ".join(line.fact.quote for line in run), end=last.end, kind="clause")
    merged = Line(finished(text), fact, "creator", about_you=who.spoken_to)
    at = lines.index(run[0])
    return [*lines[:at], merged, *lines[at + len(run) :]]
