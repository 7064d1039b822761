"""What an image says of itself: who runs in it when nobody is named, what is set in it, and where it is from.

The trial runs it as a random user with settings of its own, as platforms do, so it would not notice a root or a setting in there.
"""

from __future__ import annotations

import json
import re
from typing import Any

from deploy.image.trial import Report

NUMERIC = re.compile(r"[1-9]\d*(:\d+)?")  # Kubernetes cannot prove that a name is not root's
# SLIPWAY_ENV would lift the rules of production; the others are the cluster's to give.
UNSET = ("SLIPWAY_ENV", "JWT_SECRET_KEY", "DATABASE_URL", "REDIS_URL", "MLFLOW_TRACKING_URI")
ORIGIN = tuple(f"org.opencontainers.image.{name}" for name in ("title", "version", "revision"))


def check_configuration(report: Report, inspected: str) -> None:
    """`inspected` is what `image inspect` prints."""
    config: dict[str, Any] = json.loads(inspected)[0].get("Config") or {}
    user = str(config.get("User") or "")
    report.note(
        "its own user is a number, and not root", user or "root", passed=bool(NUMERIC.fullmatch(user))
    )
    names = [entry.partition("=")[0] for entry in config.get("Env") or ()]
    found = [name for name in names if name.removesuffix("_FILE") in UNSET]
    report.equal("it carries no environment, secret or address", " ".join(found), "")
    labels = config.get("Labels") or {}
    missing = [name for name in ORIGIN if not labels.get(name)]
    report.equal("its labels say what it is and of which commit", " ".join(missing), "")
