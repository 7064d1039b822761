"""The trail of refusals: who was refused what, from where; never with what. Those who are let in leave none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.trail import Trail
from tests.front_service import FLOWER, FrontService
from tests.prediction_records import figure


@pytest.fixture
def trail(service: FrontService) -> Trail:
    service.trail.clear()
    return service.trail


def test_a_refused_token_leaves_an_event(service: FrontService, trail: Trail) -> None:
    headers = {"authorization": "Bearer a.b.c", "x-request-id": "r-7", "x-forwarded-for": "192.0.2.1"}
    service.ask_raw("POST", "/predict/iris", headers)
    assert trail.of("request.refused") == [
        {
            "request_id": "r-7",
            "address": "",  # somebody speaks for others whom nobody trusts
            "route": "/predict/{model}",
            "method": "POST",
            "status": 401,
            "code": "unauthenticated",
            "issuer": "",
            "subject": "",
        }
    ]


def test_a_refused_caller_is_named(service: FrontService, trail: Trail) -> None:
    service.predict(FLOWER, "/predict/iris", **service.token("read"))
    service.ask("GET", "/predictions/x", headers=service.token("admin"))
    found = [
        (facts["route"], facts["status"], facts["subject"], facts["issuer"])
        for facts in trail.of("request.refused")
    ]
    assert found == [
        ("/predict/{model}", 403, "ada", service.settings.jwt_issuer),
        ("/predictions/{id}", 403, "ada", service.settings.jwt_issuer),
    ]


def test_a_path_is_never_told(service: FrontService, trail: Trail) -> None:
    for path in ("/secret-1", "/predict/secret-2", "/models/secret-3", "/predictions/secret-4"):
        service.ask_raw("SECRET" * 10, path)
    assert [facts["route"] for facts in trail.of("request.refused")] == [
        *("unknown", "/predict/{model}", "/models/{model}", "/predictions/{id}")
    ]
    assert "secret-" not in repr(trail.events)
    assert {len(str(facts["method"])) for facts in trail.of("request.refused")} == {16}


def test_those_who_are_let_in_and_those_who_err_leave_none(service: FrontService, trail: Trail) -> None:
    service.predict(FLOWER)
    service.predict(b"{")
    service.ask("GET", "/nowhere", headers=service.token())
    service.ask("GET", "/livez")
    assert trail.of("request.refused") == []


def test_an_expired_token_is_counted_for_its_issuer(service: FrontService) -> None:
    issuer = service.settings.jwt_issuer
    name = "slipway_auth_requests_total"

    def counted(issuer: str, result: str) -> float:
        service.ask("GET", "/metrics")
        return figure(service.registry, name, issuer=issuer, result=result)

    before = counted(issuer, "token-expired"), counted("unknown", "unauthenticated")
    service.predict(FLOWER, **service.token(lives=-600))
    service.ask_raw("GET", "/models", {"authorization": "Bearer a.b.c"})
    assert (counted(issuer, "token-expired"), counted("unknown", "unauthenticated")) == (
        before[0] + 1,
        before[1] + 1,
    )


def test_behind_a_trusted_proxy_the_callers_own_address_is_told(tmp_path: Path) -> None:
    front = FrontService(tmp_path, trusted_proxies="127.0.0.0/8,10.0.0.0/8")
    front.ask_raw("GET", "/models", {"x-forwarded-for": "203.0.113.9, 198.51.100.7, 10.1.2.3"})
    front.close()
    assert [facts["address"] for facts in front.trail.of("request.refused")] == ["198.51.100.7"]


def test_a_caller_who_asks_too_often_leaves_an_event(tmp_path: Path) -> None:
    front = FrontService(tmp_path, models="iris", rate_limit_per_second=0.001, rate_limit_burst=1)
    codes = [front.predict(FLOWER).status_code for _ in range(3)]
    front.close()
    told = [(facts["code"], facts["status"], facts["subject"]) for facts in front.trail.of("request.refused")]
    assert codes[0] == 200
    assert codes[-1] == 429
    assert told == [("rate-limited", 429, "ada")] * codes.count(429)


def test_a_revoked_token_is_counted_for_its_issuer(service: FrontService) -> None:
    token, issuer = service.token(), service.settings.jwt_issuer

    def counted() -> float:
        service.ask("GET", "/metrics")
        return figure(service.registry, "slipway_auth_requests_total", issuer=issuer, result="token-revoked")

    before = counted()
    assert service.ask("POST", "/auth/logout", headers=token).status_code == 200
    assert service.ask("GET", "/auth/me", headers=token).status_code == 401
    assert counted() == before + 1
