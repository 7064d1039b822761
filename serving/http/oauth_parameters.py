"""The parameters of an OAuth 2.0 request, from a form as its standard has them or from a JSON object, and its client."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from auth.token_format import refuse_repeated_members
from modelkit.errors import BadTokenRequest, InvalidClient, UnsupportedMediaType
from serving.http.exchange import JSON, Exchange
from serving.http.request_rows import refuse_deep
from serving.http.token_desk import LARGEST_BODY

FORM = b"application/x-www-form-urlencoded"
MAX_PARAMETERS = 32
MAX_PARAMETER_LENGTH = 8192
CHALLENGE = (("WWW-Authenticate", 'Basic realm="slipway"'),)


class Parameters:
    """One that is sent without a value counts as not sent (RFC 6749, section 3.1); none is there twice."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, name: str) -> str:
        return self._values.get(name, "")

    def needed(self, name: str) -> str:
        value = self.get(name)
        if not value:
            raise BadTokenRequest(f"the parameter {name} is missing")
        return value


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A client that only says its name has no secret to prove it, and proves nothing."""

    client_id: str
    secret: str = field(repr=False)


async def read_parameters(exchange: Exchange, *, max_json_depth: int) -> Parameters:
    """Raises BadTokenRequest, UnsupportedMediaType, or what reading a body raises."""
    media_type = exchange.headers.get(b"content-type", FORM).split(b";", 1)[0].strip().lower()
    if media_type not in (FORM, JSON):
        raise UnsupportedMediaType("the body must be a form (application/x-www-form-urlencoded) or JSON")
    body = await exchange.body(at_most=LARGEST_BODY)
    if media_type == FORM:
        return Parameters(_form(body))
    refuse_deep(body, max_json_depth)
    return Parameters(_json(body))


def client_of(exchange: Exchange, parameters: Parameters) -> ClientCredentials | None:
    """From the header or the body, not from both. Raises InvalidClient or BadTokenRequest."""
    sent = [value for name, value in exchange.scope["headers"] if name == b"authorization"]
    if len(sent) > 1:
        raise BadTokenRequest("there is more than one Authorization header")
    named, secret = parameters.get("client_id"), parameters.get("client_secret")
    if not sent or sent[0][:6].lower() != b"basic ":
        return ClientCredentials(named, secret) if named or secret else None
    client = _basic(sent[0][6:])
    if secret or named not in ("", client.client_id):
        raise BadTokenRequest("the client is named twice")
    return client


def _basic(encoded: bytes) -> ClientCredentials:
    """Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1)."""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        raise InvalidClient(headers=CHALLENGE) from None
    client_id, _, secret = text.partition(":")
    return ClientCredentials(unquote_plus(client_id), unquote_plus(secret))


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        raise BadTokenRequest("the body is no form") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise BadTokenRequest("a parameter is there twice")
    return _bounded(values)


def _json(body: bytes) -> dict[str, str]:
    try:
        refuse_repeated_members(body)
        values = msgspec.json.decode(body, type=dict[str, str])
    except (ValueError, RecursionError):
        raise BadTokenRequest("the body must be a JSON object of strings, each there once") from None
    return _bounded(values)


def _bounded(values: dict[str, str]) -> dict[str, str]:
    if len(values) > MAX_PARAMETERS or any(len(value) > MAX_PARAMETER_LENGTH for value in values.values()):
        raise BadTokenRequest("there are too many parameters, or one is too long")
    return values
