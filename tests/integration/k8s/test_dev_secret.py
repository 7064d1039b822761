"""`k8s dev-secret`, over TLS as in a pod: what is missing is made, what is there stays, and no value is printed."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth.keys import SecretKeys
from k8s.dev_secret import SERVICE, STORES, store_passwords
from k8s.settings import ClusterSettings
from tests.certificates import local_authority
from tests.fakes.api_server.access import Rules
from tests.fakes.api_server.server import FakeApiServer, Fault
from tests.integration.k8s.verb import Result, run

NAMESPACE, TOKEN = "slipway-dev", "token-of-the-pod"
USER = f"system:serviceaccount:{NAMESPACE}:dev-secret"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return local_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(tls: tuple[ssl.SSLContext, Path]) -> Iterator[FakeApiServer]:
    with FakeApiServer(tls=tls[0], rules=allowed("create", "get")) as running:
        running.users[TOKEN] = USER
        yield running


def allowed(*verbs: str) -> Rules:
    role = {
        "kind": "Role",
        "metadata": {"name": "dev-secret"},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": [verb]} for verb in verbs],
    }
    binding = {
        "kind": "RoleBinding",
        "metadata": {"name": "dev-secret"},
        "roleRef": {"kind": "Role", "name": "dev-secret"},
        "subjects": [{"kind": "ServiceAccount", "name": "dev-secret"}],
    }
    return Rules([role, binding], namespace=NAMESPACE)


@pytest.fixture
def pod(server: FakeApiServer, tls: tuple[ssl.SSLContext, Path], tmp_path: Path) -> ClusterSettings:
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "namespace").write_text(NAMESPACE)
    (tmp_path / "ca.crt").write_bytes(tls[1].read_bytes())
    return ClusterSettings(api_host="127.0.0.1", api_port=str(server.port), pod_folder=tmp_path)


def made(pod: ClusterSettings) -> Result:
    return run("dev-secret", "--timeout", "0.1", settings=pod)


def values(server: FakeApiServer, name: str) -> dict[str, str]:
    found: dict[str, str] = server.get("Secret", name, NAMESPACE)["stringData"]
    return found


def test_both_secrets_are_made_and_say_the_same_passwords(
    server: FakeApiServer, pod: ClusterSettings
) -> None:
    assert made(pod).code == 0
    stores, service = values(server, STORES), values(server, SERVICE)
    assert f":{stores['postgres-password']}@postgres:5432/slipway" in service["database-url"]
    assert service["redis-url"] == f"redis://:{stores['redis-password']}@redis:6379/0"
    assert service["features-url"] == service["database-url"]
    assert set(stores) == set(store_passwords(lambda: "x" * 20))


def test_the_signing_key_is_one_that_the_service_accepts(server: FakeApiServer, pod: ClusterSettings) -> None:
    made(pod)
    key = values(server, SERVICE)["jwt-secret-key"]
    assert len(base64.b64decode(key)) == 48
    SecretKeys(key, setting="JWT_SECRET_KEY_FILE")


def test_a_second_run_changes_nothing(server: FakeApiServer, pod: ClusterSettings) -> None:
    made(pod)
    before = server.state.version
    again = made(pod)
    assert (again.code, server.state.version) == (0, before)
    assert "stays as it is" in again.text


def test_no_value_is_printed(server: FakeApiServer, pod: ClusterSettings) -> None:
    printed = made(pod).text
    secret = [*values(server, STORES).values(), *values(server, SERVICE).values()]
    assert [value for value in secret if value and value in printed] == []


def test_a_run_that_died_half_way_is_finished_with_the_same_passwords(
    server: FakeApiServer, pod: ClusterSettings
) -> None:
    stores = {
        name: base64.b64encode(value.encode()).decode()
        for name, value in store_passwords(lambda: "p" * 24).items()
    }
    server.add({"kind": "Secret", "metadata": {"name": STORES, "namespace": NAMESPACE}, "data": stores})
    assert made(pod).code == 0
    assert ":pppppppppppppppppppppppp@postgres" in values(server, SERVICE)["database-url"]


def test_without_permission_to_read_a_half_made_pair_is_refused(
    server: FakeApiServer, pod: ClusterSettings
) -> None:
    server.rules = allowed("create")
    server.add({"kind": "Secret", "metadata": {"name": STORES, "namespace": NAMESPACE}, "data": {}})
    refused = made(pod)
    assert refused.code == 1
    assert f"Delete {STORES}" in " ".join(refused.text.split())


def test_with_permission_to_create_only_a_new_cluster_gets_both(
    server: FakeApiServer, pod: ClusterSettings
) -> None:
    server.rules = allowed("create")
    assert made(pod).code == 0
    assert made(pod).code == 0


def test_stores_are_never_made_for_a_service_with_other_passwords(
    server: FakeApiServer, pod: ClusterSettings
) -> None:
    server.add({"kind": "Secret", "metadata": {"name": SERVICE, "namespace": NAMESPACE}, "data": {}})
    assert made(pod).code == 1
    assert server.state.get(server.place("Secret"), NAMESPACE, STORES) is None


def test_who_may_not_create_is_told_so(
    server: FakeApiServer, pod: ClusterSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    server.rules = allowed()
    assert made(pod).code == 2
    assert 'cannot create resource "secrets"' in capsys.readouterr().err


def test_a_busy_api_server_is_asked_again(server: FakeApiServer, pod: ClusterSettings) -> None:
    server.fail(Fault("/secrets", status=503))
    assert run("dev-secret", "--timeout", "5", settings=pod).code == 0


def test_a_certificate_of_somebody_else_is_not_trusted(
    pod: ClusterSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "ca.crt").write_bytes(local_authority(other)[1].read_bytes())
    assert made(pod).code == 2
    assert "does not answer" in capsys.readouterr().err


def test_outside_a_cluster_it_says_where_it_belongs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert made(ClusterSettings(pod_folder=tmp_path)).code == 2
    assert "inside a cluster" in capsys.readouterr().err
