"""Asks another issuer for its public keys over HTTPS, and believes no more of the answer than it must.

No redirects, bounded size and time, and an authority of one's own where the policy names one. A file with a bearer token
is read each time: the token of a ServiceAccount is replaced every hour.
"""

from __future__ import annotations

import ssl
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from auth.external_format import read_object
from auth.jwk_sets import MAX_SET_BYTES, JwkSet, parse_jwk_set
from auth.policy import ExternalIssuer, PolicyRefused
from auth.policy_checks import checked_url

TIMEOUT_SECONDS = 5.0
MAX_SECONDS = 10.0
DISCOVERY = "/.well-known/openid-configuration"
ACCEPTED = "application/jwk-set+json, application/json;q=0.9, */*;q=0.1"


class KeysRefused(Exception):
    """The provider answered with something that is no set of keys to believe. The message holds nothing it said."""


def fetch_keys(issuer: ExternalIssuer, *, max_seconds: float = MAX_SECONDS) -> JwkSet:
    """Raises KeysRefused, httpx.HTTPError, OSError (a file of the policy cannot be read)."""
    with httpx.Client(
        verify=_trust(issuer),
        timeout=TIMEOUT_SECONDS,
        follow_redirects=False,
        trust_env=not _is_this_machine(issuer.jwks_url or issuer.issuer),
        headers={"accept": ACCEPTED, "accept-encoding": "identity", "user-agent": "slipway"},
    ) as client:
        asking = _Asking(client, issuer, time.monotonic() + max_seconds)
        raw = asking.get(issuer.jwks_url or _discovered(asking, issuer))
    try:
        keys = parse_jwk_set(raw)
    except ValueError:
        raise KeysRefused("the answer is no key set") from None
    if not any(key.algorithms & set(issuer.algorithms) for key in keys.keys):
        raise KeysRefused("no key of the set fits the policy's algorithms")
    return keys


class _Asking:
    """Questions to one provider, with one end for all of them."""

    def __init__(self, client: httpx.Client, issuer: ExternalIssuer, give_up_at: float) -> None:
        self._client, self._issuer, self._give_up_at = client, issuer, give_up_at

    def get(self, url: str) -> bytes:
        """Raises KeysRefused."""
        body = bytearray()
        with self._client.stream("GET", url, headers=self._bearer(url)) as response:
            if response.status_code != httpx.codes.OK:
                raise KeysRefused(f"it answered {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise KeysRefused("the answer is compressed")
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > MAX_SET_BYTES:
                    raise KeysRefused("the answer is too large")
                if time.monotonic() > self._give_up_at:
                    raise KeysRefused("the answer takes too long")
        return bytes(body)

    def _bearer(self, url: str) -> dict[str, str]:
        """For the address that the policy names, and for nobody to whom that one points."""
        file, known = self._issuer.bearer_file, self._issuer.jwks_url or self._issuer.issuer
        if file is None or _origin(url) != _origin(known):
            return {}
        return {"authorization": f"Bearer {file.read_text(encoding='ascii').strip()}"}


def _discovered(asking: _Asking, issuer: ExternalIssuer) -> str:
    """Where the provider's discovery document says its keys are. It must be about this very issuer."""
    raw = asking.get(issuer.issuer.rstrip("/") + DISCOVERY)
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
