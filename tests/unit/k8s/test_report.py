"""What a verb prints: readable in 100 columns, coloured for people only, and a code that scripts can trust."""

from __future__ import annotations

import io
import json

import pytest

from k8s.__main__ import main
from k8s.report import Report, Table, as_json, as_text, failed, ok, placed, table_lines, warning, worst_first
from k8s.settings import ClusterSettings, read_settings

LONG = "word " * 60
TABLE = Table(name="pods", columns=("pod", "last_event"), rows=(("slipway-1", LONG), ("slipway-22", "")))


def report(*findings: object) -> Report:
    return Report(verb="diagnose", subject="here", conclusion="so", findings=tuple(findings), tables=(TABLE,))  # type: ignore[arg-type]


def test_only_a_failure_makes_it_a_no() -> None:
    assert report(ok("a", "b"), warning("c", "d")).exit_code == 0
    assert report(ok("a", "b"), failed("c", "d")).exit_code == 1


def test_long_words_of_others_are_wrapped_and_commands_are_not() -> None:
    command = "kubectl " + "x" * 120
    lines = as_text(report(failed("check", LONG, LONG, command)), colour=False).splitlines()
    assert [line for line in lines if len(line) > 100] == [f"          $ {command}"]


def test_a_table_has_headings_and_aligned_columns() -> None:
    head, first, *_ = table_lines(TABLE)
    assert head == "POD         LAST EVENT"
    assert first.index("word") == head.index("LAST")


def test_an_empty_table_is_its_headings() -> None:
    assert list(table_lines(Table(name="none", columns=("a", "b"), rows=()))) == ["A  B"]


def test_colour_is_for_those_who_can_see_it() -> None:
    assert "\x1b[31mFAILED \x1b[0m check" in as_text(report(failed("check", "x")), colour=True)
    assert "\x1b" not in as_text(report(failed("check", "x")), colour=False)


def test_no_color_and_a_dumb_terminal_are_respected() -> None:
    assert read_settings({"TERM": "xterm"}).colour
    assert not read_settings({"NO_COLOR": "1"}).colour
    assert not read_settings({"TERM": "dumb"}).colour


def test_the_worst_comes_first_and_equals_keep_their_order() -> None:
    found = worst_first([ok("1", ""), failed("2", ""), warning("3", ""), failed("4", "")])
    assert [finding.check for finding in found] == ["2", "4", "3", "1"]


def test_a_command_of_ours_can_be_typed_as_it_stands() -> None:
    told = failed("a", "b", "", "python -m k8s models"), failed("c", "d", "", "kubectl get nodes")
    found = placed(Report(verb="v", subject="s", conclusion="c", namespace="here", findings=told)).findings
    assert [finding.command for finding in found] == [
        "python -m k8s models --namespace here",
        "kubectl get nodes",
    ]


def test_json_names_the_columns_of_tables() -> None:
    rows = json.loads(as_json(report()))["tables"]["pods"]
    assert rows[1] == {"pod": "slipway-22", "last_event": ""}


@pytest.mark.parametrize("arguments", [(), ("no-such-verb",), ("models", "--no-such-option")])
def test_nonsense_on_the_command_line_is_exit_code_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(list(arguments))
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    "verb", ["preflight", "rollout", "smoke", "models", "diagnose", "rollback", "dev-secret"]
)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"], settings=ClusterSettings(), output=io.StringIO())
    assert "--namespace" in capsys.readouterr().out
