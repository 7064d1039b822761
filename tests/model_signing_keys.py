"""Key pairs that approve versions in tests, and servables that they signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.servable import SIGNATURE
from modelkit.signature import sign, subject_of
from training.promotion.signing_keys import make_pair


@dataclass(frozen=True, kw_only=True)
class Pair:
    private: Path
    public: Path

    def sign(self, folder: Path, number: str, *, name: str = IRIS.registry_name) -> None:
        """As that version of iris, unless it is another model's."""
        (folder / SIGNATURE).unlink(missing_ok=True)
        (folder / SIGNATURE).write_bytes(sign(folder, self.private.read_bytes(), subject_of(name, number)))


def new_pair(folder: Path, name: str = "approver") -> Pair:
    private = folder / name
    return Pair(private=private, public=make_pair(private))
