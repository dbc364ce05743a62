"""The sign-in form."""

from allauth.account.forms import RequestLoginCodeForm

from .models import User


class SignInForm(RequestLoginCodeForm):  # type: ignore[misc]
    """Asks for an e-mail address; an unknown one becomes an account that only the mailed code can open."""

    _user: User | None

    def clean_email(self) -> str:
        """The address, with an account behind it. Rate limits are applied before an account is made."""
        email: str = super().clean_email().lower()
        if self._user is None and not User.objects.filter(email__iexact=email).exists():
            self._user = User.objects.create_user(email)
        return email
