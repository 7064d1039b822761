# The whole training environment: DVC, the MLflow server, retraining, batches. `make training-image` builds it from the tracked
# files, with any builder.
ARG BASE_IMAGE=python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
ARG BUILD_IMAGE=${BASE_IMAGE}

# --- what is needed to install packages, and stays behind --------------------------------------------------------------
FROM ${BUILD_IMAGE} AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
# ca.crt: certificate authorities of whoever builds, where there are any. The pattern lets it be absent.
COPY requirements/training.txt ca.cr[t] /build/
# One package of the lock exists as source only (a parser's runtime that DVC's configuration needs): it is built with the locked
# setuptools, not with what the index offers that day.
RUN set -eu; cd /build; \
    if [ -f ca.crt ]; then export PIP_CERT=/build/ca.crt; fi; \
    python3.11 -m venv pip; \
    python3.11 -m venv --without-pip /app/.venv; \
    awk '/^setuptools==/ {found = 1} found {print} found && !/\\$/ {exit}' training.txt > setuptools.txt; \
    install() { pip/bin/python -m pip --python /app/.venv/bin/python install --quiet --no-cache-dir --no-compile \
        --disable-pip-version-check --require-hashes --only-binary :all: "$@"; }; \
    install --requirement setuptools.txt; \
    install --no-build-isolation --no-binary antlr4-python3-runtime --requirement training.txt
RUN set -eu; cd /app/.venv/lib/python3.11/site-packages; \
    find . -type d \( -name tests -o -name test \) -path '*/*/*' \
        \( -path './pyarrow/*' -o -path './numpy/*' -o -path './pandas/*' -o -path './scipy/*' -o -path './sklearn/*' \
        -o -path './matplotlib/*' -o -path './numba/*' -o -path './onnx/*' -o -path './ray/*' \) -prune -exec rm -rf {} +; \
    rm -rf pyarrow/include pyarrow/src; find . -name '*.a' -delete
RUN set -eu; \
    /app/.venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /app/.venv/lib; \
    chmod -R a+rX,go-w /app
COPY . /app/src/
RUN set -eu; rm -f /app/src/ca.crt; \
    /app/.venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app/src; \
    mkdir -p /app/dvc /volumes/mlflow; printf '[core]\n    no_scm = true\n    analytics = false\n' > /app/dvc/config; \
    chmod -R a+rX,go-w /app/src /app/dvc; chmod 1777 /volumes/mlflow

# --- the image ---------------------------------------------------------------------------------------------------------
FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="slipway-training" \
      org.opencontainers.image.description="DVC, the MLflow server, retraining and batches of Slipway" \
      org.opencontainers.image.licenses="Apache-2.0"
# The large layer changes with the lock, the small ones with every commit.
COPY --from=build /app/.venv /app/.venv
COPY --from=build /app/dvc /app/dvc
COPY --from=build /app/src /app/src
# Where a volume of the MLflow server goes; like /tmp, because a platform may pick any user. (COPY keeps the permissions of
# what is in a folder, not its own.)
COPY --from=build /volumes /var/lib
# DVC finds a pipeline without a Git repository by the setting in /app/dvc, and asks for the name of a user that no platform
# has written into /etc/passwd. GIT_PYTHON_REFRESH: a base may have no git.
ENV PATH=/app/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    USER=slipway \
    LOGNAME=slipway \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DVC_SYSTEM_CONFIG_DIR=/app/dvc \
    DVC_NO_ANALYTICS=1 \
    DVC_SITE_CACHE_DIR=/tmp/dvc \
    GIT_PYTHON_REFRESH=quiet \
    MPLCONFIGDIR=/tmp/matplotlib \
    NUMBA_CACHE_DIR=/tmp/numba \
    MLFLOW_DISABLE_TELEMETRY=true \
    RAY_USAGE_STATS_ENABLED=0
WORKDIR /app/src
USER 10034:10034
ENTRYPOINT ["/app/.venv/bin/python", "-m"]
CMD ["training", "--help"]
