"""A real OpenID provider, from discovery to a prediction. Its only JWTs are ID tokens, which are no access tokens."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.front_service import FLOWER, FrontService
from tests.key_agent import KeyAgent

# The provider's library warns of its own future, in threads of this process.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

GRANT = '[[grants]]\nissuer = "mock"\nclaims = { groups = "flowers" }\nscopes = ["predict:iris"]\n'
BACK = "https://app.example/back"


@pytest.fixture
def provider() -> Iterator[str]:
    """Its address, which is its `iss`, too."""
    with warnings.catch_warnings():
        importlib.import_module(
            "authlib.deprecate"
        )  # insists on its warnings, so that they are silenced after it
        warnings.simplefilter("ignore")
        mock = importlib.import_module("oidc_provider_mock")
    with mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


def id_token(
    provider: str, user: str, *, client: str = "slipway", groups: tuple[str, ...] = ("flowers",)
) -> str:
    """By the authorization code flow, as a browser and its application walk through it."""
    with httpx.Client(base_url=provider, trust_env=False) as http:
        http.put(f"/users/{user}", json={"groups": list(groups)}).raise_for_status()
        asked = {"client_id": client, "redirect_uri": BACK, "response_type": "code", "scope": "openid"}
        back = http.post("/oauth2/authorize", params={**asked, "nonce": "n1"}, data={"sub": user})
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        reply = http.post("/oauth2/token", data={**form, "client_id": client, "client_secret": "any"})
        return str(reply.raise_for_status().json()["id_token"])


class Believer:
    """A worker that believes the provider, and the agent's chore beside it."""

    def __init__(self, folder: Path, provider: str, more: str, running: ExitStack) -> None:
        policy = folder / "policy.toml"
        issuer = f'[[issuers]]\nname = "mock"\nissuer = "{provider}"\ndiscovery = true\n{more}\n'
        policy.write_text(issuer + GRANT)
        running.enter_context(KeyAgent(policy, folder / "store")).wait_for("mock")
        self.front = FrontService(folder, auth_policy_file=policy, models="iris")
        running.callback(self.front.close)

    def status(self, token: str) -> int:
        return self.front.predict(FLOWER, authorization=f"Bearer {token}").status_code


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_who_logs_in_there_predicts_here(tmp_path: Path, running: ExitStack, provider: str) -> None:
    believer = Believer(tmp_path, provider, "id_tokens = true", running)
    assert believer.status(id_token(provider, "ada")) == 200
    assert believer.front.logged()[-1].subject == "mock:ada"
    assert believer.status(id_token(provider, "eve", groups=("stones",))) == 403
    assert believer.status(id_token(provider, "ada", client="another-application")) == 401


@pytest.mark.parametrize("more", ["", 'types = ["at+jwt", "JWT"]'], ids=["by default", "with plain types"])
def test_its_id_token_is_no_access_token(
    tmp_path: Path, running: ExitStack, provider: str, more: str
) -> None:
    assert Believer(tmp_path, provider, more, running).status(id_token(provider, "ada")) == 401
