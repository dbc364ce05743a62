"""The wizard's forms: they tidy what was typed and say in one sentence what cannot be used."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import consents, words
from .choices import Format, Length, Occasion, Tone
from .models import MAX_MUST_SAY, MAX_MUST_SAY_LETTERS, MAX_NAME, MAX_NOTES, Brief

UNSEEN = gettext_lazy("There are characters in it that cannot be seen. Please type it again by hand.")


class Line(forms.CharField):
    """One line, tidied. It has no length the browser could cut it at: too long gets a sentence, nothing is lost."""

    def __init__(self, *, missing: Any = "", **extra: Any) -> None:
        messages = {"required": missing, "null_characters_not_allowed": UNSEEN}
        super().__init__(required=bool(missing), error_messages=messages, **extra)

    def to_python(self, value: Any) -> str:
        """The line in composed form."""
        return words.tidy_line(super().to_python(value) or "")


class ForWhomForm(forms.Form):
    """Screen 1: whom the film is for, and how it should be."""

    occasion = forms.ChoiceField(
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose what the film is for."),
            "invalid_choice": gettext_lazy("This occasion is not offered with this voice. Please choose another."),
        },
    )
    name = Line(missing=gettext_lazy("Tell us who the film is for."))
    said_as = Line()
    sender = Line()
    format = forms.ChoiceField(
        choices=Format.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose the film's shape."),
            "invalid_choice": gettext_lazy("Choose one of the shapes."),
        },
    )
    tone = forms.ChoiceField(
        choices=Tone.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose a tone."),
            "invalid_choice": gettext_lazy("Choose one of the tones."),
        },
    )
    seconds = forms.TypedChoiceField(
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose how long the film should be."),
            "invalid_choice": gettext_lazy("This length is not offered. Please choose another."),
        },
    )

    def __init__(self, *args: Any, occasions: list[Occasion], lengths: list[Length], **extra: Any) -> None:
        super().__init__(*args, **extra)
        self._offer("occasion", [(o.value, o.label) for o in occasions])
        self._offer("seconds", [(length.value, length.label) for length in lengths])

    def _offer(self, field: str, choices: list[tuple[Any, Any]]) -> None:
        offered = self.fields[field]
        assert isinstance(offered, forms.ChoiceField)
        offered.choices = choices

    @staticmethod
    def values(brief: Brief) -> dict[str, Any]:
        """What the brief already says."""
        names = ("occasion", "name", "said_as", "sender", "format", "tone", "seconds")
        return {name: getattr(brief, name) for name in names}

    def clean_name(self) -> str:
        """A name the narrator can say."""
        return self._checked("name")

    def clean_said_as(self) -> str:
        """A respelling in Latin letters."""
        said_as = self._checked("said_as")
        if said_as and not words.is_latin(said_as):
            raise forms.ValidationError(_("Please use the letters A to Z here, such as “see-oh-MAH-ra”."))
        return said_as

    def clean_sender(self) -> str:
        """The signature, where there is one: it is read aloud at the end."""
        sender = self._checked("sender")
        if fault := words.latin_fault(sender):
            raise forms.ValidationError(fault)
        return sender

    def clean(self) -> dict[str, Any]:
        """A name in another script needs a respelling: the narrators read Latin letters."""
        cleaned = super().clean() or {}
        if cleaned.get("name") and cleaned.get("said_as") == "" and not words.is_latin(cleaned["name"]):
            self.add_error("said_as", _("Our narrators read the letters A to Z. Please write how the name sounds."))
        return cleaned

    def _checked(self, field: str) -> str:
        text: str = self.cleaned_data[field]
        if text and (fault := words.name_fault(text, at_most=MAX_NAME)):
            raise forms.ValidationError(fault)
        return text


class StoryForm(forms.Form):
    """Screen 3: the story notes, and the lines that must be said."""

    notes = forms.CharField(required=False, strip=False, widget=forms.Textarea)
    line_1 = Line()
    line_2 = Line()
    line_3 = Line()

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        # A stray zero byte is tidied away like every other unseen character.
        self.fields["notes"].validators = []

    @staticmethod
    def values(brief: Brief) -> dict[str, Any]:
        """What the brief already says."""
        lines = [*brief.must_say, *[""] * MAX_MUST_SAY][:MAX_MUST_SAY]
        return {"notes": brief.notes, **{f"line_{n}": line for n, line in enumerate(lines, 1)}}

    def clean_notes(self) -> str:
        """The notes, tidied; their content is the fan's."""
        notes = words.tidy(self.cleaned_data["notes"])
        if len(notes) > MAX_NOTES:
            raise forms.ValidationError(
                _("Your story has %(length)d characters; up to %(limit)d fit. Please shorten it: it is all still here.")
                % {"length": len(notes), "limit": MAX_NOTES}
            )
        return notes

    def clean_line_1(self) -> str:
        """A line that can be read aloud."""
        return self._checked("line_1")

    def clean_line_2(self) -> str:
        """A line that can be read aloud."""
        return self._checked("line_2")

    def clean_line_3(self) -> str:
        """A line that can be read aloud."""
        return self._checked("line_3")

    def _checked(self, field: str) -> str:
        text: str = self.cleaned_data[field]
        if text and (fault := words.line_fault(text, at_most=MAX_MUST_SAY_LETTERS) or words.latin_fault(text)):
            raise forms.ValidationError(fault)
        return text

    @property
    def must_say(self) -> list[str]:
        """The lines without a fault, in order, each once."""
        lines = [self.cleaned_data.get(f"line_{n}", "") for n in range(1, MAX_MUST_SAY + 1)]
        return list(dict.fromkeys(line for line in lines if line))


class ConsentForm(forms.Form):
    """Screen 4: each consent is its own box, never ticked for the fan."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        for kind, agreed in consents.asked().items():
            self.fields[kind.value] = forms.BooleanField(
                label=agreed,
                required=kind in consents.REQUIRED,
                error_messages={"required": _("Please tick this box if you agree.")},
            )

    @property
    def kinds(self) -> list[str]:
        """The boxes that are ticked."""
        return [name for name in self.fields if self.cleaned_data.get(name)]
