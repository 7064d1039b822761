"""Where a pod's agent leaves what its workers need to know about identity, and where they say what they miss.

<MODEL_STORE_DIR>/_identity/keys-<issuer>.json     the issuer's public keys, replaced atomically by the agent
<MODEL_STORE_DIR>/_identity/wanted-<issuer>        touched by a worker that met a key which nobody here knows
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from auth.jwk_sets import JwkSet, jwk_set_of
from auth.policy import ExternalIssuer

FOLDER = "_identity"


class StoredKeys(msgspec.Struct, frozen=True):
    """`source` says whose keys they are and where they came from; `fetched_at` is seconds since the epoch."""

    source: str
    fetched_at: float
    keys: list[dict[str, Any]]

    @property
    def jwk_set(self) -> JwkSet:
        """Raises ValueError."""
        return jwk_set_of({"keys": self.keys})


class IdentityFolder:
    """The agent writes keys and reads wishes; the workers do the opposite."""

    def __init__(self, store: Path) -> None:
        self.path = store / FOLDER

    def keys_stamp(self, issuer: ExternalIssuer) -> int:
        """Another number when the file is another one; 0 where there is none."""
        return _stamp(self._keys(issuer.name))

    def read_keys(self, issuer: ExternalIssuer) -> StoredKeys | None:
        """None where there are none of this source. Raises OSError, or ValueError for a file that is damaged."""
        try:
            stored = msgspec.json.decode(self._keys(issuer.name).read_bytes(), type=StoredKeys)
        except FileNotFoundError:
            return None
        return stored if stored.source == issuer.key_source else None

    def write_keys(self, issuer: ExternalIssuer, keys: JwkSet, *, fetched_at: float) -> None:
        """Raises OSError."""
        stored = StoredKeys(source=issuer.key_source, fetched_at=fetched_at, keys=keys.to_members())
        self.path.mkdir(parents=True, exist_ok=True)
        fresh = self.path / f".{issuer.name}.{os.getpid()}.new"
        fresh.write_bytes(msgspec.json.encode(stored))
        os.replace(fresh, self._keys(issuer.name))

    def forget_all_but(self, names: set[str], *, older_than: float) -> None:
        """Keys of issuers that are believed no more, which were fetched so many seconds ago."""
        for path in self.path.glob("keys-*.json"):
            if path.name.removeprefix("keys-").removesuffix(".json") not in names:
                with suppress(OSError):
                    if time.time() - path.stat().st_mtime > older_than:
                        path.unlink()

    def want(self, name: str) -> None:
        """Best effort: on a full disk nothing can be wanted."""
        with suppress(OSError):
            self.path.mkdir(parents=True, exist_ok=True)
            path = self.path / f"wanted-{name}"
            path.touch()
            os.utime(path)

    def wanted_stamp(self, name: str) -> int:
        """Another number each time somebody wants newer keys; 0 where nobody ever did."""
        return _stamp(self.path / f"wanted-{name}")

    def _keys(self, name: str) -> Path:
        return self.path / f"keys-{name}.json"


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
