"""One issuer's keys under another's name."""

from __future__ import annotations

from itertools import permutations

from tests.attacks.corpus.minting import Mint
from tests.attacks.corpus.mints import corp, everybody, own_shared, unfit_keys


def crossings() -> dict[str, str]:
    """Every signer saying what every other one says: under its own `kid`, under the other's, and by the other's header."""
    made = {}
    for signer, other in permutations(everybody(), 2):
        if signer.issuer == other.issuer:
            continue
        pair = f"{signer.name} as {other.name}"
        made[f"{pair}, own kid"] = signer.saying(**other.claims).good
        made[f"{pair}, other kid"] = signer.saying(**other.claims).token(header={"kid": other.kid})
        made[f"{pair}, other header"] = _under_the_header_of(other, signer)
        made[f"{pair}, only the name"] = signer.token(claims={"iss": other.issuer})
        made[f"{pair}, both names"] = signer.token(claims={"iss": [signer.issuer, other.issuer]})
    return made | _between_own_keys() | _names() | _unfit()


def _between_own_keys() -> dict[str, str]:
    """One of our keys under the kid of another of ours: the algorithm belongs to the key."""
    ours = [mint for mint in everybody() if mint.strict]
    return {
        f"{signer.name} under the kid of {other.name}": signer.token(header={"kid": other.kid})
        for signer, other in permutations(ours, 2)
    }


def _names() -> dict[str, str]:
    """Names of issuers that are nobody's."""
    mint = corp()
    wrong = (
        "",
        "own",
        "corp",
        "*",
        mint.issuer + "/",
        mint.issuer.upper(),
        f"{mint.issuer}#",
        "../corp",
        "null",
    )
    made = {f"issuer {name!r}": mint.token(claims={"iss": name}) for name in wrong}
    twice = mint.claims_json.replace(b'{"iss"', b'{"iss": "slipway", "iss"')
    made["two issuers, ours first"] = mint.sealed(mint.header_json, twice)
    made["two issuers, ours first, our key"] = own_shared().sealed(own_shared().header_json, twice)
    other = own_shared().claims_json.replace(b'{"iss"', f'{{"iss": "{mint.issuer}", "iss"'.encode())
    made["two issuers, ours last, our key"] = own_shared().sealed(own_shared().header_json, other)
    made["two issuers, ours last, their key"] = mint.sealed(mint.header_json, other)
    return made


def _unfit() -> dict[str, str]:
    """Signed by keys of the provider's set that are for something else, or too weak."""
    made = {}
    for name, (key, public) in unfit_keys().items():
        algorithm = "HS256" if isinstance(key, bytes) else "RS256"
        header = {"kid": public["kid"], "alg": algorithm}
        made[f"a key {name}"] = corp().token(header=header, key=key, algorithm=algorithm)
    return made


def _under_the_header_of(other: Mint, signer: Mint) -> str:
    return other.sealed(other.header_json, other.claims_json, key=signer.key, algorithm=signer.algorithm)
