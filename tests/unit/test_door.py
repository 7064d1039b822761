"""The door: what no worker could start with is refused before any starts, by name and never by value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from serving.door import check_agent, check_service
from serving.settings import Settings
from tests.tiny_servables import write_tiny

ROOT = Path(__file__).parents[2]
GOOD_KEY = "kJ4vQ9xTz2LmWc7RbN8yHs3FgD6pXaEo1UiVtY5w"
SECRET = "hunter2"


def made(folder: Path, **values: Any) -> Settings:
    folders = {name: folder / name for name in ("spool_dir", "metrics_dir", "model_store_dir", "drain_file")}
    return Settings(**{"slipway_env": "dev", **folders, **values})


@pytest.mark.parametrize("check", [check_service, check_agent])
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"catalog": "hunter2"}, "CATALOG"),
        ({"catalog": "../hunter2"}, "CATALOG"),
        ({"models": "toaster"}, "MODELS"),
        ({"models": "iris", "default_model": "basket"}, "DEFAULT_MODEL"),
        ({"model_alias": "../hunter2"}, "alias"),
        ({"database_url": "hunter2"}, "DATABASE_URL"),
        ({"database_url": "mysql://hunter2@db/x"}, "DATABASE_URL"),
        ({"database_url": "postgresql+psycopg2://u:hunter2@db/x"}, "DATABASE_URL"),
        ({"database_url": "postgresql://u:hunter2@db:port/x"}, "DATABASE_URL"),
        ({"redis_url": "http://:hunter2@cache"}, "REDIS_URL"),
        ({"redis_url": "redis://:hunter2@cache:99999"}, "REDIS_URL"),
        ({"features_url": "redis://:hunter2@cache:0"}, "FEATURES_URL"),
        ({"mlflow_tracking_uri": "http://"}, "MLFLOW_TRACKING_URI"),
        ({"mlflow_tracking_uri": "http://hunter2:port"}, "MLFLOW_TRACKING_URI"),
        ({"mlflow_tracking_uri": "ftp://hunter2"}, "MLFLOW_TRACKING_URI"),
        ({"model_source": "pinned", "model_versions": "iris"}, "MODEL_VERSIONS"),
        ({"model_source": "pinned", "model_versions": "iris=0"}, "MODEL_VERSIONS"),
        ({"model_source": "pinned", "model_versions": "iris=1,iris=2"}, "MODEL_VERSIONS names iris twice"),
        ({"model_source": "pinned", "model_versions_file": "/nowhere"}, "MODEL_VERSIONS_FILE cannot be read"),
        ({"model_source": "pinned", "model_versions": "iris=1", "models": "iris,basket"}, "of basket"),
        (
            {"model_source": "pinned", "model_versions": "iris=1,toaster=2", "models": "iris"},
            "of toaster, which the catalog does not have",
        ),
        ({"auth_policy_file": "/nowhere/hunter2"}, "AUTH_POLICY_FILE cannot be read"),
        ({"auth_policy_file": ROOT / "pyproject.toml"}, "AUTH_POLICY_FILE: Object contains unknown field"),
        ({"require_signed_models": True}, "MODEL_VERIFY_KEYS_FILE: only signed models may serve here"),
        ({"model_verify_keys_file": "/nowhere/hunter2"}, "MODEL_VERIFY_KEYS_FILE: the file cannot be read"),
        (
            {"model_verify_keys_file": ROOT / "pyproject.toml"},
            "MODEL_VERIFY_KEYS_FILE: the file holds no public",
        ),
        ({"spool_dir": "/proc/hunter2"}, "SPOOL_DIR"),
        ({"model_store_dir": "/proc/hunter2"}, "MODEL_STORE_DIR"),
    ],
)
def test_what_neither_a_worker_nor_the_agent_could_start_with_is_refused_by_name(
    tmp_path: Path, check: Any, settings: dict[str, str], named: str
) -> None:
    with pytest.raises(ValueError, match=named) as refused:
        check(made(tmp_path, **settings))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"jwt_secret_key": "hunter2"}, "JWT_SECRET_KEY"),
        ({"jwt_secret_key": "change-me-hunter2-" * 3}, "JWT_SECRET_KEY"),
        ({"jwt_secret_key_file": "/nowhere/hunter2"}, "JWT_SECRET_KEY_FILE"),
        ({"jwt_secret_key_file": "/dev/null"}, "JWT_SECRET_KEY_FILE: no key"),
        ({"jwt_key_grace_seconds": 0}, "JWT_KEY_GRACE_SECONDS is shorter than JWT_ACCESS_TTL_SECONDS"),
        ({"jwt_access_ttl_seconds": 3600}, r"JWT_KEY_GRACE_SECONDS is shorter .* \(3720\)"),
        ({"api_port": 9100}, "METRICS_PORT"),
        ({"model_source": "path", "model_path": "/nowhere/hunter2"}, "MODEL_PATH holds no servable"),
        ({"metrics_dir": "/proc/hunter2"}, "METRICS_DIR"),
        ({"drain_file": "/proc/hunter2/drain"}, "DRAIN_FILE"),
    ],
)
def test_what_no_worker_could_start_with_is_refused_by_name(
    tmp_path: Path, settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named) as refused:
        check_service(made(tmp_path, **settings))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"database_url": "sqlite:////var/lib/slipway/run/slipway.db"},
        {"database_url": "postgresql://slipway:p%40ss@db.slipway.svc:5432/slipway?sslmode=require"},
        {"database_url": "postgresql+psycopg://postgres:@/postgres?host=/tmp/pg"},
        {"redis_url": "rediss://:9fQ2@cache:6380/1", "features_url": "unix:///run/redis.sock"},
        {"mlflow_tracking_uri": "https://mlflow.example.com/path"},
        {"mlflow_tracking_uri": "postgresql://u:p@db/mlflow"},
        {"mlflow_tracking_uri": "mlruns"},
        {"model_source": "pinned", "model_versions": "iris=3, basket=12", "models": "iris"},
        {"metrics_port": 0, "agent_metrics_port": 0},
        {"jwt_access_ttl_seconds": 60, "jwt_key_settle_seconds": 0, "jwt_key_grace_seconds": 60},
    ],
)
def test_what_is_right_is_let_in(tmp_path: Path, settings: dict[str, Any]) -> None:
    check_service(made(tmp_path, **settings))
    check_agent(made(tmp_path, **settings))


EXAMPLE_KEYS = ROOT / "kustomize" / "overlays" / "production" / "model-keys.pem"


def production(folder: Path, **values: Any) -> Settings:
    required = {
        "jwt_secret_key": GOOD_KEY,
        "database_url": "postgresql://slipway@db/slipway",
        "require_signed_models": False,
    }
    return made(folder, **{"slipway_env": "production", **required, **values})


def test_production_names_the_setting_that_says_whose_signature_counts(tmp_path: Path) -> None:
    for check in (check_service, check_agent):
        with pytest.raises(ValueError, match="MODEL_VERIFY_KEYS_FILE"):
            check(production(tmp_path, require_signed_models=None))
        check(production(tmp_path, require_signed_models=None, model_verify_keys_file=EXAMPLE_KEYS))
        with pytest.raises(ValueError, match="MODEL_VERIFY_KEYS_FILE"):
            check(production(tmp_path, require_signed_models=None, model_verify_keys_file="/dev/null"))


@pytest.mark.parametrize("name", ["database_url", "redis_url", "features_url"])
def test_outside_of_development_a_password_from_a_template_is_refused(tmp_path: Path, name: str) -> None:
    scheme = "postgresql" if name == "database_url" else "redis"
    address = {name: f"{scheme}://slipway:change-me-hunter2@host/0"}
    check_service(made(tmp_path, **address))
    with pytest.raises(ValueError, match=f"{name.upper()} holds a placeholder") as refused:
        check_service(production(tmp_path, **address))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "host", ["mlflow:5000", "mlflow.slipway.svc:5000", "mlflow.slipway.svc.cluster.local", "10.0.0.7:5000"]
)
def test_plain_http_is_for_a_registry_inside_the_cluster(tmp_path: Path, host: str) -> None:
    check_agent(production(tmp_path, mlflow_tracking_uri=f"http://{host}"))
    outside = {"mlflow_tracking_uri": "http://mlflow.hunter2.com"}
    with pytest.raises(ValueError, match="MLFLOW_TRACKING_URI: http is") as refused:
        check_agent(production(tmp_path, **outside))
    assert SECRET not in str(refused.value)
    check_agent(made(tmp_path, **outside))
    check_agent(production(tmp_path, model_source="path", model_path=tmp_path, **outside))  # nobody asks then


def test_where_the_agent_is_a_sidecar_a_worker_only_reads_the_store(tmp_path: Path) -> None:
    store = Path("/proc/none")
    check_service(made(tmp_path, model_store_dir=store, agent_enabled=False))
    with pytest.raises(ValueError, match="MODEL_STORE_DIR"):
        check_service(made(tmp_path, model_store_dir=store))


def test_every_model_that_is_served_from_a_path_must_be_there(tmp_path: Path) -> None:
    write_tiny(IRIS, tmp_path / "models" / "iris")
    path = {"model_source": "path", "model_path": tmp_path / "models"}
    check_service(made(tmp_path, models="iris", **path))
    with pytest.raises(ValueError, match="no servable of food-delivery"):
        check_service(made(tmp_path, models="iris,food-delivery", **path))


@pytest.mark.parametrize("other", ["api_port", "metrics_port", "agent_metrics_port"])
def test_no_two_ports_are_one(tmp_path: Path, other: str) -> None:
    ports = {"grpc_port": 9000, other: 9000}
    with pytest.raises(ValueError, match="GRPC_PORT"):
        check_service(made(tmp_path, jwt_secret_key=GOOD_KEY, **ports))
