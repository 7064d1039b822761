"""How a build is asked for: with the operator's base, index and network, and with labels that name the commit."""

from __future__ import annotations

import pytest

from deploy.errors import ImageFailed
from deploy.image.containerizing import Recipe, recipe_of
from deploy.image.engine import Engine
from deploy.image.pushing import push, pushed_name
from deploy.image.settings import Backend, ImageSettings

PODMAN = Engine(program="podman")
PLAIN = ImageSettings.model_construct(backend=Backend.PODMAN)


def recipe(**changes: object) -> Recipe:
    return recipe_of(PLAIN.model_copy(update=changes), "slipway:1", {"a": "b"}, PODMAN)


def test_a_plain_build_passes_nothing_on() -> None:
    assert recipe().build_arguments == {}


def test_base_index_and_proxy_are_arguments_of_the_build() -> None:
    found = recipe(base_image="mine:1", pip_index_url="https://index.example/simple", https_proxy="http://p")
    assert found.build_arguments == {
        "BASE_IMAGE": "mine:1",
        "PIP_INDEX_URL": "https://index.example/simple",
        "HTTPS_PROXY": "http://p",
    }


def test_bentoml_is_told_by_options_of_its_own() -> None:
    arguments = recipe(base_image="mine:1", build_network="host").arguments()
    assert arguments[::2] == ["--opt"] * 4
    assert arguments[1::2] == ["build-arg=BASE_IMAGE=mine:1", "label=a=b", "network=host", "format=docker"]


def test_a_builder_is_told_by_its_own() -> None:
    arguments = recipe(platform="linux/arm64").plain_arguments()
    assert arguments == ["--label", "a=b", "--platform", "linux/arm64", "--format", "docker"]


def test_an_image_names_a_time_only_where_it_is_given() -> None:
    assert recipe().labels == {"a": "b"}
    labels = recipe(source_date_epoch=86_400).labels
    assert labels["org.opencontainers.image.created"] == "1970-01-02T00:00:00Z"


def test_only_an_image_with_a_registry_can_be_pushed() -> None:
    with pytest.raises(ImageFailed, match="registry"):
        push("slipway:1", PODMAN)


def test_a_pushed_image_is_named_by_the_digest_of_its_own_repository() -> None:
    inspected = '[{"RepoDigests": ["other.example/x@sha256:1", "registry.example/team/slipway@sha256:2"]}]'
    assert (
        pushed_name("registry.example/team/slipway:1", inspected) == "registry.example/team/slipway@sha256:2"
    )


def test_an_image_that_the_registry_gave_no_digest_is_no_success() -> None:
    with pytest.raises(ImageFailed):
        pushed_name("registry.example/team/slipway:1", '[{"RepoDigests": null}]')
