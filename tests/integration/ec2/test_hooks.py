"""The CodeDeploy hooks, run for real: what a deployment does, when it fails, and that going back works."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import httpx
import pytest

from deploy.commands.ec2_bundle import FOLDER
from tests.fakes.ec2_host.state import process_of
from tests.integration.ec2.conftest import BETTER, GOOD, NEVER_READY, NO_MIGRATION
from tests.integration.ec2.instance import Instance, image


def ready(instance: Instance) -> int:
    return httpx.get(f"http://127.0.0.1:{instance.port}/readyz").status_code


def runs(instance: Instance) -> str:
    return (instance.host.containers / "slipway").read_text().split()[1]


def container(instance: Instance, name: str) -> str:
    """The command that started it."""
    return next(call for call in instance.host.calls if f"--name {name} " in call)


def test_a_deployment_ends_with_a_service_that_answers(deployed: Instance) -> None:
    assert (runs(deployed), ready(deployed)) == (GOOD, 200)


def test_the_image_is_pulled_by_its_digest_after_a_login(deployed: Instance) -> None:
    calls = [call.split(" 123456789012")[0] for call in deployed.host.calls if call.startswith("docker ")]
    assert calls[:2] == ["docker login --username AWS --password-stdin", "docker pull --quiet"]
    assert f"docker pull --quiet {GOOD}" in deployed.host.calls


def test_secrets_are_files_that_only_the_containers_user_reads(deployed: Instance) -> None:
    found = (*deployed.secrets.iterdir(), *deployed.keys.iterdir())
    modes = {path.name: path.stat().st_mode & 0o777 for path in found}
    names = (
        *("auth-policy", "database-url", "features-url", "jwt-secret-key", "jwt-signing-key"),
        *("model-verify-keys", "redis-url"),
    )
    assert modes == dict.fromkeys(names, 0o440)
    assert (deployed.secrets / "redis-url").read_text() == ""


def test_no_secret_is_an_argument_or_a_variable_of_a_container(deployed: Instance) -> None:
    assert not any("k" * 40 in call or "ada@db" in call for call in deployed.host.calls)


@pytest.mark.parametrize("name", ["slipway", "slipway-agent", "slipway-migrations", "slipway-smoke"])
def test_every_container_is_hardened_like_the_pod(deployed: Instance, name: str) -> None:
    call = container(deployed, name)
    for flag in (
        "--rm",
        "--read-only",
        "--user 10034:10034",
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        "--pids-limit",
        "--memory ",
    ):
        assert flag in call
    assert "--privileged" not in call
    assert "--network host" not in call


def test_the_agent_never_sees_the_keys_that_sign_tokens(deployed: Instance) -> None:
    agent = container(deployed, "slipway-agent")
    assert str(deployed.keys) not in agent
    assert {path.name for path in deployed.keys.iterdir()} == {"jwt-secret-key", "jwt-signing-key"}
    assert not {"jwt-secret-key", "jwt-signing-key"} & {path.name for path in deployed.secrets.iterdir()}


@pytest.mark.parametrize("name", ["slipway", "slipway-agent"])
def test_what_runs_for_long_mounts_folders_so_that_it_sees_a_new_secret(
    deployed: Instance, name: str
) -> None:
    sources = re.findall(r"source=([^,]+),", container(deployed, name))
    assert str(deployed.secrets) in sources
    assert all(Path(source).is_dir() for source in sources)


def test_private_keys_and_the_policy_come_from_where_the_settings_look(instance: Instance) -> None:
    for name in ("jwt-signing-key", "auth-policy"):
        (instance.host.parameters / name).write_text(f"the {name}")
    instance.deploy(GOOD)
    lines = (instance.folder / "etc" / "settings.env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    for setting, folder, name in (
        ("JWT_SIGNING_KEY_FILE", instance.keys, "jwt-signing-key"),
        ("AUTH_POLICY_FILE", instance.secrets, "auth-policy"),
    ):
        mounted = f"source={folder},target={Path(settings[setting]).parent},readonly"
        assert Path(settings[setting]).name == name
        assert mounted in container(instance, "slipway")
        assert (folder / name).read_text().strip() == f"the {name}"
    assert f"target={Path(settings['AUTH_POLICY_FILE']).parent}," in container(instance, "slipway-agent")


def processes(instance: Instance) -> list[int | None]:
    return [process_of(instance.host.containers / name) for name in ("slipway", "slipway-agent")]


def test_a_rotation_brings_new_secrets_and_restarts_nothing(instance: Instance) -> None:
    instance.deploy(GOOD)
    before = processes(instance)
    (instance.host.parameters / "jwt-secret-key").write_text("n" * 40)
    assert instance.restart("slipway-secrets.service").returncode == 0
    assert (instance.keys / "jwt-secret-key").read_text().strip() == "n" * 40
    assert processes(instance) == before
    assert None not in before


def test_a_unit_that_requires_the_secrets_would_have_been_restarted(instance: Instance) -> None:
    instance.deploy(GOOD)
    before = processes(instance)
    unit = instance.units / "slipway.service"
    unit.write_text(
        unit.read_text().replace("Wants=slipway-secrets.service ", "Requires=slipway-secrets.service\nWants=")
    )
    assert instance.restart("slipway-secrets.service").returncode == 0
    after = processes(instance)
    assert (after[0] == before[0], after[1] == before[1]) == (False, True)


def test_logs_go_to_the_log_group_that_the_template_names(deployed: Instance) -> None:
    assert "--log-driver awslogs --log-opt awslogs-group=/slipway/production" in container(
        deployed, "slipway"
    )


def test_a_bad_revision_fails_the_deployment_and_the_last_good_one_comes_back(instance: Instance) -> None:
    instance.deploy(GOOD)
    failed = instance.deploy(NEVER_READY)
    assert failed.failed == "ValidateService"
    assert "does not answer as it should" in failed.output
    rolled_back = instance.deploy(GOOD)  # the deployment group does this by itself
    assert rolled_back.failed is None, rolled_back.output
    assert (runs(instance), ready(instance)) == (GOOD, 200)
    assert {GOOD, NEVER_READY} <= set(instance.host.images)


def test_the_next_revision_comes_after_a_drained_service_and_then_the_agent(instance: Instance) -> None:
    instance.deploy(GOOD)
    assert instance.script("drain.sh").returncode == 0
    assert ready(instance) == 503
    done = instance.deploy(BETTER)
    assert done.failed is None, done.output
    stops = [call for call in instance.host.calls if call.startswith("docker stop")]
    assert stops[:2] == ["docker stop -t 45 slipway", "docker stop -t 20 slipway-agent"]
    assert (runs(instance), ready(instance)) == (BETTER, 200)


def test_images_of_older_deployments_go(instance: Instance) -> None:
    older = [image(digest) for digest in ("0aaa", "0bbb", "0ccc")]
    for name in (*older, GOOD):
        instance.host.register(name)
    instance.host.images = older
    (instance.state).mkdir()
    (instance.state / "images").write_text("".join(f"{name}\n" for name in older))
    instance.deploy(GOOD)
    assert instance.host.images == [*older[1:], GOOD]


def test_a_migration_that_fails_leaves_the_new_service_unstarted(instance: Instance) -> None:
    assert instance.deploy(NO_MIGRATION).failed == "ApplicationStart"
    assert not (instance.host.containers / "slipway").exists()


def test_an_image_that_the_registry_has_not_fails_before_anything_is_started(instance: Instance) -> None:
    assert instance.deploy(image("404")).failed == "BeforeInstall"
    assert not any("slipway-migrations" in call for call in instance.host.calls)


def test_a_first_deployment_that_failed_early_is_no_obstacle_to_the_next(instance: Instance) -> None:
    instance.deploy(image("404"))
    shutil.copytree(
        FOLDER, instance.installed, dirs_exist_ok=True
    )  # what is installed is not what was started
    (instance.installed / "release.env").write_text(f"IMAGE={image('404')}\n")
    done = instance.deploy(GOOD)
    assert done.failed is None, done.output
    assert "was not there to be stopped" in done.output


def test_a_secret_that_is_required_and_missing_ends_the_deployment_by_name(instance: Instance) -> None:
    (instance.host.parameters / "jwt-secret-key").unlink()
    done = instance.deploy(GOOD)
    assert done.failed == "BeforeInstall"
    assert "/slipway/production/jwt-secret-key cannot be read" in done.output


def test_an_optional_secret_that_may_not_be_read_is_no_unset_one(instance: Instance) -> None:
    (instance.host.folder / "denied").touch()
    done = instance.deploy(GOOD)
    assert (done.failed, "AccessDenied" in done.output) == ("BeforeInstall", True)
