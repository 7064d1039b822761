"""Command line of users: `python -m auth create-user|disable-user|enable-user|hash`."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from auth.credentials import check_password, check_username
from auth.passwords import Passwords
from auth.scopes import PREDICT, READ, format_scopes, parse_scopes
from records.database_option import add_database_options, database_url
from records.engine import open_engine
from records.users import NoSuchUser, UserExists, add_user, set_disabled

DEFAULT_SCOPES = (PREDICT, READ)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1: refused, and nothing has changed. 2: the database cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        print(_run(options))
        return 0
    except UserExists:
        print(f"there is a user {options.name} already", file=sys.stderr)
    except NoSuchUser:
        print(f"there is no user {options.name}", file=sys.stderr)
    except ValueError as error:
        print(error, file=sys.stderr)
    except SQLAlchemyError as error:
        print(
            f"the database cannot be used: {getattr(error, 'orig', None) or type(error).__name__}",
            file=sys.stderr,
        )
        return 2
    return 1


def _run(options: argparse.Namespace) -> str:
    if options.command == "hash":
        return Passwords().hash(_new_password())
    engine = open_engine(database_url(options))
    try:
        if options.command == "create-user":
            return _create(engine, options.name, " ".join(options.scopes or DEFAULT_SCOPES))
        return _switch(engine, options.name, disabled=options.command == "disable-user")
    finally:
        engine.dispose()


def _create(engine: Engine, username: str, scopes: str) -> str:
    check_username(username)
    granted = format_scopes(parse_scopes(scopes))
    add_user(engine, username=username, password_hash=Passwords().hash(_new_password()), scopes=granted)
    return f"created {username} with the scopes: {granted}"


def _switch(engine: Engine, username: str, *, disabled: bool) -> str:
    set_disabled(engine, username, disabled=disabled)
    if disabled:
        return f"{username} cannot log in any more; tokens already issued live until they expire"
    return f"{username} can log in again"


def _new_password() -> str:
    """From a prompt, or the first line of standard input: never from an argument, which other users can list."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise ValueError("the two passwords differ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    check_password(password)
    return password


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auth", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, meaning in (
        ("create-user", "add a user; the password is asked for, or read from standard input"),
        ("disable-user", "refuse new logins of a user"),
        ("enable-user", "allow them again"),
    ):
        sub = commands.add_parser(command, help=meaning)
        sub.add_argument("name")
        add_database_options(sub)
        if command == "create-user":
            sub.add_argument(
                "--scope",
                "--scopes",
                action="append",
                dest="scopes",
                help='"predict read" unless given; may be repeated, or hold several with spaces',
            )
    commands.add_parser("hash", help="print the hash of a password")
    return parser


if __name__ == "__main__":
    sys.exit(main())
