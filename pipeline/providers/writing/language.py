"""What language a text is in, from its script and its commonest words; a few foreign words pass as English."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from pipeline.providers.writing import lexicon as lex
from pipeline.providers.writing.tidy import LOWER

STOP_WORDS = {
    "en": """
        the and is are was were has have had a an of to in on with for that this it he she they you we i her his
        their my our your not but who when from at by as be been so too very always never loves likes about
        because if all just really does did can will would me him them there what or one every out up
    """,
    "es": """
        el la los las un una unos unas de del que y en es son fue era con por para su sus mi mis muy no se le lo
        como pero más cuando siempre nunca ella él tiene hace años yo nos desde al me te tu está ha porque todo
        quiere ama a canta su
    """,
    "de": """
        der die das ein eine einen einem und ist sind war waren hat haben mit für von zu im in auf dem den des
        sie er ich wir nicht sehr auch als aber immer nie ihr ihre sein seine mein meine dass wenn jahre wie es
        liebt am bei
    """,
    "fr": """
        le la les un une des de du et est sont était a avec pour dans sur son sa ses mon ma mes elle il nous
        vous je ne pas que qui très toujours jamais quand mais ans depuis plus ce cette au aux en être avoir
        tout aime notre adore
    """,
    "it": """
        il lo la gli le un una di del della e è sono era ha con per che non si suo sua mio mia molto sempre mai
        quando ma anni da nel alla più come lei lui io noi anche ama i a ho hanno
    """,
    "pt": """
        o os as um uma de do da dos e é são foi era com por para que não se seu sua meu minha muito sempre nunca
        quando mas anos na no mais ela ele eu nós também tem você
    """,
    "nl": """
        de het een en is zijn was met voor van te in op dat die niet haar hij zij ik wij ook als maar altijd
        nooit mijn onze heeft jaar om bij naar er aan wordt zo ze was
    """,
    "pl": """
        i w na z się nie to jest był była ma że do jak ale zawsze nigdy jej jego moja mój od dla po już lat
        kocha ona
    """,
    "sv": """
        och är en ett det som på av för med hon han jag vi inte har var den till alltid aldrig min mitt hennes
        hans
    """,
    "tr": """
        ve bir bu çok için ile o da de her gibi ama hep benim onun sonra kadar daha seviyor var
    """,
}
"""Function words by language; the ratio of hits decides. English wins ties."""

TELLING = {
    "es": """
        él siempre muy tiene nunca cuando pero porque quiere también hijo hija hijos hermana hermano canta baila
        trabaja juega lee viaja gusta gustan encanta sabe hace sueña mejor gatos perro perros nosotros nuestra
        nuestro mundo vida casa libros gatos nació dos jardín comer bailar cantar leer viajar
    """,
    "de": """
        sie und ist nicht sehr für liebt immer gern gerne auch aber seine ihr ihre ihren ihrem meine unsere oft
        viel keine kein eine einen einem einer beim durch hatte wurde kann singt tanzt kocht backt trinkt isst
        liest lacht spielt arbeitet lebt wohnt fährt fliegt läuft reist schläft mag hasst hört macht geht kommt
        schreibt malt hilft denkt geboren geflogen gearbeitet mutter vater schwester bruder tochter sohn katze
        katzen hunde kinder kaffee jeden jeder seit wenn weil dass noch schon nur nach jahre müde
    """,
    "fr": """
        et avec très toujours jamais aime j'aime qui quand mais depuis ses dans c'est était être sont nous vous
        notre chante cuisine travaille joue boit mange dort né née voyage écrit déteste rêve sait mère père sœur
        soeur frère fille fils chats chien chiens enfants beaucoup souvent tous chaque jours matin deux trois
        danser chanter lire cuisiner voyager rire manger maison
    """,
    "it": """
        è gli molto anche perché suoi nostra nostro canta balla cucina lavora gioca legge beve mangia dorme corre
        ride nato viaggia scrive odia piace piacciono sogna sorella fratello figlia figlio gatti gatto cani bene
        tanto spesso tutti ogni giorno anni della leggere figli ballare cantare cucinare vita mondo
    """,
    "pt": """
        não muito sempre nunca também quando tem você seu nossa canta dança cozinha trabalha joga lê dorme nasceu
        viaja escreve odeia gosta sonha faz sabe mãe irmã irmão filha filho cães cão cachorro todos uma melhor
        mundo dançar cantar gatos
    """,
    "nl": """
        zij haar zijn niet altijd nooit ook heeft graag houdt zingt danst kookt bakt drinkt eet leest lacht speelt
        werkt woont leeft fietst rijdt vliegt loopt reist slaapt haat maakt gaat schrijft schildert helpt denkt
        geboren gevlogen moeder zus broer dochter zoon katten hond honden kinderen koffie elke iedere veel vaak
    """,
    "pl": """
        jest była był się nie że zawsze nigdy jej jego bardzo kocha lubi uwielbia śpiewa tańczy gotuje pracuje
        mieszka czyta pije śpi biega podróżuje pisze nienawidzi marzy robi umie matka ojciec siostra córka koty
        kawę kawa dzieci dużo często każdy każdego wszystkich urodziła urodził dwa dwie
    """,
    "sv": "och är inte älskar alltid aldrig mycket sjunger dansar hund hunden katten",
    "da": "hun ikke elsker altid aldrig meget synger danser jeg drikker katten hund",
    "tr": """
        ve bir çok için gibi seviyor sever söylüyor şarkı kahve kahveyi kedi kedisi kedileri köpek köpeği annem
        babam kardeş doğdu yaşıyor çalışıyor okuyor yazıyor yapıyor içiyor yemek güzel herkes asla onun benim
        biliyor gidiyor oynuyor
    """,
}
"""Words that nobody writing English would use: one is enough where nothing English stands beside it."""

_LOANS = lex.word_set("""
    fiancé fiancée café cafés cliché clichés déjà naïve crème brûlée crêpe crêpes jalapeño jalapeños piñata über
    doppelgänger résumé soirée entrée purée rosé protégé protégée exposé décor façade señor señora señorita papá
    mamá abuelita früher pâté soufflé flambé sauté sautés sautéed matinée éclair éclairs touché risqué à canapé
    canapés jalapeno smörgåsbord föhn mañana olé açaí gruyère vis-à-vis château tía tío née señores pho blasé
    """)
_PHRASES = re.compile(
    r"\b(?:c'est la vie|d[ée]j[àa] vu|joie de vivre|cr[èe]me de la cr[èe]me|cr[èe]me br[ûu]l[ée]e|je ne sais quoi|"
    r"la dolce vita|hasta la vista|mi casa es su casa|que ser[áa],? ser[áa]|carpe diem|tour de france|coup de \w+|"
    r"crème de \w+|raison d'[êe]tre|faux pas|bon app[ée]tit|bon voyage|je t'aime|te quiero|te amo|ti amo|"
    r"mon (?:amour|ami)|feliz cumplea[ñn]os|joyeux anniversaire|alles gute|vis-[àa]-vis|al dente|cinco de mayo|"
    r"d[ií]a de (?:los )?muertos|maitre d'|femme fatale|nom de plume|pain au chocolat|arroz con pollo|chili con carne)",
    re.I,
)
"""What English has borrowed whole."""

_ENGLISH = frozenset(STOP_WORDS["en"].split())
_TELLING = {code: frozenset(words.split()) for code, words in TELLING.items()}
_WORDS = {code: (frozenset(STOP_WORDS.get(code, "").split()) | _TELLING[code]) - _ENGLISH for code in TELLING}
_ACCENTED = frozenset(w for words in _WORDS.values() for w in words if not w.isascii())
_PLAIN_ENGLISH = LOWER | _ENGLISH | lex.TIMES
"""Words that speak for English: its commonest ones and all that the lexicon knows."""
_SHARED = {code: (frozenset(STOP_WORDS.get(code, "").split()) | _TELLING[code]) & _PLAIN_ENGLISH for code in TELLING}
_NAMES = re.compile(
    r"\b[A-Z]\w+(?: (?:de|la|las|los|del|van|den|der|von|di|da|le|du|y|e)){1,3} [A-Z]\w+|"
    r"\b(?:La|Las|Los|El|Le|Les|San|Santa) [A-Z]\w+"
)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)|(?<!\w)‘[^’]*’(?!\w)")
_SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "HANGUL": "ko",
    "ARABIC": "ar",
    "HEBREW": "he",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "DEVANAGARI": "hi",
    "THAI": "th",
}


def _script(char: str) -> str:
    return unicodedata.name(char, "?").split(" ")[0].split("-")[0]


def is_latin(text: str) -> bool:
    """Whether most of the letters of `text` are Latin; False where it has no letters."""
    letters = [c for c in text if c.isalpha()]
    return bool(letters) and sum(_script(c) == "LATIN" for c in letters) > len(letters) / 2


def language_of(text: str, names: tuple[str, ...] = ()) -> str:
    """The language code of `text`: "en" unless something else is plainly there, "" where there are no letters at all.

    A script other than Latin is named after its commonest language ("other" where we know none). `names` are people's:
    "Ella" is no pronoun where the film is for her.
    """
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return ""
    if not is_latin(text):
        scripts = Counter(_script(c) for c in letters)
        if scripts["HIRAGANA"] + scripts["KATAKANA"]:
            return "ja"
        return _SCRIPTS.get(scripts.most_common(1)[0][0], "other")
    whole, sure = _guess(text, names)
    if whole != "en" and sure:
        return whole
    for piece in re.split(r"[,;:–—]", text):
        code, sure = _guess(piece, names) if len(piece.split()) > 3 else ("en", False)
        if code != "en" and sure and not speaks_english(piece, names):
            return code
    return whole


def speaks_english(text: str, names: tuple[str, ...] = ()) -> bool:
    """Whether at least one word of `text` is plainly English: "Sie singt gern" has none, and neither has "Oma"."""
    return any(word in _PLAIN_ENGLISH for word in _words(text, names))


def _guess(text: str, names: tuple[str, ...]) -> tuple[str, bool]:
    """The likeliest language of a text in Latin letters, and whether several words bear it out."""
    words = _words(text, names)
    hits = {code: sum(w in known and w not in _PLAIN_ENGLISH for w in words) for code, known in _WORDS.items()}
    telling = {code: sum(w in known and w not in _PLAIN_ENGLISH for w in words) for code, known in _TELLING.items()}
    best = max(hits, key=lambda code: (hits[code], telling[code]))
    marked = sum(not w.isascii() and w not in _LOANS for w in words if w not in _WORDS[best])
    english = sum(w in _PLAIN_ENGLISH and w not in _SHARED[best] for w in words)
    found = hits[best] + marked
    if found >= 2 and found >= english * 1.4 + (english > 0):
        return best if hits[best] else "other", True
    if not english and len(words) > 1 and (telling[best] or marked):
        return best if hits[best] else "other", False
    return "en", False


def _words(text: str, names: tuple[str, ...]) -> list[str]:
    """The words that can tell a language, in lower case: without names, initials, borrowed phrases and quotations."""
    outside = _QUOTED.sub(" ", text)
    text = outside if len(outside.split()) > 1 else text
    text = _NAMES.sub(" ", _PHRASES.sub(" ", text.replace("’", "'")))
    known = {w for name in names for w in name.casefold().split()}
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text)
    shouted = text.isupper()
    words = [w for w in words if shouted or not (w.isupper() and len(w) > 1)]
    # A capital may be a name (or a German noun): an accent on it proves nothing unless the word is known.
    return [
        w.casefold()
        for w in words
        if w.casefold() not in known and (w.isascii() or w.islower() or shouted or w.casefold() in _ACCENTED)
    ]
