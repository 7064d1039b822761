"""Users as rows, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from records.users import (
    UserExists,
    add_user,
    find_user,
    set_password_hash,
)


def test_a_user_is_found_as_added(engine: Engine) -> None:
    added = add_user(engine, username="ada", password_hash="hash", scopes="predict read")
    assert find_user(engine, "ada") == added
    assert not added.disabled
    assert find_user(engine, "bob") is None


def test_a_name_is_given_once(engine: Engine) -> None:
    first = add_user(engine, username="ada", password_hash="hash", scopes="predict")
    with pytest.raises(UserExists):
        add_user(engine, username="ada", password_hash="other", scopes="admin")
    assert find_user(engine, "ada") == first


def test_a_new_password_hash_replaces_the_old_one(engine: Engine) -> None:
    user = add_user(engine, username="ada", password_hash="old", scopes="predict")
    assert set_password_hash(engine, user.id, "new", instead_of="old")
    assert not set_password_hash(engine, user.id, "newer", instead_of="old")
    found = find_user(engine, "ada")
    assert found is not None
    assert found.password_hash == "new"
