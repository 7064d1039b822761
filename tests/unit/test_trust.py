"""What a worker loads as it lies in the store, and what it has tried first."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import UntrustedServable
from modelkit.signature import fingerprint
from serving.model_store import Pointer
from serving.trust import Trust
from tests.fakes.prover import LocalProver
from tests.tiny_servables import write_tiny
from training.promotion.signing_keys import make_pair


class Scene:
    """A stored version, and the keys of those whose signature counts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys = folder / "1", folder / "keys.pem"
        self.digest = write_tiny(IRIS, self.folder)
        self.old, self.new = (make_pair(folder / name).read_bytes() for name in ("old", "new"))
        self.prover = LocalProver({IRIS.name: IRIS})
        self.trust = Trust(self.prover, self.keys)

    def load(self, signed_by: str) -> None:
        pointer = Pointer(version="1", digest=self.digest, desired="1", signed_by=signed_by)
        assert self.trust.load(IRIS, pointer, self.folder).version == "1"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_what_a_key_that_counts_has_signed_is_loaded_as_it_lies_there(scene: Scene) -> None:
    scene.keys.write_bytes(scene.old + scene.new)
    for key in (scene.old, scene.new):
        scene.load(fingerprint(key))
    assert scene.prover.asked == []


def test_what_a_key_signed_that_was_removed_is_tried_again(scene: Scene) -> None:
    scene.keys.write_bytes(scene.old + scene.new)
    scene.load(fingerprint(scene.old))
    scene.keys.write_bytes(scene.new)
    scene.prover.falls = UntrustedServable("it was made with another key")
    with pytest.raises(UntrustedServable):
        scene.load(fingerprint(scene.old))
    assert scene.prover.asked == ["1"]


@pytest.mark.parametrize("content", [None, b"", b"no key"], ids=["gone", "empty", "none"])
def test_keys_that_cannot_be_read_make_nothing_trusted(scene: Scene, content: bytes | None) -> None:
    if content is not None:
        scene.keys.write_bytes(content)
    scene.load(fingerprint(scene.old))
    assert scene.prover.asked == ["1"]


def test_a_version_whose_signature_nobody_looked_at_is_tried(scene: Scene) -> None:
    scene.keys.write_bytes(scene.new)
    scene.load("")
    assert scene.prover.asked == ["1"]
    assert scene.prover.rested == 1
