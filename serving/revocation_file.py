"""The list of revocations as a pod's agent leaves it for the workers: replaced atomically, never written to.

<MODEL_STORE_DIR>/_identity/revocations.json. Its modification time says when the list was last known to be right.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from auth.revocations import Revocation
from serving.identity_folder import IdentityFolder

FILE = "revocations.json"


class _Document(msgspec.Struct, frozen=True):
    revocations: list[Revocation]


class RevocationFile:
    """Methods raise OSError; `read` also ValueError, for a file that is damaged."""

    def __init__(self, store: Path) -> None:
        self._path = IdentityFolder(store).path / FILE

    def stamp(self) -> tuple[int, int, int] | None:
        """Another one when the file is another one, or is known to be right later; None where there is none."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_ctime_ns, found.st_mtime_ns

    def read(self) -> list[Revocation]:
        return self.parse(self.read_bytes())

    def read_bytes(self) -> bytes:
        """The same bytes say the same: a heartbeat changes the file's time alone."""
        return self._path.read_bytes()

    @staticmethod
    def parse(document: bytes) -> list[Revocation]:
        """Raises ValueError."""
        return msgspec.json.decode(document, type=_Document).revocations

    def write(self, entries: Iterable[Revocation], *, right_at: float) -> None:
        document = _Document(list(entries))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f".{FILE}.{os.getpid()}.new")
        fresh.write_bytes(msgspec.json.encode(document))
        os.utime(fresh, (right_at, right_at))
        os.replace(fresh, self._path)

    def still_right(self, right_at: float) -> None:
        os.utime(self._path, (right_at, right_at))
