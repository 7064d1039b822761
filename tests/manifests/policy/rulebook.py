"""Every rule that an overlay is held to."""

from __future__ import annotations

from tests.manifests.policy import configuration, hardening, network, running, storage, telemetry, wiring
from tests.manifests.policy.model import Rule

CHAPTERS = (hardening, running, storage, network, wiring, configuration, telemetry)
RULES: dict[str, Rule] = {rule.name: rule for chapter in CHAPTERS for rule in chapter.RULES}
