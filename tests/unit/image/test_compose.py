"""The stack of compose.yaml: names that settings know, secrets that are files, and containers held like pods."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from auth.policy import parse_policy
from deploy.image.stack import write_secrets
from serving.settings import Settings
from tests.architecture.source_tree import ROOT

STACK: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = STACK["services"]
OURS = ("slipway", "agent", "migrate")


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= {field.upper() for field in Settings.model_fields}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_held_as_tightly_as_a_pod(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_reads_only_the_secrets_that_it_is_given(name: str) -> None:
    service = SERVICES[name]
    text = yaml.safe_dump(
        {key: service[key] for key in ("environment", "command", "healthcheck") if key in service}
    )
    assert set(re.findall(r"/run/secrets/([a-z-]+)", text)) == set(service.get("secrets", ()))


def test_the_agent_gets_no_signing_key() -> None:
    assert not {"jwt-secret-key", "jwt-signing-key"} & set(SERVICES["agent"]["secrets"])


@pytest.mark.parametrize("name", ["slipway", "agent"])
def test_service_and_agent_read_one_policy(name: str) -> None:
    assert SERVICES[name]["environment"]["AUTH_POLICY_FILE"] == "/run/secrets/auth-policy"


def test_a_new_stack_signs_by_its_secret_and_believes_nobody_else(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    policy = parse_policy((tmp_path / "auth-policy").read_bytes(), audience="slipway", own_issuer="slipway")
    assert (policy.issuers, policy.grants, policy.limits) == ((), (), ())
    assert (tmp_path / "jwt-signing-key").read_text() == ""


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_other_peoples_images_are_named_by_digest(name: str) -> None:
    assert re.search(r":[\d.]+@sha256:[0-9a-f]{64}$", SERVICES[name]["image"])


def test_no_password_is_written_down() -> None:
    assert not re.search(
        r"(?i)(password|secret|key)\s*[:=]\s*[\w-]{8,}$", (ROOT / "compose.yaml").read_text(), re.M
    )


def test_secrets_are_made_where_the_stack_runs(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    declared = {Path(secret["file"]).name for secret in STACK["secrets"].values()}
    assert {path.name for path in tmp_path.iterdir()} == declared
    assert (tmp_path.stat().st_mode & 0o777) == 0o700
    assert len((tmp_path / "jwt-secret-key").read_text()) >= 32


def test_a_second_start_finds_the_passwords_of_the_first(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    write_secrets(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first
    assert first["postgres-password"] in first["database-url"]


def test_no_two_machines_have_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_secrets(tmp_path / name)
    assert (tmp_path / "one" / "redis-url").read_text() != (tmp_path / "two" / "redis-url").read_text()
