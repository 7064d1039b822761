"""The one place where the verbs read their environment. Standard library only: two of them run as Jobs in the image."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

POD_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """What is around a verb: colour, a token of the service, and, inside a pod, where the API server is.

    `token` comes from `SLIPWAY_TOKEN`; issuer and audience are those of tokens that a key signs (`--jwt-key-file`).
    """

    colour: bool = True
    token: str = ""
    jwt_issuer: str = "slipway"
    jwt_audience: str = "slipway"
    api_host: str = ""
    api_port: str = "443"
    pod_folder: Path = POD_FOLDER

    @property
    def in_cluster(self) -> bool:
        return bool(self.api_host) and (self.pod_folder / "token").is_file()

    @property
    def pod_namespace(self) -> str:
        """The namespace of the pod that we run in; empty outside a cluster."""
        path = self.pod_folder / "namespace"
        return path.read_text(encoding="utf-8").strip() if path.is_file() else ""

    @property
    def api_url(self) -> str:
        host = f"[{self.api_host}]" if ":" in self.api_host else self.api_host
        return f"https://{host}:{self.api_port}"


def read_settings(environment: Mapping[str, str] | None = None) -> ClusterSettings:
    """From this process's environment unless another is given. An empty variable counts as unset."""
    found = {name: value for name, value in (environment or os.environ).items() if value}
    return ClusterSettings(
        colour="NO_COLOR" not in found and found.get("TERM") != "dumb",
        token=found.get("SLIPWAY_TOKEN", ""),
        jwt_issuer=found.get("JWT_ISSUER", "slipway"),
        jwt_audience=found.get("JWT_AUDIENCE", "slipway"),
        api_host=found.get("KUBERNETES_SERVICE_HOST", ""),
        api_port=found.get("KUBERNETES_SERVICE_PORT", "443"),
    )
