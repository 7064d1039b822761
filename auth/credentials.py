"""What a user name, a scope and a password may be; asked when a user is made, and before a login costs anything."""

from __future__ import annotations

import re

from auth.scopes import NAMES, format_scopes, parse_scopes

MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 1024
# Of zxcvbn's 0 to 4: 3 is good for 10^8 guesses, which back-off spreads over centuries.
MIN_PASSWORD_SCORE = 3
# What follows cannot make a password worse; zxcvbn takes ever longer.
JUDGED_CHARACTERS = 72

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_PREDICT_ONE = re.compile(r"predict:[a-z0-9][a-z0-9._-]*")


def is_username(text: str) -> bool:
    return _USERNAME.fullmatch(text) is not None


def check_username(text: str) -> None:
    """Raises ValueError with the rule."""
    if not is_username(text):
        raise ValueError(
            "a user name has 1 to 100 letters, digits or . _ @ + - and starts with a letter or digit"
        )


def check_scopes(text: str) -> frozenset[str]:
    """The scopes of a space-separated list. Raises ValueError for one that nobody asks for.

    Whether there is such a model is not for `auth` to know.
    """
    scopes = parse_scopes(text)
    if unknown := sorted(
        scope for scope in scopes if scope not in NAMES and not _PREDICT_ONE.fullmatch(scope)
    ):
        known = ", ".join((*NAMES, "predict:<model>"))
        raise ValueError(f"there is no scope {format_scopes(frozenset(unknown))}; there are {known}")
    return scopes


def check_new_password(password: str, *, username: str = "") -> None:
    """Raises ValueError with the rule, never with the password (NIST SP 800-63B, section 3.1.1.2)."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise ValueError(f"a password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters")
    from zxcvbn import zxcvbn  # its word lists take a tenth of a second and some megabytes

    judged = zxcvbn(password[:JUDGED_CHARACTERS], user_inputs=[username, "slipway"])
    if judged["score"] < MIN_PASSWORD_SCORE:
        raise ValueError(
            "this password is too easy to guess: it is common, repeats itself, or follows from the name; "
            "several words that have nothing to do with each other are better"
        )
