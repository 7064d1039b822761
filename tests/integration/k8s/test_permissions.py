"""`k8s/rbac.yaml` allows every call that a verb makes, and nothing that no verb needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from k8s.dev_secret import SERVICE, SERVICE_KEYS
from k8s.settings import ClusterSettings
from tests.architecture.source_tree import ROOT
from tests.fakes.api_server import operators, shapes, sick_pods, surroundings
from tests.fakes.api_server.access import Rules
from tests.fakes.api_server.server import FakeApiServer
from tests.fakes.replica import TOKEN, Replica, model
from tests.integration.k8s.test_rollback import CONFIG, NEW, OLD, TRACKED, application
from tests.integration.k8s.verb import Result, run

MANIFEST = ROOT / "k8s/rbac.yaml"
ACCOUNT = f"system:serviceaccount:{shapes.NAMESPACE}:slipway-operations"
ACCOUNT_TOKEN = "token-of-the-account"


def rules(*without: str) -> Rules:
    return Rules.of_manifest(MANIFEST, namespace=shapes.NAMESPACE, without=frozenset(without))


@pytest.fixture
def cluster(api: FakeApiServer) -> Iterator[FakeApiServer]:
    """A cluster in which every verb has everything to look at."""
    api.users[ACCOUNT_TOKEN] = ACCOUNT
    api.add(
        shapes.deployment(image=NEW),
        shapes.replica_set(1, image=OLD),
        shapes.replica_set(2, image=NEW, replicas=2),
        operators.rollout("Healthy"),
        operators.inference_service("True"),
        operators.kept_deployment(),
        CONFIG,
        surroundings.service(),
        surroundings.autoscaler(),
        surroundings.budget(),
        surroundings.allowing(),
        surroundings.monitor(),
        surroundings.namespace(),
        surroundings.node(),
        surroundings.storage_class(default=True),
        surroundings.quota(pods=("50", "1")),
        surroundings.secret(SERVICE, *SERVICE_KEYS),
        sick_pods.crashing("slipway-2"),
    )
    with ExitStack() as stack:
        stack.enter_context(Replica(api, "slipway-1", model("iris", "3", "3")))
        yield api


class Operator:
    """Somebody with the token of the account."""

    def __init__(self, api: FakeApiServer, folder: Path) -> None:
        self.config = api.kubeconfig(folder, token=ACCOUNT_TOKEN)
        self._token, self._manifest = folder / "token", folder / "overlay.yaml"
        self._token.write_text(TOKEN)
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {},
        }
        volumes = [{"name": "s", "secret": {"secretName": SERVICE}}]
        template = {"spec": {"containers": [{"name": "slipway"}], "volumes": volumes}}
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "slipway"},
            "spec": {"template": template},
        }
        self._manifest.write_text(yaml.safe_dump_all([claim, deployment]))

    def ask(self, verb: str, *options: object) -> Result:
        if verb == "preflight":
            options = (*options, "--manifest", self._manifest)
        if verb in ("models", "diagnose"):
            options = (*options, "--token-file", self._token)
        patience = ("--timeout", 0.2) if verb in ("rollout", "rollback") else ()
        return run(verb, "--kubeconfig", self.config, "--output", "json", *patience, *options)


@pytest.fixture
def operator(cluster: FakeApiServer, tmp_path: Path) -> Operator:
    return Operator(cluster, tmp_path)


VERBS: dict[str, tuple[tuple[object, ...], ...]] = {
    "preflight": ((),),
    "rollout": ((), ("deployment/slipway",), ("inferenceservice/slipway",)),
    "models": ((),),
    "diagnose": ((),),
    "rollback": (("deployment/slipway", "--dry-run"), ("deployment/slipway",)),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_call_of_a_verb_is_allowed(cluster: FakeApiServer, operator: Operator, verb: str) -> None:
    cluster.rules = rules()
    for options in VERBS[verb]:
        result = operator.ask(verb, *options)
        assert result.code in (0, 1)
        assert "forbidden" not in result.text


def test_a_smoke_test_through_a_pod_is_allowed(cluster: FakeApiServer, operator: Operator) -> None:
    """The pod here answers no prediction: that it was asked is what counts."""
    cluster.rules = rules()
    config = ClusterSettings(token=TOKEN)
    result = run("smoke", "--kubeconfig", operator.config, "-o", "json", "--model", "iris", settings=config)
    assert result.code == 1
    assert "forbidden" not in result.text


def test_signing_with_the_services_key_takes_the_permission_to_read_it(
    cluster: FakeApiServer, operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--kubeconfig", operator.config, "-o", "json", "--model", "iris", "--sign-from-secret")
    cluster.rules = rules("slipway-preflight")
    assert run("smoke", *options).code == 2
    assert 'cannot get resource "secrets"' in capsys.readouterr().err
    cluster.rules = rules()
    assert run("smoke", *options).code == 2
    assert "--sign-from-secret needs at least 32 bytes" in capsys.readouterr().err  # the fake's key is none


def test_nothing_is_allowed_that_no_verb_needs(cluster: FakeApiServer, operator: Operator) -> None:
    cluster.rules = rules()
    cluster.add(shapes.deployment(image=NEW, annotations=TRACKED), application(automated=None))
    for verb, runs in VERBS.items():
        for options in runs:
            operator.ask(verb, *options)
    assert cluster.rules.granted - cluster.rules.used == set()


def test_only_one_permission_changes_anything() -> None:
    reading = {"get", "list", "watch"}
    assert {grant for grant in rules().granted if grant[0] not in reading} == {
        ("patch", "apps", "deployments"),
        ("create", "", "pods/portforward"),
    }


def test_without_the_binding_of_rollback_it_is_refused_and_nothing_has_changed(
    cluster: FakeApiServer, operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.rules = rules("slipway-rollback")
    assert operator.ask("rollback", "deployment/slipway").code == 2
    assert "cannot patch resource" in capsys.readouterr().err
    assert cluster.get("Deployment", "slipway")["metadata"]["generation"] == 1


def test_without_the_binding_of_secrets_they_are_not_looked_at(
    cluster: FakeApiServer, operator: Operator
) -> None:
    cluster.rules = rules("slipway-preflight")
    result = operator.ask("preflight")
    assert (result.code, result.findings()) == (0, [])
    assert "slipway-secrets was not looked at" in " ".join(result.findings("warning"))


def test_without_the_clusters_binding_the_rest_is_still_checked(
    cluster: FakeApiServer, operator: Operator
) -> None:
    cluster.rules = rules(f"slipway-operations-{shapes.NAMESPACE}")
    result = operator.ask("preflight")
    assert result.code == 0
    assert {text.partition(":")[0] for text in result.findings("warning")} >= {
        "namespace",
        "capacity",
        "storage",
    }


def test_who_may_look_at_little_is_told_what_was_not_seen(cluster: FakeApiServer, operator: Operator) -> None:
    cluster.rules = Rules([])
    result = operator.ask("diagnose")
    assert "cannot list resource" in " ".join(result.findings("warning"))


@pytest.mark.parametrize("verb", ["rollout", "models", "rollback"])
def test_who_may_nothing_is_told_which_permission_is_missing(
    cluster: FakeApiServer, operator: Operator, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.rules = Rules([])
    assert operator.ask(verb).code == 2
    assert f'is forbidden: User "{ACCOUNT}" cannot' in capsys.readouterr().err


@pytest.mark.parametrize(
    "document",
    list(yaml.safe_load_all(MANIFEST.read_text())),
    ids=lambda d: f"{d['kind']}-{d['metadata']['name']}",
)
def test_every_object_of_the_manifest_says_where_it_belongs(document: shapes.Json) -> None:
    cluster_wide = document["kind"].startswith("Cluster")
    assert ("namespace" in document["metadata"]) is not cluster_wide
    assert all(subject["namespace"] == "slipway-production" for subject in document.get("subjects", ()))
