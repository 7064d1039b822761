"""However a trial ends, it ends alone, and how it ended is known."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.errors import (
    ContractMismatch,
    ServableError,
    UnloadableServable,
)
from serving.proof import ChildProver, Rules, TrialCutShort
from tests.bad_servables import (
    deep_tree,
    endless_loop,
    huge_constant,
    with_graph,
)
from tests.e2e import processes
from tests.tiny_servables import write_tiny
from tests.trials import ENVIRONMENT, prove, prover_of


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


def test_a_version_for_another_image_does_not_fit(lenient: ChildProver, tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path / "1", schema_digest="of another image")
    with pytest.raises(ContractMismatch, match="request schema"):
        prove(lenient, tmp_path / "1")


def test_a_graph_that_kills_its_reader_kills_the_trial_alone(
    lenient: ChildProver, tmp_path: Path, folder: Path
) -> None:
    digest = with_graph(tmp_path / "crash", deep_tree())
    with pytest.raises(UnloadableServable, match="SIGSEGV"):
        prove(lenient, tmp_path / "crash", digest)
    assert prove(lenient, folder).digest


def test_a_graph_that_takes_all_memory_gets_none(lenient: ChildProver, tmp_path: Path) -> None:
    digest = with_graph(tmp_path / "1", huge_constant())
    with pytest.raises(ServableError):
        prove(lenient, tmp_path / "1", digest)


def test_a_graph_that_never_answers_is_given_up(tmp_path: Path, folder: Path) -> None:
    prover = prover_of(None, required=False, seconds=3.0)
    digest = with_graph(tmp_path / "loop", endless_loop())
    with pytest.raises(TrialCutShort, match="within 3 s"):
        prove(prover, tmp_path / "loop", digest)
    assert prove(prover, folder).digest
    prover.rest()


def test_a_trial_that_somebody_kills_is_cut_short(tmp_path: Path, folder: Path) -> None:
    limit = 200_000_001  # by which the process is found
    prover = ChildProver("catalog", ENVIRONMENT, Rules(limit_bytes=limit))
    digest = with_graph(tmp_path / "loop", endless_loop())
    assert prove(prover, folder).digest
    (child,) = (one for one in processes.children(os.getpid()) if str(limit) in processes.command_line(one))
    killing = threading.Timer(0.5, os.kill, (child, signal.SIGKILL))
    killing.start()
    with pytest.raises(TrialCutShort, match="SIGKILL"):
        prove(prover, tmp_path / "loop", digest)
    killing.join()
    assert prove(prover, folder).digest
    prover.rest()
