"""What is signed: the image by digest, what it holds, and where it and its models come from."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from deploy.errors import ProgramFailed, PromotionImpossible
from deploy.promotion.provenance import BuiltBy, Origin, predicate
from deploy.promotion.signing import Signer

REFERENCE = "registry.example/slipway@sha256:" + "c" * 64
BUILT = BuiltBy(
    repository="https://forge.invalid/slipway", commit="d" * 40, builder="https://forge.invalid/run/1"
)
IRIS = Origin(model="iris", version="3", run="r1", servable="sha256:" + "e" * 64, commit="f" * 40, data="g1")
COSIGN = """\
#!{python}
import json, sys
from pathlib import Path
predicate = sys.argv[sys.argv.index("--predicate") + 1] if "--predicate" in sys.argv else None
said = {{"arguments": sys.argv[1:], "predicate": predicate and json.loads(Path(predicate).read_text())}}
with open({kept!r}, "a") as kept:
    kept.write(json.dumps(said) + "\\n")
sys.exit("no identity" if {fails} else 0)
"""


def cosign(folder: Path, *, fails: bool = False) -> Path:
    """A program that remembers what it was asked to sign."""
    program = folder / "cosign"
    program.write_text(COSIGN.format(python=sys.executable, kept=str(folder / "kept"), fails=fails))
    program.chmod(0o755)
    return program


@pytest.fixture
def sbom(tmp_path: Path) -> Path:
    (tmp_path / "sbom.json").write_text('{"bomFormat": "CycloneDX"}')
    return tmp_path / "sbom.json"


def test_an_image_its_contents_and_its_provenance_are_signed(tmp_path: Path, sbom: Path) -> None:
    signer = Signer(program=str(cosign(tmp_path)))
    signer.sign(REFERENCE, sbom=sbom, provenance=predicate(BUILT, [IRIS]))
    sign, contents, provenance = (json.loads(line) for line in (tmp_path / "kept").read_text().splitlines())
    assert sign["arguments"] == ["sign", "--yes", REFERENCE]
    assert contents["arguments"][:4] == ["attest", "--yes", "--type", "cyclonedx"]
    assert contents["predicate"] == {"bomFormat": "CycloneDX"}
    assert provenance["arguments"][3] == "slsaprovenance1"
    assert provenance["arguments"][-1] == REFERENCE


def test_the_provenance_names_the_commit_and_of_every_model_the_run_and_the_data() -> None:
    found = predicate(BUILT, [IRIS])["buildDefinition"]["resolvedDependencies"]
    assert found[0] == {"uri": "git+https://forge.invalid/slipway", "digest": {"gitCommit": "d" * 40}}
    assert found[1]["name"] == "iris=3"
    assert found[1]["uri"] == "mlflow-run:r1"
    assert found[1]["annotations"] == {"gitCommit": "f" * 40, "dataHash": "g1"}


def test_a_key_is_used_where_there_is_no_identity(tmp_path: Path, sbom: Path) -> None:
    Signer(program=str(cosign(tmp_path)), key="k.key").sign(REFERENCE, sbom=sbom, provenance={})
    assert all(
        "--key" in json.loads(line)["arguments"] for line in (tmp_path / "kept").read_text().splitlines()
    )


@pytest.mark.parametrize("reference", ["slipway:1.0", "slipway", "slipway@sha256:abc"])
def test_a_tag_is_not_signed(tmp_path: Path, sbom: Path, reference: str) -> None:
    with pytest.raises(PromotionImpossible, match="names no digest"):
        Signer(program=str(cosign(tmp_path))).sign(reference, sbom=sbom, provenance={})
    assert not (tmp_path / "kept").exists()


def test_without_the_bill_of_materials_nothing_is_signed(tmp_path: Path) -> None:
    with pytest.raises(PromotionImpossible, match="is not there"):
        Signer(program=str(cosign(tmp_path))).sign(REFERENCE, sbom=tmp_path / "none", provenance={})


def test_what_cosign_refuses_is_said_in_its_words(tmp_path: Path, sbom: Path) -> None:
    with pytest.raises(ProgramFailed, match="no identity"):
        Signer(program=str(cosign(tmp_path, fails=True))).sign(REFERENCE, sbom=sbom, provenance={})
