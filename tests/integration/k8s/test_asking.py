"""Getting to the API server: kubeconfig, a pod's account, and what is said when it does not work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from k8s.settings import ClusterSettings
from tests.architecture.source_tree import ROOT
from tests.certificates import local_authority
from tests.fakes.api_server import shapes, surroundings
from tests.fakes.api_server.server import NAMESPACE, FakeApiServer, Fault
from tests.integration.k8s.conftest import Ask
from tests.integration.k8s.verb import run


def test_the_namespace_is_that_of_the_context_unless_one_is_named(api: FakeApiServer, tmp_path: Path) -> None:
    config = api.kubeconfig(tmp_path)

    def subject(*options: str) -> object:
        return run("preflight", "--kubeconfig", config, "-o", "json", *options).report["subject"]

    assert subject() == NAMESPACE
    assert subject("--context", "elsewhere") == "elsewhere"
    assert subject("--context", "elsewhere", "--namespace", "mine") == "mine"


def test_in_a_pod_its_account_asks_over_tls(tmp_path: Path) -> None:
    tls, authority = local_authority(tmp_path)
    (tmp_path / "token").write_text("token-of-the-pod")
    (tmp_path / "namespace").write_text(NAMESPACE)
    (tmp_path / "ca.crt").write_bytes(authority.read_bytes())
    with FakeApiServer(tls=tls) as api:
        api.users["token-of-the-pod"] = "somebody"
        api.add(shapes.deployment())
        settings = ClusterSettings(api_host="127.0.0.1", api_port=str(api.port), pod_folder=tmp_path)
        assert run("rollout", "-o", "json", settings=settings).code == 0


def test_a_port_is_forwarded_over_tls_too(tmp_path: Path) -> None:
    tls, authority = local_authority(tmp_path)
    with FakeApiServer(tls=tls) as api:
        api.add(shapes.pod("slipway-1"))
        config = api.kubeconfig(tmp_path, ca=authority)
        found = run("models", "--kubeconfig", config, "-o", "json")
    assert "connection refused" in found.findings()[0]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("/deployments", status=401), "said to fail: 401"),
        (Fault("/deployments", status=500), "said to fail: 500"),
        (Fault("/deployments", status=404, times=9), "said to fail: 404"),
        (Fault("/deployments", hang_up=True), "does not answer: it hung up"),
        (Fault("/deployments", status=429, headers={"Retry-After": "60"}, times=99), "said to fail: 429"),
    ],
    ids=["401", "500", "404", "hang up", "429 for long"],
)
def test_what_cannot_be_asked_is_a_line_and_exit_code_2(
    api: FakeApiServer, ask: Ask, fault: Fault, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.add(shapes.deployment())
    api.fail(fault)
    assert ask("rollout").code == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("verb", ["models", "diagnose", "preflight"])
def test_a_server_that_is_too_slow_is_not_waited_for(
    api: FakeApiServer, ask: Ask, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.fail(Fault("/", delay_seconds=0.5, times=99))
    assert ask(verb, "--timeout", 0.2).code == 2
    assert "does not answer: no answer in time" in capsys.readouterr().err


def test_the_time_is_for_all_questions_together(api: FakeApiServer, ask: Ask) -> None:
    api.fail(Fault("/namespaces/", delay_seconds=0.1, times=99))
    assert ask("diagnose", "--timeout", 0.35).code == 2
    assert len(api.requests) <= 5


def test_a_server_that_says_when_to_come_back_is_asked_again(api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.deployment())
    api.fail(Fault("/deployments/slipway", status=429, headers={"Retry-After": "1"}))
    assert ask("rollout").code == 0


def test_a_token_that_nobody_knows_is_unauthorized(
    api: FakeApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = api.kubeconfig(tmp_path, token="expired")
    assert run("models", "--kubeconfig", config).code == 2
    assert "Unauthorized" in capsys.readouterr().err


@pytest.mark.parametrize("options", [("--kubeconfig", "/none"), ("--context", "nowhere")])
def test_without_a_cluster_the_reason_is_said(
    api: FakeApiServer, tmp_path: Path, options: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--kubeconfig", api.kubeconfig(tmp_path), *options)
    assert run("models", *given).code == 2
    assert "no cluster is configured" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["x: [", "foo", "- a", "\0", "", "contexts: 3", "users: [{name: me, user: 4}]"]
)
def test_a_file_that_is_no_kubeconfig_is_said_in_a_line(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config").write_text(text)
    assert run("models", "--kubeconfig", tmp_path / "config").code == 2
    said = capsys.readouterr().err
    assert said.startswith("models: no cluster is configured: ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("damage", [{"users": [{"name": "me", "user": 4}]}, {"contexts": [{"name": "fake"}]}])
def test_a_kubeconfig_with_a_damaged_entry_is_said_in_a_line(
    api: FakeApiServer, tmp_path: Path, damage: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    config = api.kubeconfig(tmp_path)
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | damage))
    assert run("models", "--kubeconfig", config).code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_cluster_that_is_away_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeApiServer() as api:
        config = api.kubeconfig(tmp_path)
    assert run("models", "--kubeconfig", config).code == 2
    assert "does not answer: [Errno 111] Connection refused" in capsys.readouterr().err


def test_long_lists_come_page_by_page(api: FakeApiServer, ask: Ask) -> None:
    api.add(*(shapes.event(shapes.pod(f"other-{number}"), "BackOff", "again") for number in range(1200)))
    api.add(shapes.deployment())
    assert len(ask("diagnose").report["tables"]["warnings"]) == 8
    assert len([path for _, path in api.requests if "/events?" in path]) == 3


def test_the_shape_of_the_json_is_stable(api: FakeApiServer, ask: Ask) -> None:
    api.add(shapes.deployment())
    report = json.loads(ask("rollout").text)
    assert list(report) == ["shape", "verb", "subject", "ok", "conclusion", "findings", "tables"]
    assert list(report["findings"][0]) == ["check", "severity", "text", "advice", "command"]
    assert (report["shape"], report["verb"], report["ok"]) == (1, "rollout", True)


def test_a_program_of_its_own_reads_a_manifest_from_its_input(api: FakeApiServer, tmp_path: Path) -> None:
    api.add(surroundings.namespace())
    manifest = "apiVersion: v1\nkind: Service\nmetadata: {name: slipway}\n"
    command = [
        sys.executable,
        "-m",
        "k8s",
        "preflight",
        "--kubeconfig",
        str(api.kubeconfig(tmp_path)),
        "--manifest",
        "-",
    ]
    done = subprocess.run(command, input=manifest, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "kinds: all 1 are known" in done.stdout


def test_a_reader_who_has_had_enough_changes_no_answer(api: FakeApiServer, tmp_path: Path) -> None:
    command = f"{sys.executable} -m k8s models --kubeconfig {api.kubeconfig(tmp_path)} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (1, "")
