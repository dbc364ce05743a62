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

MAX_LETTERS = 40  # longer runs of letters are cut, so that no engine chokes on them

ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth"}
ORDINALS |= {"nine": "ninth", "twelve": "twelfth"}
FRACTIONS = {"½": "a half", "¼": "a quarter", "¾": "three quarters", "⅓": "a third", "⅔": "two thirds"}
PARTS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth", 10: "tenth"}
MONEY = {"$": ("dollar", "cent"), "£": ("pound", "penny"), "€": ("euro", "cent"), "¥": ("yen", ""), "₹": ("rupee", "")}
BIG = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
BIG |= {word: word for word in ("hundred", "thousand", "million", "billion", "trillion")}
UNITS = {
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter", "kg": "kilogram", "g": "gram",
    "lb": "pound", "lbs": "pound", "oz": "ounce", "mi": "mile", "hr": "hour", "hrs": "hour", "min": "minute",
    "mins": "minute", "sec": "second", "secs": "second", "yrs": "year", "yr": "year", "ft": "foot",
    "mph": "mile per hour", "km/h": "kilometer per hour", "°c": "degree celsius", "°f": "degree fahrenheit",
    "°": "degree",
}  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
SHORT_MONTHS = {month[:3].lower(): month for month in MONTHS} | {"sept": "September"}
ABBREVIATIONS = {
    "dr": "doctor", "mr": "mister", "mrs": "missus", "ms": "miz", "prof": "professor", "rev": "reverend",
    "capt": "captain", "lt": "lieutenant", "sgt": "sergeant", "gen": "general", "hon": "honorable", "st": "saint",
    "mt": "mount", "ft": "fort", "jr": "junior", "sr": "senior", "ave": "avenue", "blvd": "boulevard", "rd": "road",
    "inc": "incorporated", "ltd": "limited", "co": "company", "bros": "brothers", "dept": "department",
    "apt": "apartment", "no": "number", "vs": "versus", "etc": "et cetera", "approx": "approximately",
    "mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "thurs": "Thursday",
    "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip
DOTLESS = {"mr", "mrs", "ms", "dr", "prof", "vs", "etc", "jr", "blvd", "approx"}  # read so even without their dot
TITLES = {"dr", "mr", "mrs", "ms", "prof", "rev", "capt", "lt", "sgt", "gen", "hon", "st", "mt", "ft", "no", "vs"}
SHORTHAND = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "×": "by", "w/": "with", "w/o": "without",
    "b/c": "because", "bday": "birthday", "b-day": "birthday", "thx": "thanks", "pls": "please", "ok": "okay",
    "xoxo": "X.O.X.O", "phd": "P.H.D", "bbq": "barbecue", "asap": "A.S.A.P", "24/7": "twenty-four seven",
    "e.g": "for example", "i.e": "that is", "wwii": "world war two", "wwi": "world war one",
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
ROMAN = {"II": 2, "III": 3, "IV": 4, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "XI": 11, "XII": 12, "XIV": 14, "XVI": 16}

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
TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?:\s*([ap])\.?m\.?)?", re.IGNORECASE)
HOUR = re.compile(r"(\d{1,2})\s*([ap])\.?m\.?", re.IGNORECASE)
PRICE = re.compile(
    r"([$£€¥₹])\s?(\d[\d,]*)(?:\.(\d{1,2}))?\s?(k|m|mn|b|bn|hundred|thousand|million|billion|trillion)?", re.IGNORECASE
)
NUMBER = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d+))?")
DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})|(\d{4})-(\d{2})-(\d{2})")
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


