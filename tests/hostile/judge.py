"""What every answer has to be, whatever was asked: never a 5xx, and a problem as the API describes it where it refuses."""

from __future__ import annotations

import json
import re
from typing import Any

from serving.http.problems import PROBLEM_JSON, problem_types
from tests.hostile.answers import Answer
from tests.problem_schema import PROBLEM, faults

_INNARDS = re.compile(r"Traceback|site-packages|\.py\b|/work/|/tmp/|/home/|<class |object at 0x")
NEEDED = {401: "www-authenticate", 405: "allow", 429: "retry-after", 503: "retry-after"}
CODES = {code: kind.status for code, kind in problem_types().items()}


def verdict(answer: Answer, *, to: str = "GET", may: tuple[int, ...] = ()) -> list[str]:
    """What is wrong with an answer; `may` are the statuses from 500 on that it may have."""
    found = []
    if answer.status >= 500 and answer.status not in may:
        found.append(f"status {answer.status}")
    if needed := [NEEDED.get(answer.status)]:
        found += [f"no {name}" for name in needed if name and name not in answer.headers]
    if "x-request-id" not in answer.headers:
        found.append("no x-request-id")
    if to == "HEAD":
        return found
    return found + (_of_problem(answer) if answer.status >= 400 else _of_success(answer))


def _of_problem(answer: Answer) -> list[str]:
    if answer.headers.get("content-type") != PROBLEM_JSON.decode():
        return [f"{answer.status} is no problem but {answer.headers.get('content-type')}"]
    body = _json(answer.body)
    if not isinstance(body, dict):
        return ["the problem is no JSON object"]
    found = faults(body, PROBLEM)
    if (body.get("status"), CODES.get(body.get("code", ""))) != (answer.status, answer.status):
        found.append(f"{body.get('code')} with status {answer.status}")
    if body.get("request_id") != answer.headers.get("x-request-id"):
        found.append("it is about another request")
    told = f"{body.get('detail')} {body.get('title')} {body.get('errors')}"
    if _INNARDS.search(told):
        found.append(f"it tells too much: {told[:200]}")
    return found


def _of_success(answer: Answer) -> list[str]:
    if answer.headers.get("content-type", "").startswith("application/json") and _json(answer.body) is None:
        return ["an answer is no JSON"]
    return []


def _json(body: bytes) -> Any:
    def refuse(text: str) -> Any:
        raise ValueError(text)

    try:
        return json.loads(body, parse_constant=refuse)
    except ValueError:
        return None
