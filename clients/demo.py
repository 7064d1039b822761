"""`python -m clients.demo`: one walk through a running service, so that a newcomer sees every promise kept once.

It does over HTTP and SQL what a user would do, with the commands that a user would type, and leaves nothing running.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clients.client import Answer, RequestFailed, SlipwayClient
from clients.evidence import Missing, metric_lines, wait_for_row
from clients.local_service import LocalService, ServiceFailed
from clients.settings import ClientSettings
from modelkit.definition import ModelDefinition, Task, load_catalog

LOG = Path("var/demo/service.log")
START_SECONDS = 60.0
DEV = "dev"


class DemoFailed(Exception):
    """A promise was not kept; the message says which."""


class Narrator:
    """Numbers the steps and lays out what happened in each."""

    def __init__(self) -> None:
        self._steps = 0

    def step(self, title: str) -> None:
        self._steps += 1
        print(f"\n{self._steps}. {title}", flush=True)

    def say(self, text: str) -> None:
        print(f"   {text}", flush=True)


def main() -> int:
    settings = ClientSettings()
    if settings.slipway_env != DEV:
        print("The demo makes a user, which it does with SLIPWAY_ENV=dev only.", file=sys.stderr)
        return 1
    narrator = Narrator()
    service = LocalService(LOG, host=settings.reachable_host, port=settings.api_port)
    database = settings.database_url.get_secret_value()
    try:
        username, password = prepare(narrator, database)
        try:
            walk(narrator, settings, service, (username, password))
        finally:
            run("-m", "auth", "disable-user", username, "--database-url", database)
        narrator.say(f"{username} cannot log in any more")
    except (DemoFailed, Missing, RequestFailed, ServiceFailed) as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        print(f"\nThe last lines of {LOG}:\n{service.log_tail()}", file=sys.stderr)
        return 1
    how_to_go_on(settings)
    return 0


def prepare(narrator: Narrator, database: str) -> tuple[str, str]:
    """A database with the current schema and somebody who may log in."""
    narrator.step("The database gets its tables, and somebody who may ask")
    run("-m", "records", "upgrade", "--database-url", database)
    narrator.say("make migrate    brought the tables to the current schema")
    username, password = f"demo-{secrets.token_hex(3)}", secrets.token_urlsafe(18)
    run("-m", "auth", "create-user", username, "--database-url", database, answer=password)
    narrator.say(f"make user       created {username} with a random password and the scopes predict, read")
    return username, password


def walk(
    narrator: Narrator, settings: ClientSettings, service: LocalService, credentials: tuple[str, str]
) -> None:
    with service, SlipwayClient(settings.base_url) as client:
        narrator.step("The service starts and loads what the registry calls production")
        began = time.monotonic()
        service.wait_until(client.is_ready, seconds=START_SECONDS)
        narrator.say(f"GET /readyz     200 after {time.monotonic() - began:.1f} s at {settings.base_url}")
        narrator.step("Logging in")
        client.log_in(*credentials)
        narrator.say("POST /login     answered with a token; every later request carries it")
        for definition in load_catalog().values():
            narrator.step(f"Asking {definition.name}: {definition.description}")
            show_model(narrator, settings, client, definition)
        narrator.step("The service stops")
    narrator.say(f"what it wrote is in {LOG}")


def show_model(
    narrator: Narrator, settings: ClientSettings, client: SlipwayClient, definition: ModelDefinition
) -> None:
    row = definition.examples[0]
    narrator.say(f"POST /predict/{definition.name}")
    narrator.say(f"     {shortened(row)}")
    first, second = client.predict(definition.name, row), client.predict(definition.name, row)
    narrator.say(f"  →  {in_words(definition, first)}, computed by version {first.model_version}")
    if not second.cached or second.prediction != first.prediction:
        raise DemoFailed("the second, equal request was not answered from the cache")
    narrator.say(f'  →  {in_words(definition, second)} again, this time "cached": true')
    narrator.say("table predictions")
    for answer in (first, second):
        narrator.say(f"     {wait_for_row(settings.database_url.get_secret_value(), answer)}")
    narrator.say("GET /metrics")
    for line in metric_lines(client.metrics(), first):
        narrator.say(f"     {line}")


def in_words(definition: ModelDefinition, answer: Answer) -> str:
    if definition.task is Task.CLASSIFICATION:
        return str(answer.prediction)
    return f"{answer.prediction:.1f} {definition.units}"


def run(*arguments: str, answer: str | None = None) -> None:
    """One of the project's own commands, with this interpreter."""
    done = subprocess.run([sys.executable, *arguments], input=answer, capture_output=True, text=True)
    if done.returncode != 0:
        raise DemoFailed(
            f"python {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr or done.stdout}"
        )


def shortened(row: Mapping[str, Any], limit: int = 100) -> str:
    text = json.dumps(dict(row), default=str)
    return text if len(text) <= limit else f"{text[:limit]}…}}"


def how_to_go_on(settings: ClientSettings) -> None:
    model = next(iter(load_catalog().values()))
    body = json.dumps(dict(model.examples[0]), default=str)
    port = (
        ""
        if settings.api_port == ClientSettings.model_fields["api_port"].default
        else f" API_PORT={settings.api_port}"
    )
    print(f"""
How to go on
   make user NAME=ada      create a user of your own (asks for a password)
   make serve{port}        start the service; stop it with Ctrl-C; documentation at {settings.base_url}/docs
   and in another terminal:
     TOKEN=$(curl -s {settings.base_url}/login -H 'Content-Type: application/json' \\
       -d '{{"username":"ada","password":"…"}}' | python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')
     curl -s {settings.base_url}/predict/{model.name} -H "Authorization: Bearer $TOKEN" \\
       -H 'Content-Type: application/json' -d '{body}'
   make help               everything else""")


if __name__ == "__main__":
    sys.exit(main())
