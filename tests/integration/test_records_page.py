"""What docs/records.md prints works as it is printed, and names what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from records.__main__ import main as records_main
from records.tables import Base
from serving.agent.feedback_metrics import FeedbackMetrics
from tests.architecture.source_tree import ROOT
from tests.front_service import FrontService
from tests.printed_commands import run_printed

PAGE = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
COMMANDS = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL))


@pytest.fixture
def front(tmp_path: Path) -> Iterator[FrontService]:
    database_url = f"sqlite:///{tmp_path}/slipway.db"
    assert records_main(["upgrade", "--database-url", database_url]) == 0
    service = FrontService(tmp_path, database_url=database_url, models="iris")
    yield service
    service.close()


def test_truth_is_told_as_it_is_printed(front: FrontService, tmp_path: Path) -> None:
    done = run_printed(COMMANDS, front, tmp_path)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert '{"accepted":1,"repeated":0,"changed":0,"errors":[]}' in done.stdout
    assert '{"accepted":0,"repeated":0,"changed":1,"errors":[]}' in done.stdout


def test_every_metric_of_the_page_is_there() -> None:
    registry = CollectorRegistry()
    FeedbackMetrics(registry)
    there = {
        f"{family.name}_total" if family.type == "counter" else family.name for family in registry.collect()
    }
    assert there == {
        name.removesuffix("_sum").removesuffix("_count")
        for name in re.findall(r"slipway_(?:feedback|model|retention)_\w+", PAGE)
    }


def test_every_table_of_the_page_is_there() -> None:
    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*)(?: by name)? \|", PAGE, flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert named == set(Base.metadata.tables) - {"model_events", "model_metrics", "batches"}
