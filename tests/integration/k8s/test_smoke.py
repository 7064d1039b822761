"""`k8s smoke` against a real worker, and against services that are wrong in one way each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.api_server import shapes, sick_pods
from tests.fakes.api_server.server import FakeApiServer
from tests.fakes.http_service import Asked, HttpService, Said
from tests.front_service import KEY
from tests.integration.k8s.verb import Result, run


def smoke(service: HttpService, key_file: Path, *more: object) -> Result:
    options = ("--url", service.url, "--jwt-key-file", key_file, "--timeout", 0, "--output", "json")
    return run("smoke", *options, "--requests", 2, *more)


def but(service: HttpService, change: Callable[[Asked, Said], Said]) -> None:
    """The real answers, changed."""
    real = service.answer
    service.answer = lambda asked: change(asked, real(asked))


def changed_body(said: Said, **fields: Any) -> Said:
    return Said(said.status, json.dumps(json.loads(said.body) | fields).encode(), said.headers)


def on_success(**fields: Any) -> Callable[[Asked, Said], Said]:
    def change(asked: Asked, said: Said) -> Said:
        return changed_body(said, **fields) if asked.method == "POST" and said.status == 200 else said

    return change


def test_every_model_of_a_healthy_service_passes(service: HttpService, key_file: Path) -> None:
    result = smoke(service, key_file)
    assert (result.code, result.findings()) == (0, [])
    assert len(result.report["tables"]["models"]) == 6
    assert all(float(row["p95_ms"]) > 0 for row in result.report["tables"]["models"])


def test_the_text_for_people_fits_a_terminal_and_has_no_colour_in_a_pipe(
    service: HttpService, key_file: Path
) -> None:
    result = run("smoke", "--url", service.url, "--jwt-key-file", key_file, "--model", "iris", "--timeout", 0)
    assert result.code == 0
    assert max(len(line) for line in result.text.splitlines()) <= 100
    assert "\x1b" not in result.text


def test_a_token_of_another_service_fails_with_what_to_look_at(service: HttpService, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY[::-1])
    result = smoke(service, tmp_path / "key", "--model", "iris")
    assert result.code == 1
    advice = [finding["advice"] for finding in result.report["findings"] if finding["check"] == "iris"]
    assert "JWT_ISSUER" in advice[0]


def test_only_the_model_that_is_named_is_asked(service: HttpService, key_file: Path) -> None:
    smoke(service, key_file, "--model", "housing")
    assert {asked.path for asked in service.asked if asked.method == "POST"} == {"/predict/housing"}


def test_a_version_that_was_expected_must_answer(service: HttpService, key_file: Path) -> None:
    version = smoke(service, key_file, "--model", "iris").report["tables"]["models"][0]["version"]
    assert smoke(service, key_file, "--model", "iris", "--expect", f"iris={version}").code == 0
    other = smoke(service, key_file, "--model", "iris", "--expect", "iris=9999")
    assert other.code == 1
    assert "9999 was expected" in other.findings()[0]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model_version": "other"}, "the header says version"),
        ({"model": "housing"}, "housing answered instead"),
        ({"prediction": "rose"}, "is none of setosa"),
        ({"prediction": 3.5}, "is none of setosa"),
        ({"probabilities": {"setosa": 1.0}}, "the probabilities are not one per class"),
        ({"probabilities": {"setosa": 0.9, "versicolor": 0.9, "virginica": 0.9}}, "add up to 1"),
        ({"prediction_id": ""}, "prediction id"),
        ({"units": "cm"}, "is in 'cm'"),
        ({"prediction": None}, "the body is not a prediction"),
        ({"cached": False}, "was answered from the cache"),
    ],
)
def test_an_answer_that_cannot_be_true_fails(
    service: HttpService, key_file: Path, fields: dict[str, Any], words: str
) -> None:
    but(service, on_success(**fields))
    result = smoke(service, key_file, "--model", "iris")
    assert result.code == 1
    assert words in " ".join(result.findings())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prediction": -1e9}, "is below"),
        ({"lower": 9.0, "upper": 1.0}, "the bounds are"),
        ({"prediction": "5"}, "is not a number"),
    ],
)
def test_a_number_that_cannot_be_true_fails(
    service: HttpService, key_file: Path, fields: dict[str, Any], words: str
) -> None:
    but(service, on_success(**fields))
    assert words in " ".join(smoke(service, key_file, "--model", "basket").findings())


def test_two_different_answers_to_one_question_fail(service: HttpService, key_file: Path) -> None:
    turns = iter(range(1000))

    def wavering(asked: Asked, said: Said) -> Said:
        again = asked.method == "POST" and said.status == 200 and next(turns) > 0
        return changed_body(said, prediction=12345.0) if again else said

    but(service, wavering)
    assert "then 12345.00" in " ".join(smoke(service, key_file, "--model", "housing").findings())


def test_a_service_without_a_cache_passes_when_that_is_meant(service: HttpService, key_file: Path) -> None:
    but(service, on_success(cached=False))
    assert smoke(service, key_file, "--model", "iris", "--no-cache").code == 0


def test_an_open_door_fails(service: HttpService, key_file: Path) -> None:
    but(service, lambda asked, said: Said(200) if said.status == 401 else said)
    assert [text.partition(":")[0] for text in smoke(service, key_file, "--model", "iris").findings()] == [
        "refuses no token",
        "refuses a forged token",
    ]


def test_refusals_of_something_in_between_are_told_from_ours(service: HttpService, key_file: Path) -> None:
    page = {"Content-Type": "text/html"}
    but(service, lambda asked, said: Said(401, b"<h1>no</h1>", page) if said.status == 401 else said)
    assert "something stands in between" in " ".join(smoke(service, key_file, "--model", "iris").findings())


def test_a_service_that_is_not_ready_is_quoted(service: HttpService, key_file: Path) -> None:
    reasons = b'{"ready": false, "reasons": {"iris": "no version has been found yet"}}'
    service.answer = lambda asked: Said(503, reasons)
    result = smoke(service, key_file)
    assert result.code == 1
    assert result.findings() == ["ready: iris: no version has been found yet"]


def test_a_slow_service_is_a_warning(service: HttpService, key_file: Path) -> None:
    result = smoke(service, key_file, "--model", "iris", "--p95-ms", "0.0001")
    assert result.code == 0
    assert "more than 0.0001 ms" in result.findings("warning")[0]


def test_requests_that_fail_among_many_are_no_good_p95(service: HttpService, key_file: Path) -> None:
    answered = iter(range(1000))
    limited = b'{"code": "rate-limited", "detail": "too many"}'

    def limiting(asked: Asked, said: Said) -> Said:
        return (
            Said(429, limited)
            if said.status == 200 and asked.method == "POST" and next(answered) > 1
            else said
        )

    but(service, limiting)
    result = smoke(service, key_file, "--model", "iris", "--requests", 4)
    assert result.code == 1
    assert "requests failed, the last with 429 rate-limited" in " ".join(result.findings())


def test_nobody_there_cannot_be_asked(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run("smoke", "--url", "http://127.0.0.1:1", "--jwt-key-file", key_file, "--timeout", 0)
    assert result.code == 2
    assert "127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        ("--model", "tulips"),
        ("--expect", "iris"),
        ("--jwt-key-file", "/none"),
        ("--catalog", "nosuch"),
        ("--catalog", "os"),
        ("--catalog", ""),
        ("--catalog", ".catalog"),
        ("--url", "http://[nowhere"),
        ("--url", "nowhere"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(
    service: HttpService, key_file: Path, wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke(service, key_file, *wrong).code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("listed", [{"models": [{"version": "3"}]}, {"models": [4]}, {"models": None}, [1]])
def test_a_list_of_models_that_is_none_is_said_in_a_line(
    service: HttpService, key_file: Path, listed: object, capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps(listed).encode()
    but(service, lambda asked, said: Said(200, body) if asked.path == "/models" else said)
    assert smoke(service, key_file).code == 2
    said = capsys.readouterr().err
    assert "/models: not a list of models" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("reasons", [None, [], ["iris"], "all of them", 3])
def test_reasons_that_are_none_leave_the_refusal_itself(
    service: HttpService, key_file: Path, reasons: object
) -> None:
    service.answer = lambda asked: Said(503, json.dumps({"reasons": reasons, "detail": "later"}).encode())
    assert smoke(service, key_file).findings() == ["ready: 503 later"]


def test_without_a_url_it_goes_through_a_pod_that_is_ready(
    service: HttpService, key_file: Path, api: FakeApiServer, tmp_path: Path
) -> None:
    api.add(sick_pods.crashing("slipway-1"), shapes.pod("slipway-2"))
    api.backends["slipway-2", 8000] = service.address
    options = ("--kubeconfig", api.kubeconfig(tmp_path), "--jwt-key-file", key_file, "--model", "iris")
    result = run("smoke", *options, "--timeout", 0, "--output", "json")
    assert (result.code, result.findings(), result.report["subject"]) == (0, [], "slipway-2:8000")


def test_without_a_url_and_without_pods_there_is_nobody_to_ask(
    key_file: Path, api: FakeApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = api.kubeconfig(tmp_path)
    assert run("smoke", "--kubeconfig", config, "--jwt-key-file", key_file).code == 2
    assert "no pod of the service" in capsys.readouterr().err
