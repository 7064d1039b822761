"""A version is tried by a program of its own, before anybody loads it: what it does there, it does to nobody else."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import (
    CorruptServable,
    ServableError,
    UnloadableServable,
    UnsignedServable,
    UntrustedServable,
)
from modelkit.servable import CARD, CONTRACT, MANIFEST, MODEL, SIGNATURE, WRITTEN
from serving.proof import ChildProver, ProverFailed, Rules
from tests.bad_servables import (
    bits,
    flip,
    pickled_canary,
    redigested,
)
from tests.model_signing_keys import Pair, new_pair
from tests.tiny_servables import write_tiny
from tests.trials import ENVIRONMENT, prove, prover_of

FLIPS = 100


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return new_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def strict(keys: Pair) -> Iterator[ChildProver]:
    """Serves nothing unsigned."""
    prover = prover_of(keys.public, required=True)
    yield prover
    prover.rest()


@pytest.fixture(scope="module")
def lenient() -> Iterator[ChildProver]:
    """Looks at no signature."""
    prover = prover_of(None, required=False)
    yield prover
    prover.rest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tiny(IRIS, tmp_path / "1")
    return tmp_path / "1"


@pytest.fixture
def signed(folder: Path, keys: Pair) -> Path:
    keys.sign(folder, "1")
    return folder


def test_a_signed_version_is_proven_and_the_key_named(strict: ChildProver, signed: Path) -> None:
    proven = prove(strict, signed)
    assert proven.digest.startswith("sha256:")
    assert len(proven.signed_by) == 16


def test_a_version_that_nobody_signed_is_refused_where_signatures_are_required(
    strict: ChildProver, folder: Path
) -> None:
    with pytest.raises(UnsignedServable):
        prove(strict, folder)


def test_without_keys_nobody_looks_at_signatures(lenient: ChildProver, folder: Path) -> None:
    assert prove(lenient, folder).signed_by == ""


def test_where_they_are_not_required_a_signature_that_is_there_must_hold(
    folder: Path, keys: Pair, tmp_path: Path
) -> None:
    prover = prover_of(keys.public, required=False)
    assert prove(prover, folder).signed_by == ""
    new_pair(tmp_path, "somebody").sign(folder, "1")
    with pytest.raises(UntrustedServable, match="another key"):
        prove(prover, folder)
    prover.rest()


def test_required_signatures_without_a_key_are_no_ones(folder: Path) -> None:
    prover = prover_of(None, required=True)
    with pytest.raises(UnsignedServable):
        prove(prover, folder)
    prover.rest()


def test_while_one_key_follows_another_both_count(tmp_path: Path, folder: Path, keys: Pair) -> None:
    other = new_pair(tmp_path, "next")
    both = tmp_path / "keys.pem"
    both.write_bytes(keys.public.read_bytes() + other.public.read_bytes())
    prover = prover_of(both, required=True)
    named = set()
    for pair in (keys, other):
        pair.sign(folder, "1")
        named.add(prove(prover, folder).signed_by)
    assert len(named) == 2
    mark = prover.mark()
    both.write_bytes(other.public.read_bytes())
    assert prover.mark() != mark
    prover.rest()
    keys.sign(folder, "1")
    with pytest.raises(UntrustedServable):
        prove(prover, folder)
    prover.rest()


@pytest.mark.parametrize(("name", "number"), [("Iris", "2"), ("Iris", "11"), ("OrderDelivery", "1")])
def test_a_signature_counts_for_the_version_it_names(
    strict: ChildProver, folder: Path, keys: Pair, name: str, number: str
) -> None:
    keys.sign(folder, number, name=name)
    with pytest.raises(UntrustedServable, match=f"that of {name}@{number}"):
        prove(strict, folder)


def test_a_folder_without_a_number_may_be_any_version_of_the_model(
    strict: ChildProver, folder: Path, keys: Pair
) -> None:
    keys.sign(folder, "7")
    assert prove(strict, folder, number="").signed_by
    keys.sign(folder, "7", name="OrderDelivery")
    with pytest.raises(UntrustedServable):
        prove(strict, folder, number="")


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b"\xff" * 20, b"[" * 60_000, b" " * 70_000])
def test_a_signature_that_is_none_is_refused(strict: ChildProver, signed: Path, content: bytes) -> None:
    (signed / SIGNATURE).write_bytes(content)
    with pytest.raises(UntrustedServable):
        prove(strict, signed)


def test_another_content_than_the_signed_one_is_refused_though_every_digest_fits(
    strict: ChildProver, signed: Path
) -> None:
    (signed / CARD).write_bytes((signed / CARD).read_bytes().replace(b"1.5", b"0.1"))
    digest = redigested(signed)
    with pytest.raises(UntrustedServable, match=r"card\.json"):
        prove(strict, signed, digest)


def test_another_digest_than_the_registered_one_is_refused(strict: ChildProver, signed: Path) -> None:
    with pytest.raises(CorruptServable, match="registry recorded"):
        prove(strict, signed, "sha256:" + "0" * 64)


def test_a_hundred_flipped_bits_are_a_hundred_refusals(
    strict: ChildProver, signed: Path, tmp_path: Path
) -> None:
    digest = prove(strict, signed).digest
    chosen, unnoticed = random.Random(7), []
    for number in range(FLIPS):
        copy = tmp_path / f"flip-{number}"
        shutil.copytree(signed, copy)
        name = flip(copy, chosen.randrange(bits(copy)))
        with contextlib.suppress(ServableError):
            prove(strict, copy, digest)
            unnoticed.append(name)
    assert unnoticed == []


def test_a_flipped_bit_of_the_signature_makes_it_none_or_changes_nothing(
    strict: ChildProver, signed: Path, tmp_path: Path
) -> None:
    """It is JSON around what is signed: a name that nobody reads may be another."""
    proven, chosen, refused = prove(strict, signed), random.Random(7), 0
    for number in range(FLIPS):
        copy = tmp_path / f"flip-{number}"
        shutil.copytree(signed, copy)
        flip(copy, chosen.randrange(bits(copy, [SIGNATURE])), [SIGNATURE])
        try:
            assert prove(strict, copy) == proven
        except UntrustedServable:
            refused += 1
    assert refused > FLIPS / 2


@pytest.mark.parametrize("name", WRITTEN)
def test_every_file_of_a_signed_version_is_covered(strict: ChildProver, signed: Path, name: str) -> None:
    content = (signed / name).read_bytes()
    (signed / name).write_bytes(content[:-1] + b" ")
    with pytest.raises(ServableError):
        prove(strict, signed)


@pytest.mark.parametrize("extra", ["model.pkl", ".gitattributes", "sub/model.onnx", "..data"])
def test_a_file_too_many_is_refused(strict: ChildProver, signed: Path, extra: str) -> None:
    (signed / extra).parent.mkdir(exist_ok=True)
    (signed / extra).write_bytes(b"extra")
    with pytest.raises(CorruptServable):
        prove(strict, signed)


@pytest.mark.parametrize("name", [MODEL, CONTRACT, SIGNATURE])
def test_a_link_to_a_file_elsewhere_is_refused(
    strict: ChildProver, signed: Path, tmp_path: Path, name: str
) -> None:
    (signed / name).rename(tmp_path / "elsewhere")
    (signed / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptServable, match="ordinary"):
        prove(strict, signed)


def test_a_pickle_in_the_place_of_a_file_is_never_loaded(
    lenient: ChildProver, folder: Path, tmp_path: Path
) -> None:
    """Whoever put it there also wrote a manifest that fits."""
    canary = tmp_path / "canary"
    for name in (MODEL, CARD, CONTRACT):
        shutil.copytree(folder, tmp_path / name)
        (tmp_path / name / name).write_bytes(pickled_canary(canary))
        digest = redigested(tmp_path / name)
        with pytest.raises(CorruptServable):
            prove(lenient, tmp_path / name, digest)
    (folder / MANIFEST).write_bytes(pickled_canary(canary))
    with pytest.raises(CorruptServable):
        prove(lenient, folder)
    assert not canary.exists()


def test_a_download_beyond_the_limit_is_refused_unread(folder: Path) -> None:
    prover = ChildProver("catalog", ENVIRONMENT, Rules(limit_bytes=16 * 1024 * 1024))
    with (folder / MODEL).open("wb") as file:
        file.truncate(2**34)
    with pytest.raises(UnloadableServable, match="larger"):
        prove(prover, folder)
    prover.rest()


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_keys_that_are_none_say_nothing_about_a_version(tmp_path: Path, folder: Path, content: bytes) -> None:
    (tmp_path / "keys.pem").write_bytes(content)
    prover = prover_of(tmp_path / "keys.pem", required=True)
    with pytest.raises(ProverFailed):
        prove(prover, folder)
