"""Who is calling, as the rest of a request sees it."""

from __future__ import annotations

from dataclasses import dataclass

from auth.scopes import PREDICT, predict_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A verified caller. Times are seconds since the epoch; `user_id` is None for callers that are no user.

    `subject` is unique over all issuers: users of ours by their bare name, everybody else as `<issuer's name>:<sub>`.
    A user's name has no colon, so that nobody can be taken for somebody else. `session_id` names the login that the
    token came from, where there was one.
    """

    subject: str
    issuer: str
    scopes: frozenset[str]
    expires_at: float
    user_id: int | None
    token_id: str
    issued_at: float = 0.0
    session_id: str | None = None

    def has(self, scope: str) -> bool:
        return scope in self.scopes

    def may_predict(self, model: str) -> bool:
        """`predict` allows every model, `predict:<model>` that one."""
        return PREDICT in self.scopes or predict_scope(model) in self.scopes
