"""A diff of renders: object by object, a new hash no new object, readable at a terminal and in a comment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy.__main__ import main
from deploy.errors import DeliveryError
from deploy.manifests.diff import as_markdown, as_text, compare, summary
from deploy.manifests.kustomize import overlays, render_at
from deploy.manifests.objects import parse


def configuration(name: str, level: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  LOG_LEVEL: {level}\n"


SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: slipway\n"
BEFORE = configuration("slipway-settings-aaaaaaaaaa", "INFO")
AFTER = configuration("slipway-settings-bbbbbbbbbb", "DEBUG")


def test_the_same_objects_in_another_order_are_no_change() -> None:
    assert compare(parse(f"{SERVICE}---\n{BEFORE}"), parse(f"{BEFORE}---\n{SERVICE}")) == ()


def test_new_settings_are_the_same_object_under_another_hash() -> None:
    (change,) = compare(parse(BEFORE), parse(AFTER))
    assert change.verb == "changed"
    assert change.title == "ConfigMap slipway-settings-aaaaaaaaaa → slipway-settings-bbbbbbbbbb"
    assert "-  LOG_LEVEL: INFO" in change.lines
    assert "+  LOG_LEVEL: DEBUG" in change.lines


def test_what_comes_and_goes_is_named() -> None:
    changes = compare(parse(SERVICE), parse(BEFORE))
    assert summary(changes) == "1 added, 1 removed"
    assert "removed: Service slipway" in as_text("staging", changes)


def test_a_comment_opens_what_a_reviewer_doubts() -> None:
    text = as_markdown("staging", compare(parse(BEFORE), parse(AFTER)))
    assert text.startswith("### `staging`: 1 changed")
    assert "<details><summary>changed: ConfigMap" in text
    assert text.count("```") == 2


def test_a_key_that_is_written_twice_is_refused() -> None:
    with pytest.raises(DeliveryError, match="'LOG_LEVEL' is written twice, at line 7"):
        parse(BEFORE + "  LOG_LEVEL: DEBUG\n")


def test_a_list_is_its_objects() -> None:
    listed = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: slipway}\n"
    )
    assert [str(manifest.identity) for manifest in parse(listed)] == ["Service slipway"]


def test_an_object_without_a_name_is_refused() -> None:
    with pytest.raises(DeliveryError, match="without 'name'"):
        parse("apiVersion: v1\nkind: Service\n")


def test_no_change_since_a_render_of_now_and_some_since_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "staging"]) == 0
    rendered = tmp_path / "staging.yaml"
    rendered.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["diff", str(rendered), "staging"]) == 0
    assert "staging: no change" in capsys.readouterr().out
    rendered.write_text(
        rendered.read_text(encoding="utf-8").replace("maxUnavailable: 0", "maxUnavailable: 2")
    )
    assert main(["diff", str(rendered), "staging", "--markdown"]) == 1
    assert "-      maxUnavailable: 2" in capsys.readouterr().out


def test_an_overlay_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "qa"]) == 2
    assert f"no overlay called qa; there are: {', '.join(overlays())}" in capsys.readouterr().err


def test_a_revision_renders_as_it_was(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    folder = tmp_path / "kustomize" / "overlays" / "some"
    folder.mkdir(parents=True)
    (folder / "kustomization.yaml").write_text("resources: [service.yaml]\n")
    (folder / "service.yaml").write_text(SERVICE)
    git("init", "--quiet", "--initial-branch", "main")
    git("add", ".")
    git("commit", "--quiet", "--message", "feat: some overlay")
    (folder / "service.yaml").write_text(SERVICE.replace("slipway", "changed"))
    assert "name: slipway" in render_at("main", "some", tmp_path)
    assert render_at("main", "none", tmp_path) == ""
    with pytest.raises(DeliveryError, match="nowhere"):
        render_at("nowhere", "some", tmp_path)
