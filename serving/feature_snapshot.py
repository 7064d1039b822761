"""Feature snapshots on disk: what the agent compiles and the workers map into memory, and the pointer to the newest.

<root>/_features/<view>/<digest>.snapshot     never changed once it is there
<root>/_features/<view>/current.json          the pointer, replaced atomically

A snapshot is a header, then three arrays over the same rows: the two halves of each key's digest (little-endian uint64,
sorted), and the rows of numbers (float64). Digests make keys of any length equally wide, and keep them out of the file.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from pathlib import Path
from struct import Struct

import msgspec

from modelkit.view_rows import FeatureSetMeta

MAGIC = b"SLIPFEA1"
PREFIX = Struct("<8sQ")  # magic, size of the header
ALIGNMENT = 64
FOLDER = "_features"  # no model can have this name
SUFFIX = ".snapshot"
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HALVES = Struct("<QQ")


class CorruptSnapshot(Exception):
    """A snapshot is not whole, or not one of this view."""


class SnapshotPointer(msgspec.Struct, frozen=True, kw_only=True):
    """`origin_mark` is what the source looked like when the snapshot was compiled from it."""

    file: str
    digest: str
    origin_mark: str
    meta: FeatureSetMeta


class SnapshotStore:
    """Paths and pointers of all views. One writer, the agent, which holds the model store's lock."""

    def __init__(self, root: Path) -> None:
        self._root = root / FOLDER

    def folder(self, view: str) -> Path:
        if not _SAFE_NAME.fullmatch(view):
            raise ValueError("names of views are letters, digits, dot, dash and underscore")
        return self._root / view

    def read_pointer(self, view: str) -> SnapshotPointer | None:
        """None where there is no readable pointer."""
        try:
            return msgspec.json.decode(self._pointer(view).read_bytes(), type=SnapshotPointer)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def pointer_mark(self, view: str) -> tuple[int, int] | None:
        """Changes whenever the pointer was replaced; costs one stat."""
        try:
            status = self._pointer(view).stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_ino

    def write_pointer(self, view: str, pointer: SnapshotPointer) -> None:
        fresh = self._pointer(view).with_suffix(".json.new")
        fresh.write_bytes(msgspec.json.encode(pointer))
        os.replace(fresh, self._pointer(view))

    def forget_all_but(self, view: str, kept: set[str]) -> None:
        """Workers that still map a file keep it until they let go."""
        for path in self.folder(view).iterdir():
            if path.name != self._pointer(view).name and path.name not in kept:
                path.unlink(missing_ok=True)

    def _pointer(self, view: str) -> Path:
        return self.folder(view) / "current.json"


def key_halves(key: str) -> tuple[int, int]:
    """The digest of a key as two numbers. 128 bits: no two keys of a view meet."""
    halves: tuple[int, int] = _HALVES.unpack(
        blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    )
    return halves


def header_of(meta: FeatureSetMeta) -> bytes:
    """The start of a file, padded so that the arrays behind it are aligned."""
    described = msgspec.json.encode(meta)
    size = -(-(PREFIX.size + len(described)) // ALIGNMENT) * ALIGNMENT
    return (PREFIX.pack(MAGIC, size) + described).ljust(size)


def read_header(content: memoryview) -> tuple[FeatureSetMeta, int]:
    """What the file holds, and where its arrays start. Raises CorruptSnapshot."""
    if len(content) < PREFIX.size:
        raise CorruptSnapshot("the file is cut off")
    magic, size = PREFIX.unpack(content[: PREFIX.size])
    if magic != MAGIC:
        raise CorruptSnapshot("the file is no snapshot of this format")
    try:
        meta = msgspec.json.decode(bytes(content[PREFIX.size : size]), type=FeatureSetMeta)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CorruptSnapshot("the header cannot be read") from None
    if len(content) != size + meta.rows * 8 * (2 + len(meta.columns)):
        raise CorruptSnapshot("the file has another size than its header says")
    return meta, size
