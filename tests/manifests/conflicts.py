"""Components that no overlay lists together, each pair with its reason; all others may meet, and are rendered in pairs."""

from __future__ import annotations

CONFLICTS = {
    frozenset(
        {"autoscaling-hpa", "autoscaling-keda"}
    ): "KEDA makes an HPA of its own: two would fight over one scale",
    frozenset(
        {"dev-secret", "external-secrets"}
    ): "both make slipway-secrets, and one of them with random values",
}


def meet(one: str, other: str) -> bool:
    return frozenset({one, other}) not in CONFLICTS
