"""What every provider of a job speaks: requests and answers as plain data, one Protocol, one family of errors.

A provider does one job (write the script, judge it, read a line aloud, film a shot) for whoever asks. It is handed
everything it needs: no settings, no models, no global state. Requests and results cross the board as JSON, so each
dataclass here turns into plain data and back without loss.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, Self

Json = dict[str, Any]


# What kind of trouble a provider is in, and so what may be done about it:
#   passing  nothing was done; asking again, as a new attempt, may help
#   away     nobody was there to hear it: ask the same again later
#   busy     nothing was done; the vendor has no room now: ask the same again later
#   unknown  it may or may not have been done: ask the same again only as the provider's `recovery` allows
#   unfetched  it was done and is charged; what was made could not be fetched: fetching it again may help
#   refused  this request will never be done (its content, or our own fault)
#   gone     this model or voice is not there any more: choose another, tell staff
#   locked   no request will be done until a person mends it: key, credits, quota
#   capped   we may not spend that much
Trouble = Literal["passing", "away", "busy", "unknown", "unfetched", "refused", "gone", "locked", "capped"]


class ProviderError(Exception):
    """A provider did not do the job.

    `retryable` says whether asking again may help; `fan` is the sentence the fan may read (may be empty: nothing they
    need to know); `retry_after` is the vendor's own wish in seconds, where it gave one; `trouble` see above.

    `cost` is what the vendor charges all the same, in millionths of the account's currency unit: it did the job, and
    what it made is of no use. None where it charges and does not say how much: then our own estimate stands.
    """

    def __init__(
        self,
        what: str,
        *,
        retryable: bool,
        fan: str = "",
        retry_after: float | None = None,
        trouble: Trouble | None = None,
        cost: int | None = 0,
    ) -> None:
        # It often quotes the vendor; what no database can store would leave the call without its end.
        super().__init__(what.replace("\0", " ").encode(errors="replace").decode())
        self.retryable = retryable
        self.fan = fan
        self.retry_after = retry_after
        self.cost = cost
        self.trouble: Trouble = trouble or ("passing" if retryable else "refused")


class JobFailed(ProviderError):  # noqa: N818  (the vendor's word about the job, not about our asking)
    """The vendor did take the job, and it came to nothing: it is over. `cost` says whether it is charged."""


class Plain:
    """Dataclasses that become JSON and come back; unknown keys of a newer writer are ignored."""

    def to_json(self) -> Json:
        """This value as dicts, lists, strings and numbers."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild from `to_json`'s answer. Nested values are rebuilt by the classes that have them."""
        known = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        return cls(**{key: value for key, value in data.items() if key in known})


@dataclass(frozen=True, slots=True)
class PhotoNote(Plain):
    """What the writer may know of a photo: its place in the order (0-based), faces, shape, and when it was taken."""

    index: int
    faces: int = 0
    shape: Literal["portrait", "landscape", "square"] = "portrait"
    taken_on: str = ""  # ISO date, empty when unknown


