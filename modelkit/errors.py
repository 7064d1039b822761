"""Every failure a caller can meet, as one tree, so that one renderer (`serving.http.problems`) serves them all.

SlipwayError
├── InvalidRequest          400 invalid-request
│   ├── AmbiguousModel      400 ambiguous-model
│   ├── BadTokenRequest     400 invalid-token-request
│   ├── InvalidGrant        400 invalid-grant
│   ├── InvalidScope        400 invalid-scope
│   └── UnsupportedGrant    400 unsupported-grant-type
├── Unauthenticated         401 unauthenticated
│   ├── TokenExpired        401 token-expired
│   ├── TokenRevoked        401 token-revoked
│   ├── WrongCredentials    401 wrong-credentials
│   └── InvalidClient       401 invalid-client
├── InsufficientScope       403 insufficient-scope
├── NotFound                404 not-found
│   ├── ModelNotFound       404 model-not-found
│   ├── VersionNotLoaded    404 version-not-loaded
│   ├── EntityNotFound      404 user-not-found
│   ├── PredictionNotFound  404 prediction-not-found
│   └── SessionNotFound     404 session-not-found
├── MethodNotAllowed        405 method-not-allowed
├── NotAcceptable           406 not-acceptable
├── RequestTimeout          408 request-timeout
├── PayloadTooLarge         413 payload-too-large
├── TargetTooLong           414 target-too-long
├── UnsupportedMediaType    415 unsupported-media-type
├── RateLimited             429 rate-limited
├── HeadersTooLarge         431 headers-too-large
├── ClientGone              499 client-gone
├── PredictionFailed        500 prediction-failed
├── ExplanationFailed       500 explanation-failed
├── Unavailable             503 unavailable
│   ├── ModelNotReady       503 model-not-ready
│   ├── FeaturesUnavailable 503 features-unavailable
│   ├── ExplainerUnavailable 503 explainer-unavailable
│   ├── Overloaded          503 overloaded
│   ├── Draining            503 draining
│   ├── IdentityUnavailable 503 identity-unavailable
│   ├── FeedbackUnavailable 503 feedback-unavailable
│   └── LogUnavailable      503 log-unavailable
└── DeadlineExceeded        504 deadline-exceeded

ServableError               (not for callers: a version that must not serve)
├── CorruptServable         a file is missing or differs from its digest
└── ContractMismatch        the version does not fit this image
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One thing wrong with one place of a request. `pointer` is a JSON pointer (RFC 6901); `row` counts from 0."""

    pointer: str
    detail: str
    row: int | None = None


