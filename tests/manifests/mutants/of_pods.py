"""Mutants of pods: hardening, probes, shutdown, resources and disk."""

from __future__ import annotations

from tests.manifests.mutants.mutant import Added, Mutant

D = "Deployment slipway"
POD = "spec/template/spec"
MAIN = f"{POD}/containers/slipway"
AGENT = f"{POD}/initContainers/agent"
STORES = "company-of-stores"

HARDENING = (
    Mutant("restricted-pod", D, f"{POD}/securityContext/runAsNonRoot", False),
    Mutant("restricted-pod", D, f"{POD}/securityContext/seccompProfile"),
    Mutant("restricted-pod", D, f"{POD}/hostNetwork", True),
    Mutant(
        "restricted-pod",
        D,
        f"{POD}/volumes",
        Added({"name": "docker", "hostPath": {"path": "/run/docker.sock"}}),
    ),
    Mutant("restricted-pod", D, f"{MAIN}/securityContext/capabilities/add", ["NET_ADMIN"]),
    Mutant("restricted-pod", D, f"{AGENT}/securityContext/allowPrivilegeEscalation", True),
    Mutant("restricted-pod", D, f"{MAIN}/readinessProbe/httpGet/host", "10.0.0.1"),
    Mutant(
        "restricted-pod", "Job migrations", f"{POD}/containers/migrations/securityContext/privileged", True
    ),
    Mutant("restricted-pod", "InferenceService slipway", "spec/predictor/hostPID", True, of="kserve"),
    Mutant("numeric-user", D, f"{POD}/securityContext/runAsUser", 1034),
    Mutant("numeric-user", D, f"{POD}/securityContext/runAsUser"),
    Mutant("numeric-user", D, f"{POD}/securityContext/runAsGroup"),
    Mutant("volume-group", D, f"{POD}/securityContext/fsGroup"),
    Mutant("volume-group", D, f"{POD}/securityContext/fsGroupChangePolicy", "Always"),
    Mutant("read-only-root", D, f"{MAIN}/securityContext/readOnlyRootFilesystem", False),
    Mutant(
        "read-only-root",
        "Job smoke-test",
        f"{POD}/containers/smoke-test/securityContext/readOnlyRootFilesystem",
    ),
    Mutant("no-token", D, f"{POD}/automountServiceAccountToken"),
    Mutant("no-token", "ServiceAccount slipway", "automountServiceAccountToken", True),
    Mutant("own-account", D, f"{POD}/serviceAccountName"),
    Mutant("own-account", D, f"{POD}/serviceAccountName", "default"),
    Mutant("least-roles", "Role dev-secret", "rules/0/verbs", ["*"], of="dev"),
    Mutant("least-roles", "Role dev-secret", "rules/0/verbs", ["create", "list"], of="dev"),
    Mutant("least-roles", "Role dev-secret", "kind", "ClusterRole", of="dev"),
    Mutant("least-roles", "ServiceAccount slipway", "kind", "RoleBinding"),
    Mutant("no-service-links", D, f"{POD}/enableServiceLinks"),
    Mutant("image-pinned", D, f"{MAIN}/image", "ghcr.io/example/slipway:latest"),
    Mutant("image-pinned", D, f"{MAIN}/image", "ghcr.io/example/slipway"),
    Mutant("image-pinned", D, f"{AGENT}/image", "ghcr.io/example/slipway:1.4.0"),
    Mutant("image-pinned", D, f"{AGENT}/image", "ghcr.io/example/slipway@sha256:abc"),
    Mutant("image-pinned", "Deployment redis", f"{POD}/containers/redis/image", "redis", of="dev"),
    Mutant("image-pull", D, f"{MAIN}/imagePullPolicy", "Always"),
    Mutant(
        "secrets-as-files",
        D,
        f"{MAIN}/env",
        Added(
            {
                "name": "JWT_SECRET_KEY",
                "valueFrom": {"secretKeyRef": {"name": "slipway-secrets", "key": "jwt-secret-key"}},
            }
        ),
    ),
    Mutant("secrets-as-files", D, f"{MAIN}/envFrom", Added({"secretRef": {"name": "slipway-secrets"}})),
    Mutant("secrets-as-files", D, f"{POD}/volumes/secrets/secret/defaultMode", 0o644),
    Mutant("no-secret-in-git", "ServiceAccount slipway", "kind", "Secret"),
    Mutant(
        "no-secret-in-git",
        "ConfigMap slipway-settings",
        "data/DATABASE_URL",
        "postgresql://slipway:hunter2@db:5432/slipway",
    ),
)
RUNNING = (
    Mutant("roll-out", D, "spec/strategy/rollingUpdate/maxUnavailable", "25%"),
    Mutant("roll-out", D, "spec/strategy", {"type": "Recreate"}),
    Mutant("roll-out", D, "spec/minReadySeconds"),
    Mutant("roll-out", D, "spec/progressDeadlineSeconds", 600),
    Mutant("roll-out", "InferenceService slipway", "spec/predictor/deploymentStrategy", of="kserve"),
    Mutant("shutdown-fits", D, f"{POD}/terminationGracePeriodSeconds", 45),
    Mutant("shutdown-fits", D, f"{POD}/terminationGracePeriodSeconds"),
    Mutant("shutdown-fits", D, f"{MAIN}/lifecycle"),
    Mutant(
        "shutdown-fits",
        D,
        f"{MAIN}/lifecycle/preStop",
        {"exec": {"command": ["sh", "-c", 'touch "$DRAIN_FILE"; sleep 25']}},
    ),
    Mutant("drain-file", D, f"{MAIN}/lifecycle/preStop", {"sleep": {"seconds": 10}}),
    Mutant("service-probes", D, f"{MAIN}/livenessProbe/httpGet/path", "/readyz"),
    Mutant("service-probes", D, f"{MAIN}/readinessProbe/httpGet/path", "/health"),
    Mutant("service-probes", D, f"{MAIN}/startupProbe"),
    Mutant("service-probes", D, f"{MAIN}/startupProbe/failureThreshold", 3),
    Mutant("service-probes", D, f"{MAIN}/livenessProbe/failureThreshold", 1),
    Mutant("service-probes", D, f"{AGENT}/livenessProbe/httpGet/path", "/metrics"),
    Mutant("every-process-is-probed", "Deployment redis", f"{POD}/containers/redis/livenessProbe", of="dev"),
    Mutant(
        "every-process-is-probed",
        "StatefulSet postgres",
        f"{POD}/containers/postgres/readinessProbe",
        of="dev",
    ),
    Mutant("every-process-is-probed", D, f"{AGENT}/livenessProbe"),
    Mutant("probe-ports", D, f"{MAIN}/readinessProbe/httpGet/port", "api"),
    Mutant("probe-ports", D, f"{MAIN}/livenessProbe/httpGet/port", 8000),
    Mutant("resources", D, f"{MAIN}/resources/limits/memory", "2Gi"),
    Mutant("resources", D, f"{MAIN}/resources/requests/cpu"),
    Mutant("resources", D, f"{MAIN}/resources/limits/ephemeral-storage"),
    Mutant("resources", D, f"{MAIN}/resources/limits/ephemeral-storage", "128Mi"),
    Mutant("resources", "Job migrations", f"{POD}/containers/migrations/resources"),
    Mutant("no-throttling", D, f"{MAIN}/resources/limits/cpu", "500m"),
    Mutant("no-throttling", D, f"{MAIN}/resources/limits/cpu", "2"),
    Mutant("one-worker", "ConfigMap slipway-settings", "data/WORKERS", "4"),
    Mutant("one-worker", "ConfigMap slipway-settings", "data/AGENT_ENABLED", "true"),
    Mutant("spread", D, f"{POD}/topologySpreadConstraints"),
    Mutant("spread", D, f"{POD}/topologySpreadConstraints/0/whenUnsatisfiable", "DoNotSchedule"),
    Mutant("spread", D, f"{POD}/topologySpreadConstraints/0/matchLabelKeys"),
    Mutant("spread", D, f"{POD}/topologySpreadConstraints/1/labelSelector/matchLabels", {"app": "slipway"}),
    Mutant("jobs-end", "Job migrations", "spec/backoffLimit"),
    Mutant("jobs-end", "Job smoke-test", "spec/activeDeadlineSeconds"),
    Mutant("cron-jobs-are-alone", "CronJob retrain", "spec/concurrencyPolicy", "Allow", of=STORES),
    Mutant("cron-jobs-are-alone", "CronJob retrain", "spec/startingDeadlineSeconds", of=STORES),
    Mutant("arguments", D, f"{MAIN}/args", ["severing"]),
    Mutant("arguments", "Job migrations", f"{POD}/containers/migrations/args", ["alembic", "upgrade"]),
    Mutant("trial-fits", "ConfigMap slipway-settings", "data/MODEL_LOAD_LIMIT_BYTES", "536870912"),
    Mutant("trial-fits", D, f"{AGENT}/resources/limits/memory", "512Mi"),
)
STORAGE = (
    Mutant("bounded-scratch", D, f"{POD}/volumes/tmp/emptyDir", {}),
    Mutant("bounded-scratch", D, f"{POD}/volumes/store/emptyDir/sizeLimit", "20Gi"),
    Mutant("writable-places", D, f"{MAIN}/volumeMounts", Added({"name": "tmp", "mountPath": "/opt/scratch"})),
    Mutant("writable-places", "ConfigMap slipway-settings", "data/SPOOL_DIR", "/data/spool"),
    Mutant("writable-places", D, f"{MAIN}/volumeMounts/run"),
    Mutant("hidden-places", D, f"{MAIN}/volumeMounts/run/mountPath", "/var/lib/slipway/run/metrics"),
    Mutant("hidden-places", D, f"{MAIN}/volumeMounts/tmp/mountPath", "/app"),
    Mutant("spool-fits", "ConfigMap slipway-settings", "data/SPOOL_LIMIT_BYTES", "1073741824"),
    Mutant("spool-fits", D, f"{POD}/volumes/spool/emptyDir/sizeLimit", "256Mi"),
    Mutant("spool-fits", D, f"{MAIN}/resources/limits/ephemeral-storage", "512Mi"),
    Mutant("shared-spool", D, f"{AGENT}/volumeMounts/spool"),
    Mutant("shared-spool", D, f"{AGENT}/volumeMounts/store/name", "agent-tmp"),
    Mutant("shared-spool", D, f"{AGENT}/args", ["records", "current"]),
)
MUTANTS = (*HARDENING, *RUNNING, *STORAGE)
