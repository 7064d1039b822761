"""The service's own signing keys, from the Secret that its pods mount: for somebody who may read it anyway."""

from __future__ import annotations

import argparse
import base64
import binascii

import msgspec

from k8s.api.connect import connect
from k8s.api.kinds import SECRETS
from k8s.dev_secret import JWT_KEY, SERVICE, SIGNING_KEY
from k8s.errors import Misused


def signing_keys(options: argparse.Namespace) -> str:
    """As `--jwt-key-file` would read them. Raises Misused where the Secret holds none; it never says what is in it.

    The shared secret goes first: while both kinds are there, it is the one that every pod verifies already.
    """
    held = connect(options).get(SECRETS, SERVICE).data or {}
    if not {JWT_KEY, SIGNING_KEY} & set(held):
        raise Misused(f"--sign-from-secret: {SERVICE} holds no {JWT_KEY} and no {SIGNING_KEY}")
    found = [
        text
        for name in (JWT_KEY, SIGNING_KEY)
        if name in held and (text := _decoded(name, held[name])).strip()
    ]
    return found[0] if found else ""


def _decoded(name: str, raw: msgspec.Raw) -> str:
    try:
        return base64.b64decode(msgspec.json.decode(raw, type=str), validate=True).decode()
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
        raise Misused(f"--sign-from-secret: {name} of {SERVICE} cannot be read") from None
