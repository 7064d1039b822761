"""A program that uses our token endpoint through a real OAuth 2.0 library, and prints what it got as JSON.

A program of its own, because the library wants to be told by the environment that a loopback port needs no TLS.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient  # type: ignore[import-untyped]
from oauthlib.oauth2.rfc6749.errors import OAuth2Error  # type: ignore[import-untyped]
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session  # type: ignore[import-untyped]


def use(url: str, username: str, password: str, client_id: str, secret: str) -> dict[str, Any]:
    token_url = f"{url}/auth/token"
    user = OAuth2Session(client=LegacyApplicationClient(client_id="a-program"))
    user.fetch_token(token_url, username=username, password=password, include_client_id=True)
    first = user.token["refresh_token"]
    before = user.get(f"{url}/auth/me", timeout=10).json()
    user.scope = ["predict:iris"]
    user.refresh_token(token_url)
    after = user.get(f"{url}/auth/me", timeout=10).json()

    machine = OAuth2Session(client=BackendApplicationClient(client_id=client_id))
    machine.fetch_token(token_url, auth=HTTPBasicAuth(client_id, secret), scope=["predict"])
    me = machine.get(f"{url}/auth/me", timeout=10).json()
    bodily = OAuth2Session(client=BackendApplicationClient(client_id=client_id))
    bodily.fetch_token(token_url, client_secret=secret, include_client_id=True)
    return {
        "before": before,
        "after": after,
        "machine": me,
        "machine_has_refresh_token": "refresh_token" in machine.token or "refresh_token" in bodily.token,
        "refusals": [
            _refusal(lambda: user.refresh_token(token_url, refresh_token=first)),
            _refusal(lambda: machine.fetch_token(token_url, auth=HTTPBasicAuth(client_id, "wrong secret"))),
            _refusal(
                lambda: machine.fetch_token(token_url, auth=HTTPBasicAuth(client_id, secret), scope=["admin"])
            ),
        ],
    }


def _refusal(call: Any) -> str:
    try:
        call()
    except OAuth2Error as error:
        return str(error.error)
    return ""


if __name__ == "__main__":
    json.dump(use(*sys.argv[1:]), sys.stdout)
