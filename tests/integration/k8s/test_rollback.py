"""`k8s rollback`: back to what ran before, unless Git is who decides; never half, never over somebody's change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.fakes.api_server import shapes, sick_pods
from tests.fakes.api_server.server import FakeApiServer
from tests.integration.k8s.conftest import Ask
from tests.integration.k8s.verb import Result

Json = shapes.Json
OLD, NEW = shapes.IMAGE.replace("a" * 64, "1" * 64), shapes.IMAGE.replace("a" * 64, "2" * 64)
CONFIG: Json = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "slipway-settings-7d8k2", "namespace": shapes.NAMESPACE},
}
TRACKED = {"argocd.argoproj.io/tracking-id": f"production:apps/Deployment:{shapes.NAMESPACE}/slipway"}


@pytest.fixture
def deployed(api: FakeApiServer) -> FakeApiServer:
    """Revision 2 runs; 1 is remembered."""
    api.add(
        shapes.deployment(image=NEW),
        shapes.replica_set(1, image=OLD),
        shapes.replica_set(2, image=NEW, replicas=2),
        CONFIG,
    )
    return api


def image(api: FakeApiServer) -> str:
    found: str = api.get("Deployment", "slipway")["spec"]["template"]["spec"]["containers"][0]["image"]
    return found


@contextmanager
def controller(api: FakeApiServer, wanted: int = 2) -> Iterator[None]:
    """What the Deployment's controller does once the template has changed."""

    def act() -> None:
        api.wait_for_streams("deployments")
        done = shapes.deployment(observed=wanted, image=OLD)
        api.add(done)

    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        yield
        acting.result(10)


def test_the_previous_template_is_put_back_and_followed(deployed: FakeApiServer, ask: Ask) -> None:
    with controller(deployed):
        result = ask("rollback", "--timeout", 10)
    assert (result.code, image(deployed)) == (0, OLD)
    assert result.findings("ok")[0] == "rollout: 2 of 2 new, 2 available"


def test_what_changes_is_shown(deployed: FakeApiServer, ask: Ask) -> None:
    rows = ask("rollback", "--dry-run").report["tables"]["changes"]
    assert rows[1] == {"what": "image slipway", "now": NEW, "then": OLD}


def test_a_dry_run_changes_nothing(deployed: FakeApiServer, ask: Ask) -> None:
    result = ask("rollback", "--dry-run")
    assert (result.code, image(deployed)) == (0, NEW)
    assert "from revision 2 to 1 would be accepted" in result.findings("ok")[0]


def test_the_label_of_the_controller_is_not_put_into_the_template(deployed: FakeApiServer, ask: Ask) -> None:
    ask("rollback", "--timeout", 0.1)
    labels = deployed.get("Deployment", "slipway")["spec"]["template"]["metadata"]["labels"]
    assert labels == shapes.LABELS


def test_a_revision_can_be_named(deployed: FakeApiServer, ask: Ask) -> None:
    third = shapes.deployment(image=shapes.IMAGE, annotations={shapes.REVISION: "3"})
    deployed.add(third, shapes.replica_set(3, image=shapes.IMAGE, replicas=2))
    assert "from revision 3 to 2" in ask("rollback", "--dry-run").findings("ok")[0]
    assert "from revision 3 to 1" in ask("rollback", "--dry-run", "--to-revision", 1).findings("ok")[0]


