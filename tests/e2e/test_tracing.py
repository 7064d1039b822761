"""Any answer can be found again: one request id and one trace id tie answer, lines, row and spans of a served process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from sqlalchemy import select

from records.engine import open_engine
from records.tables import Prediction
from tests.e2e.logged_rows import wait_until_shipped
from tests.e2e.running_service import RunningService
from tests.e2e.scraped import total
from tests.e2e.waiting import until
from tests.front_service import CATALOG
from tests.otlp_receiver import OtlpReceiver, Received
from tests.tiny_servables import write_tiny

ANSWERS = 1000
PATIENCE = 30.0
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PREDICT = "POST /predict/{model}"
STAGES = {"admission", "read", "cache", "model", "log", "write"}
FLOWER = dict(CATALOG["iris"].examples[0])


def serve(folder: Path, receiver: OtlpReceiver, **settings: str) -> RunningService:
    write_tiny(CATALOG["iris"], folder / "baked" / "iris")
    return RunningService(
        folder,
        tracking_uri=f"sqlite:///{folder}/mlflow.db",
        database_url=f"sqlite:///{folder}/slipway.db",
        MODELS="iris",
        MODEL_SOURCE="path",
        MODEL_PATH=str(folder / "baked"),
        OTEL_TRACES_EXPORTER="otlp",
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
        OTEL_EXPORTER_OTLP_HEADERS="x-tenant=tests",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=tests",
        **{"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_BSP_MAX_QUEUE_SIZE": "20000", **settings},
    )


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def service(receiver: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("tracing")
    with serve(folder, receiver, MODEL_LOG="true", LOG_DIR=str(folder / "logs")) as service:
        service.wait_for_agent()
        yield service


def lines_of(path: Path, event: str) -> dict[str, dict[str, Any]]:
    """The lines of a stream by request id; none is there twice."""
    found: dict[str, dict[str, Any]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("{") and (told := json.loads(line)).get("event") == event:
            assert told["request_id"] not in found
            found[told["request_id"]] = told
    return found


def rows_of(service: RunningService) -> dict[str, tuple[str, str]]:
    """Prediction id and trace id by request id."""
    engine = open_engine(service.database_url)
    try:
        with engine.connect() as connection:
            columns = Prediction.request_id, Prediction.prediction_id, Prediction.trace_id
            return {row[0]: (row[1], row[2] or "") for row in connection.execute(select(*columns))}
    finally:
        engine.dispose()


def failed(service: RunningService) -> float:
    """Spans that no export took."""
    return total(service.metrics_port, "slipway_trace_spans_total", result="failed")


def trace_of(answer: httpx.Response) -> str:
    return answer.headers["traceparent"][3:35]


def span_of(receiver: OtlpReceiver, answer: httpx.Response, name: str = PREDICT) -> Received:
    trace = trace_of(answer)
    until(lambda: name in receiver.of(trace), seconds=PATIENCE, what=f"{name} of {trace}")
    return receiver.of(trace)[name]


def test_a_thousand_answers_are_found_again_in_both_streams_in_the_database_and_among_the_traces(
    service: RunningService, receiver: OtlpReceiver
) -> None:
    with service.client() as client, ThreadPoolExecutor(4) as threads:

        def ask(place: int) -> httpx.Response:
            return client.post("/predict/iris", json={**FLOWER, "sepal_length": 4 + place % 400 / 100})

        answers = {each.headers["x-request-id"]: each for each in threads.map(ask, range(ANSWERS))}
    assert len(answers) == ANSWERS
    wait_until_shipped(service.spool)
    until(
        lambda: sum(span.name == PREDICT for span in list(receiver.spans)) >= ANSWERS,
        seconds=PATIENCE,
        what="all spans arrive",
    )
    log = service.folder / "service.log"
    until(lambda: answers.keys() <= lines_of(log, "PREDICTION").keys(), seconds=PATIENCE, what="all lines")
    asked, predicted, rows = lines_of(log, "REQUEST"), lines_of(log, "PREDICTION"), rows_of(service)
    spans = {
        str(span.attributes["slipway.request_id"]): span for span in receiver.spans if span.name == PREDICT
    }
    for request_id, answer in answers.items():
        trace, prediction = trace_of(answer), answer.json()["prediction_id"]
        assert rows[request_id] == (prediction, trace)
        assert (predicted[request_id]["prediction_id"], predicted[request_id]["trace_id"]) == (
            prediction,
            trace,
        )
        assert (asked[request_id]["trace_id"], asked[request_id]["status"]) == (trace, 200)
        assert spans[request_id].trace_id == trace
        assert spans[request_id].span_id == answer.headers["traceparent"][36:52]
    files = service.folder / "logs"
    assert answers.keys() <= lines_of(files / "service_metrics.txt", "REQUEST").keys()
    assert answers.keys() <= lines_of(files / "model_metrics.txt", "PREDICTION").keys()


def test_the_spans_of_a_request_stand_in_its_callers_trace_with_its_stages_below(
    service: RunningService, receiver: OtlpReceiver
) -> None:
    given = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "congo=t61rcWkgMzE,rojo=00f067"}
    with service.client() as client:
        answer = client.post("/predict/iris", json={**FLOWER, "sepal_length": 9.11}, headers=given)
    request = span_of(receiver, answer)
    assert (request.trace_id, request.parent_id, request.kind) == (TRACE, SPAN, Span.SPAN_KIND_SERVER)
    assert request.state == given["tracestate"]
    assert answer.headers["traceparent"] == f"00-{TRACE}-{request.span_id}-01"
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/predict/{model}",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "slipway.request_id": answer.headers["x-request-id"],
        "slipway.model": "iris",
        "slipway.model_version": answer.json()["model_version"],
        "slipway.rows": 1,
        "slipway.cached": False,
    }
    assert request.resource["service.name"] == "slipway"
    assert request.resource["deployment.environment.name"] == "tests"
    assert receiver.headers[-1]["x-tenant"] == "tests"
    stages = {name: span for name, span in receiver.of(TRACE).items() if name != PREDICT}
    assert stages.keys() == STAGES
    for span in stages.values():
        assert (span.parent_id, span.kind) == (request.span_id, Span.SPAN_KIND_INTERNAL)
        assert request.started <= span.started <= span.ended <= request.ended
    assert (stages["model"].attributes["slipway.rows"], stages["model"].attributes["slipway.call_rows"]) == (
        1,
        1,
    )


def test_an_explanation_says_of_which_model_and_how_long_it_took(
    service: RunningService, receiver: OtlpReceiver
) -> None:
    with service.client() as client:

        def explained(length: float) -> httpx.Response | None:
            answer = client.post("/explain/iris", json={**FLOWER, "sepal_length": length})
            return answer if answer.status_code == 200 else None

        until(lambda: explained(9.12), seconds=PATIENCE, what="the explainer has started")
        answer = explained(9.13)
    assert answer is not None
    request = span_of(receiver, answer, "POST /explain/{model}")
    assert request.attributes["slipway.model"] == "iris"
    assert request.attributes["slipway.rows"] == 1
    assert request.attributes["slipway.cached"] is False
    stages = receiver.of(request.trace_id).keys() - {"POST /explain/{model}"}
    assert stages == {"admission", "read", "explanation", "write"}


def test_what_the_caller_does_not_record_is_not_recorded_here_but_keeps_its_trace(
    service: RunningService, receiver: OtlpReceiver
) -> None:
    trace = "a" * 32
    with service.client() as client:
        unrecorded = client.post(
            "/predict/iris", json=FLOWER, headers={"traceparent": f"00-{trace}-{SPAN}-00"}
        )
        span_of(receiver, client.post("/predict/iris", json=FLOWER))  # asked later, and exported
    assert (trace_of(unrecorded), unrecorded.headers["traceparent"][-2:]) == (trace, "00")
    assert receiver.of(trace) == {}


def test_a_refusal_has_its_ids_in_the_problem_the_line_and_the_span(
    service: RunningService, receiver: OtlpReceiver
) -> None:
    with service.client() as client:
        refused = client.post("/predict/iris", json={**FLOWER, "sepal_length": "long"})
        nowhere = client.get("/no/such/path?token=secret-7fQ2")
    request = span_of(receiver, refused)
    assert request.attributes["slipway.request_id"] == refused.json()["request_id"]
    assert request.attributes["error.type"] == "invalid-request"
    assert request.status == Status.STATUS_CODE_UNSET, "what a caller gets wrong is no error of ours"
    log = service.folder / "service.log"
    ids = {refused.headers["x-request-id"], nowhere.headers["x-request-id"]}
    until(lambda: ids <= lines_of(log, "REQUEST").keys(), seconds=PATIENCE, what="the lines")
    line = lines_of(log, "REQUEST")[nowhere.json()["request_id"]]
    assert (line["route"], line["status"], line["trace_id"]) == ("unknown", 404, trace_of(nowhere))
    assert "secret-7fQ2" not in log.read_text()
    assert "/no/such/path" not in log.read_text()


def test_a_typed_api_is_traced_once_though_bentoml_has_a_middleware_of_its_own(
    service: RunningService, receiver: OtlpReceiver
) -> None:
    with service.client() as client:
        answer = client.post("/predict_iris", json=FLOWER)
    assert answer.status_code == 200, answer.text
    span_of(receiver, answer, "POST /predict_iris")
    servers = [span for span in receiver.of(trace_of(answer)).values() if span.kind == Span.SPAN_KIND_SERVER]
    assert [span.name for span in servers] == ["POST /predict_iris"]
    assert servers[0].attributes["slipway.model"] == "iris"
    until(lambda: rows_of(service).get(answer.headers["x-request-id"]), seconds=PATIENCE, what="its row")
    assert rows_of(service)[answer.headers["x-request-id"]][1] == trace_of(answer)


def test_probes_and_scrapes_leave_neither_line_nor_span(
    service: RunningService, receiver: OtlpReceiver
) -> None:
    with service.client() as client:
        probed = [client.get(path) for path in ("/livez", "/readyz", "/metrics")]
        span_of(receiver, client.get("/models"), "GET /models")
    assert all("traceparent" in each.headers for each in probed)
    assert not [span for span in receiver.spans if "livez" in span.name or "readyz" in span.name]
    assert (
        not {each.headers["x-request-id"] for each in probed}
        & lines_of(service.folder / "service.log", "REQUEST").keys()
    )


def test_the_agent_tells_of_shipped_segments(service: RunningService, receiver: OtlpReceiver) -> None:
    until(
        lambda: any(span.name == "ship" for span in list(receiver.spans)), seconds=PATIENCE, what="a segment"
    )
    ship = next(span for span in receiver.spans if span.name == "ship")
    assert ship.resource["service.name"] == "slipway-agent"
    assert ship.attributes["slipway.rows_committed"] == ship.attributes["slipway.rows"] > 0
    assert ship.parent_id == ""


def test_spans_that_wait_leave_when_the_service_stops(tmp_path: Path) -> None:
    with OtlpReceiver() as receiver, serve(tmp_path, receiver, OTEL_BSP_SCHEDULE_DELAY="600000") as service:
        with service.client() as client:
            answer = client.post("/predict/iris", json=FLOWER)
        assert service.stop() == 0
        assert PREDICT in receiver.of(trace_of(answer))


def test_a_collector_in_trouble_costs_spans_and_no_answer(tmp_path: Path) -> None:
    with OtlpReceiver() as receiver, serve(tmp_path, receiver, OTEL_EXPORTER_OTLP_TIMEOUT="1") as service:

        def more_than(before: float) -> bool:
            return failed(service) > before

        with service.client() as client:
            for trouble in ("refuses", "hangs"):
                receiver.status, receiver.hangs = 503, trouble == "hangs"
                before = failed(service)
                answers = [client.post("/predict/iris", json=FLOWER) for _ in range(50)]
                assert {each.status_code for each in answers} == {200}
                until(
                    partial(more_than, before),
                    seconds=PATIENCE,
                    what=f"spans fail: it {trouble}",
                )
        assert service.stop() == 0
