"""What is promoted with a key is signed as that version; anybody with the public half can tell."""

from __future__ import annotations

import os
import stat
from argparse import Namespace
from pathlib import Path

import mlflow
import pytest

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import UnsignedServable, UntrustedServable
from modelkit.signature import fingerprint
from serving.agent.registry import MlflowRegistry
from serving.proof import Asked, ChildProver, Rules
from tests.model_signing_keys import Pair, new_pair
from tests.promotion_desk import Desk
from training.commands import sign, signing_key
from training.commands import verify as verify_command
from training.errors import SigningFailed
from training.promotion.alias_ledger import Move
from training.promotion.signing import Signer, verify
from training.promotion.signing_keys import make_pair, public_half
from training.settings import TrainingSettings
from training.version import APPROVED_TAG, PRODUCTION, SIGNED_TAG, Version

MOVE = Move(alias=PRODUCTION, actor="ada", reason="signed")

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@pytest.fixture
def keys(tmp_path: Path) -> Pair:
    return new_pair(tmp_path / "keys")


@pytest.fixture
def promoted(desk: Desk, keys: Pair) -> Version:
    desk.versions(IRIS).candidate()
    promoter = desk.promoter(IRIS, replay_rows=None, signing_key=keys.private.read_bytes())
    moved = promoter.promote(MOVE)
    assert f"version 1 is signed by {fingerprint(keys.public.read_bytes())}" in moved.also
    return desk.registry.by_number(IRIS.registry_name, "1")


def test_a_promotion_signs_and_the_agent_proves_what_it_downloads(
    desk: Desk, keys: Pair, promoted: Version, tmp_path: Path
) -> None:
    registry = MlflowRegistry(desk.uri)
    found = registry.behind_alias(IRIS.registry_name, PRODUCTION)
    assert found is not None
    assert found.signed == promoted.tags[SIGNED_TAG]
    registry.download(found, tmp_path / "1")
    prover = ChildProver("catalog", {"PATH": os.environ["PATH"]}, Rules(keys=keys.public, required=True))
    asked = Asked(model=IRIS.name, folder=str(tmp_path / "1"), digest=found.digest, number=found.version)
    assert prover.prove(asked).signed_by == fingerprint(keys.public.read_bytes())
    prover.rest()


def test_anybody_with_the_public_key_can_verify(
    desk: Desk, keys: Pair, promoted: Version, tmp_path: Path
) -> None:
    assert verify(desk.registry, promoted, keys.public).subject == f"{IRIS.registry_name}@1"
    with pytest.raises(UntrustedServable, match="another key"):
        verify(desk.registry, promoted, new_pair(tmp_path / "others").public)


def test_a_promotion_without_a_key_signs_nothing(desk: Desk, keys: Pair) -> None:
    version = desk.versions(IRIS).candidate()
    desk.promoter(IRIS, replay_rows=None).promote(MOVE)
    with pytest.raises(UnsignedServable):
        verify(desk.registry, version, keys.public)


def test_what_was_promoted_before_is_signed_afterwards_and_again_by_the_next_key(
    desk: Desk, keys: Pair, tmp_path: Path
) -> None:
    version = desk.versions(IRIS).make()
    signer = Signer(desk.registry, keys.private.read_bytes())
    assert signer.sign(version).startswith("version 1 is signed by")
    assert signer.sign(version).startswith("version 1 is signed already")
    following = new_pair(tmp_path / "next")
    Signer(desk.registry, following.private.read_bytes()).sign(version)
    assert verify(desk.registry, version, following.public).subject == f"{IRIS.registry_name}@1"


def unsigned_before(desk: Desk, keys: Pair) -> None:
    """Version 1 was promoted before there was the key, version 2 with it."""
    versions = desk.versions(IRIS)
    versions.candidate()
    desk.promoter(IRIS, replay_rows=None).promote(MOVE)
    versions.candidate(bias=0.001)
    desk.promoter(IRIS, replay_rows=None, signing_key=keys.private.read_bytes()).promote(MOVE)


def test_what_a_rollback_goes_back_to_is_signed_before_the_alias_moves(desk: Desk, keys: Pair) -> None:
    unsigned_before(desk, keys)
    moved = desk.promoter(IRIS, signing_key=keys.private.read_bytes()).rollback(MOVE)
    assert moved.after.number == "1"
    assert f"version 1 is signed by {fingerprint(keys.public.read_bytes())}" in moved.also
    assert verify(desk.registry, moved.after, keys.public).subject == f"{IRIS.registry_name}@1"


def test_a_rollback_without_the_key_says_that_pods_may_refuse_what_it_goes_back_to(
    desk: Desk, keys: Pair
) -> None:
    unsigned_before(desk, keys)
    moved = desk.promoter(IRIS).rollback(MOVE)
    assert f"version 1 is not signed by {fingerprint(keys.public.read_bytes())}" in moved.sentence(PRODUCTION)


def test_all_that_was_approved_by_registry_and_ledger_is_signed_at_once(
    desk: Desk, keys: Pair, sqlite_url: str
) -> None:
    unsigned_before(desk, keys)
    name = IRIS.registry_name
    run = desk.registry.by_number(name, "1")
    slipped_in = mlflow.MlflowClient(desk.uri).create_model_version(
        name, run.source, run.run_id, tags=run.tags | {APPROVED_TAG: "true"}
    )
    settings = TrainingSettings(
        mlflow_tracking_uri=desk.uri, model_signing_key_file=keys.private, database_url=sqlite_url
    )
    asked = Namespace(models=["iris"], version=None, approved=True)
    said = sign.run(asked, IRIS, settings)
    assert said.splitlines()[0] == "2 approved versions"
    assert verify(desk.registry, run, keys.public).subject == f"{name}@1"
    assert not desk.registry.by_number(name, str(slipped_in.version)).signed_by


def test_a_key_pair_is_its_owners_and_never_replaced(tmp_path: Path) -> None:
    private = tmp_path / "approver"
    public = make_pair(private)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert public_half(private.read_bytes()) == public.read_bytes()
    with pytest.raises(SigningFailed, match="never replaced"):
        make_pair(private)


def test_a_private_key_is_not_put_into_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(SigningFailed, match="repository"):
        make_pair(tmp_path / "keys" / "approver")
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("content", [b"", b"not a key"])
def test_a_key_that_is_none_is_said_before_anything_is_signed(content: bytes) -> None:
    with pytest.raises(SigningFailed, match="MODEL_SIGNING_KEY"):
        public_half(content)


def test_the_commands_make_a_key_sign_and_verify(desk: Desk, tmp_path: Path) -> None:
    version = desk.versions(IRIS).make()
    desk.registry.move_alias(version, PRODUCTION)
    private, public = tmp_path / "approver", tmp_path / "approver.pub"
    settings = TrainingSettings(
        mlflow_tracking_uri=desk.uri, model_signing_key_file=private, model_verify_keys_file=public
    )
    assert "private" in signing_key.run(Namespace(path=private), None, settings)
    asked = Namespace(models=["iris"], version=None, approved=False)
    assert "version 1 is signed by" in sign.run(asked, IRIS, settings)
    assert "version 1 is what was registered, signed by" in verify_command.run(asked, IRIS, settings)