@dataclass(frozen=True, slots=True)
class WriteRequest(Plain):
    """What the fan asked for, as data. `notes` and `must_say` are untrusted text: content, never instructions.

    `pictures` may name small JPEGs in the working folder, one for each photo in order, for a writer that has eyes.
    """

    name: str
    occasion: str
    tone: str
    notes: str
    photos: tuple[PhotoNote, ...]
    seconds: int
    must_say: tuple[str, ...] = ()
    creator: str = ""
    sender: str = ""  # how the fan signs, may be empty
    words_per_second: float = 2.4
    pictures: tuple[str, ...] = ()
    note: str = ""  # what the creator, or staff, want different from the last script
    telling: int = 0  # how many scripts there were before

    def to_json(self) -> Json:
        """As plain data, without what is not used: the local writer's dice fall by these words."""
        unused = {name for name in ("pictures", "note", "telling") if not getattr(self, name)}
        return {key: value for key, value in Plain.to_json(self).items() if key not in unused}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild, photos included."""
        return cls(
            **{
                **data,
                "photos": tuple(PhotoNote.from_json(p) for p in data["photos"]),
                "must_say": tuple(data.get("must_say", ())),
                "pictures": tuple(data.get("pictures", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class SceneDraft(Plain):
    """One scene: the line to be read, the photo (index into the request's photos) and where the line comes from.

    `fact` quotes the fan's own words the line was made from; empty only for openings and endings that state nothing.
    `role` is `opening`, `fact`, `must_say` or `ending`. `idea` is the picture idea in a few words.
    """

    text: str
    photo: int
    fact: str = ""
    role: Literal["opening", "fact", "must_say", "ending"] = "fact"
    idea: str = ""


@dataclass(frozen=True, slots=True)
class ScriptDraft(Plain):
    """A whole script: a title for the card and 5 to 10 scenes, in order; `left_out` quotes facts that did not fit."""

    title: str
    scenes: tuple[SceneDraft, ...]
    left_out: tuple[str, ...] = ()
    language: str = "en"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild, scenes included."""
        return cls(
            title=data["title"],
            scenes=tuple(SceneDraft.from_json(s) for s in data["scenes"]),
            left_out=tuple(data.get("left_out", ())),
            language=data.get("language", "en"),
        )


@dataclass(frozen=True, slots=True)
class ReadRequest(Plain):
    """One line to be read aloud. `said_as` maps a written word to how it is said (such as "see-oh-MAH-ra")."""

    text: str
    voice: str
    said_as: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpokenWord(Plain):
    """A word as written (punctuation attached) and when it is heard, in seconds from the start of the audio."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Reading(Plain):
    """A line read aloud: its seconds and each word's timing. The audio is the answer's file "audio" (mono WAV)."""

    seconds: float
    words: tuple[SpokenWord, ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild, words included."""
        return cls(seconds=data["seconds"], words=tuple(SpokenWord.from_json(w) for w in data["words"]))


@dataclass(frozen=True, slots=True)
class ShotRequest(Plain):
    """One moving picture wanted from one photo. `photo` is a file name in the answer's working folder; boxes are
    fractions of the photo (x, y, width, height); `seed` varies the move between neighbours."""

    photo: str
    width: int
    height: int
    seconds: float
    faces: tuple[tuple[float, float, float, float], ...] = ()
    interest: tuple[float, float, float, float] = (0.25, 0.25, 0.5, 0.5)
    prompt: str = ""
    seed: int = 0
    calm: bool = False  # less motion than usual

    def to_json(self) -> Json:
        """As plain data; nothing is said of motion where it is as usual."""
        data = Plain.to_json(self)
        return data if self.calm else {key: value for key, value in data.items() if key != "calm"}


@dataclass(frozen=True, slots=True)
class JudgeRequest(Plain):
    """What is to be judged: texts, and small JPEGs by their names in the working folder."""

    texts: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider says: `pending` with the vendor's id, or `done` with a JSON result and files it wrote in workdir.

    `cost` is in millionths of a US dollar, so that a tenth of a cent still counts.
    """

    state: Literal["pending", "done"]
    result: Json = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    external_id: str = ""
    poll_after: float = 5.0
    cost: int = 0


class BadHook(Exception):  # noqa: N818  (said to whoever knocked)
    """A message that is not from the vendor, too old, or not understood. It is refused and changes nothing."""


@dataclass(frozen=True, slots=True)
class HookNews:
    """What a verified webhook is about. It is a bell only: the truth is asked of the vendor afterwards.

    `event_id` is the same for every delivery of one message; `external_id` the vendor's id of the job, where it says.
    """

    event_id: str
    external_id: str = ""


class Hooked(Protocol):
    """A vendor that rings back."""

    @property
    def name(self) -> str:
        """The provider's name, which is part of the hook's address."""

    def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> HookNews:
        """Check a message's signature (over the raw body, in constant time) and age at `now` (Unix seconds).

        `headers` have lower-case names. Raises BadHook.
        """


def silently() -> None:
    """Nobody wants to know how far it is."""


class Provider(Protocol):
    """One vendor, or local twin, for one job. `submit` may answer at once; `look` is asked until it is done.

    Subclass it to inherit what most have in common: no limit, no price, nothing pending, nothing to check.

    `recovery` says what may be done when we crashed between asking and writing the answer down, and `find` knows
    nothing: `same_key` (ask again under the same key: the vendor answers with the first), `redo` (cheap and harmless:
    ask again), or `wait` (the vendor's own message or the deadline decides).
    """

    @property
    def name(self) -> str:
        """What the board and the desk call it."""

    @property
    def job(self) -> Literal["writer", "voice", "video", "moderator"]:
        """What it does."""

    @property
    def limit(self) -> int:
        """How many of its calls may be under way at once; 0 where we know no limit."""
        return 0

    @property
    def recovery(self) -> Literal["same_key", "redo", "wait"]:
        """What a crash between its answer and our writing it down asks for."""

    @property
    def model(self) -> str:
        """Which of the vendor's models it uses; empty where there is no choice."""
        return ""

    @property
    def patience(self) -> float:
        """How many seconds `prepare`, `find` and `submit` together may take without a sign of life."""
        return 0.0

    def prepare(self, request: Json, workdir: Path) -> Json:
        """The exact body that `submit` will send; it is kept, so that a second sending is the same bytes.

        Uploads what the request needs. May be done twice, and costs nothing. Raises ProviderError.
        """
        return request

    def submit(self, key: str, request: Json, workdir: Path) -> Answer:
        """Ask for the job under our own `key`; the same key again must not be done, or billed, twice.

        `request` is what `prepare` made. Raises ProviderError.
        """

    def look(self, external_id: str, workdir: Path, on_progress: Callable[[], None] = silently) -> Answer:
        """Where a pending job stands. Raises JobFailed when it is over without a result, else ProviderError.

        `on_progress` is called while its result is fetched, whenever a piece of it has come.
        """
        raise ProviderError(f"nothing is ever pending at {self.name}: {external_id!r}", retryable=False)

    def find(self, key: str) -> Answer | None:
        """The job we may have submitted under `key` before a crash; None when the vendor never heard of it."""

    def cancel(self, external_id: str) -> None:
        """Stop a pending job where the vendor can; silent where it cannot."""

    def estimate(self, request: Json) -> int:
        """What the job will cost at the most, in millionths of a US dollar; asks nobody."""
        return 0

    def check(self) -> str:
        """One free question that shows whether the vendor knows us; what it said. Raises ProviderError."""
        return "nothing to ask: it works on this machine"
