"""Whether a version may serve, found out by a program of its own: what a bad artifact does, it does to nobody else.

`python -m serving.agent.proving` has no secrets, little memory and may write no file. It verifies digest and signature
before it parses anything, and then loads the version as a worker will. It lives from the first question to `rest`.
"""

from __future__ import annotations

import contextlib
import hashlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from modelkit.errors import (
    ContractMismatch,
    CorruptServable,
    ServableError,
    UnloadableServable,
    UnsignedServable,
    UntrustedServable,
)
from serving.explain.settings import explainer_environment
from serving.settings import Settings

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS, TRIAL_SECONDS = 60.0, 60.0
KILLED = (
    signal.SIGKILL.name
)  # nothing that a graph does sends it: the kernel does where memory runs out, or an operator
REFUSALS: tuple[type[ServableError], ...] = (
    *(CorruptServable, UnsignedServable, UntrustedServable),
    *(UnloadableServable, ContractMismatch, ServableError),
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Empty where it does not matter: `digest` is what the registry recorded, `number` the version it was signed as."""

    model: str
    folder: str
    digest: str = ""
    number: str = ""


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """`signed_by` is the start of the key's SHA-256; empty where no signature was verified. `refusal` names an error."""

    digest: str = ""
    signed_by: str = ""
    refusal: str = ""
    reason: str = ""


class TrialCutShort(UnloadableServable):
    """It was killed from outside, or ran out of time: the version's doing or the machine's."""


class ProverFailed(Exception):
    """The program could not be started; nothing is known of the version."""


class Prover(Protocol):
    def prove(self, asked: Asked) -> Proven:
        """Raises ServableError where the version must not serve, ProverFailed where nobody can say."""

    def rest(self) -> None:
        """There are no more questions for now."""

    def mark(self) -> object:
        """Changes when other keys count; what was proven then is to be proven again."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a version has to be. Without `keys` no signature is looked at."""

    keys: Path | None = None
    required: bool = False
    limit_bytes: int = 256 * 1024 * 1024


class _Line(NamedTuple):
    child: subprocess.Popen[bytes]
    ours: socket.socket


class ChildProver:
    """Implements `Prover`. One question at a time."""

    def __init__(
        self, catalog: str, environment: Mapping[str, str], rules: Rules, *, seconds: float = TRIAL_SECONDS
    ) -> None:
        self._command, self._keys = _command(catalog, rules), rules.keys
        self._environment, self._seconds = dict(environment), seconds
        self._line: _Line | None = None
        self._turn = threading.Lock()

    def prove(self, asked: Asked) -> Proven:
        with self._turn:
            line = self._line or self._start()
            try:
                line.ours.sendall(msgspec.json.encode(asked) + b"\n")
                answer = msgspec.json.decode(_read_line(line.ours), type=Proven)
            except TimeoutError:
                self._end()
                raise TrialCutShort(f"it was not loaded within {self._seconds:g} s") from None
            except (OSError, EOFError, msgspec.DecodeError):
                how = self._end()
                end = TrialCutShort if how == KILLED else UnloadableServable
                raise end(f"loading it ended the process ({how})") from None
        for kind in REFUSALS:
            if answer.refusal == kind.__name__:
                raise kind(answer.reason)
        return answer

    def rest(self) -> None:
        with self._turn:
            self._end()

    def mark(self) -> object:
        return None if self._keys is None else hashlib.sha256(self._keys.read_bytes()).digest()

    def _start(self) -> _Line:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                child = subprocess.Popen(
                    self._command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    cwd=PROJECT,
                    env=self._environment,
                )
            except OSError as error:
                ours.close()
                raise ProverFailed(type(error).__name__) from error
        self._line = line = _Line(child, ours)
        ours.settimeout(START_SECONDS)
        try:
            ready = _read_line(ours)
        except (OSError, EOFError):
            raise ProverFailed(self._end()) from None
        if ready:
            self._end()
            raise ProverFailed(ready.decode(errors="replace"))
        ours.settimeout(self._seconds)
        return line

    def _end(self) -> str:
        """How it ended; it has nothing to finish."""
        line, self._line = self._line, None
        if line is None:
            return ""
        line.ours.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return _how(line.child.wait(0.2))
        line.child.kill()
        return _how(line.child.wait())


def _command(catalog: str, rules: Rules) -> list[str]:
    command = [sys.executable, "-m", "serving.agent.proving", "--catalog", catalog]
    command += ["--limit-bytes", str(rules.limit_bytes)]
    if rules.keys is not None:
        command += ["--keys", str(rules.keys.absolute())]
    return [*command, "--required"] if rules.required else command


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def _read_line(line: socket.socket) -> bytes:
    """Without its end. Raises EOFError where the other side is gone."""
    parts = []
    while part := line.recv(4096):
        parts.append(part)
        if part.endswith(b"\n"):
            return b"".join(parts)[:-1]
    raise EOFError


def make_prover(settings: Settings) -> ChildProver:
    rules = Rules(
        keys=settings.model_keys,
        required=settings.only_signed_models,
        limit_bytes=settings.model_load_limit_bytes,
    )
    return ChildProver(settings.catalog, explainer_environment(), rules)
