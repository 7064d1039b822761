"""Asks another issuer for its public keys over HTTPS, and believes no more of the answer than it must.

No redirects, bounded size and time, and an authority of one's own where the policy names one. A file with a bearer token
is read each time: the token of a ServiceAccount is replaced every hour.
"""

from __future__ import annotations

import asyncio
import ssl
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from auth.external_format import read_object
from auth.jwk_sets import MAX_SET_BYTES, JwkSet, parse_jwk_set
from auth.policy import ExternalIssuer, PolicyRefused
from auth.policy_checks import checked_url

MAX_SECONDS = 10.0
DISCOVERY = "/.well-known/openid-configuration"
ACCEPTED = "application/jwk-set+json, application/json;q=0.9, */*;q=0.1"


class KeysRefused(Exception):
    """The provider answered with something that is no set of keys to believe. The message holds nothing it said."""


def fetch_keys(issuer: ExternalIssuer, *, max_seconds: float = MAX_SECONDS) -> JwkSet:
    """Raises KeysRefused, httpx.HTTPError, OSError (a file of the policy cannot be read)."""
    try:
        raw = asyncio.run(_asked(issuer, max_seconds))
    except TimeoutError:
        raise KeysRefused("the answer takes too long") from None
    try:
        keys = parse_jwk_set(raw)
    except ValueError:
        raise KeysRefused("the answer is no key set") from None
    if not any(key.algorithms & set(issuer.algorithms) for key in keys.keys):
        raise KeysRefused("no key of the set fits the policy's algorithms")
    return keys


async def _asked(issuer: ExternalIssuer, max_seconds: float) -> bytes:
    """One end for all of it: connecting, encryption, headers and bodies, however slowly they come.

    httpx's own timeout begins again with every byte; a task can be ended from outside, and a thread cannot. Only a name
    that is being looked up is waited for: the resolver has a time limit of its own.
    """
    try:
        async with asyncio.timeout(max_seconds), _client(issuer, max_seconds / 2) as client:
            asking = _Asking(client, issuer)
            return await asking.get(issuer.jwks_url or await _discovered(asking, issuer))
    finally:
        await asyncio.sleep(0)  # a connection that was given up is closed in the loop's next round


def _client(issuer: ExternalIssuer, timeout: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=_trust(issuer),
        timeout=timeout,
        follow_redirects=False,
        trust_env=not _is_this_machine(issuer.jwks_url or issuer.issuer),
        headers={"accept": ACCEPTED, "accept-encoding": "identity", "user-agent": "slipway"},
    )


class _Asking:
    """Questions to one provider."""

    def __init__(self, client: httpx.AsyncClient, issuer: ExternalIssuer) -> None:
        self._client, self._issuer = client, issuer

    async def get(self, url: str) -> bytes:
        """Raises KeysRefused."""
        body = bytearray()
        async with self._client.stream("GET", url, headers=self._bearer(url)) as response:
            if response.status_code != httpx.codes.OK:
                raise KeysRefused(f"it answered {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise KeysRefused("the answer is compressed")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_SET_BYTES:
                    raise KeysRefused("the answer is too large")
        return bytes(body)

    def _bearer(self, url: str) -> dict[str, str]:
        """For the address that the policy names, and for nobody to whom that one points."""
        file, known = self._issuer.bearer_file, self._issuer.jwks_url or self._issuer.issuer
        if file is None or _origin(url) != _origin(known):
            return {}
        return {"authorization": f"Bearer {file.read_text(encoding='ascii').strip()}"}


async def _discovered(asking: _Asking, issuer: ExternalIssuer) -> str:
    """Where the provider's discovery document says its keys are. It must be about this very issuer."""
    raw = await asking.get(issuer.issuer.rstrip("/") + DISCOVERY)
    try:
        document = read_object(raw)
    except (ValueError, RecursionError):
        raise KeysRefused("the discovery document is no JSON object") from None
    if document.get("issuer") != issuer.issuer:
        raise KeysRefused("the discovery document is about another issuer")
    where = document.get("jwks_uri")
    try:
        url = checked_url(where if isinstance(where, str) else "", "jwks_uri")
    except PolicyRefused:
        raise KeysRefused("the discovery document names no address of keys that may be asked") from None
    if _is_this_machine(url) and not _is_this_machine(issuer.issuer):
        raise KeysRefused("the discovery document points at this machine")
    return url


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _trust(issuer: ExternalIssuer) -> ssl.SSLContext | bool:
    """With a `ca_file`, that authority and no other."""
    if issuer.ca_file is None:
        return True
    return ssl.create_default_context(cafile=str(issuer.ca_file))


def _is_this_machine(url: str) -> bool:
    """No proxy stands between this machine and itself."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
