"""What a disk may hold when the power goes between two steps: synced bytes and names, and any part of what was not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from serving.spool import HEADER
from tests.durability.recorded import Step

Disk = dict[str, bytes]
MANY = (
    6  # so many unsynced names are combined freely; of more, each one is lost or kept alone, or all up to one
)


@dataclass
class _File:
    """What is on disk for certain, and what was written since."""

    synced: bytes = b""
    unsynced: bytes = b""

    def possible(self) -> list[bytes]:
        """Torn where it matters to a reader, and with zeros where a disk kept the length alone. Every other length between
        two of these reads the same, which `test_every_torn_length_…` proves."""
        size = len(self.unsynced)
        cuts = {0, HEADER.size - 1, size // 2, size - 1, size}
        torn = [self.synced + self.unsynced[:cut] for cut in sorted(cuts) if 0 <= cut <= size]
        zeros = self.synced + self.unsynced[: size // 3] + bytes(size - size // 3)
        return [*torn, zeros] if size else torn


@dataclass
class PowerLoss:
    """Follows the steps; `disks` are those that a power loss may leave right now. `above` are the folders whose entries
    lead to the spool and were made with it."""

    spool: Path
    above: set[Path]
    answered: set[str] = field(default_factory=set)
    committed: set[str] = field(default_factory=set)
    _files: dict[int, _File] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)
    _unsynced_names: list[Step] = field(default_factory=list)

    def follow(self, step: Step) -> None:
        match step.kind:
            case "answered":
                self.answered.update(step.ids)
            case "committed":
                self.committed.update(step.ids)
            case "write":
                self._files[step.file].unsynced += step.block
            case "sync":
                found = self._files[step.file]
                found.synced, found.unsynced = found.synced + found.unsynced, b""
            case "sync_folder":
                self._sync_names(Path(step.name))
            case _:
                self._files.setdefault(step.file, _File())
                self._unsynced_names.append(step)

    def disks(self) -> Iterator[Disk]:
        if self.above:
            yield {}
        for kept in _parts(self._unsynced_names):
            names = _named(self._names, kept)
            choices = [self._files[number].possible() for number in names.values()]
            for contents in product(*choices):
                yield dict(zip(names, contents, strict=True))

    def _sync_names(self, folder: Path) -> None:
        self.above.discard(folder)
        if folder == self.spool:
            self._names = _named(self._names, self._unsynced_names)
            self._unsynced_names.clear()


def _named(names: dict[str, int], steps: Sequence[Step]) -> dict[str, int]:
    """A rename is one change of the folder, whatever else of it was kept."""
    found = dict(names)
    for step in steps:
        if step.kind != "create":
            found.pop(step.name, None)
        if step.kind != "unlink":
            found[step.target or step.name] = step.file
    return found


def _parts(steps: list[Step]) -> Iterator[list[Step]]:
    """Which of the unsynced changes of names were kept, in their order."""
    if len(steps) <= MANY:
        for bits in product((False, True), repeat=len(steps)):
            yield [step for step, kept in zip(steps, bits, strict=True) if kept]
        return
    for place in range(len(steps) + 1):
        yield steps[:place]
        yield steps[place:]
        yield steps[:place] + steps[place + 1 :]
