"""Hand-over between real agents: one ends while SQL is away, another ships what it left, from S3 and from a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from records.engine import open_engine
from records.erasures import SUBJECT, Person, write_down
from tests.agent_program import NOBODY, AgentProgram
from tests.e2e.logged_rows import logged
from tests.e2e.scraped import total
from tests.e2e.waiting import until
from tests.s3_server import S3Server

START_SECONDS, GRACE_SECONDS = 60.0, 40.0
AWAY = f"postgresql://slipway:x@{NOBODY}/slipway"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.client().create_bucket(Bucket="handed-over")
    yield server
    server.stop()


@pytest.fixture(params=["s3", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings that name it."""
    if request.param == "folder":
        return {"SPOOL_HANDOFF_URL": (tmp_path / "place").as_uri(), "SPOOL_HANDOFF_POLL_SECONDS": "0.2"}
    server: S3Server = request.getfixturevalue("s3")
    url = f"s3://handed-over/{tmp_path.name}"
    mounted = tmp_path / "credentials"
    mounted.write_text("".join(f"{name}={value}\n" for name, value in server.variables.items()))
    return {
        "SPOOL_HANDOFF_URL": url,
        "SPOOL_HANDOFF_POLL_SECONDS": "0.2",
        "SPOOL_HANDOFF_CREDENTIALS_FILE": str(mounted),
    }


@contextmanager
def running(agent: AgentProgram, *, ends_with: int = 0) -> Iterator[None]:
    process = agent.start()
    try:
        until(agent.live, seconds=START_SECONDS, what="the agent lives")
        yield
        process.terminate()
        code = process.wait(GRACE_SECONDS)
    finally:
        process.kill()
        process.wait(10)
    assert code == ends_with, (agent.folder / "agent.log").read_text()


def leave_behind(agent: AgentProgram, *ids: str) -> None:
    with running(agent):
        agent.seal(*ids)
    assert list(agent.spool.iterdir()) == [], "nothing is left that would go with the pod"


def test_what_a_pod_left_while_sql_was_away_is_shipped_by_another_exactly_once(
    tmp_path: Path, place: dict[str, str], sqlite_url: str
) -> None:
    ids = [f"p-{number}" for number in range(40)]
    leave_behind(AgentProgram(tmp_path / "a", DATABASE_URL=AWAY, **place), *ids)
    assert "segment handed over" in (tmp_path / "a" / "agent.log").read_text()
    two = [AgentProgram(tmp_path / name, DATABASE_URL=sqlite_url, **place) for name in ("b", "c")]
    with running(two[0]), running(two[1]):
        until(lambda: len(logged(sqlite_url)) == 40, seconds=START_SECONDS, what="another pod ships it")
        until(
            lambda: total(two[0].port, "slipway_handoff_waiting_segments") == 0,
            seconds=START_SECONDS,
            what="nothing waits any more",
        )
        adopted = [total(agent.port, "slipway_handoff_segments_total", result="adopted") for agent in two]
        committed = [total(agent.port, "slipway_agent_records_total", result="committed") for agent in two]
        assert (sum(adopted), sum(committed)) == (1, 40)
    assert sorted(logged(sqlite_url)) == sorted(ids)


def test_a_place_that_is_away_too_leaves_it_in_the_spool_and_says_so(tmp_path: Path) -> None:
    nowhere = {
        "AWS_ENDPOINT_URL": f"http://{NOBODY}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "hidden",
    }
    agent = AgentProgram(
        tmp_path,
        DATABASE_URL=AWAY,
        SPOOL_HANDOFF_URL="s3://handed-over/x",
        SPOOL_HANDOFF_POLL_SECONDS="0.2",
        AWS_REGION="us-east-1",
        **nowhere,
    )
    with running(agent, ends_with=1):
        left = agent.seal("p-1")
    assert left.exists()
    told = (tmp_path / "agent.log").read_text()
    assert '"left_behind": 1' in told
    assert "hidden" not in told


def test_somebody_erased_while_records_waited_is_not_brought_back(tmp_path: Path, sqlite_url: str) -> None:
    place = {"SPOOL_HANDOFF_URL": (tmp_path / "place").as_uri(), "SPOOL_HANDOFF_POLL_SECONDS": "0.2"}
    leave_behind(AgentProgram(tmp_path / "a", DATABASE_URL=AWAY, **place), "p-1")
    engine = open_engine(sqlite_url)
    with engine.begin() as connection:
        person = Person(kind=SUBJECT, value="ada")
        write_down(connection, person, before=datetime.fromtimestamp(1_900_000_000, UTC))
    with running(AgentProgram(tmp_path / "b", DATABASE_URL=sqlite_url, **place)):
        until(lambda: "p-1" in logged(sqlite_url), seconds=START_SECONDS, what="the record is shipped")
    with engine.connect() as connection:
        (row,) = connection.exec_driver_sql("SELECT subject, features FROM predictions").all()
    engine.dispose()
    assert row[0].startswith("erased/")
    assert "$withheld" in row[1]
