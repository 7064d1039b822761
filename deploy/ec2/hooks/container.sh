#!/bin/sh
# One container of the image, hardened like the pod in kustomize/base: read-only root, a user with a number, no capabilities, limits, and
# the same writable folders. Runs in the foreground, so that systemd supervises it. Docker's bridge and the instance's hop limit of 1 keep
# the containers from the metadata address: the instance's own credentials are not theirs.
#   container.sh service | agent | migrations | smoke [OPTION...]
set -eu
# shellcheck source=host.sh
. "$(dirname -- "$0")/host.sh"

role=${1:?service, agent, migrations or smoke}
shift
settings="$CONFIG_DIR/settings.env"

contained() { # memory, then what is particular to the container
  memory=$1
  shift
  if [ -n "$LOG_GROUP" ]; then
    set -- --log-driver awslogs --log-opt "awslogs-group=$LOG_GROUP" --log-opt "awslogs-stream=$role-$(uname -n)" "$@"
  fi
  exec docker run --rm --read-only --user "$OWNER:$OWNER" --cap-drop ALL --security-opt no-new-privileges --pids-limit 512 \
    --memory "$memory" --memory-swap "$memory" --tmpfs /tmp:rw,noexec,nosuid,size=128m "$@"
}

bound() { echo "type=bind,source=$1,target=$2"; }
secrets="$(bound "$SECRETS_DIR" /etc/slipway/secrets),readonly"
keys="$(bound "$KEYS_DIR" /etc/slipway/keys),readonly"

case $role in
  service)
    contained 768m --name slipway --cpus 1 --publish "$API_PORT:8000" --publish 9100:9100 --env-file "$settings" \
      --mount "$secrets" --mount "$keys" --mount "$(bound "$STATE_DIR/run" /var/lib/slipway/run)" \
      --mount "$(bound "$STATE_DIR/spool" /var/lib/slipway/spool)" --mount "$(bound "$STATE_DIR/store" /var/lib/slipway/store)" \
      "$IMAGE" serving
    ;;
  agent) # without the keys that sign tokens
    contained 512m --name slipway-agent --publish 9101:9101 --env-file "$settings" \
      --mount "$secrets" --mount "$(bound "$STATE_DIR/agent-run" /var/lib/slipway/run)" \
      --mount "$(bound "$STATE_DIR/spool" /var/lib/slipway/spool)" --mount "$(bound "$STATE_DIR/store" /var/lib/slipway/store)" \
      "$IMAGE" serving.agent
    ;;
  migrations)
    contained 256m --name slipway-migrations --env DATABASE_URL_FILE=/etc/slipway/secrets/database-url \
      --mount "$secrets" "$IMAGE" records upgrade
    ;;
  smoke) # in the network of the service: what it asks never leaves the instance
    contained 256m --name slipway-smoke --network container:slipway --mount "$keys" \
      "$IMAGE" k8s smoke --url http://127.0.0.1:8000 --jwt-key-file /etc/slipway/keys/jwt-secret-key "$@"
    ;;
  *) die "no such container: $role" ;;
esac
