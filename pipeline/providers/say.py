"""What is written → what is said: numbers, dates, money, abbreviations, initials, symbols and names as English words.

The written words are `text.split()`; every one of them belongs to exactly one `Said`, in order, so that whatever is
timed can be handed back to the words on the page. What comes out holds letters, apostrophes, hyphens, dots between
initials ("U.S.A") and closing marks only: nothing a speech engine could take for markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .numerals import (
    BIG,
    FRACTIONS,
    HOUR,
    MONEY,
    MONTHS,
    NUMBER,
    PHONE,
    PRICE,
    SHORT_MONTHS,
    TIME,
    UNITS,
    cardinal,
    measure_said,
    number_said,
    ordinal,
    phone,
)

MAX_LETTERS = 40  # longer runs of letters are cut, so that no engine chokes on them

ABBREVIATIONS = {
    "dr": "doctor", "mr": "mister", "mrs": "missus", "ms": "miz", "prof": "professor", "rev": "reverend",
    "capt": "captain", "lt": "lieutenant", "sgt": "sergeant", "gen": "general", "hon": "honorable", "st": "saint",
    "mt": "mount", "ft": "fort", "jr": "junior", "sr": "senior", "ave": "avenue", "blvd": "boulevard", "rd": "road",
    "inc": "incorporated", "ltd": "limited", "co": "company", "bros": "brothers", "dept": "department",
    "apt": "apartment", "no": "number", "vs": "versus", "etc": "et cetera", "approx": "approximately", "vol": "volume",
    "mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "thurs": "Thursday",
    "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip
DOTLESS = {"mr", "mrs", "ms", "dr", "prof", "vs", "etc", "jr", "blvd", "approx"}  # read so even without their dot
TITLES = {
    "dr", "mr", "mrs", "ms", "prof", "rev", "capt", "lt", "sgt", "gen", "hon", "st", "mt", "ft", "no", "vs", "vol",
}  # fmt: skip
SHORTHAND = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "×": "by", "w/": "with", "w/o": "without",
    "b/c": "because", "bday": "birthday", "b-day": "birthday", "thx": "thanks", "pls": "please", "ok": "okay",
    "xoxo": "X.O.X.O", "phd": "P.H.D", "bbq": "barbecue", "asap": "A.S.A.P", "24/7": "twenty-four seven",
    "ph.d": "P.H.D", "e.g": "for example", "i.e": "that is", "wwii": "world war two", "wwi": "world war one",
}  # fmt: skip
SPELLED = set(
    re.findall(
        r"\w+",
        """
        USA US UK EU UN TV DJ CD DVD VHS PC ID AI IT HR PR CEO CFO CTO MBA MVP VIP VP RV ATV SUV NYC LA DC NY UCLA MIT
        NBA NFL NHL MLB MMA UFC FBI CIA IRS ER ICU RN MD EMT BFF LOL OMG RSVP DIY FAQ GPS HQ IQ EQ GPA AC AM PM BA BS
        BSC MSC MA PE PS PA AKA FYI TBH IMO IPA UFO USB URL ABC BBC CNN HBO NPR YMCA ROTC USMC USAF LGBTQ IVF XO
        """,
    )
)
STAY = {"NASA", "NATO", "UNICEF", "UNESCO", "FIFA", "UEFA", "NASCAR", "IKEA", "SWAT", "LEGO", "ESPN", "YOLO"}
AMBIGUOUS = {"US", "IT", "LA", "PA", "MA", "PE", "AM", "ID"}  # ordinary words when everything around is in capitals
STRETCHED = {
    "col": "cool",
    "god": "good",
    "son": "soon",
    "swet": "sweet",
    "fre": "free",
    "wo": "woo",
    "aw": "aww",
    "se": "see",
}
STREET_ENDS = {"I", "He", "She", "We", "They", "It", "The", "A", "And", "But", "You", "Our", "My", "His", "Her"}
NOT_ORDINAL = {
    "chapter",
    "part",
    "rocky",
    "volume",
    "act",
    "war",
    "bowl",
    "apollo",
    "book",
    "episode",
    "level",
    "phase",
}
ROMAN = {"I": 1, "V": 5, "X": 10} | {
    tens + ones: 10 * len(tens) + number
    for tens in ("", "X", "XX", "XXX")
    for number, ones in enumerate(("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"))
    if len(tens + ones) > 1
}
LIKE_WORDS = {"I", "V", "X", "XX", "XXX"}  # numbers only where nothing else can be meant
RULERS = {"king", "queen", "pope", "emperor", "tsar", "prince", "kaiser"}
REIGNED = {"henry", "george", "edward", "louis", "charles", "philip", "james", "benedict", "gustav"}

CLOCK_WORDS = {"at", "until", "till", "til"}
CALLING = {"call", "phone", "tel", "telephone", "ring", "text", "dial", "mobile", "number"}

# Given names English spelling rules get wrong, as respellings. A fan's own `said_as` always wins.
NAMES: dict[str, str] = dict(
    re.findall(
        r"(\w+):(\S+)",
        """
    aaliyah:ah-LEE-yah adele:uh-DEL agnieszka:ahg-NYESH-kah aisha:eye-EE-shah alejandro:ah-leh-HAHN-droh
    anais:ah-nah-EES andre:AHN-dray andrea:AN-dree-uh angelique:ahn-zheh-LEEK antoine:ahn-TWAHN aoife:EE-fah
    beatriz:bay-ah-TREES begona:beh-GOHN-yah beyonce:bee-YON-say bjorn:byorn caoimhe:KEE-vah celine:seh-LEEN
    charlotte:SHAR-luht chloe:KLOH-ee ciara:KEER-ah cian:KEE-uhn dmitri:dih-MEE-tree eileen:eye-LEEN eilidh:AY-lee
    elise:eh-LEES eoin:OH-ihn esme:EZ-may francois:frahn-SWAH giovanni:joh-VAH-nee giuseppe:joo-SEP-eh
    grainne:GRAHN-yah guadalupe:gwah-dah-LOO-peh guillermo:gee-YAIR-moh hermione:her-MY-uh-nee imogen:IM-oh-jen
    irene:eye-REEN isla:EYE-lah jaime:HY-meh javier:hah-vee-AIR joao:zhoo-OWNG joaquin:wah-KEEN
    jorge:HOR-hay jose:hoh-ZAY josue:hoh-SWAY juan:hwahn julio:HOO-lee-oh kaitlyn:KAYT-lin krzysztof:KSHIH-shtoff
    leila:LAY-lah lucia:loo-SEE-ah lukasz:WOO-kahsh maeve:mayv malgorzata:mahw-goh-ZHAH-tah margaux:mar-GOH
    mateusz:mah-TEH-oosh mathieu:mah-TYUH mia:MEE-uh mohammed:moh-HAH-med muhammad:moo-HAH-mahd munoz:moon-YOHS
    ngozi:uhn-GOH-zee nguyen:nwihn niamh:neev noemi:noh-EH-mee oisin:uh-SHEEN oluwaseun:oh-loo-wah-SHAY-oon
    penelope:peh-NEL-oh-pee phoebe:FEE-bee pilar:pee-LAR rafael:rah-fah-EL ramon:rah-MOHN raul:rah-OOL
    renee:ruh-NAY saoirse:SEER-shah sean:shawn sebastian:seh-BAS-chuhn seamus:SHAY-muhs siobhan:shih-VAWN
    sinead:shih-NAYD soren:SOR-en stephane:steh-FAHN tadhg:tyg thais:tah-EES theo:THEE-oh tomasz:TOH-mahsh
    wojciech:VOY-chek xavier:ZAY-vyer xi:shee ximena:hee-MEH-nah xiomara:see-oh-MAH-rah xu:shoo yannick:YAH-nik
    yves:eev yvette:ee-VET zbigniew:ZBIG-nyev zhang:jahng zoe:ZOH-ee
        """,
    )
)

FOLD = str.maketrans(
    {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe"}
    | {"þ": "th", "Þ": "Th", "ð": "th", "Ð": "Th", "ı": "i", "ŋ": "ng", "’": "'", "‘": "'", "ʼ": "'", "´": "'"}
    | dict(zip("абвгдезийклмнопрстуфыэьъ", [*"abvgdeziyklmnoprstufye", "", ""], strict=True))
    | {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya", "ё": "yo"}
    | dict(zip("αβγδεζηικλμνοπρσςτυφω", "avgdeziiklmnoprsstyfo", strict=True))
    | {"і": "i", "ї": "yi", "є": "ye", "`": "'", "θ": "th", "ξ": "x", "χ": "ch", "ψ": "ps"}
)  # fmt: skip

EDGES = re.compile(r"^(?P<open>[^\w$£€¥₹#@&%+=½¼¾⅓⅔×°'-]*)(?P<core>.*?)(?P<close>[^\w%&@#+=½¼¾⅓⅔×°$£€]*)$", re.DOTALL)
INITIALS = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")
PIECE = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*|\d+(?:,\d{3})*(?:\.\d+)?(?:st|nd|rd|th|s)?|[&@+=%#—–…]|--+|\.{2,}")


@dataclass(frozen=True, slots=True)
class Said:
    """`count` written words from number `first` on, and how they are said together; no text when they are silent.

    `text` is words with one space between, the last one with its closing mark (one of `, ; : . ! ? … —`), if any.
    `respelt` says that the words are a respelling ("see-oh-MAH-ra") to be sounded out, not looked up.
    """

    first: int
    count: int
    text: str
    respelt: bool = False


def say(text: str, said_as: Mapping[str, str] | None = None) -> tuple[Said, ...]:
    """How `text` is said. `said_as` maps written words (or phrases) to respellings and goes before everything else.

    Never raises for any text; what cannot be said (emoji, scripts without a Latin reading) becomes silent.
    """
    words = text.split()
    given = {key: value for key, value in map(_respelling, (said_as or {}).items()) if key and value}
    longest = max((len(key) for key in given), default=1)
    shouted = sum(w.isupper() for w in words) * 2 > len(words) and len(words) > 2
    out: list[Said] = []
    at = 0
    while at < len(words):
        said = _given(words, at, given, longest) or _together(words, at) or _alone(words, at, shouted)
        if said.text in {"—", ",", "…"} or words[at].startswith(("(", "[")):
            _close(out, said.text if len(said.text) == 1 and not said.text.isalpha() else ",")
        out.append(Said(said.first, said.count, "" if said.text in {"—", ",", "…"} else said.text, said.respelt))
        at += said.count
    return tuple(out)


def fold(text: str) -> str:
    """The closest plain letters: accents off, Greek and Cyrillic letters written in Latin ones."""
    out = []
    for char in text:
        plain = char.translate(FOLD)
        if plain == char and not char.isascii():
            lower = char.lower().translate(FOLD)
            plain = lower if lower != char.lower() else unicodedata.normalize("NFKD", char).translate(FOLD)
            if char.isupper() and plain.islower():
                plain = plain.capitalize()
        out.append("".join(c for c in plain if not unicodedata.combining(c)))
    return "".join(out)


def _respelling(item: tuple[str, str]) -> tuple[tuple[str, ...], str]:
    key = tuple(filter(None, (_bare(word) for word in str(item[0]).split())))
    value = re.sub(r"[^A-Za-z' -]", "", fold(str(item[1]))[:80])
    words = (word.strip("'-") for word in value.split())
    return key, " ".join(word[:MAX_LETTERS] for word in words if word)


def _bare(word: str) -> str:
    """A written word for comparing: folded, lower case, letters and digits only."""
    return "".join(char for char in fold(word).lower() if char.isalnum())


def _given(words: Sequence[str], at: int, given: Mapping[tuple[str, ...], str], longest: int) -> Said | None:
    """A respelling the fan gave for the words from `at` on, or one of our own for a name; possessives kept."""
    for count in range(min(longest, len(words) - at), 0, -1):
        phrase = tuple(_bare(word) for word in words[at : at + count])
        last = fold(words[at + count - 1])
        owner = (*phrase[:-1], phrase[-1][:-1])
        own = bool(re.search(r"\w's\W*$", last, re.IGNORECASE))
        known = given.get(phrase) or (given.get(owner) if own else None)
        if not known and count == 1 and last[:1].isupper():
            known = NAMES.get(phrase[0]) or (NAMES.get(owner[0]) if own else None)
        if known:
            ending = "'s" if own and phrase not in given else ""
            return Said(at, count, known + ending + _mark(last), respelt=True)
    return None


def _together(words: Sequence[str], at: int) -> Said | None:
    """Readings that take several written words: "7:30 pm", "$3 million", "May 5", "5th of May", "10 km", "10 – 12"."""
    if several := _phone(words, at) or _across(words, at):
        return several
    if at + 1 >= len(words) or _mark(words[at]) in {"!", "?", ";", ","}:
        return None
    (_, one, closed), (_, two, _) = _edges(words[at]), _edges(words[at + 1])
    said = ""
    if re.fullmatch(r"[ap]\.?m", two, re.IGNORECASE) and (TIME.fullmatch(one) or HOUR.fullmatch(f"{one}{two}")):
        said = number_said(f"{one}{two}")
    elif (PRICE.fullmatch(one) or NUMBER.fullmatch(one)) and two.lower() in BIG and len(two) > 2 and one[-1:].isdigit():
        said = number_said(f"{one} {two}") if one[0] in MONEY else f"{number_said(one)} {two.lower()}"
    elif one[:1].isupper() and _month(one, closed) and (day := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", two)):
        said = f"{_month(one, closed)} {ordinal(int(day[1]))}" if 1 <= int(day[1]) <= 31 else ""
    elif (
        (day := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", one))
        and two[:1].isupper()
        and _month(two, ".")
        and not closed
    ):
        said = f"{'' if at and words[at - 1].lower() == 'the' else 'the '}{ordinal(int(day[1]))} of {_month(two, '.')}"
    elif re.fullmatch(r"[+-]?\d[\d,]*(?:\.\d+)?", one) and not closed and two.lower() in UNITS and two != "M":
        said = measure_said(one, two)
    elif NUMBER.fullmatch(one) and one[-1:].isdigit() and two in MONEY:
        said = number_said(f"{two}{one}")
    elif one.lower() in CLOCK_WORDS and re.fullmatch(r"\d{1,2}\.[0-5]\d", two):
        said = f"{one} {number_said(two.replace('.', ':'))}"
    mark = _mark(words[at + 1])
    if mark == "." and "." in two and words[at + 2 : at + 3] and not words[at + 2][:1].isupper():
        mark = ""  # the dot of "p.m.", not of a sentence
    return Said(at, 2, said + mark) if said else None


def _across(words: Sequence[str], at: int) -> Said | None:
    """Three written words: "10 – 12" and "5th of May"."""
    if at + 2 >= len(words) or _mark(words[at]):
        return None
    (_, one, _), (_, three, closed) = _edges(words[at]), _edges(words[at + 2])
    said = ""
    if words[at + 1] in {"-", "–", "—"} and one[:1].isdigit() and three[:1].isdigit():
        low, high = number_said(one), number_said(three)
        said = f"{low} to {high}" if low and high else ""
    elif words[at + 1].lower() == "of" and _month(three, closed) and re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)", one):
        the = "" if at and words[at - 1].lower() == "the" else "the "
        said = f"{the}{number_said(one)} of {_month(three, closed)}"
    return Said(at, 3, said + _mark(words[at + 2])) if said else None


def _phone(words: Sequence[str], at: int) -> Said | None:
    """A telephone number: seven digits and more in groups, begun as one, or after a word that announces it."""
    first = _bare(words[at - 1]) if at else ""
    parts: list[str] = []
    for word in words[at:]:
        core = word.rstrip(".,;:!?")
        if not PHONE.fullmatch(core) or core.count(".") == 1:
            break
        parts.append(core)
        if core != word:
            break
    figures = [re.sub(r"\D", "", part) for part in parts]
    begun = bool(parts) and (bool(re.match(r"\+|\(\d{3}\)", parts[0])) or figures[0][0] == "0" or first in CALLING)
    grouped = [len(figure) for figure in figures] in ([3, 3, 4], [3, 4]) or any(
        re.fullmatch(r"\d{3}[-.]\d{3}[-.]\d{4}", part) for part in parts
    )
    if not (begun or grouped) or not 7 <= sum(map(len, figures)) <= 15:
        return None
    return Said(at, len(parts), phone(parts) + _mark(words[at + len(parts) - 1]))


def _month(word: str, closed: str) -> str:
    """The month a word stands for; short forms that are words of their own need their dot."""
    if word in MONTHS:
        return word
    return "" if word in {"Mar", "Jun"} and "." not in closed else SHORT_MONTHS.get(word.lower(), "")


def _alone(words: Sequence[str], at: int, shouted: bool) -> Said:
    """One written word, with what stands around it where that decides."""
    opened, core, closed = _edges(words[at])
    mark = _mark(closed)
    ends = at + 1 == len(words)
    after = words[at + 1] if not ends else ""
    before = words[at - 1] if at else ""
    low = core.lower()
    if opened.endswith(".") and core[:1].isdigit():
        core = f".{core}"
    if not core:
        return Said(at, 1, mark if mark in {",", "…"} else "—" if re.search("[—–-]", words[at]) else "")
    if re.fullmatch(r"x{2,}|x", core) and (ends or len(core) > 1):
        return Said(at, 1, "")  # kisses
    if core == "x":
        return Said(at, 1, "by")
    if low in ABBREVIATIONS and (closed.startswith(".") or low in DOTLESS):
        said = ABBREVIATIONS[low]
        if low == "st" and before[:1].isupper() and (after in STREET_ENDS or not after[:1].isupper()):
            said = "street"
        elif low == "no" and not after[:1].isdigit():
            said = "no"
        elif low in {"mon", "wed", "sat", "sun", "fri"} and not core[:1].isupper():
            return Said(at, 1, core + mark)
        keeps = low not in TITLES or said in {"street", "no"}
        if mark == "." and not (ends or (keeps and after[:1].isupper())):
            mark = ""
        return Said(at, 1, said + mark)
    if low in SHORTHAND:
        return Said(at, 1, SHORTHAND[low] + ("" if "." in core and mark == "." else mark))
    if INITIALS.fullmatch(core) or (len(core) == 1 and core.isupper() and core not in "IA" and mark == "."):
        return Said(at, 1, core.upper() + (mark if mark != "." or ends else ""))
    if reign := _roman(words, at, core):
        return Said(at, 1, reign + mark)
    said = number_said(core) or _pieces(core, shouted)
    return Said(at, 1, said + mark if said else "")


def _roman(words: Sequence[str], at: int, core: str) -> str:
    """A Roman number after the name it counts: "Henry VIII", "Rocky IV", "King Charles I", but not "Malcolm X"."""
    number, own = core.removesuffix("'s"), "'s" if core.endswith("'s") else ""
    if number not in ROMAN or not at:
        return ""
    before, title = _bare(words[at - 1]), _bare(words[at - 2]) if at > 1 else ""
    if before in NOT_ORDINAL:
        return "" if number == "I" and before not in {"war", "part", "chapter"} else cardinal(ROMAN[number]) + own
    if not words[at - 1][:1].isupper():
        return ""
    if number in LIKE_WORDS and title not in RULERS and not (number in {"V", "X"} and before in REIGNED):
        return ""
    return f"the {ordinal(ROMAN[number])}{own}"


def _edges(word: str) -> tuple[str, str, str]:
    match = EDGES.match(fold_symbols(word))
    return match.group("open", "core", "close") if match else ("", "", "")  # type: ignore[return-value]


def fold_symbols(word: str) -> str:
    """Fold, but keep written fractions, which folding would take apart."""
    return "".join(char if char in FRACTIONS else fold(char) for char in word).strip("'")


def _mark(word: str) -> str:
    """The closing mark of a word: the one that says most."""
    tail = re.search(r"\W*$", word.rstrip("*_~"))
    marks = tail.group() if tail else ""
    if "..." in marks or "…" in marks:
        return "…"
    found = next((mark for mark in "?!.;:,—" if mark in marks), "")
    return found or ("," if re.search(r"[)\]]", marks) else "—" if "–" in marks else "")


def _close(out: list[Said], mark: str) -> None:
    """Give the last thing said a closing mark, unless it has one."""
    for place in range(len(out) - 1, -1, -1):
        said = out[place]
        if said.text:
            if said.text[-1] not in ",;:.!?…—":
                out[place] = Said(said.first, said.count, said.text + mark, said.respelt)
            return


def _pieces(core: str, shouted: bool) -> str:
    """Any other word: runs of letters, digits and symbols, each said in its own way."""
    said = []
    if re.fullmatch(r"[A-Z]{1,3}&[A-Z]{1,3}", core):
        return " and ".join(".".join(side) for side in core.split("&"))
    for piece in PIECE.findall(core):
        if piece[0].isdigit():
            said.append(number_said(piece))
        elif piece[0] in "—–…" or piece.startswith(("--", "..")):
            if said:
                said[-1] += "—" if piece[0] in "—–-" else "…"
        elif piece == "#":
            said.append("hashtag")
        elif piece in SHORTHAND:
            said.append(SHORTHAND[piece])
        else:
            said.append(_letters(piece, shouted))
    return " ".join(filter(None, said))


def _letters(run: str, shouted: bool) -> str:
    """A run of letters: initials spelled out, shouting lowered, stretching undone, too much cut into pieces."""
    stem, own = (run[:-2], "'s") if run.endswith("'s") else (run, "")
    if stem.endswith("s") and stem[:-1].isupper() and len(stem) > 2:
        stem, own = stem[:-1], "'s"
    if stem.isupper() and len(stem) > 1 and stem.isalpha() and stem not in STAY:
        spelled = stem in SPELLED and not (shouted and stem in AMBIGUOUS)
        if spelled or (len(stem) <= 5 and not re.search("[AEIOUY]", stem)):
            return ".".join(stem) + own
    if run.isupper() and len(run) > 1 and run not in STAY:
        run = run.lower()
    if re.search(r"(.)\1\1", run, re.IGNORECASE):
        short = re.sub(r"(.)\1{2,}", r"\1", run, flags=re.IGNORECASE)
        run = STRETCHED.get(short.lower(), short)
    return " ".join(run[i : i + MAX_LETTERS].strip("'-") for i in range(0, len(run), MAX_LETTERS))
