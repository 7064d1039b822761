"""Signatures of an image and of what is said about it, by cosign: keyless in a workflow, with a key elsewhere."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.errors import PromotionImpossible
from deploy.promotion.overlay import DIGEST
from deploy.promotion.programs import answer_of
from deploy.promotion.provenance import PREDICATE


@dataclass(frozen=True, kw_only=True)
class Signer:
    """`key` is a file or a KMS address; without one cosign asks for an identity token, which a workflow has."""

    program: str
    key: str | None = None

    def sign(self, reference: str, *, sbom: Path, provenance: dict[str, Any]) -> str:
        """The image, its bill of materials and its provenance; by digest, because a tag is signed for whoever moves it.

        cosign adds both attestations to one tag, `sha256-<digest>.att`: a registry whose tags never move must except `sha256-*`.
        """
        if not DIGEST.fullmatch(reference.partition("@")[2]):
            raise PromotionImpossible(f"{reference} names no digest: a signature of a tag says nothing")
        if not sbom.is_file():
            raise PromotionImpossible(f"{sbom} is not there: `make image-sbom` writes it")
        with tempfile.TemporaryDirectory() as folder:
            statement = Path(folder) / "provenance.json"
            statement.write_text(json.dumps(provenance))
            self._cosign("sign", reference)
            self._cosign("attest", "--type", "cyclonedx", "--predicate", str(sbom), reference)
            self._cosign("attest", "--type", PREDICATE, "--predicate", str(statement), reference)
        return f"signed {reference}, with its bill of materials and provenance"

    def _cosign(self, verb: str, *arguments: str) -> None:
        key = ["--key", self.key] if self.key else []
        answer_of([self.program, verb, "--yes", *key, *arguments], folder=Path())
