"""The whole corpus, made once per process: what is tried does not depend on what it is tried on."""

from __future__ import annotations

from functools import cache

from tests.attacks.corpus.bad_tokens import bad_tokens
from tests.attacks.corpus.crossings import crossings
from tests.attacks.corpus.libraries import good_tokens
from tests.attacks.corpus.mints import everybody


@cache
def every_attack() -> dict[str, str]:
    """Those between issuers first: they are fewest."""
    made = crossings()
    for mint in everybody():
        made |= {f"{mint.name}: {trick}": token for trick, token in bad_tokens(mint).items()}
    return made


@cache
def every_good_token() -> dict[str, tuple[bool, str]]:
    """With whether it is one of ours."""
    return {
        f"{mint.name}: {name}": (mint.strict, token)
        for mint in everybody()
        for name, token in good_tokens(mint).items()
    }
