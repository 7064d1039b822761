"""From the options of a verb to a cluster: a kubeconfig where there is one, otherwise the account of the pod we run in."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import yaml

from k8s.api.cluster import Cluster
from k8s.errors import Misused
from k8s.settings import DEFAULT_NAMESPACE, ClusterSettings

if TYPE_CHECKING:
    from kubernetes.client import Configuration

UNREADABLE = (yaml.YAMLError, LookupError, TypeError, ValueError, AttributeError)


def connect(options: argparse.Namespace, *, seconds: float | None = None) -> Cluster:
    """Imports the client, which only those verbs need that ask the API server. `seconds` are for all questions together."""
    try:
        from kubernetes import client
        from kubernetes.config.config_exception import ConfigException
    except ImportError:
        raise Misused(
            "this needs the `kubernetes` client, which is not installed here: run it in the project's own environment"
        ) from None
    configuration = client.Configuration()
    # Waiting and trying again are decided here, with the deadline of the verb in mind.
    configuration.retries = False
    settings: ClusterSettings = options.settings
    try:
        if settings.in_cluster and not options.kubeconfig and not options.context:
            namespace = _from_pod(configuration, settings)
        else:
            namespace = _from_kubeconfig(configuration, options.kubeconfig, options.context)
    except (ConfigException, OSError) as error:
        raise Misused(f"no cluster is configured: {error}") from None
    except UNREADABLE as error:  # a file that is no kubeconfig goes through the client as whatever it is
        kind = type(error).__name__
        raise Misused(f"no cluster is configured: the kubeconfig cannot be read ({kind})") from None
    chosen = options.namespace or namespace or DEFAULT_NAMESPACE
    return Cluster(client.ApiClient(configuration), namespace=chosen, seconds=seconds)


def _from_pod(configuration: Configuration, settings: ClusterSettings) -> str:
    from kubernetes.config.incluster_config import InClusterConfigLoader

    loader = InClusterConfigLoader(  # type: ignore[no-untyped-call]
        token_filename=str(settings.pod_folder / "token"),
        cert_filename=str(settings.pod_folder / "ca.crt"),
        environ={"KUBERNETES_SERVICE_HOST": settings.api_host, "KUBERNETES_SERVICE_PORT": settings.api_port},
    )
    loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    return settings.pod_namespace


def _from_kubeconfig(configuration: Configuration, path: str, context: str) -> str:
    """The namespace of the context."""
    from kubernetes import config

    file = path or None
    contexts, current = config.list_kube_config_contexts(config_file=file)  # type: ignore[no-untyped-call]
    config.load_kube_config(  # type: ignore[no-untyped-call]
        config_file=file, context=context or None, client_configuration=configuration, persist_config=False
    )
    chosen = next((entry for entry in contexts if entry["name"] == context), current)
    return str(chosen["context"].get("namespace", ""))
