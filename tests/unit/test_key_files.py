"""A worker and the keys in its pod's folder: what it takes over, what it asks for, and how many may wait for it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from auth.issuer_choice import ExternalIssuers
from auth.jwk_sets import parse_jwk_set
from auth.policy import PolicyFile
from serving.identity_folder import IdentityFolder
from serving.identity_metrics import IdentityMetrics
from serving.key_files import MAX_WAITING, KeyFiles
from tests.fakes.clock import FakeClock
from tests.fakes.provider_keys import Signer

CORP = '[[issuers]]\nname = "corp"\nissuer = "https://corp.example"\njwks_url = "https://corp.example/jwks"\n'
TWO = CORP.replace("corp", "two")


class Pod:
    """A folder, a policy, and workers that share both; the test is the agent."""

    def __init__(self, folder: Path, text: str = CORP) -> None:
        self.path, self.clock = folder / "policy.toml", FakeClock()
        self.path.write_text(text)
        self.folder = IdentityFolder(folder)

    def worker(self, *, cooldown: float = 30.0) -> tuple[KeyFiles, ExternalIssuers]:
        policy = PolicyFile(self.path, audience="slipway", own_issuer="slipway", clock=self.clock)
        issuers = ExternalIssuers(policy, clock=time.time, leeway_seconds=5.0)
        metrics = IdentityMetrics(CollectorRegistry())
        return KeyFiles(self.folder, issuers, policy, metrics, cooldown_seconds=cooldown), issuers

    def write(self, *signers: Signer, name: str = "corp") -> None:
        policy = PolicyFile(self.path, audience="slipway", own_issuer="slipway")
        issuer = policy.current().issuer(name)
        assert issuer is not None
        keys = parse_jwk_set(json.dumps({"keys": [signer.public() for signer in signers]}).encode())
        self.folder.write_keys(issuer, keys, fetched_at=time.time())


def test_keys_on_disk_are_there_from_the_start(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    pod.write(Signer())
    files, issuers = pod.worker()
    assert files.unready() == ""
    assert issuers.rings["corp"].keys is not None


def test_who_never_had_keys_is_not_ready_and_says_whose(tmp_path: Path) -> None:
    pod = Pod(tmp_path, CORP + TWO)
    files, _ = pod.worker()
    assert files.unready() == "keys of corp, two"
    pod.write(Signer(), name="two")
    files.look()
    assert files.unready() == "keys of corp"
    pod.path.write_text(TWO)
    pod.clock.advance(2)
    files.look()
    assert files.unready() == "", "nobody waits for an issuer that is believed no more"


def test_an_issuer_that_comes_later_takes_nobody_out(tmp_path: Path) -> None:
    pod = Pod(tmp_path, "")
    files, issuers = pod.worker()
    pod.path.write_text(CORP)
    pod.clock.advance(2)
    files.look()
    assert files.unready() == ""
    pod.write(Signer())
    files.look()
    assert issuers.rings["corp"].keys is not None


def test_an_issuer_that_is_back_has_its_keys_back(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    pod.write(Signer())
    files, issuers = pod.worker()
    for text in ("", CORP):
        pod.path.write_text(text)
        pod.clock.advance(2)
        files.look()
    assert issuers.rings["corp"].keys is not None


def test_the_same_keys_fetched_again_are_no_change(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    pod.write(Signer())
    files, issuers = pod.worker()
    before = issuers.generation()
    pod.write(Signer())
    files.look()
    assert issuers.generation() == before
    pod.write(Signer("ES256"))
    files.look()
    assert issuers.generation() != before


def test_keys_that_another_worker_asked_for_need_no_question(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    pod.write(Signer())
    files, _ = pod.worker()
    pod.write(Signer(), Signer("ES256"))
    assert asyncio.run(files.fresh("corp"))
    assert pod.folder.wanted_stamp("corp") == 0


def test_a_wish_is_written_once_per_cooldown(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    files, _ = pod.worker()

    async def ask_thrice() -> set[int]:
        stamps = set()
        for _ in range(3):
            assert not await files.fresh("corp")
            stamps.add(pod.folder.wanted_stamp("corp"))
        return stamps

    assert len(asyncio.run(ask_thrice())) == 1


def test_after_the_cooldown_there_may_be_another(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    files, _ = pod.worker(cooldown=0.0)
    asyncio.run(files.fresh("corp"))
    first = pod.folder.wanted_stamp("corp")
    asyncio.run(files.fresh("corp"))
    assert pod.folder.wanted_stamp("corp") != first


def test_only_so_many_wait(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    files, _ = pod.worker()

    async def crowd() -> int:
        waiting = [asyncio.create_task(files.fresh("corp")) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        assert not await files.fresh("corp"), "one too many is answered at once"
        still = sum(not task.done() for task in waiting)
        pod.write(Signer())
        assert all(await asyncio.gather(*waiting))
        return still

    assert asyncio.run(crowd()) == MAX_WAITING


def test_an_answer_without_news_ends_the_waiting(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    pod.write(Signer())
    files, _ = pod.worker()

    async def ask() -> bool:
        asked = asyncio.create_task(files.fresh("corp"))
        await asyncio.sleep(0)
        pod.write(Signer())
        return await asked

    assert not asyncio.run(ask())


def test_a_damaged_file_leaves_the_keys_as_they_were(tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    pod.write(Signer())
    files, issuers = pod.worker()
    for damage in (b"", b"{", b'{"source": 1}', b'{"source": "x", "fetched_at": 1, "keys": [1]}'):
        (pod.folder.path / "keys-corp.json").write_bytes(damage)
        files.look()
    assert issuers.rings["corp"].keys is not None
