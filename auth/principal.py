"""Who is calling, as the rest of a request sees it."""

from __future__ import annotations

from dataclasses import dataclass

from auth.scopes import PREDICT, predict_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A verified caller. `expires_at` is seconds since the epoch; `user_id` is None for callers that are no user."""

    subject: str
    issuer: str
    scopes: frozenset[str]
    expires_at: float
    user_id: int | None
    token_id: str

    def has(self, scope: str) -> bool:
        return scope in self.scopes

    def may_predict(self, model: str) -> bool:
        """`predict` allows every model, `predict:<model>` that one."""
        return PREDICT in self.scopes or predict_scope(model) in self.scopes
