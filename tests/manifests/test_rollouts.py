"""What a canary's analysis concludes: its queries in Prometheus' own engine, its conditions on what they answer."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.binaries import ensure
from deploy.manifests.objects import Manifest
from tests.manifests.rendering import on_base_objects

CANARY, STABLE = "7d9f", "5c4b"
REQUESTS = "slipway_http_requests_total"
SECONDS = "slipway_http_request_duration_seconds"
Series = dict[str, str]


def template() -> dict[str, Any]:
    return _only("AnalysisTemplate").body["spec"]


def metric(name: str) -> dict[str, Any]:
    return next(one for one in template()["metrics"] if one["name"] == name)


def verdict(name: str, result: list[float]) -> str:
    """As Argo Rollouts concludes: success, else failure, else neither."""
    for outcome, field in (("Successful", "successCondition"), ("Failed", "failureCondition")):
        condition = metric(name)[field].replace("&&", "and").replace("||", "or").replace("false", "False")
        if eval(condition, {"__builtins__": {}, "len": len, "result": result}):
            return outcome
    return "Inconclusive"


def series(of: str, revision: str, increments: str, **labels: str) -> Series:
    labels = {"method": "POST", "route": "/predict/{model}", **labels}
    text = "".join(f', {name}="{value}"' for name, value in labels.items())
    name = f'{of}{{namespace="slipway-dev", rollouts_pod_template_hash="{revision}"{text}}}'
    return {"series": name, "values": increments}


def answered(folder: Path, name: str, traffic: list[Series]) -> list[float]:
    """What Prometheus says after ten minutes of this traffic, scraped every 15 s."""
    query = metric(name)["provider"]["prometheus"]["query"]
    query = query.replace("{{args.canary-hash}}", CANARY).replace("{{args.namespace}}", "slipway-dev")
    assert "{{" not in query
    document = {
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": traffic,
                "promql_expr_test": [{"expr": query, "eval_time": "10m", "exp_samples": []}],
            }
        ],
    }
    (folder / "canary.test.yaml").write_text(yaml.safe_dump(document))
    command = [str(ensure("promtool")), "test", "rules", "canary.test.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    # Nothing is expected, so that whatever there is is shown: `got: "{} 5E-01"`.
    return [float(value) for value in re.findall(r'got:\s*"?\{\} ([^\s"]+)', done.stdout + done.stderr)]


def _only(kind: str) -> Manifest:
    rendered = on_base_objects("monitoring", "autoscaling-hpa", "rollouts")
    (found,) = (manifest for manifest in rendered if manifest.identity.kind == kind)
    return found


BUSY, QUIET = "0+60x40", "0+0x40"
BAD_CANARY = [
    series(REQUESTS, CANARY, BUSY, code="500"),
    series(REQUESTS, CANARY, BUSY, code="200"),
    series(REQUESTS, STABLE, "0+6000x40", code="200"),
]


def test_errors_of_the_canary_are_not_hidden_by_the_fleet(tmp_path: Path) -> None:
    result = answered(tmp_path, "answered", BAD_CANARY)
    assert result == [pytest.approx(0.5)]
    assert verdict("answered", result) == "Failed"


def test_errors_of_the_stable_pods_are_not_the_canarys(tmp_path: Path) -> None:
    traffic = [
        series(REQUESTS, CANARY, BUSY, code="200"),
        series(REQUESTS, STABLE, "0+6000x40", code="500"),
    ]
    assert verdict("answered", answered(tmp_path, "answered", traffic)) == "Successful"


@pytest.mark.parametrize("traffic", [[], [series(REQUESTS, CANARY, QUIET, code="200")]], ids=["none", "idle"])
def test_without_traffic_nothing_is_concluded(tmp_path: Path, traffic: list[Series]) -> None:
    for name in ("answered", "enough-requests"):
        assert verdict(name, answered(tmp_path, name, traffic)) == "Inconclusive"
    assert verdict("quick", answered(tmp_path, "quick", [])) == "Inconclusive"


def test_logging_in_is_no_traffic(tmp_path: Path) -> None:
    traffic = [series(REQUESTS, CANARY, BUSY, code="200", route="/login")]
    assert answered(tmp_path, "answered", traffic) == []


def test_a_models_own_path_is_traffic(tmp_path: Path) -> None:
    traffic = [series(REQUESTS, CANARY, BUSY, code="200", route="/delivery_time")]
    assert verdict("enough-requests", answered(tmp_path, "enough-requests", traffic)) == "Successful"


def test_a_slow_canary_fails(tmp_path: Path) -> None:
    traffic = [
        series(f"{SECONDS}_bucket", CANARY, "0+30x40", le="0.25"),
        series(f"{SECONDS}_bucket", CANARY, BUSY, le="+Inf"),
        series(f"{SECONDS}_count", CANARY, BUSY),
    ]
    assert verdict("quick", answered(tmp_path, "quick", traffic)) == "Failed"


def test_too_few_requests_never_fail_a_release() -> None:
    assert {verdict("enough-requests", result) for result in ([], [0.0], [49.0])} == {"Inconclusive"}


def test_one_bad_minute_is_looked_at_again_and_one_quiet_minute_is_forgiven() -> None:
    for one in template()["metrics"]:
        assert one["count"] > one["inconclusiveLimit"] >= one.get("failureLimit", 0)


def test_the_pods_of_the_rollout_are_spread_by_their_own_label() -> None:
    constraints = _only("Deployment").body["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {name for one in constraints for name in one["matchLabelKeys"]} == {"rollouts-pod-template-hash"}
