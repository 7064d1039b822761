"""What callers make up is in no metric, and what the service counts is what its callers saw."""

from __future__ import annotations

import itertools
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator

from auth.keys import SecretKeys
from auth.tokens import TokenIssuer
from deploy.binaries import ensure
from tests.e2e.running_service import JWT_SECRET_KEY, RunningService
from tests.e2e.waiting import until
from tests.hostile.judge import verdict
from tests.hostile.messages import Message
from tests.hostile.target import Condition, condition, scraped
from tests.hostile.wire import Line

SEED = 20260102
MADE_UP = 5_000
METHODS = ("GET", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "PURGE", "MKCOL")
BELOW = (
    "",
    "predict/",
    "explain/",
    "models/",
    "v2/models/",
    "v1/models/",
    "predictions/",
    "auth/sessions/",
    "problems/",
)
MOST_SERIES, MOST_BYTES = 1_000, 200 * 1024
ISSUER = TokenIssuer(
    SecretKeys(JWT_SECRET_KEY, setting="JWT_SECRET_KEY"),
    issuer="slipway",
    audience="slipway",
    ttl_seconds=3600,
    clock=time.time,
)


def made_up(chance: random.Random, method: str, below: str, *, known: bool) -> tuple[Message, bytes]:
    """A request whose path, host, query, id and, where it has one, user nobody has seen before; and its host."""
    name = f"{chance.getrandbits(64):x}"
    target = f"/{below}{name}?{name}={name}".encode()
    headers: tuple[tuple[bytes, bytes], ...] = (
        (b"User-Agent", name.encode()),
        (b"X-Request-ID", name.encode()),
    )
    if known:
        issued = ISSUER.issue(subject=f"user-{name}", scopes=frozenset({"predict", "read"}))
        headers += ((b"Authorization", f"Bearer {issued.access_token}".encode()),)
    return Message(method, target, headers), f"{name}.example".encode()


def each_kind(chance: random.Random) -> Iterator[tuple[Message, bytes]]:
    for method, below, known in itertools.product(METHODS, BELOW, (True, False)):
        yield made_up(chance, method, below, known=known)


def any_kind(chance: random.Random) -> Iterator[tuple[Message, bytes]]:
    for _ in range(MADE_UP):
        yield made_up(chance, chance.choice(METHODS), chance.choice(BELOW), known=chance.random() < 0.5)


def asked(service: RunningService, requests: Iterator[tuple[Message, bytes]]) -> Counter[int]:
    """What was answered, by status."""
    seen: Counter[int] = Counter()
    with Line(service.api_port) as line:
        for message, host in requests:
            answer = line.ask(message.raw(host=host), to=message.method)
            assert verdict(answer, to=message.method) == [], message
            seen[answer.status] += 1
    return seen


def counted_since(service: RunningService, before: Condition) -> Counter[int]:
    now = condition(service).statuses
    return +Counter({code: int(count - before.statuses.get(code, 0)) for code, count in now.items()})


def test_five_thousand_paths_hosts_and_users_add_no_series(attacked: RunningService) -> None:
    chance = random.Random(SEED)
    start = condition(attacked)
    first = asked(attacked, each_kind(chance))
    until(lambda: counted_since(attacked, start) == first, seconds=20, what=f"{first} are counted")
    before = condition(attacked)
    seen = asked(attacked, any_kind(chance))
    assert seen.total() == MADE_UP
    until(lambda: counted_since(attacked, before) == seen, seconds=20, what=f"{seen} are counted")
    assert condition(attacked).series - before.series == set()


def test_a_scrape_stays_small_and_prometheus_has_nothing_to_say_about_it(attacked: RunningService) -> None:
    text = scraped(attacked)
    assert len(text) < MOST_BYTES
    assert len(condition(attacked).series) < MOST_SERIES
    said = subprocess.run(
        [ensure("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
