"""The sign-in forms: a code by e-mail for everyone, a password for the desk."""

from allauth.account.forms import LoginForm, RequestLoginCodeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .models import User

LONGEST = 254  # RFC 5321, and the column


class SignInForm(RequestLoginCodeForm):  # type: ignore[misc]
    """Asks for an e-mail address; an unknown one becomes an account that only the mailed code can open."""

    _user: User | None

    def clean_email(self) -> str:
        """The address, with an account behind it. Rate limits are applied before an account is made."""
        email: str = super().clean_email().lower()
        if len(email) > LONGEST:
            raise ValidationError(_("That address is too long to be one. Please look again."))
        if self._user is None and not User.objects.filter(email__iexact=email).exists():
            self._user = User.objects.create_user(email)
        return email


class DeskForm(LoginForm):  # type: ignore[misc]
    """Asks for an e-mail address and a password: staff and creators have one, fans have none."""

    def _setup_password_field(self) -> None:
        """Keep it, although nobody signs up with one."""
