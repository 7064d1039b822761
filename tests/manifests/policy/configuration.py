"""Rules about settings and secrets: every name is one that a program reads, every value one that it takes."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deploy.manifests.objects import HASH, Manifest
from records.settings import DatabaseSettings
from serving.addresses import refuse_wrong_addresses
from serving.settings import Settings
from tests.manifests.pods import Pod
from tests.manifests.policy.model import (
    Finding,
    Rendered,
    Rule,
    answers,
    found,
    is_agent,
    ours,
    repository,
    rule,
)
from training.settings import TrainingSettings

# Read by libraries in our images, or set by the image itself: each has a reason to be named in a manifest.
OF_LIBRARIES = {
    *("BENTOML_HOME", "BENTOML_DO_NOT_TRACK", "HOME", "TMPDIR", "PYTHONUNBUFFERED", "GIT_PYTHON_REFRESH"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "NUMBA_CACHE_DIR"),
    *(
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    ),
    *(
        "NO_COLOR",
        "SLIPWAY_TOKEN",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "MPLCONFIGDIR",
        "DVC_NO_ANALYTICS",
        "XDG_CACHE_HOME",
    ),
    *(
        "MLFLOW_TRACKING_URI",
        "MLFLOW_DISABLE_TELEMETRY",
        "MLFLOW_BACKEND_STORE_URI",
        "MLFLOW_S3_ENDPOINT_URL",
    ),
    *("MLFLOW_ARTIFACTS_DESTINATION", "MLFLOW_SERVER_ALLOWED_HOSTS", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION"),
    "PROTOCOL",  # KServe's controller reads it in the predictor's own container
    *("DVC_REMOTE_URL", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_USAGE_STATS_ENABLED"),
}
VALUES = {
    "jwt-secret-key": "a" * 16 + "Zx9q" * 8,
    "jwt-signing-key": "",  # optional
    "database-url": "postgresql://slipway:uQ4m8Zt1w@stores.internal:5432/slipway",
    "redis-url": "rediss://:uQ4m8Zt1w@stores.internal:6379/0",
    "features-url": "redis://:uQ4m8Zt1w@stores.internal:6379/1",
}
SECRETS = "/etc/slipway/secrets/"
SIGNING = {"jwt-secret-key", "jwt-signing-key"}
OF_THE_SIGNER = {"JWT_SECRET_KEY_FILE", "JWT_SIGNING_KEY_FILE"}
# Read anew by running pods, each with the reason why no roll-out may be needed for it.
READ_AGAIN = {"slipway-policy": "a caller is let in, or kept out, at once"}
# Secrets that somebody else makes: the ingress controller's certificate, and what only its users know.
MADE_ELSEWHERE = {
    "slipway-tls",
    "slipway-registry",
    "slipway-retrain",
    "slipway-batch",
    "slipway-dvc",
    "slipway-ray",
}


@cache
def known_settings() -> frozenset[str]:
    return frozenset(name.upper() for name in Settings.model_fields) | OF_LIBRARIES


@cache
def training_settings() -> frozenset[str]:
    fields = (*TrainingSettings.model_fields, *DatabaseSettings.model_fields)
    return frozenset(name.upper() for name in fields) | known_settings()


@rule("settings-known", "a misspelt variable is silently a default")
def settings_known(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        if not ours(container):
            continue
        known = training_settings() if repository(container) == "slipway-training" else known_settings()
        scripts = _scripts(rendered, container)
        for name in _names(rendered, container):
            if re.search(rf"\$[{{(]?{name}\b", scripts):
                continue
            if name not in known:
                yield found(pod, f"{name} is read by nobody", container)


def _scripts(rendered: Rendered, container: dict[str, Any]) -> str:
    """What a shell in the container may run: it reads variables of its own."""
    files = [text for m in rendered.of("ConfigMap") for text in (m.body.get("data") or {}).values()]
    return "\n".join([*container.get("command", ()), *container.get("args", ()), *files])


def _names(rendered: Rendered, container: dict[str, Any]) -> set[str]:
    return {*rendered.environment(container), *(item["name"] for item in container.get("env", ()))}


@rule("settings-valid", "wrong settings stop a pod at its door: here, before anything is rolled out")
def settings_valid(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        if answers(container) or is_agent(container):
            for wrong in _refusals(rendered.environment(container)):
                yield found(pod, wrong, container)


def _refusals(environment: Mapping[str, str]) -> list[str]:
    """What the program would say, with a plausible file in every mounted secret's place."""
    with tempfile.TemporaryDirectory() as folder:
        for name, value in VALUES.items():
            (Path(folder) / name).write_text(value, encoding="utf-8")
        models = Path(folder) / "models.env"
        models.write_text("iris=1\n", encoding="utf-8")
        placed = {
            name: value.replace(SECRETS, f"{folder}/").replace("/etc/slipway/models/", f"{folder}/")
            for name, value in environment.items()
        }
        placed = {name: value for name, value in placed.items() if name.lower() in Settings.model_fields}
        try:
            refuse_wrong_addresses(_settings(placed))
        except ValidationError as error:
            return [
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
                for item in error.errors(include_input=False)
            ]
        except ValueError as error:
            return [str(error)]
    return []


def _settings(environment: Mapping[str, str]) -> Settings:
    """As the pod's process would read them, whatever the variables of this one are."""
    ours_now = {
        name: os.environ.pop(name) for name in list(os.environ) if name.lower() in Settings.model_fields
    }
    try:
        return Settings.model_validate({name.lower(): value for name, value in environment.items() if value})
    finally:
        os.environ.update(ours_now)


