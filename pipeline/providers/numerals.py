"""Numbers as they are written → as they are said: years, dates, times, money, measures, ranges, phone numbers."""

from __future__ import annotations

import re

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
CLOSE_UNITS = {"in": "inch", "h": "hour", "p": "penny", "c": "cent"}  # words or initials unless right behind a number
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
SHORT_MONTHS = {month[:3].lower(): month for month in MONTHS} | {"sept": "September"}

TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?:\s*([ap])\.?m\.?)?", re.IGNORECASE)
HOUR = re.compile(r"(\d{1,2})\s*([ap])\.?m\.?", re.IGNORECASE)
PRICE = re.compile(
    r"([$£€¥₹])\s?(\d[\d,]*)(?:\.(\d{1,2}))?\s?(k|m|mn|b|bn|hundred|thousand|million|billion|trillion)?", re.IGNORECASE
)
NUMBER = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d+))?")
DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})|(\d{4})-(\d{2})-(\d{2})")
DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})")  # who writes dots writes the day first
CLOCK = r"\d{1,2}(?:[:.]\d{2})?\s?(?:[ap]\.?m)"
HOURS = re.compile(rf"({CLOCK}|noon|midnight|\d{{1,2}}(?:[:.]\d{{2}})?)[-–—]({CLOCK}|noon|midnight)", re.IGNORECASE)
PHONE = re.compile(r"[+(]?\d[\d().-]*")


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
    if head.endswith("y"):
        return f"{head[:-1]}ies{gap}{rest}"
    return (f"{head}es" if head.endswith(("x", "ch")) else f"{head}s") + gap + rest


def measure_said(number: str, unit: str) -> str:
    """5, "km" → five kilometers. `unit` is one of UNITS or CLOSE_UNITS."""
    words = UNITS.get(unit.lower()) or CLOSE_UNITS[unit.lower()]
    return f"{number_said(number)} {words if number == '1' else plural(words)}"


def number_said(core: str) -> str:
    """Times, dates, money, ranges, fractions and numbers in one word; empty when it is none of them."""
    if not any(char.isdigit() for char in core) or len(core) > 60 or not core.isprintable():
        return FRACTIONS.get(core, "")
    if match := HOURS.fullmatch(core):
        return " to ".join(end if end.isalpha() else number_said(end) for end in match.groups())
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
    if match := re.fullmatch(r"(\d[\d,.]*)([$£€¥₹])", core):
        return number_said(match[2] + match[1])
    if match := DAY_FIRST.fullmatch(core):
        core = f"{match[2]}/{match[1]}/{match[3]}"
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
        return f"{number_said(match[1])} {number_said(match[2])}"
    if (match := re.fullmatch(r"(\d{3})-(\d{4})", core)) and (match[2][0] == "0" or int(match[2]) % 50):
        return phone([core])
    if match := re.fullmatch(r"(\d)'(\d{1,2})(?:\"|''?)?", core):
        return f"{cardinal(int(match[1]))} foot {cardinal(int(match[2]))}"
    if match := re.fullmatch(r"(\d+)x", core):
        return {1: "once", 2: "twice"}.get(int(match[1]), f"{cardinal(int(match[1]))} times")
    if match := re.fullmatch(r"(\d+),(\d{1,2})", core):  # a decimal comma
        return f"{cardinal(int(match[1]))} point {digits(match[2])}"
    if match := re.fullmatch(r"(\$?[\d,.]*\d(?:st|nd|rd|th)?)[-–—](\$?\d[\d,.]*(?:st|nd|rd|th|%)?)", core):
        low, high = number_said(match[1]), number_said(match[2])
        return f"{low} to {high}" if low and high and core.count("-") < 2 else ""
    if match := re.fullmatch(r"(\d[\d,]*)(st|nd|rd|th)", core, re.IGNORECASE):
        return ordinal(int(match[1].replace(",", "")))
    if match := re.fullmatch(r"'?(\d{2,4})'?s", core):
        number = int(match[1])
        if number in {100, 1000}:
            return plural(cardinal(number).removeprefix("one "))
        return plural(year(number) if number >= 1000 else cardinal(number)) if number % 10 else _decade(number)
    if match := re.fullmatch(r"'(\d\d)", core):
        return ("oh " if match[1][0] == "0" else "") + cardinal(int(match[1]))
    if match := re.fullmatch(r"#(\d+)", core):
        return f"number {cardinal(int(match[1]))}"
    if match := re.fullmatch(r"(.*\d)%", core):
        return f"{number_said(match[1])} percent" if number_said(match[1]) else ""
    if match := re.fullmatch(r"(\d+)([½¼¾⅓⅔])", core):
        return f"{cardinal(int(match[1]))} and {FRACTIONS[match[2]]}"
    if (
        (match := re.fullmatch(r"([+-]?[\d.,]*\d)(km/h|[a-z°]+)", core, re.IGNORECASE))
        and match[2].lower() in UNITS | CLOSE_UNITS
        and match[2] not in {"M", "C", "H", "P"}
    ):
        return measure_said(match[1], match[2])
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
        return (
            f"{sign}{cardinal(int(whole.replace(',', '')))} point {digits(part)}" if whole else f"point {digits(part)}"
        )
    if not whole:
        return ""
    if len(whole) > 15 or (whole[0] == "0" and len(whole) > 1):
        return sign + digits(whole.replace(",", ""))
    if not sign and len(whole) == 4 and 1100 <= int(whole) <= 2099:
        return year(int(whole))
    return sign + cardinal(int(whole.replace(",", "")))


def phone(parts: list[str]) -> str:
    """Digit by digit, with a breath between the groups it is written in."""
    groups = [group for part in parts for group in re.findall(r"\+?\d+", part)]
    return ", ".join(("plus " if group[0] == "+" else "") + digits(group.lstrip("+")) for group in groups)
