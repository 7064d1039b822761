#!/bin/sh
# Everything that may fail before anything is started: the image by its digest, the secrets, the folders.
set -eu
# shellcheck source=host.sh
. "$(dirname -- "$0")/host.sh"

registry=${IMAGE%%/*}
case $registry in
  *.amazonaws.com | *.amazonaws.com.cn)
    aws ecr get-login-password | docker login --username AWS --password-stdin "$registry" >/dev/null
    ;;
esac
docker pull --quiet "$IMAGE"
sh "$HERE/hooks/secrets.sh"

for folder in run agent-run spool store; do
  mkdir -p "$STATE_DIR/$folder"
  chown "$OWNER:$OWNER" "$STATE_DIR/$folder"
  chmod 0750 "$STATE_DIR/$folder"
done
mkdir -p "$CONFIG_DIR"

# The images of the last three deployments stay, so that a rollback needs no registry.
touch "$STATE_DIR/images"
{ grep -vxF "$IMAGE" "$STATE_DIR/images" || :; echo "$IMAGE"; } | tail -n 3 >"$STATE_DIR/images.new"
mv "$STATE_DIR/images.new" "$STATE_DIR/images"
docker image ls --digests --format '{{.Repository}}@{{.Digest}}' | while read -r found; do
  if [ "${found%%@*}" = "${IMAGE%%@*}" ] && ! grep -qxF "$found" "$STATE_DIR/images"; then
    docker image rm "$found" >/dev/null || say "$found stays: something uses it"
  fi
done
say "$IMAGE is here"
