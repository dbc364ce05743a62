"""The forms of the order desk's actions. Each carries a key of its own, so that a second click is the first one."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import RefundReason

LONGEST_REASON = 300
# Reasons that people give; the others are written by the site itself.
BY_HAND = (
    RefundReason.LATE,
    RefundReason.QUALITY,
    RefundReason.FAILED,
    RefundReason.REFUSED,
    RefundReason.REQUESTED,
    RefundReason.DUPLICATE,
    RefundReason.GOODWILL,
    RefundReason.UNSAFE,
    RefundReason.OTHER,
)


def new_key() -> str:
    """A form's own key."""
    return secrets.token_urlsafe(16)


class Keyed(forms.Form):
    """A form with its key."""

    key = forms.RegexField(r"^[A-Za-z0-9_-]{16,40}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = new_key
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_help"
            field.widget.attrs.setdefault("autocomplete", "off")


class ReasonForm(Keyed):
    """Why: for whoever reads the audit."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("It stays in the order’s history and in the audit. The fan does not read it."),
    )


class RefundForm(Keyed):
    """How much, why, and in which words."""

    amount = forms.DecimalField(label=gettext_lazy("Amount"), min_value=Decimal("0.01"), decimal_places=2, max_digits=9)
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=[(one.value, one.label) for one in BY_HAND])
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What happened, for your colleagues. The fan reads the reason and the amount only."),
    )

    def __init__(self, *args: Any, room: int, sign: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.room = room
        self.fields["amount"].label = _("Amount, %(sign)s") % {"sign": sign}
        self.fields["amount"].widget.attrs |= {"inputmode": "decimal", "step": "0.01", "max": f"{room / 100:.2f}"}

    def clean_amount(self) -> int:
        """The amount in minor units, as long as there is so much."""
        amount = int(self.cleaned_data["amount"] * 100)
        if amount > self.room:
            raise forms.ValidationError(_("That is more than is left: %(room).2f.") % {"room": self.room / 100})
        return amount


class DecideForm(Keyed):
    """A second person's word on a refund."""

    reason = forms.CharField(label=gettext_lazy("Reason, if you decline"), max_length=LONGEST_REASON, required=False)


class MessageForm(Keyed):
    """What staff write to the fan."""

    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=120)
    body = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 9}),
        help_text=gettext_lazy("A link to the order and its code are added below your words."),
    )

    def clean_subject(self) -> str:
        """On one line: it becomes a mail's header."""
        return " ".join(str(self.cleaned_data["subject"]).split())


class CancelForm(ReasonForm):
    """Why the order ends, and what the fan reads."""

    ending = forms.CharField(
        label=gettext_lazy("What the fan reads"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        initial=gettext_lazy("We cancelled this order. You pay nothing for it."),
    )


class EraseForm(ReasonForm):
    """Why, and the code typed by hand."""

    code = forms.CharField(label=gettext_lazy("Order code"), max_length=12)

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = wanted
        self.fields["code"].label = _("Type %(code)s to confirm") % {"code": wanted}

    def clean_code(self) -> str:
        """The order's code, and no other."""
        typed = str(self.cleaned_data["code"]).strip().upper()
        if typed != self.wanted:
            raise forms.ValidationError(_("That is not this order’s code. Nothing was erased."))
        return typed
