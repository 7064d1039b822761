"""The service's own signing keys, from the Secret that its pods mount: for somebody who may read it anyway."""

from __future__ import annotations

import argparse
import base64
import binascii

import msgspec

from k8s.api.connect import connect
from k8s.api.kinds import SECRETS
from k8s.dev_secret import JWT_KEY, SERVICE
from k8s.errors import Misused


def signing_keys(options: argparse.Namespace) -> str:
    """As `--jwt-key-file` would read them. Raises Misused where the Secret holds none; it never says what is in it."""
    raw = (connect(options).get(SECRETS, SERVICE).data or {}).get(JWT_KEY)
    if raw is None:
        raise Misused(f"--sign-from-secret: {SERVICE} holds no {JWT_KEY}")
    try:
        return base64.b64decode(msgspec.json.decode(raw, type=str), validate=True).decode()
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
        raise Misused(f"--sign-from-secret: {JWT_KEY} of {SERVICE} cannot be read") from None
