"""Random secrets for a development cluster, so that none is in Git and `kubectl apply -k` needs no step before it.

Standard library only. The ServiceAccount needs to `create` secrets, and to `get` the Secret of the stores: the two hold
the same passwords, and a run that died between them is finished from the one that is there.
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from k8s.errors import Clash, Forbidden, Missing, Refused, Unreachable, refusal

STORES, SERVICE = "slipway-stores", "slipway-secrets"
JWT_KEY = "jwt-secret-key"
SIGNING_KEY = "jwt-signing-key"  # may be absent: then JWT_KEY signs
SERVICE_KEYS = (JWT_KEY, SIGNING_KEY, "database-url", "redis-url", "features-url")
CALL_SECONDS = 10.0
JWT_KEY_BYTES = 48
LABELS = {"app.kubernetes.io/part-of": "slipway", "app.kubernetes.io/managed-by": "slipway-dev-secret"}

Values = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class PodAccess:
    """How a pod reaches the API server. The token is read again for each call: it is exchanged while the pod runs."""

    url: str
    namespace: str
    token_file: Path
    ca_file: Path | None


class SecretStore:
    """The two calls that are needed, over plain HTTPS."""

    def __init__(self, access: PodAccess) -> None:
        self._access = access

    def create(self, name: str, values: Values, *, dry_run: bool = False) -> None:
        """Raises Clash where there is one of that name."""
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "labels": LABELS},
            "type": "Opaque",
            "stringData": dict(values),
        }
        self._call("POST", "?dryRun=All" if dry_run else "", json.dumps(body).encode())

    def read(self, name: str) -> dict[str, str]:
        data = json.loads(self._call("GET", f"/{name}")).get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        access = self._access
        request = urllib.request.Request(  # noqa: S310 (the address is the cluster's own)
            f"{access.url}/api/v1/namespaces/{access.namespace}/secrets{path}",
            data=body,
            method=method,
            headers={
                "Authorization": f"Bearer {access.token_file.read_text(encoding='utf-8').strip()}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
        )
        try:
            with self._opener().open(request, timeout=CALL_SECONDS) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{access.url} does not answer: {error}") from error

    def _opener(self) -> urllib.request.OpenerDirector:
        """The API server is inside the cluster: no proxy of the environment stands between."""
        trusted = ssl.create_default_context(cafile=self._access.ca_file)
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        )


def _refused(error: urllib.error.HTTPError) -> Refused:
    try:
        text = str(json.loads(error.read())["message"])
    except (ValueError, KeyError, TypeError):
        text = f"the API server answered {error.code}"
    return refusal(error.code, text)


class Torn(Refused):
    """One of the two Secrets is there, and what the other must say cannot be known."""

    exit_code = 1

    def __init__(self, text: str) -> None:
        super().__init__(text, status=409)


def ensure(store: SecretStore, *, random: Callable[[], str]) -> tuple[str, ...]:
    """The names of the Secrets that were made. What is there stays as it is; a second run at the same time is no harm."""
    stores_there, service_there = _is_there(store, STORES), _is_there(store, SERVICE)
    if stores_there and service_there:
        return ()
    if service_there:
        raise Torn(
            f"{SERVICE} is there and {STORES} is not: the stores would get other passwords than the service uses. "
            f"Delete {SERVICE}, or create {STORES} yourself"
        )
    made: list[str] = []
    values: Values = store_passwords(random)
    if not stores_there and _created(store, STORES, values):
        made.append(STORES)
    else:
        values = _passwords_of(store)
    if _created(store, SERVICE, service_secrets(values, jwt_key=jwt_key())):
        made.append(SERVICE)
    return tuple(made)


def _is_there(store: SecretStore, name: str) -> bool:
    """Asked with a create that is only tried, so that no permission to read is needed."""
    try:
        store.create(name, {}, dry_run=True)
    except Clash:
        return True
    return False


def _created(store: SecretStore, name: str, values: Values) -> bool:
    try:
        store.create(name, values)
    except Clash:
        return False
    return True


def _passwords_of(store: SecretStore) -> Values:
    try:
        return store.read(STORES)
    except (Forbidden, Missing) as error:
        raise Torn(
            f"{STORES} is there and {SERVICE} is not, and its passwords cannot be read ({error}). "
            f"Delete {STORES} and run again"
        ) from error


def store_passwords(random: Callable[[], str]) -> dict[str, str]:
    return {
        "postgres-password": random(),
        "redis-password": random(),
        "object-store-access-key": f"slipway-{random()[:12]}",
        "object-store-secret-key": random(),
    }


def service_secrets(stores: Values, *, jwt_key: str) -> dict[str, str]:
    """What the service mounts, for the stores of the development overlay. Raises Torn for stores of another making."""
    try:
        database = f"postgresql+psycopg://slipway:{stores['postgres-password']}@postgres:5432/slipway"
        redis = f"redis://:{stores['redis-password']}@redis:6379/0"
    except KeyError as error:
        raise Torn(f"{STORES} has no key {error}: delete it and run again") from None
    return {
        JWT_KEY: jwt_key,
        SIGNING_KEY: "",
        "database-url": database,
        "redis-url": redis,
        "features-url": database,
    }


def jwt_key() -> str:
    return base64.b64encode(secrets.token_bytes(JWT_KEY_BYTES)).decode()


def password() -> str:
    """Letters and digits only: it stands in URLs and in configuration files."""
    return secrets.token_hex(24)
