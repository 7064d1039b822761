"""Settings: what is wrong is refused at start, by name and never by value."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from auth.keys import SecretKeys
from modelkit.definition import load_catalog
from modelkit.feature_url import FeatureHome
from serving.__main__ import settings_table
from serving.door import check_agent, check_service
from serving.own_keys import dev_key_file
from serving.served_models import served_models, views_of
from serving.settings import Environment, Settings
from tests.view_catalog.stall.definition import PlaceRow

DATABASE = "postgresql://slipway@db/slipway"
GOOD_KEY = "kJ4vQ9xTz2LmWc7RbN8yHs3FgD6pXaEo1UiVtY5w"


def made(**values: Any) -> Settings:
    return Settings(**{"slipway_env": "dev", **values})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_port", "0"),
        ("api_port", "65536"),
        ("api_port", "http"),
        ("workers", "0"),
        ("workers", "1.5"),
        ("metrics_port", "-1"),
        ("redis_timeout_seconds", "0"),
        ("redis_timeout_seconds", "nan"),
        ("cache_entries", "-1"),
        ("cache_enabled", "perhaps"),
        ("model_poll_seconds", "0"),
        ("model_poll_seconds", "inf"),
        ("max_in_flight", "0"),
        ("max_body_bytes", "10"),
        ("max_json_depth", "100000"),
        ("max_instances", "0"),
        ("request_timeout_seconds", "-5"),
        ("spool_limit_bytes", "1"),
        ("jwt_access_ttl_seconds", "1000000"),
        ("slipway_env", "prod"),
        ("model_source", "cloud"),
        ("spool_durability", "none"),
        ("spool_full_policy", "drop"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        made(**{name: value})
    assert name in str(caught.value)


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_outside_of_development_the_service_needs_a_signing_key_and_the_agent_does_not(
    environment: str,
) -> None:
    elsewhere: dict[str, Any] = {"database_url": DATABASE, "require_signed_models": False}
    with pytest.raises(ValueError, match="JWT_SECRET_KEY"):
        check_service(made(slipway_env=environment, **elsewhere))
    check_service(made(slipway_env=environment, **elsewhere, jwt_secret_key=GOOD_KEY))
    check_agent(made(slipway_env=environment, **elsewhere))
    check_agent(made(slipway_env=environment, **elsewhere, jwt_secret_key_file="/not/here"))


def test_production_is_the_default_environment_and_insists_on_a_key() -> None:
    default = Settings.model_fields["slipway_env"].default
    with pytest.raises(ValueError, match="required outside dev"):
        check_service(made(slipway_env=default, jwt_secret_key=None, jwt_secret_key_file=None))
    assert default is Environment.PRODUCTION


def test_two_signing_keys_are_one_too_many() -> None:
    with pytest.raises(ValidationError) as caught:
        made(jwt_secret_key=GOOD_KEY, jwt_secret_key_file="/run/secrets/jwt")
    assert GOOD_KEY not in str(caught.value)


def test_serving_from_a_path_needs_the_path() -> None:
    with pytest.raises(ValidationError, match="MODEL_PATH"):
        made(model_source="path")


@pytest.mark.parametrize(
    "key", ["short", "change-me-" * 5, "your-secret-key-your-secret-key-1234", "a" * 64, ""]
)
def test_a_weak_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="JWT_SECRET_KEY") as caught:
        SecretKeys(key, setting="JWT_SECRET_KEY")
    assert not key or key not in str(caught.value)


def test_no_printed_form_of_the_settings_shows_a_secret() -> None:
    settings = made(
        jwt_secret_key=GOOD_KEY,
        database_url="postgresql://slipway:hunter2@db/slipway",
        redis_url="redis://:hunter2@cache",
    )
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hunter2" not in shown
        assert GOOD_KEY not in shown


def test_the_table_names_every_setting_with_default_and_meaning_and_no_secret() -> None:
    lines = settings_table().splitlines()[2:]
    names = [re.split(r" *\| *", line)[1].strip("`") for line in lines]
    assert names == [name.upper() for name in Settings.model_fields]
    assert all(len(line.split("|")) >= 5 and not line.rstrip(" |").endswith("None") for line in lines)
    assert "`sqlite:///var/slipway.db`" in settings_table()


def test_the_development_key_is_made_once_for_this_machine_only(tmp_path: Path) -> None:
    settings = made(spool_dir=tmp_path / "var" / "spool")
    path = dev_key_file(settings)
    SecretKeys(path.read_text(), setting="JWT_SECRET_KEY")
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_text()
    assert dev_key_file(settings).read_text() == content


def test_models_are_asked_for_by_name() -> None:
    assert list(served_models(made(models=" iris , "))) == ["iris"]
    assert set(served_models(made())) >= {"iris", "food-delivery"}


@pytest.mark.parametrize("setting", ["models", "default_model"])
def test_a_model_that_the_catalog_does_not_have_is_refused_by_name(setting: str) -> None:
    with pytest.raises(ValueError, match="toaster"):
        served_models(made(**{setting: "toaster"}))


def test_metrics_are_on_the_api_port_everywhere_but_in_production() -> None:
    assert made().metrics_are_public
    assert not made(slipway_env="production", jwt_secret_key=GOOD_KEY).metrics_are_public
    assert made(
        slipway_env="production", jwt_secret_key=GOOD_KEY, metrics_on_api_port=True
    ).metrics_are_public


@pytest.mark.parametrize(
    ("url", "home"),
    [
        ("data/online", FeatureHome.FOLDER),
        ("/srv/online", FeatureHome.FOLDER),
        ("sqlite:///features.db", FeatureHome.SQL),
        ("postgresql://u:p@db/features", FeatureHome.SQL),
        ("postgresql+psycopg://u:p@db/features", FeatureHome.SQL),
        ("redis://cache:6379/1", FeatureHome.REDIS),
        ("rediss://cache:6379/1", FeatureHome.REDIS),
    ],
)
def test_the_place_of_features_is_a_folder_or_a_url(url: str, home: FeatureHome) -> None:
    assert made(features_url=url).feature_home is home


def test_a_place_of_features_that_nobody_knows_is_refused_without_showing_it() -> None:
    with pytest.raises(ValidationError, match="FEATURES_URL") as refused:
        made(features_url="mysql://user:hunter2@db/x")
    assert "hunter2" not in str(refused.value)


def test_two_models_may_share_a_view_but_not_a_name_for_two() -> None:
    shopper = load_catalog("tests.view_catalog")["shopper"]
    assert shopper.view is not None
    twin = dataclasses.replace(shopper, name="twin")
    assert list(views_of({"shopper": shopper, "twin": twin})) == ["habits"]
    other = dataclasses.replace(shopper.view, row=PlaceRow)
    with pytest.raises(ValueError, match="habits"):
        views_of({"shopper": shopper, "other": dataclasses.replace(shopper, name="other", view=other)})