def test_replica_sets_of_another_deployment_are_not_ours(deployed: FakeApiServer, ask: Ask) -> None:
    deployed.add(shapes.replica_set(1, image=NEW, owner="somebody-else"))
    assert ask("rollback", "--dry-run").code == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--to-revision", 9), "revision 9 is not remembered (there are: 2, 1)"),
        (("rollout/slipway",), "kubectl argo rollouts undo"),
        (("inferenceservice/slipway",), "in Git"),
        (("deployment/other",), 'deployments "other" not found'),
    ],
)
def test_what_cannot_be_done_is_said(
    deployed: FakeApiServer,
    ask: Ask,
    options: tuple[object, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ask("rollback", *options).code == 2
    assert words in capsys.readouterr().err
    assert image(deployed) == NEW


def test_a_revision_whose_settings_were_pruned_is_not_gone_back_to(deployed: FakeApiServer, ask: Ask) -> None:
    deployed.remove("ConfigMap", CONFIG["metadata"]["name"])
    result = ask("rollback", "--timeout", 0.1)
    assert (result.code, image(deployed)) == (1, NEW)
    assert "slipway-settings-7d8k2, which is gone" in result.findings()[0]


def test_a_rollback_that_does_not_come_up_fails(deployed: FakeApiServer, ask: Ask) -> None:
    deployed.add(sick_pods.image_missing())
    result = ask("rollback", "--timeout", 0.2)
    assert result.code == 1
    assert any("ImagePullBackOff" in text for text in result.findings())


def application(*, automated: Json | None, name: str = "production", namespace: str = "argocd") -> Json:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "source": {
                "repoURL": "https://git.example/slipway.git",
                "path": "kustomize/overlays/production",
                "targetRevision": "main",
            },
            "syncPolicy": {} if automated is None else {"automated": automated},
        },
        "status": {"sync": {"status": "Synced", "revision": "0123456789abcdef0123"}},
    }


SELF_HEAL = {"prune": True, "selfHeal": True}


def kept(api: FakeApiServer, annotations: Json | None = None) -> None:
    api.add(shapes.deployment(image=NEW, annotations=TRACKED if annotations is None else annotations))


def commands(result: Result) -> list[str]:
    return [finding["command"] for finding in result.report["findings"] if finding["command"]]


def test_under_argo_it_refuses_and_says_what_to_revert(deployed: FakeApiServer, ask: Ask) -> None:
    kept(deployed)
    deployed.add(application(automated=SELF_HEAL))
    result = ask("rollback")
    assert (result.code, image(deployed)) == (1, NEW)
    assert "it runs 0123456789ab" in result.findings()[0]
    assert commands(result)[:3] == [
        "git log --oneline -5 main -- kustomize/overlays/production",
        "git revert --no-edit $(git log -1 --format=%H main -- kustomize/overlays/production)",
        "git push origin HEAD:main",
    ]


def test_an_application_that_may_not_be_read_is_believed_to_heal(deployed: FakeApiServer, ask: Ask) -> None:
    kept(deployed)
    assert ask("rollback").code == 1
    assert image(deployed) == NEW


@pytest.mark.parametrize("automated", [None, {"enabled": False, "selfHeal": True}])
def test_an_application_that_is_synced_by_hand_allows_it_with_a_warning(
    deployed: FakeApiServer, ask: Ask, automated: Json | None
) -> None:
    kept(deployed)
    deployed.add(application(automated=automated))
    result = ask("rollback", "--dry-run")
    assert result.code == 0
    assert "OutOfSync" in result.findings("warning")[0]


def test_a_tracking_mark_copied_from_another_object_says_nothing(deployed: FakeApiServer, ask: Ask) -> None:
    kept(deployed, {"argocd.argoproj.io/tracking-id": "production:apps/Deployment:elsewhere/slipway"})
    assert ask("rollback", "--dry-run").code == 0


def by_label(api: FakeApiServer) -> None:
    labelled = shapes.deployment(image=NEW)
    labelled["metadata"]["labels"] = {**shapes.LABELS, "app.kubernetes.io/instance": "production"}
    api.add(labelled)


def by_annotation_in_another_namespace(api: FakeApiServer) -> None:
    kept(
        api, {"argocd.argoproj.io/tracking-id": f"team_production:apps/Deployment:{shapes.NAMESPACE}/slipway"}
    )


@pytest.mark.parametrize(
    ("mark", "namespace"), [(by_label, "argocd"), (by_annotation_in_another_namespace, "team")]
)
def test_other_ways_to_track_are_known(
    deployed: FakeApiServer, ask: Ask, mark: Callable[[FakeApiServer], None], namespace: str
) -> None:
    mark(deployed)
    deployed.add(application(automated=SELF_HEAL, namespace=namespace))
    assert ask("rollback", "--dry-run").code == 1


def test_an_instance_label_alone_is_nobodys(deployed: FakeApiServer, ask: Ask) -> None:
    by_label(deployed)
    assert ask("rollback", "--dry-run").code == 0
