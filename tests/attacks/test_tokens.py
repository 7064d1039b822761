"""Only a valid token passes (T1): the corpus is refused whole, for every issuer and kind of key, and good tokens are not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkit.errors import TokenExpired, Unauthenticated
from tests.attacks.corpus.bad_tokens import FAMILIES, bad_tokens
from tests.attacks.corpus.claims import times
from tests.attacks.corpus.crossings import crossings
from tests.attacks.corpus.libraries import good_tokens
from tests.attacks.corpus.minting import Mint
from tests.attacks.corpus.mints import cluster, corp, everybody, own_shared
from tests.attacks.referee import Referee, header_of

EVERYBODY = pytest.mark.parametrize("mint", everybody(), ids=lambda mint: mint.name)
GREEDY = {
    "scope": "admin predict read feedback",
    "scp": ["admin"],
    "scopes": ["admin"],
    "roles": ["admin"],
    "groups": ["admin", "system:masters"],
    "permissions": ["admin"],
    "uid": 1,
    "sid": "a-session",
    "user_id": 1,
    "admin": True,
}


@pytest.fixture(scope="module")
def referee(tmp_path_factory: pytest.TempPathFactory) -> Referee:
    return Referee(tmp_path_factory.mktemp("referee"))


@EVERYBODY
def test_the_corpus_is_as_large_as_promised(mint: Mint) -> None:
    assert len(bad_tokens(mint)) >= 200
    assert len(good_tokens(mint)) >= 10


@EVERYBODY
def test_good_tokens_are_accepted(referee: Referee, mint: Mint) -> None:
    good = good_tokens(mint)
    assert set(good) - set(referee.let_in(good)) == set()


@EVERYBODY
@pytest.mark.parametrize("family", FAMILIES)
def test_bad_tokens_are_refused(referee: Referee, mint: Mint, family: str) -> None:
    assert referee.let_in(FAMILIES[family](mint)) == []


def test_no_issuers_key_makes_a_token_of_another(referee: Referee) -> None:
    crossed = crossings()
    assert len(crossed) >= 200
    assert referee.let_in(crossed) == []


@EVERYBODY
def test_a_good_token_that_was_remembered_makes_no_bad_one_good(referee: Referee, mint: Mint) -> None:
    assert referee.admits(mint.good) is not None
    assert referee.let_in(bad_tokens(mint)) == []


@EVERYBODY
def test_only_a_real_token_is_told_that_it_has_expired(referee: Referee, mint: Mint) -> None:
    expired = times(mint)["expired"]
    with pytest.raises(TokenExpired):
        referee.gate.admit("/models", [(b"authorization", header_of(expired))])
    for fake in (expired[:-4] + "AAAA", mint.token(claims={"exp": 1}, key=mint.other_key)):
        with pytest.raises(Unauthenticated) as refused:
            referee.gate.admit("/models", [(b"authorization", header_of(fake))])
        assert not isinstance(refused.value, TokenExpired)


@pytest.mark.parametrize("mint", [corp(), corp("ES256"), cluster()], ids=lambda mint: mint.name)
def test_what_a_token_of_others_says_of_itself_grants_nothing(referee: Referee, mint: Mint) -> None:
    caller = referee.admits(mint.token(claims=GREEDY))
    assert caller is not None
    assert caller.scopes == {"predict:iris"}
    assert (caller.user_id, caller.session_id) == (None, None)


@pytest.mark.parametrize("subject", ["ada", "own:ada", "slipway:ada", "cluster:ada", "corp:ada", ":ada"])
def test_a_subject_of_others_is_never_taken_for_one_of_ours(referee: Referee, subject: str) -> None:
    caller = referee.admits(corp().token(claims={"sub": subject}))
    assert caller is not None
    assert caller.subject == f"corp:{subject}"
    own = referee.admits(own_shared().token(claims={"sub": "ada"}))
    assert own is not None
    assert own.subject == "ada"


@pytest.mark.parametrize("subject", [" ada", "ada ", "ad\u200ba", "a\u202eda", "ada\u2028", "a" * 256])
def test_a_subject_that_could_be_mistaken_is_refused(referee: Referee, subject: str) -> None:
    assert referee.admits(corp().token(claims={"sub": subject})) is None


def test_a_grant_for_one_namespace_is_no_grant_for_one_that_starts_like_it(referee: Referee) -> None:
    for namespace, scopes in (("shop", {"predict:iris"}), ("shopping", set()), ("s", set()), ("Shop", set())):
        bound = {"namespace": namespace, "serviceaccount": {"name": "checkout", "uid": "5c0f"}}
        said = {"sub": f"system:serviceaccount:{namespace}:checkout", "kubernetes.io": bound}
        caller = referee.admits(cluster().token(claims=said))
        assert caller is not None
        assert caller.scopes == scopes
    forged = {"sub": "system:serviceaccount:shop:checkout", "kubernetes.io": bound}
    assert referee.admits(cluster().token(claims=forged)) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(token=st.text(max_size=300))
def test_no_text_breaks_the_verifiers(referee: Referee, token: str) -> None:
    assert referee.admits(token) is None


@given(header=JSON, claims=JSON)
def test_no_signed_document_breaks_the_verifiers(referee: Referee, header: object, claims: object) -> None:
    for mint in (own_shared(), corp("ES256")):
        assert referee.admits(mint.sealed(json.dumps(header).encode(), json.dumps(claims).encode())) is None


@given(data=st.data())
def test_no_changed_letter_passes(referee: Referee, data: st.DataObject) -> None:
    for mint in everybody():
        good = mint.good
        position = data.draw(st.integers(0, len(good) - 1))
        changed = good[:position] + data.draw(st.characters(codec="ascii")) + good[position + 1 :]
        assert changed == good or referee.admits(changed) is None