class SlipwayError(Exception):
    """Base of every failure that is rendered to a caller.

    `detail` is safe to show: it never repeats input values, paths of this machine or secrets. `oauth` is the error's
    name where OAuth 2.0 has one (RFC 6749, section 5.2); its clients look for it in the member `error`. Errors without
    one get a name by their status where OAuth's routes answer with them (`serving.http.problems`).
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"
    retry_after_seconds: ClassVar[int | None] = None
    oauth: ClassVar[str | None] = None

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = tuple(headers)


class InvalidRequest(SlipwayError):
    status, code, title = 400, "invalid-request", "The request is not valid"


class AmbiguousModel(InvalidRequest):
    code, title = "ambiguous-model", "More than one model accepts this body"


class BadTokenRequest(InvalidRequest):
    """What OAuth 2.0 calls `invalid_request`: a parameter is missing, there twice, or malformed."""

    code, title, oauth = "invalid-token-request", "The request for a token is not valid", "invalid_request"


class InvalidGrant(InvalidRequest):
    code, title, oauth = (
        "invalid-grant",
        "The credentials or the refresh token are not valid",
        "invalid_grant",
    )
    reused = False  # a refresh token that was used before: counted, and not told


class InvalidScope(InvalidRequest):
    code, title, oauth = "invalid-scope", "A scope was asked for that is not granted", "invalid_scope"


class UnsupportedGrant(InvalidRequest):
    code, title = "unsupported-grant-type", "This grant type is not supported"
    oauth = "unsupported_grant_type"


class Unauthenticated(SlipwayError):
    """`issuer` names whose token it was, where that is known; it is one of those configured, never what a token says.

    `key_missing`: the token may be good, and its issuer's key is not known here (yet).
    """

    status, code, title = 401, "unauthenticated", "A valid bearer token is needed"
    issuer: str = ""
    key_missing: bool = False


class TokenExpired(Unauthenticated):
    code, title = "token-expired", "The token has expired"


class TokenRevoked(Unauthenticated):
    code, title = "token-revoked", "The token has been revoked"


class WrongCredentials(Unauthenticated):
    """What OAuth 2.0 calls `invalid_grant`, as /login says it."""

    code, title, oauth = "wrong-credentials", "The user name or the password is wrong", "invalid_grant"


class InvalidClient(Unauthenticated):
    code, title, oauth = "invalid-client", "The client could not be authenticated", "invalid_client"


class InsufficientScope(SlipwayError):
    status, code, title = 403, "insufficient-scope", "The token does not allow this"


class NotFound(SlipwayError):
    status, code, title = 404, "not-found", "Nothing is served at this address"


class ModelNotFound(NotFound):
    code, title = "model-not-found", "No model of this name is served here"


class VersionNotLoaded(NotFound):
    code, title = "version-not-loaded", "This model version is not loaded"


class EntityNotFound(NotFound):
    code, title = "user-not-found", "Nothing is known about the entity that the request names"


class PredictionNotFound(NotFound):
    code, title = "prediction-not-found", "There is no prediction of yours with this id"


class SessionNotFound(NotFound):
    code, title = "session-not-found", "There is no session of yours with this id"


class MethodNotAllowed(SlipwayError):
    status, code, title = 405, "method-not-allowed", "The method is not allowed here"


class NotAcceptable(SlipwayError):
    status, code, title = 406, "not-acceptable", "No acceptable representation"


class RequestTimeout(SlipwayError):
    status, code, title = 408, "request-timeout", "The request did not arrive in time"


class PayloadTooLarge(SlipwayError):
    status, code, title = 413, "payload-too-large", "The request body is too large"


class TargetTooLong(SlipwayError):
    status, code, title = 414, "target-too-long", "The address in the request is too long"


class UnsupportedMediaType(SlipwayError):
    status, code, title = (
        415,
        "unsupported-media-type",
        "A body of this type or encoding is not accepted here",
    )


class RateLimited(SlipwayError):
    status, code, title = 429, "rate-limited", "Too many requests"
    retry_after_seconds = 1


class HeadersTooLarge(SlipwayError):
    status, code, title = 431, "headers-too-large", "The headers of the request are too large"


class ClientGone(SlipwayError):
    """Nobody reads this: the client closed the connection before the answer. The status, nginx's, is for metrics."""

    status, code, title = 499, "client-gone", "The client left before the answer was ready"


class PredictionFailed(SlipwayError):
    status, code, title = 500, "prediction-failed", "The prediction could not be computed"


class ExplanationFailed(SlipwayError):
    status, code, title = 500, "explanation-failed", "The explanation could not be computed"


class Unavailable(SlipwayError):
    status, code, title = 503, "unavailable", "The service cannot answer now"
    retry_after_seconds = 1


class ModelNotReady(Unavailable):
    code, title = "model-not-ready", "The model is not ready"


class FeaturesUnavailable(Unavailable):
    code, title = "features-unavailable", "The features of the entity cannot be looked up now"


class ExplainerUnavailable(Unavailable):
    code, title = "explainer-unavailable", "Explanations cannot be computed now"


class Overloaded(Unavailable):
    """`milliseconds` to wait, where a door refused before any work; `oauth` routes and slow ones say seconds."""

    code, title = "overloaded", "The service is at its limit"
    milliseconds = 0


class Draining(Unavailable):
    code, title = "draining", "This replica is shutting down"


class IdentityUnavailable(Unavailable):
    code, title = "identity-unavailable", "Users and sessions cannot be looked up now"


class FeedbackUnavailable(Unavailable):
    """None of the request's items was taken: the caller sends all of them again."""

    code, title = "feedback-unavailable", "Feedback cannot be written down now"


class LogUnavailable(Unavailable):
    code, title = "log-unavailable", "The prediction log cannot take the record"


class DeadlineExceeded(SlipwayError):
    status, code, title = 504, "deadline-exceeded", "The deadline passed before an answer was ready"


class ServableError(Exception):
    """A model version that must not serve; the previous one keeps serving."""


class CorruptServable(ServableError):
    """A file of the servable is missing, unreadable, or differs from its recorded digest."""


class UnsignedServable(ServableError):
    """Nobody signed the version, where only signed ones may serve."""


class UntrustedServable(ServableError):
    """The version's signature is not one of a trusted key, of these files, for this version."""


class UnloadableServable(ServableError):
    """A process that tried to load the version died of it, or took too much memory or time."""


class ContractMismatch(ServableError):
    """The servable was made for another schema, other feature columns, or computes other golden outputs."""
