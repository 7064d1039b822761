"""Object storage as the place where segments wait for another agent: S3, GCS, Azure or a folder, behind one library.

`segments/<sha256>-<records>.sealed` is a segment: the same one has the same name however often it is put there, and whoever takes
it can tell whether it is whole. `claims/` holds who is shipping what, `corrupt/` what is damaged, for a person to look at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from serving.adapters.segment_files import PosixSegmentFiles
from serving.spool import CORRUPT, SEALED, records_in_name

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SEGMENTS, CLAIMS, DAMAGED = "segments", "claims", "corrupt"
CALL_SECONDS, CONNECT_SECONDS, RETRIES = 10, 2, 1
CLAIM_SECONDS = 300.0  # by then whoever claimed a segment has shipped it or is gone

T = TypeVar("T")


class HandoffUnreachable(Exception):
    """The place refused, hung, or did not keep what it was given."""


class HandoffDamaged(Exception):
    """What is there is not what its name says."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A segment that somebody left; `since` in seconds since the epoch, by the store's clock."""

    name: PurePosixPath
    since: float

    @property
    def records(self) -> int | None:
        return records_in_name(Path(self.name))


class HandoffStore:
    """Every method raises HandoffUnreachable and nothing else, unless it says so."""

    def __init__(self, url: str, *, credentials: Path | None = None) -> None:
        """Connects on first use, not here; with credentials from a file, or from the provider's own variables."""
        parts = urlsplit(url)
        self._url, self._credentials = url, credentials
        self._folder = Path(unquote(parts.path)) if parts.scheme == "file" else None
        self._made: ObjectStore | None = None

    @property
    def _store(self) -> ObjectStore:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> ObjectStore:
        from obstore.store import from_url

        if self._folder is not None:
            return from_url(self._url, mkdir=True)
        return from_url(
            self._url,
            config=_variables(self._credentials),
            # The provider's endpoints are HTTPS; one without it is somebody's own, and named so.
            client_options={
                "allow_http": True,
                "timeout": f"{CALL_SECONDS}s",
                "connect_timeout": f"{CONNECT_SECONDS}s",
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=CALL_SECONDS)},
        )

    def put(self, content: bytes, records: int | None, *, damaged: bool = False) -> PurePosixPath:
        """Returns once the place has confirmed that it holds all of it."""
        digest = sha256(content).hexdigest()
        folder, suffix = (DAMAGED, CORRUPT) if damaged else (SEGMENTS, SEALED)
        count = "" if records is None else records
        name = PurePosixPath(folder, f"{digest}-{count}{suffix}")
        self._asked(lambda: self._put(name, content))
        return name

    def waiting(self) -> list[Waiting]:
        """The oldest first."""
        return sorted(self._listed(SEGMENTS), key=lambda each: (each.since, each.name))

    def claim(self, name: PurePosixPath) -> bool:
        """Whether it is ours to ship. Where a store knows no claims everything is: twice shipped is one row all the same."""
        return self._asked(lambda: self._claim(_claim_on(name), first=True))

    def release(self, name: PurePosixPath) -> None:
        self._asked(lambda: self._delete(_claim_on(name)))

    def content(self, name: PurePosixPath) -> bytes | None:
        """None where somebody else has taken it. Raises HandoffDamaged."""
        content = self._asked(lambda: self._get(name))
        if content is not None and sha256(content).hexdigest() != name.name.partition("-")[0]:
            raise HandoffDamaged(name.name)
        return content

    def delete(self, name: PurePosixPath) -> None:
        self._asked(lambda: self._delete(name))

    def set_aside(self, name: PurePosixPath) -> None:
        """Keeps a damaged segment for a person to look at; nobody takes it any more."""
        self._asked(lambda: self._rename(name, PurePosixPath(DAMAGED, name.stem + CORRUPT)))

    def set_aside_before(self, moment: float) -> list[PurePosixPath]:
        return [each.name for each in self._listed(DAMAGED) if each.since < moment]

    def _listed(self, folder: str) -> list[Waiting]:
        import obstore

        def ask() -> list[Waiting]:
            pages = obstore.list(self._store, prefix=folder)
            return [
                Waiting(name=PurePosixPath(found["path"]), since=found["last_modified"].timestamp())
                for page in pages
                for found in page
            ]

        return self._asked(ask)

    def _put(self, name: PurePosixPath, content: bytes) -> None:
        import obstore

        obstore.put(self._store, str(name), content)
        if self._folder is not None:
            _persist(self._folder / name)
        if (kept := obstore.head(self._store, str(name))["size"]) != len(content):
            raise HandoffUnreachable(f"it kept {kept} of {len(content)} bytes")

    def _claim(self, claim: PurePosixPath, *, first: bool) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError, NotSupportedError

        try:
            obstore.put(self._store, str(claim), b"", mode="create")
        except AlreadyExistsError:
            if not first or not self._is_stale(claim):
                return False
            self._delete(claim)
            return self._claim(claim, first=False)
        except (NotSupportedError, NotImplementedError):
            return True
        return True

    def _is_stale(self, claim: PurePosixPath) -> bool:
        import obstore

        try:
            made = obstore.head(self._store, str(claim))["last_modified"].timestamp()
        except FileNotFoundError:
            return True
        return made < time.time() - CLAIM_SECONDS

    def _get(self, name: PurePosixPath) -> bytes | None:
        import obstore

        try:
            return bytes(obstore.get(self._store, str(name)).bytes())
        except FileNotFoundError:
            return None

    def _delete(self, name: PurePosixPath) -> None:
        import obstore

        try:
            obstore.delete(self._store, str(name))
        except FileNotFoundError:
            return

    def _rename(self, name: PurePosixPath, target: PurePosixPath) -> None:
        import obstore

        try:
            obstore.rename(self._store, str(name), str(target))
        except FileNotFoundError:
            return

    def _asked(self, question: Callable[[], T]) -> T:
        from obstore.exceptions import BaseError

        try:
            return question()
        except (BaseError, OSError) as error:
            self._made = None  # the credentials may have changed
            # Its text has addresses and what the provider said, which may name keys.
            raise HandoffUnreachable(type(error).__name__) from error


def _claim_on(name: PurePosixPath) -> PurePosixPath:
    return PurePosixPath(CLAIMS, name.stem)


def _variables(credentials: Path | None) -> Any:
    """Lines of a mounted Secret; a file that is not there, or empty, says nothing."""
    if credentials is None or not credentials.is_file():
        return None
    lines = [line.partition("=") for line in credentials.read_text().splitlines() if "=" in line]
    return {name.strip().lower(): value.strip() for name, _, value in lines} or None


def _persist(path: Path) -> None:
    files = PosixSegmentFiles()
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        files.sync(descriptor)
    finally:
        files.close(descriptor)
    files.sync_folder(path.parent)
    files.sync_above(path.parent)
