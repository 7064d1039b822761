"""What a user name and a password may be; asked when a user is made, and before a login costs anything."""

from __future__ import annotations

import re

MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 1024

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


def is_username(text: str) -> bool:
    return _USERNAME.fullmatch(text) is not None


def check_username(text: str) -> None:
    """Raises ValueError with the rule."""
    if not is_username(text):
        raise ValueError(
            "a user name has 1 to 100 letters, digits or . _ @ + - and starts with a letter or digit"
        )


def check_password(password: str) -> None:
    """Raises ValueError with the rule, never with the password."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise ValueError(f"a password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters")
