"""Command line of users, clients and sessions: `python -m auth create-user|create-client|users|…`."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from sqlalchemy.exc import SQLAlchemyError

from auth.commands import accounts, listing, policy, sessions
from auth.commands.administration import Administration
from auth.commands.parser import make_parser
from auth.commands.told import Told
from auth.credentials import check_new_password, check_username
from auth.passwords import Passwords
from records.actor import actor_of
from records.database_option import database_url
from records.engine import lacks_tables, open_existing
from records.users import NoSuchUser, UserExists


def main(arguments: Sequence[str] | None = None, *, typed: TextIO | None = None) -> int:
    """Exit code 1: refused, and nothing has changed. 2: the database cannot be used."""
    options = make_parser(__doc__).parse_args(arguments)
    try:
        _print(_run(options, typed or sys.stdin))
        return 0
    except UserExists as error:
        print(f"there is a user {error} already", file=sys.stderr)
    except NoSuchUser as error:
        print(f"there is no user {error}", file=sys.stderr)
    except ValueError as error:
        print(error, file=sys.stderr)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or type(error).__name__
        print(f"the database cannot be used: {reason}", file=sys.stderr)
        if lacks_tables(error):
            print("`python -m records upgrade` makes its tables", file=sys.stderr)
        return 2
    return 1


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # whoever reads has had enough (`… | head`): what was done is done
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(options: argparse.Namespace, typed: TextIO) -> str:
    if options.command == "hash":
        return Passwords().hash(_new_password("", typed))
    if options.command == "check-policy":
        told = policy.check(options.file, audience=options.audience, own_issuer=options.issuer)
        return told.shown(options.output)
    engine = open_existing(database_url(options))
    try:
        actor = actor_of(options) if "actor" in options else ""
        return _do(Administration(engine, actor), options, typed).shown(options.output)
    finally:
        engine.dispose()


def _do(admin: Administration, options: argparse.Namespace, typed: TextIO) -> Told:
    match options.command:
        case "users":
            return listing.list_users(admin)
        case "events":
            return listing.list_events(admin, options.name, options.limit)
        case "sessions":
            return sessions.list_sessions(admin, options.name)
        case "revoke":
            return sessions.revoke(admin, token_id=options.token_id, subject=options.subject)
        case _:
            return _change(admin, options, typed)


def _change(admin: Administration, options: argparse.Namespace, typed: TextIO) -> Told:
    name: str = options.name
    match options.command:
        case "create-user":
            check_username(name)
            return accounts.create_user(admin, name, _scopes(options), _new_password(name, typed))
        case "create-client":
            return accounts.create_client(admin, name, _scopes(options))
        case "set-password":
            return accounts.set_password(admin, name, _new_password(name, typed))
        case "rescope":
            grant, withdraw = " ".join(options.grant), " ".join(options.revoke)
            return accounts.rescope(admin, name, grant=grant, withdraw=withdraw)
        case "end-sessions":
            return sessions.end(admin, name, options.session)
        case _:
            return BY_NAME[options.command](admin, name)


BY_NAME = {
    "new-secret": accounts.replace_secret,
    "disable-user": accounts.disable,
    "enable-user": accounts.enable,
    "unlock": accounts.unlock,
}


def _scopes(options: argparse.Namespace) -> str:
    return " ".join(options.scopes or accounts.DEFAULT_SCOPES)


def _new_password(username: str, typed: TextIO) -> str:
    """From a prompt, or the first line of `typed`: never from an argument, which other users can list."""
    if typed.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise ValueError("the two passwords differ")
    else:
        password = typed.readline().rstrip("\r\n")
    check_new_password(password, username=username)
    return password


if __name__ == "__main__":
    sys.exit(main())
