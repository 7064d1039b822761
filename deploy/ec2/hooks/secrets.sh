#!/bin/sh
# Puts the secrets from Parameter Store into memory-backed files that the containers mount: before a deployment, after a boot, and after a
# rotation (`systemctl restart slipway-secrets`; the key that signs tokens is read again without a restart of the service).
set -eu
# shellcheck source=host.sh
. "$(dirname -- "$0")/host.sh"

fetch() { # name, required or optional
  target="$SECRETS_DIR/$1"
  if aws ssm get-parameter --with-decryption --name "$SECRETS_PREFIX/$1" --query Parameter.Value --output text \
    >"$target.new" 2>"$target.err"; then
    :
  elif [ "$2" = optional ] && grep -q ParameterNotFound "$target.err"; then
    : >"$target.new" # an empty file means unset
  else
    cat "$target.err" >&2
    rm -f "$target.new" "$target.err"
    die "secret $SECRETS_PREFIX/$1 cannot be read"
  fi
  rm -f "$target.err"
  chmod 0440 "$target.new"
  chown "$OWNER:$OWNER" "$target.new"
  mv "$target.new" "$target"
}

umask 077
mkdir -p "$SECRETS_DIR"
chown "$OWNER:$OWNER" "$SECRETS_DIR"
chmod 0750 "$SECRETS_DIR"
fetch jwt-secret-key required
fetch database-url required
fetch redis-url optional
fetch features-url optional
