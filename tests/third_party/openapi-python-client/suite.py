"""What a user of `openapi-python-client` does: a client made from the served document, and asked; in its own environment."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

URL, PASSWORD = os.environ["SLIPWAY_URL"], os.environ["SLIPWAY_PASSWORD"]
FLOWER = json.loads(os.environ["SLIPWAY_FLOWER"])
SHIPPED_SECONDS = 30


def generated(folder):
    """The package; a warning of the generator fails the suite, as it means that something was left out."""
    command = ["openapi-python-client", "generate", "--url", f"{URL}/openapi.json", "--meta", "none"]
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [program, *command[1:], "--output-path", folder / "slipway_client", "--fail-on-warning"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    return importlib.import_module("slipway_client")


def part(name):
    return importlib.import_module(f"slipway_client.{name}")


def logged_in(package):
    credentials = part("models").Credentials(username="ada", password=PASSWORD)
    tokens = part("api.identity.login").sync(client=package.Client(base_url=URL), body=credentials)
    assert tokens.token_type == "Bearer", tokens
    assert tokens.refresh_token
    return package.AuthenticatedClient(base_url=URL, token=tokens.access_token)


def check_predictions(client):
    models, predict = part("models"), part("api.predictions.predict_iris")
    row = models.IrisRequest(**FLOWER)
    one = predict.sync(client=client, body=row)
    assert isinstance(one, models.IrisAnswer), one
    assert one.prediction.value in ("setosa", "versicolor", "virginica")
    assert abs(sum(one.probabilities.to_dict().values()) - 1) < 1e-6
    many = predict.sync(client=client, body=models.IrisBatch(instances=[row, row]))
    assert isinstance(many, models.IrisAnswers), many
    assert [each.prediction for each in many.predictions] == [one.prediction] * 2
    return one


def check_own_record(client, answer):
    """It reaches the database a moment later."""
    show, give_up_at = part("api.predictions.show_prediction"), time.monotonic() + SHIPPED_SECONDS
    while (found := show.sync_detailed(answer.prediction_id, client=client)).status_code == 404:
        assert found.parsed.code.value == "prediction-not-found"
        assert time.monotonic() < give_up_at, found
        time.sleep(0.2)
    record = found.parsed
    assert (record.model, record.prediction) == ("iris", answer.prediction.value)
    assert record.features.to_dict() == FLOWER


def check_problems(package, client):
    models, predict = part("models"), part("api.predictions.predict_iris")
    wrong = predict.sync_detailed(client=client, body=models.IrisRequest(**{**FLOWER, "petal_width": -1.0}))
    assert wrong.status_code == 400, wrong
    assert isinstance(wrong.parsed, models.Problem), wrong
    assert wrong.parsed.code.value == "invalid-request"
    assert [each.pointer for each in wrong.parsed.errors] == ["/petal_width"]
    nobody = package.AuthenticatedClient(base_url=URL, token="nonsense")
    refused = predict.sync_detailed(client=nobody, body=models.IrisRequest(**FLOWER))
    assert (refused.status_code, refused.parsed.code.value) == (401, "unauthenticated")
    kind = part("api.status.show_problem").sync(part("models").ShowProblemCode("rate-limited"), client=client)
    assert kind.status == 429


def main():
    with tempfile.TemporaryDirectory() as folder:
        package = generated(Path(folder))
        with logged_in(package) as client:
            answer = check_predictions(client)
            check_own_record(client, answer)
            check_problems(package, client)
            me = part("api.identity.who_am_i").sync(client=client)
            assert me.subject == "ada"
    print("all passed")


main()
