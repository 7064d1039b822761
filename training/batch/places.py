"""Where tables lie: a local path or `s3://`, and the format that the name's end stands for."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs

from training.errors import BatchRefused

UNFINISHED = ".tmp"
S3 = "s3://"


class Format(StrEnum):
    CSV = ".csv"
    CSV_GZ = ".csv.gz"
    PARQUET = ".parquet"


@dataclass(frozen=True, kw_only=True)
class ObjectStorage:
    """What the standard variables of AWS do not already tell the client."""

    endpoint: str | None = None
    region: str | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """One file or folder. `path` is what `files` calls it: without `s3://`, absolute where it is local."""

    path: str
    files: Any
    storage: ObjectStorage | None = None

    @property
    def url(self) -> str:
        return self.path if self.storage is None else f"{S3}{self.path}"

    @property
    def format(self) -> Format:
        for known in Format:
            if self.path.endswith(known.value):
                return known
        raise BatchRefused(f"{self.url} must end in {', '.join(Format)}")

    def is_same(self, other: Place) -> bool:
        """Whether both name one file, through whatever links."""
        if self.storage is None and other.storage is None:
            return Path(self.path).resolve() == Path(other.path).resolve()
        return self.url == other.url

    def beside(self, suffix: str) -> Place:
        return replace(self, path=self.path + suffix)

    def inside(self, name: str) -> Place:
        return replace(self, path=f"{self.path}/{name}")

    def facts(self) -> Any:
        """Type, size and time of change."""
        return self.files.get_file_info(self.path)

    def read(self) -> bytes | None:
        """None where there is no such file."""
        try:
            with self.files.open_input_stream(self.path) as stream:
                content: bytes = stream.readall()
                return content
        except FileNotFoundError:
            return None

    def write(self, content: bytes) -> None:
        """At once or not at all, for what fits into memory."""
        if self.storage is None:
            with self.publish() as sink:
                sink.write(content)
            return
        with self.files.open_output_stream(self.path) as stream:
            stream.write(content)

    @contextlib.contextmanager
    def publish(self, by_way_of: Place | None = None) -> Iterator[Any]:
        """A sink whose content appears under the name when the block ends, and never when it fails.

        On a local disk it grows in the folder `by_way_of`, so that a kill leaves nothing beside the name.
        """
        if self.storage is None:
            path = Path(self.path)
            with _local_sink(path, path.parent if by_way_of is None else Path(by_way_of.path)) as sink:
                yield sink
        else:
            with _object_sink(self.path, self.storage) as sink:
                yield sink

    def names(self) -> set[str]:
        """Of the files in a folder, which need not exist."""
        found = self.files.get_file_info(fs.FileSelector(self.path, allow_not_found=True))
        return {info.base_name for info in found if info.type == fs.FileType.File}

    def delete(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.storage is None:
                self.files.delete_file(self.path)
            else:
                _object_files(self.storage).rm_file(self.path)

    def delete_folder(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.storage is None:
                self.files.delete_dir(self.path)
            else:
                _object_files(self.storage).rm(self.path, recursive=True)

    def make_folder(self) -> None:
        if self.storage is None:
            self.files.create_dir(self.path, recursive=True)


def open_place(url: str, storage: ObjectStorage) -> Place:
    if not url.startswith(S3):
        return Place(path=str(Path(url).absolute()), files=fs.LocalFileSystem())
    options = {"endpoint_override": storage.endpoint, "region": storage.region}
    files = fs.S3FileSystem(**{name: value for name, value in options.items() if value})
    return Place(path=url.removeprefix(S3).rstrip("/"), files=files, storage=storage)


@contextlib.contextmanager
def said_in_one_line(what: str) -> Iterator[None]:
    """Failures of files and formats as ours."""
    try:
        yield
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BatchRefused(f"{what}: {reason[:300]}") from error


@contextlib.contextmanager
def _local_sink(path: Path, folder: Path) -> Iterator[Any]:
    unfinished = folder / f"{path.name}.{os.getpid()}.{threading.get_ident()}{UNFINISHED}"
    try:
        with unfinished.open("wb") as sink:
            yield sink
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _object_sink(path: str, storage: ObjectStorage) -> Iterator[Any]:
    sink = _object_files(storage).open(path, "wb", autocommit=False)
    try:
        yield sink
        sink.close()
    except BaseException:
        sink.discard()
        raise
    sink.commit()


def _object_files(storage: ObjectStorage) -> Any:
    """By s3fs what Arrow does otherwise: it completes an upload that failed half-way, and leaves markers of folders."""
    s3fs: Any = importlib.import_module("s3fs")  # takes half a second
    client = {"region_name": storage.region} if storage.region else {}
    return s3fs.S3FileSystem(
        endpoint_url=storage.endpoint,
        client_kwargs=client,
        skip_instance_cache=True,
        use_listings_cache=False,
    )
