"""What is in an image: every path of its file system with a digest, read from the stream of an export, nothing executed."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from deploy.errors import ImageFailed
from deploy.image.programs import run
from deploy.image.settings import program_environment

# Made by the engine when a container is created, whatever the image holds.
ENGINES_OWN = frozenset(
    {
        ".dockerenv",
        "dev/console",
        "etc/hostname",
        "etc/hosts",
        "etc/resolv.conf",
        "etc/mtab",
        "run/.containerenv",
    }
)
KEPT = ("METADATA", "status", "copyright", "versions.env")
LARGEST_KEPT = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One path. `content` is the digest of a file, the target of a link, empty for a folder."""

    kind: str
    mode: int
    owner: str
    size: int
    content: str


@dataclass(frozen=True)
class Contents:
    entries: Mapping[str, Entry]
    texts: Mapping[str, str]

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries.values())

    @property
    def digest(self) -> str:
        """Of paths, permissions and contents: equal for builds that differ in times only."""
        found = hashlib.sha256()
        for path, entry in sorted(self.entries.items()):
            found.update(f"{path}\0{entry.kind}\0{entry.mode:o}\0{entry.owner}\0{entry.content}\n".encode())
        return f"sha256:{found.hexdigest()}"


def contents_of(image: str, *, engine: str, variables: Mapping[str, str]) -> Contents:
    """Of an image that the engine has. A container is created for it, never started."""
    container = run([engine, "create", image], extra=variables).strip().splitlines()[-1]
    try:
        command = [engine, "export", container]
        environment = program_environment(variables)
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as export:
            assert export.stdout is not None
            try:
                found = read_contents(export.stdout)
            except tarfile.TarError as error:
                raise ImageFailed(f"{image} cannot be read: {error}") from error
    finally:
        run([engine, "rm", "--force", container], extra=variables)
    return found


def read_contents(stream: IO[bytes]) -> Contents:
    entries: dict[str, Entry] = {}
    texts: dict[str, str] = {}
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = member.name.removeprefix("./").rstrip("/")
            if not path or path in ENGINES_OWN:
                continue
            content, text = _content(archive, member, keep=PurePosixPath(path).name in KEPT)
            if text is not None:
                texts[path] = text
            entries[path] = Entry(
                kind=_kind(member),
                mode=member.mode,
                owner=f"{member.uid}:{member.gid}",
                size=member.size if member.isreg() else 0,
                content=content,
            )
    return Contents(entries, texts)


def differences(first: Contents, second: Contents) -> list[str]:
    """One line for each path that is not the same in both."""
    lines = []
    for path in sorted({*first.entries, *second.entries}):
        ours, theirs = first.entries.get(path), second.entries.get(path)
        if ours == theirs:
            continue
        if ours is None or theirs is None:
            lines.append(f"{path}: only in the {'second' if ours is None else 'first'}")
            continue
        names = ("kind", "mode", "owner", "size", "content")
        unequal = [name for name in names if getattr(ours, name) != getattr(theirs, name)]
        lines.append(f"{path}: {', '.join(unequal)}")
    return lines


def file_names(contents: Contents) -> Iterable[str]:
    return (path for path, entry in contents.entries.items() if entry.kind == "file")


def _kind(member: tarfile.TarInfo) -> str:
    if member.isdir():
        return "folder"
    if member.issym() or member.islnk():
        return "link"
    return "file" if member.isreg() else "special"


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, *, keep: bool) -> tuple[str, str | None]:
    if member.issym() or member.islnk():
        return member.linkname, None
    file = archive.extractfile(member) if member.isreg() else None
    if file is None:
        return "", None
    if keep and member.size <= LARGEST_KEPT:
        data = file.read()
        return hashlib.sha256(data).hexdigest(), data.decode("utf-8", "replace")
    return hashlib.file_digest(file, "sha256").hexdigest(), None  # type: ignore[arg-type]
