"""Signing: what was approved is signed as that version, so that serving can tell it from what anybody put into the registry.

The signature goes beside the servable in the version's run. Who trains needs no key; who promotes does.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from modelkit.errors import UntrustedServable
from modelkit.servable import SIGNATURE, verify_files
from modelkit.signature import SignatureCheck, Verified, fingerprint, public_keys, sign, subject_of
from training.errors import NotRegistered, SigningFailed
from training.promotion.alias_ledger import AliasLedger
from training.promotion.signing_keys import public_half
from training.registry import SERVABLE, Registry
from training.version import PRODUCTION, SIGNED_TAG, Version


class Signer:
    """Signs with one private key."""

    def __init__(self, registry: Registry, key: bytes) -> None:
        """Raises SigningFailed for a key that is none."""
        self._registry, self._key = registry, key
        self._public = public_half(key)
        self._check = SignatureCheck([self._public])

    def sign(self, version: Version) -> str:
        """The sentence for the terminal. A version that this key signed already is left alone.

        Raises CorruptServable for files that are not the registered ones.
        """
        with tempfile.TemporaryDirectory() as scratch:
            folder = self._registry.download(version, SERVABLE, Path(scratch))
            verify_files(folder, digest=version.digest)
            subject = subject_of(version.registry_name, version.number)
            if self._holds(version, folder, subject):
                return f"version {version.number} is signed already, by {fingerprint(self._public)}"
            signature = Path(scratch) / SIGNATURE
            try:
                signature.write_bytes(sign(folder, self._key, subject))
            except ValueError as error:
                raise SigningFailed(f"MODEL_SIGNING_KEY: {error}") from error
            self._registry.keep_file(version, signature)
        key = fingerprint(self._public)
        self._registry.tag(version, SIGNED_TAG, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {key}")
        return f"version {version.number} is signed by {key}"

    def _holds(self, version: Version, folder: Path, subject: str) -> bool:
        if not fetch_signature(self._registry, version, folder):
            return False
        try:
            self._check.verify(folder, subject.__eq__)
        except UntrustedServable:
            return False
        return True


def version_asked(registry: Registry, definition: ModelDefinition, number: str | None) -> Version:
    """Of this number, or the one in production. Raises NotRegistered."""
    if number is not None:
        return registry.by_number(definition.registry_name, number)
    version = registry.by_alias(definition.registry_name, PRODUCTION)
    if version is None:
        raise NotRegistered(f"{definition.name} has no version in {PRODUCTION}")
    return version


def versions_approved(registry: Registry, definition: ModelDefinition, ledger: Engine) -> list[Version]:
    """Newest first. By the ledger, too: whoever can write to the registry can call a version approved."""
    aliases = AliasLedger(definition, registry, ledger)
    found = registry.versions(definition.registry_name)
    return [version for version in found if version.approved and aliases.reached(version, PRODUCTION)]


def fetch_signature(registry: Registry, version: Version, folder: Path) -> bool:
    """Into the servable's folder; False where there is none."""
    if not registry.holds(version, SIGNATURE):
        return False
    with tempfile.TemporaryDirectory() as scratch:
        found = registry.download(version, SIGNATURE, Path(scratch))
        (folder / SIGNATURE).write_bytes(found.read_bytes())
    return True


def verify(registry: Registry, version: Version, keys: Path) -> Verified:
    """As serving does it: digest, then signature. Raises ServableError, and SigningFailed for keys that are none."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.download(version, SERVABLE, Path(scratch))
        return verify_downloaded(registry, version, folder, keys)


def verify_downloaded(registry: Registry, version: Version, folder: Path, keys: Path) -> Verified:
    """The same of a servable that is here already; the signature is put beside its files."""
    try:
        check = SignatureCheck(public_keys(keys.read_bytes()))
    except ValueError as error:
        raise SigningFailed(f"MODEL_VERIFY_KEYS_FILE: {error}") from error
    verify_files(folder, digest=version.digest)
    fetch_signature(registry, version, folder)
    return check.verify(folder, subject_of(version.registry_name, version.number).__eq__)