@rule("environment-named", "the rules of production hold unless a deployment says what it is")
def environment_named(rendered: Rendered) -> Iterator[Finding]:
    stage = rendered.settings.get("SLIPWAY_ENV", "production")
    wanted = {"dev": "dev", "staging": "staging"}.get(rendered.overlay, "production")
    if rendered.service_pods and stage != wanted:
        yield Finding(f"SLIPWAY_ENV is {stage}", rendered.overlay)
    if rendered.overlay != "dev" and rendered.settings.get("LOG_LEVEL") == "DEBUG":
        yield Finding("logs everything", rendered.overlay)


@rule("hashed-configuration", "settings that change under the same name reach no running pod")
def hashed_configuration(rendered: Rendered) -> Iterator[Finding]:
    used = set()
    for pod in rendered.pods:
        for name in _configurations(pod):
            used.add(name)
            if rendered.find("ConfigMap", name) is None:
                yield found(pod, f"the ConfigMap {name} is not rendered")
    for manifest in rendered.of("ConfigMap"):
        if not HASH.search(manifest.identity.name) and manifest.identity.name not in READ_AGAIN:
            yield found(manifest, "has no hash in its name")
        elif manifest.identity.name not in used:
            yield found(manifest, "is read by nobody")


def _configurations(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        for source in container.get("envFrom", ()):
            if "configMapRef" in source:
                yield source["configMapRef"]["name"]
        for item in container.get("env", ()):
            if "configMapKeyRef" in item.get("valueFrom", {}):
                yield item["valueFrom"]["configMapKeyRef"]["name"]
    for volume in pod.spec.get("volumes", ()):
        if "configMap" in volume:
            yield volume["configMap"]["name"]


@rule("secrets-are-made", "a pod that waits for a Secret that nobody makes waits for ever")
def secrets_are_made(rendered: Rendered) -> Iterator[Finding]:
    made = {m.body["spec"]["target"]["name"]: _keys(m) for m in rendered.of("ExternalSecret")}
    by_job = any((c.get("args") or [])[:2] == ["k8s", "dev-secret"] for _, c in rendered.containers())
    for pod in rendered.pods:
        for secret in _secrets(pod):
            name = secret["secretName"]
            if by_job or secret.get("optional") or name in MADE_ELSEWHERE:
                continue
            if name not in made:
                yield found(pod, f"nobody makes the Secret {name}")
                continue
            wanted = {item["key"] for item in secret.get("items", ())}
            for key in sorted(wanted - made[name]):
                yield found(pod, f"nobody makes the key {key} of {name}")


def _secrets(pod: Pod) -> Iterator[dict[str, Any]]:
    for volume in pod.spec.get("volumes", ()):
        if "secret" in volume:
            yield volume["secret"]
        for source in volume.get("projected", {}).get("sources", ()):
            if "secret" in source:
                yield {"secretName": source["secret"]["name"], **source["secret"]}


def _keys(external: Manifest) -> set[str]:
    spec = external.body["spec"]
    templated = spec["target"].get("template", {}).get("data", {})
    return {*templated, *(item["secretKey"] for item in spec.get("data", ()))}


@rule("files-are-mounted", "a setting that names a file which no volume brings stops the pod")
def files_are_mounted(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        if not ours(container):
            continue
        files = {mount["mountPath"]: mount for mount in container.get("volumeMounts", ())}
        for name, value in rendered.environment(container).items():
            if not name.endswith("_FILE") or not value.startswith("/etc/"):
                continue
            if is_agent(container) and name in OF_THE_SIGNER:
                continue  # one ConfigMap for both: the agent neither reads it nor has it
            if not _brought(pod, files, value):
                yield found(pod, f"{name} names {value}, which nothing mounts", container)


def _brought(pod: Pod, mounts: Mapping[str, Any], path: str) -> bool:
    folder, _, name = path.rpartition("/")
    mount = mounts.get(folder)
    volume = pod.volume(mount["name"]) if mount else None
    if volume is None:
        return False
    items = (volume.get("secret") or volume.get("configMap") or {}).get("items")
    return items is None or name in {item["path"] for item in items}


@rule(
    "secrets-apart",
    "who parses strangers' requests holds no credential of the registry, and its agent no signing key",
)
def secrets_apart(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        volumes = [pod.volume(mount["name"]) or {} for mount in container.get("volumeMounts", ())]
        secrets = [volume["secret"] for volume in volumes if "secret" in volume]
        if answers(container) and any(
            s["secretName"] not in {"slipway-secrets", "slipway-tls"} for s in secrets
        ):
            yield found(pod, f"mounts {[s['secretName'] for s in secrets]}", container)
        if is_agent(container):
            for secret in (s for s in secrets if s["secretName"] == "slipway-secrets"):
                keys = {item["key"] for item in secret.get("items", ())}
                if not keys or keys & SIGNING:
                    yield found(pod, "can read the key that signs tokens", container)


@rule("pinned-versions", "a file of pins that no program could read pins nothing")
def pinned_versions(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("ConfigMap"):
        text = (manifest.body.get("data") or {}).get("models.env")
        for line in (text or "").splitlines():
            if (
                line.strip()
                and not line.startswith("#")
                and not re.fullmatch(r"[a-z][a-z-]*=[1-9][0-9]*", line.strip())
            ):
                yield found(manifest, f"{line!r} pins nothing")


RULES: tuple[Rule, ...] = (
    *(settings_known, settings_valid, environment_named, hashed_configuration, secrets_are_made),
    *(files_are_mounted, secrets_apart, pinned_versions),
)
