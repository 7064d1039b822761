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
    """`key` is a file or a KMS address; without one cosign asks for an identity token, which a workflow has.

    Without the public log (`logged`) nothing outside the registry is asked or told: only a key can sign so.
    """

    program: str
    key: str | None = None
    logged: bool = True

    def sign(self, reference: str, *, sbom: Path, provenance: dict[str, Any]) -> str:
        """The image, its bill of materials and its provenance; by digest, because a tag is signed for whoever moves it.

        cosign adds both attestations to one tag, `sha256-<digest>.att`: a registry whose tags never move must except `sha256-*`.
        """
        _expect_digest(reference)
        if not self.logged and not self.key:
            raise PromotionImpossible("without the public log only a key can sign: --key file")
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
        unlogged = [] if self.logged else ["--tlog-upload=false"]
        answer_of([self.program, verb, "--yes", *key, *unlogged, *arguments], folder=Path())


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """Who must have signed: the holder of a key (`key`: its public half), or a workflow by its identity, a pattern."""

    program: str
    key: str | None = None
    identity: str | None = None
    issuer: str = "https://token.actions.githubusercontent.com"
    logged: bool = True

    def verify(self, reference: str) -> str:
        """Raises ProgramFailed for an image without such a signature, or without its bill of materials and provenance."""
        _expect_digest(reference)
        self._cosign("verify", reference)
        for kind in ("cyclonedx", PREDICATE):
            self._cosign("verify-attestation", "--type", kind, reference)
        return (
            f"{reference} is signed by {self.key or self.identity}, with its bill of materials and provenance"
        )

    def _cosign(self, verb: str, *arguments: str) -> None:
        answer_of([self.program, verb, *self._whose(), *arguments], folder=Path())

    def _whose(self) -> list[str]:
        if self.key:
            return ["--key", self.key, *([] if self.logged else ["--insecure-ignore-tlog=true"])]
        if not self.identity:
            raise PromotionImpossible("say whose signature counts: --key, or --identity")
        return ["--certificate-identity-regexp", self.identity, "--certificate-oidc-issuer", self.issuer]


def _expect_digest(reference: str) -> None:
    if not DIGEST.fullmatch(reference.partition("@")[2]):
        raise PromotionImpossible(f"{reference} names no digest: a signature of a tag says nothing")
