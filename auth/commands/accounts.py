"""Users and clients: made, given other passwords and scopes, switched off and on."""

from __future__ import annotations

from auth.client_secrets import new_secret, secret_hash
from auth.commands.administration import Administration
from auth.commands.told import Told
from auth.credentials import check_scopes, check_username
from auth.login import CLIENT, PERSON
from auth.passwords import Passwords
from auth.scopes import PREDICT, READ, format_scopes
from records import users
from records.account_keys import account_key, pair_prefix

DEFAULT_SCOPES = (PREDICT, READ)


class NotThisKind(ValueError):
    """People have passwords, clients have secrets."""


def create_user(admin: Administration, name: str, scopes: str, password: str) -> Told:
    granted = _create(admin, name, scopes, kind=PERSON, hashed=Passwords().hash(password))
    return Told(
        f"created {name} with the scopes: {granted}", {"name": name, "kind": PERSON, "scopes": granted}
    )


def create_client(admin: Administration, name: str, scopes: str) -> Told:
    secret = new_secret()
    granted = _create(admin, name, scopes, kind=CLIENT, hashed=secret_hash(secret))
    facts = {"name": name, "kind": CLIENT, "scopes": granted, "secret": secret}
    return Told(f"created the client {name} with the scopes: {granted}\n{_shown(secret)}", facts)


def set_password(admin: Administration, name: str, password: str) -> Told:
    ended = _replace(admin, name, kind=PERSON, hashed=Passwords().hash(password))
    return Told(
        f"{name} has a new password; {ended} sessions ended, and tokens issued before are refused",
        {"name": name, "ended_sessions": ended},
    )


def replace_secret(admin: Administration, name: str) -> Told:
    secret = new_secret()
    ended = _replace(admin, name, kind=CLIENT, hashed=secret_hash(secret))
    text = f"{name} has a new secret; tokens issued before are refused\n{_shown(secret)}"
    return Told(text, {"name": name, "secret": secret, "ended_sessions": ended})


def disable(admin: Administration, name: str) -> Told:
    with admin.changing(name) as change:
        change.set(disabled_at=change.now)
        ended = change.end_sessions()
        change.revoke_tokens()
        change.write_down("user.disabled", ended_sessions=ended)
    text = f"{name} cannot log in any more; {ended} sessions ended, and tokens are refused within two seconds"
    return Told(text, {"name": name, "disabled": True, "ended_sessions": ended})


def enable(admin: Administration, name: str) -> Told:
    with admin.changing(name) as change:
        change.set(disabled_at=None)
        change.write_down("user.enabled")
    return Told(f"{name} can log in again", {"name": name, "disabled": False})


def rescope(admin: Administration, name: str, *, grant: str, withdraw: str) -> Told:
    """Tokens that carry a scope which is taken away are refused from now on; sessions go on with what is left."""
    more, less = check_scopes(grant), frozenset(withdraw.split())
    if not more and not less:
        raise ValueError("say which scopes to --grant or to --revoke")
    if both := more & less:
        raise ValueError(f"{format_scopes(both)} cannot be granted and revoked at once")
    with admin.changing(name) as change:
        before = frozenset(change.user.scopes.split())
        if missing := less - before:
            raise ValueError(f"{name} does not have {format_scopes(missing)}")
        granted = format_scopes((before | more) - less)
        change.set(scopes=granted)
        if less:
            change.revoke_tokens()
        change.write_down("user.rescoped", before=change.user.scopes, after=granted)
    return Told(
        f"{name} has the scopes: {granted or 'none'}"
        + ("; tokens issued before are refused" if less else "; new tokens carry them"),
        {"name": name, "scopes": granted},
    )


def unlock(admin: Administration, name: str) -> Told:
    with admin.changing(name) as change:
        change.forget_failures((account_key(name),), (pair_prefix(name),))
        change.write_down("user.unlocked")
    return Told(f"failed logins of {name} are forgotten; those of addresses are not", {"name": name})


def _create(admin: Administration, name: str, scopes: str, *, kind: str, hashed: str) -> str:
    check_username(name)
    granted = format_scopes(check_scopes(scopes))
    with admin.engine.begin() as connection:
        users.insert_user(connection, username=name, password_hash=hashed, scopes=granted, kind=kind)
        admin.write_down(connection, "user.created", name, kind=kind, scopes=granted)
    return granted


def _replace(admin: Administration, name: str, *, kind: str, hashed: str) -> int:
    with admin.changing(name) as change:
        if change.user.kind != kind:
            better = "set-password" if kind == CLIENT else "new-secret"
            raise NotThisKind(f"{name} is a {change.user.kind}: use {better}")
        change.set(password_hash=hashed)
        ended = change.end_sessions()
        change.revoke_tokens()
        change.forget_failures((account_key(name),), (pair_prefix(name),))
        change.write_down("user.password" if kind == PERSON else "client.secret", ended_sessions=ended)
    return ended


def _shown(secret: str) -> str:
    return f"its secret, which is shown only now: {secret}"