def cardinal(number: int) -> str:
    """1200 → one thousand two hundred; from a quadrillion on, digit by digit."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    if number >= 10**15:
        return digits(str(number))
    size, name = next(scale for scale in SCALES if number >= scale[0])
    rest = f" {cardinal(number % size)}" if number % size else ""
    return f"{cardinal(number // size)} {name}{rest}"


def ordinal(number: int) -> str:
    """23 → twenty-third."""
    head, mark, last = re.fullmatch(r"(?:(.*)([ -]))?(.+)", cardinal(number)).groups(default="")  # type: ignore[union-attr]
    last = ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return head + mark + last


def year(number: int) -> str:
    """1998 → nineteen ninety-eight, 1905 → nineteen oh five, 2005 → two thousand five."""
    century, rest = divmod(number, 100)
    if century % 10 == 0 and rest < 10:
        return cardinal(number)
    if not rest:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def digits(text: str) -> str:
    """007 → zero zero seven."""
    return " ".join(ONES[int(char)] for char in text)


def plural(words: str) -> str:
    """Nineties, feet, miles per hour: the plural of the first word that carries one."""
    head, gap, rest = words.partition(" ")
    if head in {"foot", "yen", "penny"}:
        return {"foot": "feet", "yen": "yen", "penny": "pence"}[head] + gap + rest
    return (f"{head[:-1]}ies" if head.endswith("y") else f"{head}es" if head.endswith("x") else f"{head}s") + gap + rest


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
    """Readings that take two written words: "7:30 pm", "$3 million", "May 5", "5 May", "10 km"."""
    if at + 1 >= len(words) or _mark(words[at]) in {"!", "?", ";", ","}:
        return None
    (_, one, closed), (_, two, _) = _edges(words[at]), _edges(words[at + 1])
    said = ""
    if re.fullmatch(r"[ap]\.?m", two, re.IGNORECASE) and (TIME.fullmatch(one) or HOUR.fullmatch(f"{one}{two}")):
        said = _number(f"{one}{two}")
    elif (PRICE.fullmatch(one) or NUMBER.fullmatch(one)) and two.lower() in BIG and len(two) > 2 and one[-1:].isdigit():
        said = _number(f"{one} {two}") if one[0] in MONEY else f"{_number(one)} {two.lower()}"
    elif one[:1].isupper() and _month(one, closed) and (day := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", two)):
        said = f"{_month(one, closed)} {ordinal(int(day[1]))}" if 1 <= int(day[1]) <= 31 else ""
    elif (
        (day := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", one))
        and two[:1].isupper()
        and _month(two, ".")
        and not closed
    ):
        said = f"{'' if at and words[at - 1].lower() == 'the' else 'the '}{ordinal(int(day[1]))} of {_month(two, '.')}"
    elif NUMBER.fullmatch(one) and one and not closed and two.lower() in UNITS and two != "M":
        said = _measure(one, two)
    mark = _mark(words[at + 1])
    if mark == "." and "." in two and words[at + 2 : at + 3] and not words[at + 2][:1].isupper():
        mark = ""  # the dot of "p.m.", not of a sentence
    return Said(at, 2, said + mark) if said else None


def _month(word: str, closed: str) -> str:
    """The month a word stands for; short forms that are words of their own need their dot."""
    if word in MONTHS:
        return word
    return "" if word in {"Mar", "Jun"} and "." not in closed else SHORT_MONTHS.get(word.lower(), "")


def _alone(words: Sequence[str], at: int, shouted: bool) -> Said:
    """One written word, with what stands around it where that decides."""
    _, core, closed = _edges(words[at])
    mark = _mark(closed)
    ends = at + 1 == len(words)
    after = words[at + 1] if not ends else ""
    before = words[at - 1] if at else ""
    low = core.lower()
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
    if core in ROMAN and before[:1].isupper():
        number = ROMAN[core]
        return Said(at, 1, (cardinal(number) if _bare(before) in NOT_ORDINAL else f"the {ordinal(number)}") + mark)
    said = _number(core) or _pieces(core, shouted)
    return Said(at, 1, said + mark if said else "")


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


def _measure(number: str, unit: str) -> str:
    words = UNITS[unit.lower()]
    return f"{_number(number)} {words if number == '1' else plural(words)}"


def _number(core: str) -> str:
    """Times, dates, money, ranges, fractions and numbers in one word; empty when it is none of them."""
    if not any(char.isdigit() for char in core) or len(core) > 60 or not core.isprintable():
        return FRACTIONS.get(core, "")
    if match := TIME.fullmatch(core) if ":" in core or core.lower().endswith("m") else None:
        hour, minute = int(match[1]), int(match[2])
        half = f" {match[3].upper()}.M" if match[3] else ""
        if hour <= 24 and minute < 60:
            rest = ("" if half else " o'clock") if not minute else f" {'oh ' if minute < 10 else ''}{cardinal(minute)}"
            return cardinal(hour) + rest + half
    if match := HOUR.fullmatch(core):
        return f"{cardinal(int(match[1]))} {match[2].upper()}.M"
    if match := PRICE.fullmatch(core):
        return _price(match)
    if match := DATE.fullmatch(core):
        month, day, when = (match[1], match[2], match[3]) if match[1] else (match[5], match[6], match[4])
        if int(month) > 12:
            month, day = day, month
        if 1 <= int(month) <= 12 and 1 <= int(day) <= 31:
            full = int(when) if len(when) == 4 else int(when) + (1900 if int(when) > 30 else 2000)
            return f"{MONTHS[int(month) - 1]} {ordinal(int(day))}, {year(full)}"
    if match := re.fullmatch(r"(\d+)/(\d+)", core):
        top, bottom = int(match[1]), int(match[2])
        part = PARTS.get(bottom, "")
        if part and 0 < top < bottom:
            return "a half" if bottom == 2 else f"{cardinal(top)} {part if top == 1 else plural(part)}"
        return f"{_number(match[1])} {_number(match[2])}"
    if match := re.fullmatch(r"(\$?[\d,.]*\d(?:st|nd|rd|th)?)[-–—](\$?\d[\d,.]*(?:st|nd|rd|th|%)?)", core):
        low, high = _number(match[1]), _number(match[2])
        return f"{low} to {high}" if low and high and core.count("-") < 2 else ""
    if match := re.fullmatch(r"(\d[\d,]*)(st|nd|rd|th)", core, re.IGNORECASE):
        return ordinal(int(match[1].replace(",", "")))
    if match := re.fullmatch(r"'?(\d{2,4})'?s", core):
        number = int(match[1])
        return plural(year(number) if number >= 1000 else cardinal(number)) if number % 10 else _decade(number)
    if match := re.fullmatch(r"'(\d\d)", core):
        return ("oh " if match[1][0] == "0" else "") + cardinal(int(match[1]))
    if match := re.fullmatch(r"#(\d+)", core):
        return f"number {cardinal(int(match[1]))}"
    if match := re.fullmatch(r"(.*\d)%", core):
        return f"{_number(match[1])} percent" if _number(match[1]) else ""
    if match := re.fullmatch(r"(\d+)([½¼¾⅓⅔])", core):
        return f"{cardinal(int(match[1]))} and {FRACTIONS[match[2]]}"
    if (
        (match := re.fullmatch(r"([\d.,]*\d)(km/h|[a-z°]+)", core, re.IGNORECASE))
        and match[2].lower() in UNITS
        and match[2] != "M"
    ):
        return _measure(match[1], match[2])
    if match := NUMBER.fullmatch(core):
        return _plain(match)
    return ""


def _decade(number: int) -> str:
    """1990 → nineteen nineties, 80 → eighties, 1900 → nineteen hundreds, 2000 → two thousands."""
    words = year(number) if number >= 1000 else cardinal(number)
    head, mark, last = words.rpartition(" ")
    return head + mark + plural(last)


def _price(match: re.Match[str]) -> str:
    unit, small = MONEY[match[1]]
    whole, part, big = int(match[2].replace(",", "")), match[3], BIG.get((match[4] or "").lower(), "")
    if big:
        return f"{cardinal(whole)}{f' point {digits(part)}' if part else ''} {big} {plural(unit)}"
    cents = int(part.ljust(2, "0")) if part and small else 0
    coins = f"{cardinal(cents)} {small if cents == 1 else plural(small)}" if cents else ""
    if coins and not whole:
        return coins
    return f"{cardinal(whole)} {unit if whole == 1 else plural(unit)}" + (f" and {coins}" if coins else "")


def _plain(match: re.Match[str]) -> str:
    sign = {"+": "plus ", "-": "minus "}.get(match[1], "")
    whole, part = match[2] or "", match[3]
    if part:
        return f"{sign}{cardinal(int(whole.replace(',', '') or 0))} point {digits(part)}"
    if not whole:
        return ""
    if len(whole) > 15 or (whole[0] == "0" and len(whole) > 1):
        return sign + digits(whole.replace(",", ""))
    if not sign and len(whole) == 4 and 1100 <= int(whole) <= 2099:
        return year(int(whole))
    return sign + cardinal(int(whole.replace(",", "")))


def _pieces(core: str, shouted: bool) -> str:
    """Any other word: runs of letters, digits and symbols, each said in its own way."""
    said = []
    for piece in PIECE.findall(core):
        if piece[0].isdigit():
            said.append(_number(piece))
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
