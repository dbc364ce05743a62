"""Readable, unguessable names: order codes for people, tokens for files and links."""

import secrets

# Crockford's base 32 without the letters that are misread aloud (I, L, O, U) and without vowels that make words.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"


def order_code() -> str:
    """Eight characters in two groups, such as `K7QF-3M2X`: 28^8, about 3.8e11 possibilities."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def token() -> str:
    """An unguessable name for a file or a link: 128 bits, URL-safe."""
    return secrets.token_urlsafe(16)
