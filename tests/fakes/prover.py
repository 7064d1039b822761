"""A prover without a process: for tests of what is done with its answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from modelkit.definition import ModelDefinition
from modelkit.servable import verify_shape
from serving.loaded_model import load_model
from serving.proof import Asked, Proven


class LocalProver:
    """Prover. Checks what the real one does, signatures aside. `asked` says of which versions it was asked.

    While `falls` is set, every trial ends with it.
    """

    def __init__(self, definitions: Mapping[str, ModelDefinition]) -> None:
        self._definitions = definitions
        self.asked: list[str] = []
        self.rested = 0
        self.keys: object = None
        self.falls: Exception | None = None

    def prove(self, asked: Asked) -> Proven:
        self.asked.append(asked.number)
        if self.falls is not None:
            raise self.falls
        folder = Path(asked.folder)
        digest = verify_shape(folder, digest=asked.digest or None)
        load_model(folder, self._definitions[asked.model], version="tried", digest=digest)
        return Proven(digest=digest)

    def rest(self) -> None:
        self.rested += 1

    def mark(self) -> object:
        return self.keys
