"""Everything that the corpus can try on the verifiers, as one list of what got through: empty, or there is a hole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelkit.errors import Unauthenticated
from tests.attacks.corpus.mints import cluster, corp, loose, own_shared
from tests.attacks.corpus.whole import every_attack, every_good_token
from tests.attacks.referee import Referee

Headers = list[tuple[bytes, bytes]]


def let_through(folder: Path) -> Iterator[str]:
    """The names of attacks that succeeded, of those that crashed a verifier, and of good tokens that were refused."""
    for name, referee in (("beside others", Referee(folder)), ("alone", Referee(folder, alone=True))):
        for trick, token in every_attack().items():
            if (said := _said(referee, token)) != "refused":
                yield f"{name}: {trick}: {said}"
        yield from (f"{name}: {trick}: let in" for trick in let_in_by_headers(referee))
        for trick, (ours, token) in every_good_token().items():
            if (ours or name != "alone") and (said := _said(referee, token)) != "let in":
                yield f"{name}: good token, {trick}: {said}"
    yield from mistaken(Referee(folder))


def _said(referee: Referee, token: str) -> str:
    try:
        return "refused" if referee.admits(token) is None else "let in"
    except Exception as error:  # an answer of 500: nobody was let in, and nobody was refused
        return f"crashed with {type(error).__name__}"


def header_attacks() -> dict[str, Headers]:
    """More than one header, another scheme, or another place than the header that is for it."""
    token = own_shared().good.encode()
    good = b"Bearer " + token
    single = {
        "no scheme": token,
        "another scheme": b"Basic " + token,
        "DPoP": b"DPoP " + token,
        "a colon": b"Bearer:" + token,
        "a tab": b"Bearer\t" + token,
        "two blanks": b"Bearer  " + token,
        "a blank behind": good + b" ",
        "two tokens": good + b"," + token,
        "two schemes": b"Bearer " + good,
        "bytes beyond ASCII": good + b"\xff",
    }
    made: dict[str, Headers] = {name: [(b"authorization", value)] for name, value in single.items()}
    for name, other in (
        ("twice", good),
        ("beside a bad one", b"Bearer x"),
        ("beside Basic", b"Basic x"),
        ("beside nothing", b""),
    ):
        made[f"good {name}"] = [(b"authorization", good), (b"authorization", other)]
        made[f"good {name}, behind"] = [(b"authorization", other), (b"authorization", good)]
    elsewhere = (
        b"proxy-authorization",
        b"x-authorization",
        b"x-forwarded-authorization",
        b"cookie",
        b"x-access-token",
    )
    for header in elsewhere:
        made[f"in {header.decode()}"] = [(header, good)]
    return made


def let_in_by_headers(referee: Referee) -> list[str]:
    found = []
    for name, headers in header_attacks().items():
        try:
            referee.gate.admit("/predict/iris", headers)
        except Unauthenticated:
            continue
        found.append(f"headers: {name}")
    return found


def mistaken(referee: Referee) -> list[str]:
    """Good tokens whose owner is taken for somebody else, or gets more than was granted."""
    greedy = {
        "scope": "admin",
        "scp": ["admin"],
        "roles": ["admin"],
        "groups": ["admin"],
        "uid": 1,
        "sid": "s",
    }
    bound = {"namespace": "shopping", "serviceaccount": {"name": "checkout"}}
    neighbour = {"sub": "system:serviceaccount:shopping:checkout", "kubernetes.io": bound}
    tokens: dict[str, tuple[str, str, frozenset[str]]] = {
        "corp says scopes": (corp().token(claims=greedy), "corp:ada", frozenset({"predict:iris"})),
        "cluster says scopes": (
            cluster().token(claims=greedy),
            f"cluster:{cluster().claims['sub']}",
            frozenset({"predict:iris"}),
        ),
        "somebody without a grant": (corp().token(claims={"sub": "bob"}), "corp:bob", frozenset()),
        "somebody whose name starts like another's": (
            corp().token(claims={"sub": "adam"}),
            "corp:adam",
            frozenset(),
        ),
        "a namespace that starts like another": (
            cluster().token(claims=neighbour),
            f"cluster:{neighbour['sub']}",
            frozenset(),
        ),
        "a namesake at another issuer": (loose().good, "loose:ada", frozenset()),
        "a token of ours": (own_shared().good, "ada", frozenset({"predict", "read"})),
    }
    found = []
    for name, (token, subject, scopes) in tokens.items():
        caller = referee.admits(token)
        seen = None if caller is None else (caller.subject, caller.scopes)
        if seen != (subject, scopes):
            found.append(f"{name}: mistaken")
        elif (
            name.endswith("says scopes")
            and caller is not None
            and (caller.user_id, caller.session_id) != (None, None)
        ):
            found.append(f"{name}: taken for somebody, let in")
    return found
