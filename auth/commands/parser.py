"""The words of the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from records.actor import add_actor
from records.database_option import add_database_options

ABOUT_ONE = {
    "create-user": "add a person; the password is asked for, or read from standard input",
    "create-client": "add a program; its secret is made and printed, once",
    "set-password": "give a person another password; ends their sessions and tokens",
    "new-secret": "give a client another secret, printed once; ends its tokens",
    "disable-user": "refuse a user or client, and end their sessions and tokens, within two seconds",
    "enable-user": "let them log in again",
    "rescope": "grant scopes or take them away; tokens with more than is left are refused",
    "unlock": "forget the failed logins of a user",
    "end-sessions": "end all sessions of a user, or one",
}
LISTS = {
    "users": "who there is",
    "sessions": "who is logged in, from where, and until when",
    "events": "what administrators have done",
}


def make_parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auth", description=description)
    commands = parser.add_subparsers(dest="command", required=True)
    made = {name: _command(commands, name, meaning) for name, meaning in ABOUT_ONE.items()}
    for name, sub in made.items():
        sub.add_argument("name")
        add_actor(sub)
        if name.startswith("create-"):
            _add_scopes(sub)
    _add_changes(made["rescope"])
    made["end-sessions"].add_argument("--session", help="only this one; `sessions` lists them")
    revoke = _command(
        commands, "revoke", "refuse a token, or all that a caller was given, also another issuer's"
    )
    what = revoke.add_mutually_exclusive_group(required=True)
    what.add_argument("--token-id", help="`jti` of the token; of another issuer's, <issuer>:<jti>")
    what.add_argument("--subject", help="a user's name, or <issuer>:<subject>")
    add_actor(revoke)
    _add_lists(commands)
    commands.add_parser("hash", help="print the hash of a password")
    _add_policy(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, meaning: str
) -> argparse.ArgumentParser:
    sub = commands.add_parser(name, help=meaning, description=meaning)
    add_database_options(sub)
    sub.add_argument("--output", choices=("text", "json"), default="text", help="for people, or for programs")
    return sub


def _add_lists(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, meaning in LISTS.items():
        sub = _command(commands, name, meaning)
        if name != "users":
            sub.add_argument("name", nargs="?", help="only of this one")
        if name == "events":
            sub.add_argument("--limit", type=_number, default=50, help="the latest so many")


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1")
    return int(text)


def _add_policy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    meaning = "say whether a policy file would be taken, and what it says"
    sub = commands.add_parser("check-policy", help=meaning, description=meaning)
    sub.add_argument("file", type=Path)
    sub.add_argument("--audience", default="slipway", help="JWT_AUDIENCE of the service (slipway)")
    sub.add_argument("--issuer", default="slipway", help="JWT_ISSUER of the service (slipway)")
    sub.add_argument("--output", choices=("text", "json"), default="text", help="for people, or for programs")


def _add_scopes(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--scope",
        "--scopes",
        action="append",
        dest="scopes",
        help='"predict read" unless given; may be repeated, or hold several with spaces',
    )


def _add_changes(sub: argparse.ArgumentParser) -> None:
    for option, meaning in (("--grant", "scopes to add"), ("--revoke", "scopes to take away")):
        sub.add_argument(option, action="append", default=[], help=f"{meaning}; may be repeated")
