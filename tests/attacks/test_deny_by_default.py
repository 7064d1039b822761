"""Every address of the service is on the short list of open ones, or refuses whoever brings no token (T2)."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from tests.attacks.conftest import Behind
from tests.attacks.surface import METHODS, NO_SCOPE, OPEN_FILES, OPEN_ROUTES, addresses, closed
from tests.front_service import FLOWER, FrontService
from tests.problem_schema import problem

BODY = json.dumps(FLOWER).encode()
EVIL = "evil.example"
TRICKS = (
    *(
        "/{}",
        "//{}",
        "/./{}",
        "/livez/../{}",
        "/livez/..;/{}",
        "/livez;/../{}",
        "/livez%2f..%2f{}",
        "/%2e/{}",
    ),
    *("/docs/../{}", "/login/../{}", "/auth/token/../../{}", "/.well-known/../{}", "/problems/../{}"),
    *("\\{}", "/livez\\..\\{}", "{}/", "{}//", "{};", "{};a=b", "{}.json", "{}%00", "{}\x00", "{}%20", "{} "),
    *(
        "{}\t",
        "{}\r\n",
        "{}?",
        "{}#",
        "{}/.",
        "/livez?{}",
        "/livez#{}",
        "http://test/{}",
        "{}\udcff",
        "{}%2f",
    ),
)
MISLEADING = (
    *("x-original-url", "x-rewrite-url", "x-forwarded-uri", "x-forwarded-path", "x-forwarded-prefix"),
    *("x-http-method-override", "x-method-override", "host", "forwarded", "x-envoy-original-path"),
)


def test_exactly_the_listed_addresses_are_open(fortress: FrontService, behind: Behind) -> None:
    surface = fortress.worker.front._surface
    assert {path for path, route in surface.routes.items() if route.open} == OPEN_ROUTES
    assert surface.open_paths == OPEN_ROUTES | OPEN_FILES
    assert not any(route.open for route in surface.prefixes.values())


def test_every_other_address_needs_a_token_whatever_the_method(
    fortress: FrontService, behind: Behind
) -> None:
    paths = closed(fortress)
    assert len(paths) > 30
    for path in paths:
        for method in METHODS:
            refused = fortress.ask_raw(method, path, body=BODY)
            problem(refused, 401, "unauthenticated")
            assert refused.headers["www-authenticate"].startswith("Bearer")
    assert behind.asked == []


def test_a_token_without_scopes_opens_nothing_that_needs_one(fortress: FrontService, behind: Behind) -> None:
    before = len(fortress.logged())
    for path in closed(fortress):
        route = fortress.worker.front._surface.route_of(path)
        for method in route.handlers if route else ("GET", "POST"):
            answer = fortress.ask_raw(method, path, fortress.token(""), BODY)
            if path in NO_SCOPE:
                assert answer.status_code in (200, 204, 405), (method, path)
            else:
                assert answer.status_code in (403, 404, 405), (method, path, answer.text)
    assert len(fortress.logged()) == before
    assert set(behind.asked) <= NO_SCOPE


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_with_a_path_gets_around_the_token(
    fortress: FrontService, behind: Behind, trick: str
) -> None:
    before = len(fortress.logged())
    for target in closed(fortress):
        path = trick.format(target.lstrip("/") if trick.startswith("/") else target)
        if path not in OPEN_ROUTES | OPEN_FILES:
            for method in ("GET", "POST", "DELETE"):
                assert fortress.ask_raw(method, path, body=BODY).status_code == 401, path
    assert len(fortress.logged()) == before
    assert behind.asked == []


@pytest.mark.parametrize("header", MISLEADING)
def test_no_header_leads_to_another_address(fortress: FrontService, behind: Behind, header: str) -> None:
    for value in ("/livez", "/predict/iris", "GET", "http://test/livez", "for=127.0.0.1;host=livez"):
        for path in ("/predict/iris", "/auth/me", "/models", "/predictions/" + "0" * 26, "/predict_iris"):
            assert fortress.ask_raw("POST", path, {header: value}, BODY).status_code == 401
    assert fortress.ask_raw("POST", "/livez", {header: "/predict/iris"}, BODY).status_code == 405


def test_no_answer_leads_elsewhere(fortress: FrontService, behind: Behind) -> None:
    """No redirects at all, no other origin is let in, and no host that a caller made up comes back, on pages either."""
    headers = {
        "host": EVIL,
        "x-forwarded-host": EVIL,
        "x-forwarded-proto": f"https://{EVIL}",
        "forwarded": f"host={EVIL}",
        "origin": f"https://{EVIL}",
        "referer": f"https://{EVIL}/",
    }
    query = f"next=//{EVIL}&redirect_uri=https://{EVIL}/&url=//{EVIL}&return_to=\\\\{EVIL}&continue=%0d%0aLocation:%20//{EVIL}"
    paths = addresses(fortress) | {
        f"//{EVIL}/",
        f"/{EVIL}",
        f"http://{EVIL}/login",
        f"/\\{EVIL}",
        f"/%0d%0a{EVIL}",
    }
    for path in sorted(paths):
        for token in ({}, fortress.token("predict read feedback admin")):
            for method in ("GET", "POST"):
                answer = fortress.ask_raw(method, path, {**headers, **token}, BODY, query=query)
                assert "location" not in answer.headers
                assert not any(name.startswith("access-control-") for name in answer.headers)
                assert answer.status_code // 100 != 3
                assert EVIL not in answer.text + repr(answer.headers), (method, path)


def test_the_documentation_page_loads_nothing_from_elsewhere_and_shows_nobody_elses_api(
    fortress: FrontService, behind: Behind
) -> None:
    """People type their passwords there: `/docs?url=…` must stay ours, in no frame, with our script and no other."""
    page = fortress.ask_raw("GET", "/docs", query=f"url=//{EVIL}/openapi.json&configUrl=//{EVIL}/config.json")
    assert page.content == fortress.ask_raw("GET", "/docs").content
    assert "queryConfigEnabled: false" in page.text
    assert "//" not in page.text.replace("</", "")
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    inline = page.text.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["connect-src"] == "'self'"
    assert {policy[name] for name in ("default-src", "base-uri", "form-action", "frame-ancestors")} == {
        "'none'"
    }
