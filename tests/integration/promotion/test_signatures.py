"""What was signed is known again without any network beyond the registry, and what was not is refused: cosign is real."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.binaries import ensure
from deploy.errors import ProgramFailed, PromotionImpossible
from deploy.promotion.provenance import BuiltBy, predicate
from deploy.promotion.signing import Signer, Verifier
from tests.architecture.source_tree import ROOT
from tests.fakes.oci_registry import OciRegistry, oci_registry

BUILT = BuiltBy(
    repository="https://forge.invalid/slipway", commit="d" * 40, builder="https://forge.invalid/1"
)


@pytest.fixture
def cosign(tmp_path: Path) -> str:
    """The program, told the password of the keys as a person's environment would tell it."""
    program = tmp_path / "cosign"
    program.write_text(f'#!/bin/sh\nHOME={tmp_path} COSIGN_PASSWORD= exec {ensure("cosign")} "$@"\n')
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def registry() -> Iterator[OciRegistry]:
    with oci_registry() as made:
        yield made


def key_pair(cosign: str, folder: Path) -> Path:
    """Of an empty password. Returns the folder with cosign.key and cosign.pub."""
    folder.mkdir()
    subprocess.run([cosign, "generate-key-pair"], cwd=folder, check=True, capture_output=True)
    return folder


def test_an_image_signed_offline_is_accepted_and_nothing_else(
    tmp_path: Path, cosign: str, registry: OciRegistry
) -> None:
    ours, theirs = (key_pair(cosign, tmp_path / name) for name in ("ours", "theirs"))
    sbom = tmp_path / "sbom.json"
    sbom.write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}')
    signed, unsigned = registry.push("slipway", "signed"), registry.push("slipway", "unsigned")
    signer = Signer(program=cosign, key=str(ours / "cosign.key"), logged=False)
    signer.sign(signed, sbom=sbom, provenance=predicate(BUILT, []))
    verifier = Verifier(program=cosign, key=str(ours / "cosign.pub"), logged=False)
    assert "with its bill of materials and provenance" in verifier.verify(signed)
    with pytest.raises(ProgramFailed, match="no signatures found"):
        verifier.verify(unsigned)
    stranger = Verifier(program=cosign, key=str(theirs / "cosign.pub"), logged=False)
    with pytest.raises(ProgramFailed, match="invalid signature"):
        stranger.verify(signed)
    with pytest.raises(ProgramFailed):
        verifier.verify(f"{registry.address}/slipway@sha256:{'a' * 64}")  # no such image


def test_a_version_is_another_name_of_the_very_image_that_ran(
    tmp_path: Path, cosign: str, registry: OciRegistry
) -> None:
    digest = registry.push("slipway", "tried in staging").partition("@")[2]
    registry.kept["slipway/manifests/abc123"] = registry.kept[f"slipway/manifests/{digest}"]
    given = {"IMAGE": f"{registry.address}/slipway:abc123", "TAG": "v1.0.0"}
    done = subprocess.run(
        ["make", "--no-print-directory", "--old-file", "setup", "retag"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **given},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert registry.kept["slipway/manifests/v1.0.0"] == registry.kept[f"slipway/manifests/{digest}"]


def test_a_tag_is_not_verified(cosign: str) -> None:
    with pytest.raises(PromotionImpossible, match="names no digest"):
        Verifier(program=cosign, key="cosign.pub").verify("registry.example/slipway:v1")


def test_without_a_key_the_public_log_is_needed(tmp_path: Path, cosign: str) -> None:
    with pytest.raises(PromotionImpossible, match="only a key can sign"):
        Signer(program=cosign, logged=False).sign(
            f"registry.example/slipway@sha256:{'c' * 64}", sbom=tmp_path, provenance={}
        )
