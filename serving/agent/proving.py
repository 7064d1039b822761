"""`python -m serving.agent.proving`: tries versions for whoever started it, and dies of those that kill.

Its standard input is a socket. It says an empty line when it is ready, or why it is not, and then answers each question.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modelkit.errors import CorruptServable, ServableError, UnloadableServable, UnsignedServable
from modelkit.servable import verify_shape
from modelkit.signature import SignatureCheck, fingerprint, public_keys, subject_of
from serving.proof import Asked, Proven

if TYPE_CHECKING:
    from modelkit.definition import ModelDefinition

NICENESS = 10  # predictions go first
LONGEST_SECONDS = 120  # whoever asked, and would have ended us before, may be gone


class Trial:
    """What is done to one version after another."""

    def __init__(
        self,
        definitions: Mapping[str, ModelDefinition],
        check: SignatureCheck | None,
        *,
        required: bool,
        limit_bytes: int,
    ) -> None:
        self._definitions, self._check = definitions, check
        self._required, self._limit = required, limit_bytes

    def answer(self, asked: Asked) -> Proven:
        try:
            return self._prove(asked)
        except MemoryError:
            error: ServableError = UnloadableServable(f"it takes more than {self._limit} bytes of memory")
        except ServableError as refused:
            error = refused
        except Exception as unexpected:  # whatever a bad artifact makes a library raise
            error = ServableError(f"{type(unexpected).__name__} while it was loaded")
        return Proven(refusal=type(error).__name__, reason=str(error))

    def _prove(self, asked: Asked) -> Proven:
        """Nothing of the version is parsed before its digest and its signature are verified."""
        from serving.loaded_model import load_model

        definition, folder = self._definitions[asked.model], Path(asked.folder)
        self._refuse_large(folder)
        digest = verify_shape(folder, digest=asked.digest or None)
        signed_by = self._signed_by(folder, _is_for(definition.registry_name, asked.number))
        load_model(folder, definition, version=asked.number or "tried", digest=digest)
        return Proven(digest=digest, signed_by=signed_by)

    def _refuse_large(self, folder: Path) -> None:
        """Also what is no file of the folder's own: a link may lead anywhere."""
        try:
            found = list(os.scandir(folder))
            size = sum(entry.stat(follow_symlinks=False).st_size for entry in found)
        except OSError as error:
            raise CorruptServable("the folder cannot be read") from error
        if not all(entry.is_file(follow_symlinks=False) for entry in found):
            raise CorruptServable("the folder holds something else than ordinary files")
        if size > self._limit:
            raise UnloadableServable(f"its files are larger than {self._limit} bytes")

    def _signed_by(self, folder: Path, is_for: Callable[[str], bool]) -> str:
        if self._check is None:
            if self._required:
                raise UnsignedServable("signatures are required, and no key is known")
            return ""
        try:
            verified = self._check.verify(folder, is_for)
        except UnsignedServable:
            if self._required:
                raise
            return ""
        return fingerprint(verified.key)


def _is_for(registry_name: str, number: str) -> Callable[[str], bool]:
    expected = subject_of(registry_name, number)
    return lambda subject: subject == expected if number else subject.startswith(expected)


def main() -> int:
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # where memory runs out, it is ours that goes
        Path("/proc/self/oom_score_adj").write_text("1000")
    for number in (
        signal.SIGTERM,
        signal.SIGINT,
    ):  # of a whole group: whoever started us says when we are done
        signal.signal(number, signal.SIG_IGN)
    arguments = _parser().parse_args()
    with socket.socket(fileno=0) as line, contextlib.suppress(ConnectionError), line.makefile("rb") as asked:
        try:
            trial = _trial(arguments)
        except Exception as error:  # whoever asks has a log, and tells it
            line.sendall(f"{type(error).__name__}: {error}\n".encode())
            return 1
        _confine(arguments.limit_bytes)
        line.sendall(b"\n")
        for question in asked:
            signal.alarm(LONGEST_SECONDS)
            answer = trial.answer(msgspec.json.decode(question, type=Asked))
            signal.alarm(0)
            line.sendall(msgspec.json.encode(answer) + b"\n")
    return 0


def _trial(arguments: argparse.Namespace) -> Trial:
    from modelkit.definition import load_catalog
    from modelkit.runtime import onnx_runtime

    onnx_runtime()  # before memory is counted
    check = SignatureCheck(public_keys(arguments.keys.read_bytes())) if arguments.keys else None
    return Trial(
        load_catalog(arguments.catalog),
        check,
        required=arguments.required,
        limit_bytes=arguments.limit_bytes,
    )


def _confine(limit_bytes: int) -> None:
    """From here on: so much more memory, no file, no core dump, and nothing said by libraries that abort."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    most = pages * resource.getpagesize() + limit_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m serving.agent.proving", description=__doc__)
    parser.add_argument("--catalog", required=True, help="package of the models' declarations")
    parser.add_argument("--limit-bytes", type=int, required=True, help="memory for one version")
    parser.add_argument("--keys", type=Path, help="public keys whose signature counts")
    parser.add_argument("--required", action="store_true", help="refuse what is not signed")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
