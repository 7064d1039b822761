"""Verbs: questions to a live cluster, asked with the Kubernetes client. What the cluster should be is in `kustomize/`."""
