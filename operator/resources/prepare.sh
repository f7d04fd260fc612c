#!/bin/sh
# Runs to its end before each start of a broker, as init container `prepare` in the broker's image.
# 1. The guard: once the cluster has formed, a node that comes up with a blank disk waits here until
#    the operator lets it in. Booted too early it could found a second cluster, or pass for the
#    member that lost the disk. Fail-closed: without an operator no blank disk boots.
# 2. The files of the broker: cookie, configuration, and the credentials of its first boot.
set -eu
umask 077
# As process 1 a shell would ignore SIGTERM, and a held pod could not be deleted in time.
trap 'exit 143' TERM INT

source=/etc/rabbit-operator
etc=/etc/rabbitmq
data=/var/lib/rabbitmq
run=/run/rabbit-operator

node_data=$data/mnesia/$RABBITMQ_NODENAME
if [ -z "$(ls -A "$node_data" 2>/dev/null)" ] && [ "$(cat "$source/inventory/formed")" != false ]; then
  echo "prepare: held: this disk is blank and the cluster has formed; waiting for the operator"
  : >"$run/held"
  while [ ! -e "$run/release" ]; do
    sleep 0.2 2>/dev/null || sleep 1
  done
  echo "prepare: released with volume $(cat "$run/release")"
fi
# A release opens once.
rm -f "$run/held" "$run/release"

# Written anew each time: the broker refuses a cookie that others may read, and a volume's files may
# be opened to its group when it is mounted.
rm -f "$data/.erlang.cookie"
cp "$source/cookie" "$data/.erlang.cookie"
chmod 400 "$data/.erlang.cookie"

copy_configuration() {
  for file in rabbitmq.conf advanced.config enabled_plugins; do
    rm -f "$etc/$file"
    cp "$source/config/$file" "$etc/$file"
    chmod 600 "$etc/$file"
  done
}
# The volume may be renewed between two files, and what the broker boots from is told: the operator
# reads it off the pod's status.
hash=none
while [ "$hash" != "$(cat "$source/config/hash")" ]; do
  hash=$(cat "$source/config/hash")
  copy_configuration
done
printf '%s' "$hash" >/dev/termination-log || :

# Only the first boot of a cluster reads these; kept out of the ConfigMap.
mkdir -p "$etc/conf.d"
first_boot=$etc/conf.d/90-first-boot.conf
rm -f "$first_boot"
{
  printf 'default_user = %s\n' "$(cat "$source/operator-user/username")"
  printf 'default_pass = %s\n' "$(cat "$source/operator-user/password")"
  printf 'default_user_tags.administrator = true\n'
} >"$first_boot"
chmod 400 "$first_boot"
