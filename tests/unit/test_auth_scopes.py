"""Scopes: how a claim lists them, and what each allows."""

from __future__ import annotations

import pytest

from auth.principal import Principal
from auth.scopes import format_scopes, parse_scopes, require, require_predict
from modelkit.errors import InsufficientScope


def principal(scopes: str) -> Principal:
    return Principal(
        subject="ada", issuer="slipway", scopes=parse_scopes(scopes), expires_at=1.0, user_id=1, token_id="t"
    )


def test_a_claim_lists_scopes_with_blanks_between_them() -> None:
    assert parse_scopes(" predict:iris  read ") == {"predict:iris", "read"}
    assert parse_scopes("") == frozenset()
    assert format_scopes(frozenset({"read", "predict"})) == "predict read"


@pytest.mark.parametrize("claim", ['pre"dict', "a\\b", "read\tadmin", "read\nadmin", "lecture-é", "\x7f"])
def test_characters_that_no_scope_has_are_refused(claim: str) -> None:
    with pytest.raises(ValueError):
        parse_scopes(claim)


def test_predict_allows_every_model_and_a_named_one_only_itself() -> None:
    assert principal("predict").may_predict("iris")
    assert principal("predict:iris").may_predict("iris")
    assert not principal("predict:iris").may_predict("iris-2")
    assert not principal("predict:iris-2").may_predict("iris")
    assert not principal("read predict:").may_predict("iris")


def test_a_scope_that_is_missing_is_named_in_the_challenge() -> None:
    require(principal("read"), "read")
    with pytest.raises(InsufficientScope) as refused:
        require(principal("predict"), "read")
    assert dict(refused.value.headers)["WWW-Authenticate"].endswith(
        'error="insufficient_scope", scope="read"'
    )
    with pytest.raises(InsufficientScope, match="predict:iris"):
        require_predict(principal("read"), "iris")


def test_a_principal_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        principal("read").scopes = frozenset({"admin"})  # type: ignore[misc]
