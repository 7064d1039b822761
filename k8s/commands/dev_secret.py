"""Creates the Secrets of a development cluster with random values, where they are missing. Runs inside the cluster.

Prints names, never values. Exit code 1: one of two Secrets that belong together is there and the other cannot be made.
"""

from __future__ import annotations

import argparse
import time

from k8s.dev_secret import SERVICE, STORES, PodAccess, SecretStore, Torn, ensure, password
from k8s.errors import Misused, Refused, Unreachable
from k8s.report import Report, failed, ok
from k8s.settings import ClusterSettings

HELP = "create random development secrets where they are missing (inside the cluster)"
TIMEOUT_SECONDS = 60.0
RETRY_SECONDS = 1.0
PASSING = (429, 500, 502, 503, 504)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing beside what every verb has."""


def run(options: argparse.Namespace) -> Report:
    access = pod_access(options.settings, namespace=options.namespace)
    made = patiently(SecretStore(access), seconds=options.timeout)
    if isinstance(made, Torn):
        torn = failed("secrets", str(made))
        return Report(
            verb="dev-secret", subject=access.namespace, conclusion="nothing was changed", findings=(torn,)
        )
    findings = tuple(
        ok("secrets", f"{name} {'created' if name in made else 'is there and stays as it is'}")
        for name in (STORES, SERVICE)
    )
    conclusion = f"{len(made)} created"
    return Report(verb="dev-secret", subject=access.namespace, conclusion=conclusion, findings=findings)


def pod_access(settings: ClusterSettings, *, namespace: str) -> PodAccess:
    if not settings.in_cluster:
        raise Misused("this runs inside a cluster, in a pod with a service account token")
    return PodAccess(
        url=settings.api_url,
        namespace=namespace or settings.pod_namespace,
        token_file=settings.pod_folder / "token",
        ca_file=settings.pod_folder / "ca.crt",
    )


def patiently(store: SecretStore, *, seconds: float) -> tuple[str, ...] | Torn:
    """A new pod's network may need a moment, and an API server may be busy: tries again until the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ensure(store, random=password)
        except Torn as torn:
            return torn
        except (Unreachable, Refused) as error:
            passing = isinstance(error, Unreachable) or error.status in PASSING
            if not passing or time.monotonic() + RETRY_SECONDS > deadline:
                raise
        time.sleep(RETRY_SECONDS)
