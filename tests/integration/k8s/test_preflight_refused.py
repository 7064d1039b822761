"""`k8s preflight` on a cluster where something is broken: what that is becomes a finding among the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes.api_server.server import FakeApiServer, Fault
from tests.integration.k8s.verb import Result


def test_a_metrics_server_that_is_down_is_a_finding_among_others(
    api: FakeApiServer, look: Callable[..., Result]
) -> None:
    api.fail(Fault("/apis/metrics.k8s.io/v1beta1", status=503, times=9))
    result = look()
    assert result.code == 1
    assert [text for text in result.findings() if "metrics API does not answer" in text]
    assert len(result.findings("ok")) > 3


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("/resourcequotas", "quota"),
        ("/storageclasses", "storage"),
        ("/nodes", "capacity"),
        ("/secrets/", "secrets"),
        ("/apis/monitoring.coreos.com", "kinds"),
        ("/selfsubjectaccessreviews", "permission"),
    ],
)
def test_what_one_question_is_refused_ends_no_other(
    api: FakeApiServer, look: Callable[..., Result], path: str, check: str
) -> None:
    api.fail(Fault(path, status=500, times=99))
    result = look()
    assert result.code == 1
    assert f"{check}: could not be asked" in " ".join(result.findings())
    assert len(result.findings("ok")) > 3


def test_who_asks_with_a_token_that_nobody_knows_gets_no_report(
    api: FakeApiServer, look: Callable[..., Result], capsys: pytest.CaptureFixture[str]
) -> None:
    api.fail(Fault("/resourcequotas", status=401))
    assert look().code == 2
    assert "401" in capsys.readouterr().err
