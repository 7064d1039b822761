"""The policy file in use: it changes without a restart, and a wrong edition changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auth.policy import Policy, PolicyFile, Rate
from tests.fakes.clock import FakeClock
from tests.fakes.trail import Trail

ONE = "[[limits]]\nper_second = 1\n"
TWO = "[[limits]]\nper_second = 2\n"


class Opened:
    """A policy file, its clock and its trail."""

    def __init__(self, path: Path | None) -> None:
        self.clock, self.audit = FakeClock(), Trail()
        self.file = PolicyFile(
            path, audience="slipway", own_issuer="slipway", clock=self.clock, audit=self.audit
        )

    def rate(self) -> Rate | None:
        return self.file.current().limit_for("ada", "iris")


def write(path: Path, text: str) -> None:
    """As a mounted volume does: another file takes the name."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def test_without_a_file_there_is_no_policy() -> None:
    opened = Opened(None)
    opened.clock.now += 10
    assert opened.file.current() == Policy()
    assert opened.file.generation() == 0


@pytest.mark.parametrize("text", ["[[limits]]\nper_second = -1\n", None], ids=["wrong", "absent"])
def test_a_file_that_is_wrong_from_the_start_stops_at_the_door(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "policy.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match="AUTH_POLICY_FILE"):
        Opened(path)


def test_a_new_edition_holds_after_a_second(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    write(path, ONE)
    opened = Opened(path)
    before = opened.file.generation()
    write(path, TWO)
    assert opened.rate() == Rate(per_second=1.0, burst=2.0)
    opened.clock.now += 1.0
    assert opened.rate() == Rate(per_second=2.0, burst=4.0)
    assert opened.file.generation() != before
    assert [name for name, _ in opened.audit.events] == ["policy.changed"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("[[limits]]\nper_second = 0\n", "$.limits[0].per_second"),
        ("[[limits]]\nper_second = " + "9" * 5000, "integer string conversion"),
    ],
    ids=["a limit of nothing", "a number without end"],
)
def test_a_wrong_edition_leaves_the_one_before_and_is_reported_once(
    tmp_path: Path, wrong: str, told: str
) -> None:
    path = tmp_path / "policy.toml"
    write(path, ONE)
    opened = Opened(path)
    write(path, wrong)
    for _ in range(3):
        opened.clock.now += 1.0
        assert opened.rate() == Rate(per_second=1.0, burst=2.0)
    assert len(opened.audit.events) == 1
    assert told in str(opened.audit.of("policy.refused")[0]["reason"])
    assert opened.file.generation() == 0


def test_a_file_that_vanishes_leaves_its_policy_until_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    write(path, ONE)
    opened = Opened(path)
    path.unlink()
    for _ in range(3):
        opened.clock.now += 1.0
        assert opened.rate() == Rate(per_second=1.0, burst=2.0)
    write(path, TWO)
    opened.clock.now += 1.0
    assert opened.rate() == Rate(per_second=2.0, burst=4.0)
    assert [name for name, _ in opened.audit.events] == ["policy.refused", "policy.changed"]


def test_a_file_that_is_written_again_as_it_was_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    write(path, ONE)
    opened = Opened(path)
    write(path, f"# the same\n{ONE}")
    opened.clock.now += 1.0
    assert opened.file.generation() == 0
    assert opened.audit.events == []
