#!/bin/sh
# Puts the secrets, and the policy of who is let in, from Parameter Store into memory-backed folders that the containers mount: before a deployment, after a boot, and after a
# rotation (`systemctl restart slipway-secrets`; keys that sign tokens, the policy and a database's new password are read again, other addresses
# want `systemctl restart slipway-agent slipway`). Folders and not files, because a mounted file would stay the one that was replaced; two
# of them, because the agent gets no key that signs.
set -eu
# shellcheck source=host.sh
. "$(dirname -- "$0")/host.sh"

fetch() { # folder, name, required or optional
  target="$1/$2"
  if aws ssm get-parameter --with-decryption --name "$SECRETS_PREFIX/$2" --query Parameter.Value --output text \
    >"$target.new" 2>"$target.err"; then
    :
  elif [ "$3" = optional ] && grep -q ParameterNotFound "$target.err"; then
    : >"$target.new" # an empty file means unset
  else
    cat "$target.err" >&2
    rm -f "$target.new" "$target.err"
    die "secret $SECRETS_PREFIX/$2 cannot be read"
  fi
  rm -f "$target.err"
  chmod 0440 "$target.new"
  chown "$OWNER:$OWNER" "$target.new"
  mv "$target.new" "$target"
}

umask 077
for folder in "$SECRETS_DIR" "$KEYS_DIR"; do
  mkdir -p "$folder"
  chown "$OWNER:$OWNER" "$folder"
  chmod 0750 "$folder"
done
fetch "$KEYS_DIR" jwt-secret-key required
fetch "$KEYS_DIR" jwt-signing-key optional
fetch "$SECRETS_DIR" auth-policy optional
fetch "$SECRETS_DIR" model-verify-keys optional
fetch "$SECRETS_DIR" database-url required
fetch "$SECRETS_DIR" redis-url optional
fetch "$SECRETS_DIR" features-url optional
