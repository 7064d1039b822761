"""Where the token of `k8s smoke` comes from, and what is refused in its place without being shown."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8s.dev_secret import JWT_KEY, SERVICE, SERVICE_KEYS, SIGNING_KEY
from k8s.settings import ClusterSettings
from tests.fakes.api_server import shapes, surroundings
from tests.fakes.api_server.server import FakeApiServer
from tests.fakes.http_service import HttpService
from tests.front_service import KEY, FrontService
from tests.integration.k8s.verb import run
from tests.served_front import served
from tests.signing_keys import GOOD_KINDS, pem


def test_the_key_is_never_sent(service: HttpService, key_file: Path) -> None:
    run("smoke", "--url", service.url, "--jwt-key-file", key_file, "--timeout", 0, "--model", "iris")
    sent = [asked.headers.get("authorization", "") for asked in service.asked]
    assert not any(KEY in header for header in sent)


def test_a_token_from_a_file_or_the_environment_will_do(
    service: HttpService, front: FrontService, tmp_path: Path
) -> None:
    token = front.token()["authorization"].removeprefix("Bearer ")
    (tmp_path / "token").write_text(token + "\n")
    options = ("--url", service.url, "--model", "iris", "--timeout", 0)
    assert run("smoke", *options, "--token-file", tmp_path / "token").code == 0
    assert run("smoke", *options, settings=ClusterSettings(token=token)).code == 0
    assert run("smoke", *options).code == 2


def signing_secret(key: str, name: str = JWT_KEY) -> shapes.Json:
    """Without a key of the other kind."""
    others = (held for held in SERVICE_KEYS if held not in (JWT_KEY, SIGNING_KEY))
    made = surroundings.secret(SERVICE, name, *others)
    made["data"][name] = base64.b64encode(key.encode()).decode()
    return made


def test_the_key_may_come_from_the_secret_that_the_pods_mount(
    service: HttpService, api: FakeApiServer, tmp_path: Path
) -> None:
    api.add(shapes.pod("slipway-2"), signing_secret(KEY + "\n"))
    api.backends["slipway-2", 8000] = service.address
    options = ("--kubeconfig", api.kubeconfig(tmp_path), "--sign-from-secret", "--model", "iris")
    result = run("smoke", *options, "--timeout", 0, "--output", "json")
    assert (result.code, result.findings()) == (0, [])
    assert KEY not in result.text


@pytest.fixture(scope="module")
def front_of_pem(front: FrontService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontService]:
    """It verifies the tokens of one private key of each kind."""
    folder = tmp_path_factory.mktemp("front-of-pem")
    keys = folder / "jwt-signing-key"
    keys.write_text("".join(pem(kind) for kind in GOOD_KINDS.values()))
    made = FrontService(
        folder, model_path=front.settings.model_path, jwt_secret_key=None, jwt_signing_key_file=keys
    )
    yield made
    made.close()


@pytest.mark.parametrize("kind", GOOD_KINDS.values())
def test_a_private_key_in_the_secret_or_in_a_file_signs_as_well(
    front_of_pem: FrontService, api: FakeApiServer, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "key.pem").write_text(pem(kind))
    api.add(shapes.pod("slipway-2"), signing_secret(pem(kind), SIGNING_KEY))
    options = ("--model", "iris", "--timeout", 0, "--output", "json")
    with served(front_of_pem) as running:
        api.backends["slipway-2", 8000] = running.address
        result = run("smoke", "--kubeconfig", api.kubeconfig(tmp_path), "--sign-from-secret", *options)
        assert (result.code, result.findings()) == (0, [])
        assert run("smoke", "--url", running.url, "--jwt-key-file", tmp_path / "key.pem", *options).code == 0


def test_where_the_mounted_secret_holds_a_private_key_alone_that_one_signs(
    service: HttpService, front_of_pem: FrontService, tmp_path: Path
) -> None:
    options = ("--jwt-key-file", tmp_path / JWT_KEY, "--model", "iris", "--timeout", 0)
    assert run("smoke", "--url", service.url, *options).code == 2
    (tmp_path / SIGNING_KEY).write_text(pem("p-256"))
    with served(front_of_pem) as running:
        assert run("smoke", "--url", running.url, *options).code == 0
        (tmp_path / JWT_KEY).write_text("\n")
        assert run("smoke", "--url", running.url, *options).code == 0
    (tmp_path / JWT_KEY).write_text(KEY)
    assert run("smoke", "--url", service.url, *options).code == 0


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (None, 'secrets "slipway-secrets" not found'),
        (signing_secret("\xff"), "--sign-from-secret needs at least 32 bytes"),
        (surroundings.secret(SERVICE), "slipway-secrets holds no jwt-secret-key and no jwt-signing-key"),
        (signing_secret(pem("p-384"), SIGNING_KEY), "--sign-from-secret holds a key on another curve"),
        (
            surroundings.secret(SERVICE) | {"data": {JWT_KEY: "%%%"}},
            "jwt-secret-key of slipway-secrets cannot be read",
        ),
    ],
    ids=["none", "short", "no key", "weak", "no base64"],
)
def test_a_secret_without_a_key_is_said_in_a_line(
    api: FakeApiServer,
    tmp_path: Path,
    secret: shapes.Json | None,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if secret is not None:
        api.add(secret)
    assert run("smoke", "--kubeconfig", api.kubeconfig(tmp_path), "--sign-from-secret").code == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


NO_TOKENS = ("é" * 8, "one\nX-Other: two", "two words")


@pytest.mark.parametrize("text", NO_TOKENS)
def test_what_is_no_token_is_refused_and_not_quoted(
    service: HttpService, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text(text)
    options = ("--url", service.url, "--model", "iris", "--timeout", 0)
    assert run("smoke", *options, settings=ClusterSettings(token=text)).code == 2
    assert run("smoke", *options, "--token-file", tmp_path / "token").code == 2
    said = capsys.readouterr().err
    assert said.splitlines() == [
        "smoke: SLIPWAY_TOKEN is not a token: only printable ASCII without spaces can be one",
        "smoke: --token-file is not a token: only printable ASCII without spaces can be one",
    ]
    assert not service.asked


def test_the_end_of_a_line_is_no_part_of_a_token(service: HttpService, front: FrontService) -> None:
    token = front.token()["authorization"].removeprefix("Bearer ")
    options = ("--url", service.url, "--model", "iris", "--timeout", 0)
    assert run("smoke", *options, settings=ClusterSettings(token=f"{token}\n")).code == 0
