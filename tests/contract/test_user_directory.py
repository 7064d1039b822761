"""What every user directory does: the one of the tests, and the one on SQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from auth.database import Database
from auth.directory import SqlUserDirectory
from auth.login import Account
from modelkit.errors import IdentityUnavailable
from records.engine import open_engine
from records.users import add_user
from tests.auth_commands import disable
from tests.fakes.identity import MemoryUserDirectory

Directory = MemoryUserDirectory | SqlUserDirectory
ADA = Account(user_id=1, username="ada", password_hash="hash-1", scopes="predict read", disabled=False)
BOB = Account(user_id=2, username="bob", password_hash="hash-2", scopes="predict", disabled=True)


@pytest.fixture
def on_sql(database_url: str) -> Iterator[SqlUserDirectory]:
    engine = open_engine(database_url)
    for account in (ADA, BOB):
        add_user(
            engine, username=account.username, password_hash=account.password_hash, scopes=account.scopes
        )
    disable(engine, "bob")
    engine.dispose()
    database = Database(database_url)
    yield SqlUserDirectory(database)
    database.close()


@pytest.fixture
def in_memory() -> MemoryUserDirectory:
    return MemoryUserDirectory(ADA, BOB)


class DirectoryContract:
    """Inherited by one class for each implementation."""

    def test_a_user_is_found_by_the_exact_name(self, directory: Directory) -> None:
        assert directory.find("ada") == ADA
        assert directory.find("bob") == BOB

    @pytest.mark.parametrize("name", ["nobody", "ADA", "ad_", "ad%", "", "ada "])
    def test_another_name_finds_nobody(self, directory: Directory, name: str) -> None:
        assert directory.find(name) is None

    def test_a_new_hash_is_kept_for_that_user_only(self, directory: Directory) -> None:
        assert directory.set_password_hash(1, "hash-3", instead_of="hash-1")
        found, other = directory.find("ada"), directory.find("bob")
        assert found is not None
        assert found.password_hash == "hash-3"
        assert other == BOB

    def test_a_hash_that_was_changed_meanwhile_stays(self, directory: Directory) -> None:
        assert not directory.set_password_hash(1, "hash-3", instead_of="hash-0")
        assert directory.find("ada") == ADA


class TestInMemory(DirectoryContract):
    @pytest.fixture
    def directory(self, in_memory: MemoryUserDirectory) -> Directory:
        return in_memory


class TestOnSql(DirectoryContract):
    @pytest.fixture
    def directory(self, on_sql: SqlUserDirectory) -> Directory:
        return on_sql


def test_many_threads_log_in_at_once(on_sql: SqlUserDirectory) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(on_sql.find, ["ada"] * 40)) == {ADA}


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////proc/none.db"])
def test_a_database_that_cannot_be_reached_is_identity_unavailable(url: str) -> None:
    directory = SqlUserDirectory(Database(url))
    with pytest.raises(IdentityUnavailable):
        directory.find("ada")
    with pytest.raises(IdentityUnavailable):
        directory.set_password_hash(1, "hash", instead_of="-")


def test_a_database_without_tables_is_identity_unavailable(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with pytest.raises(IdentityUnavailable):
        SqlUserDirectory(database).find("ada")
    database.close()
