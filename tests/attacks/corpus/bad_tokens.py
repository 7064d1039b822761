"""The corpus of tokens that must be refused (RFC 8725, RFC 9068), each with the trick it plays as its name."""

from __future__ import annotations

from collections.abc import Callable

from tests.attacks.corpus import claims, documents, libraries, signatures
from tests.attacks.corpus.minting import Mint

Family = Callable[[Mint], dict[str, str]]

FAMILIES: dict[str, Family] = {
    "algorithms": signatures.algorithms,
    "signatures": signatures.signatures,
    "keys": signatures.key_tricks,
    "times": claims.times,
    "types of claims": claims.wrong_types,
    "audiences": claims.audiences,
    "missing": claims.missing,
    "types of tokens": claims.token_types,
    "service accounts": claims.service_accounts,
    "documents": documents.documents,
    "shapes": documents.shapes,
    "libraries": libraries.libraries,
}


def bad_tokens(mint: Mint) -> dict[str, str]:
    return {
        f"{family}: {name}": token for family, make in FAMILIES.items() for name, token in make(mint).items()
    }
