# shellcheck shell=bash
# What every part of `cluster` and every script beside it uses: messages, waiting, the cache, the addresses.

node_ip=10.200.0.1
pod_cidr=10.244.0.0/16
service_cidr=10.96.0.0/16

# Nobody's proxy leads to them: kubectl, curl and the tests inherit this. Once, for the scripts call each other.
unproxied=127.0.0.1,$node_ip,$pod_cidr,$service_cidr
if [[ ${no_proxy-} != *"$unproxied" ]]; then
  no_proxy=${no_proxy:+$no_proxy,}${NO_PROXY:+$NO_PROXY,}$unproxied
  export no_proxy NO_PROXY=$no_proxy
fi

# Who became root by a plain `su` has them not on the PATH: ip, iptables, sysctl.
[[ :$PATH: == *:/usr/sbin:* ]] || PATH=$PATH:/usr/sbin:/sbin

log() { printf '%(%H:%M:%S)T %s\n' -1 "$*" >&2; }

die() {
  log "error: $*"
  exit 1
}

# What was asked makes no sense: nothing was begun.
misuse() {
  log "error: $*"
  exit 2
}

# Whether waiting still makes sense. Who starts programs (processes.sh) knows better.
no_part_has_died() { return 0; }

# Waits until a command succeeds; says what for, and what the command said last when it never does.
wait_until() { # SECONDS WHAT COMMAND...
  local seconds=$1 what=$2 last began=$SECONDS
  shift 2
  until last=$("$@" 2>&1); do
    ((SECONDS - began < seconds)) || die "waited $seconds s for $what; last answer: ${last:-none}"
    no_part_has_died || die "gave up waiting for $what"
    sleep 0.3
  done
  log "$what: yes, after $((SECONDS - began)) s"
}

# A digest of files and words: the name under which the cache keeps what is made of them.
digest() { # [-f FILE]... [WORD]...
  local -a files=() words=()
  while (($#)); do
    if [[ $1 == -f ]]; then files+=("$2"); shift 2; else words+=("$1"); shift; fi
  done
  { ((${#files[@]} == 0)) || cat -- "${files[@]}"; printf '%s\0' "${words[@]}"; } | sha256sum | head -c 16
}

# Makes a file or directory of the cache, once, however many runs want it at the same time.
# The command gets a path to write to, which is moved into place when the command succeeded.
# What nobody wanted for a month goes away when something new comes.
cached() { # PATH WHAT COMMAND...
  local path=$1 what=$2
  shift 2
  if [[ -e $path ]]; then
    touch "$path"
    return
  fi
  mkdir -p "${path%/*}"
  # No `||` after this subshell: bash would go on after a failing command inside of it.
  (
    trap '(($? == 0)) || log "error: $what failed"' EXIT
    flock 8
    [[ ! -e $path ]] || exit 0
    began=$SECONDS
    log "$what …"
    rm -rf "$path.new"
    "$@" "$path.new" >&2
    mv "$path.new" "$path"
    log "$what: done in $((SECONDS - began)) s"
  ) 8>"$path.lock"
  rm -f "$path.lock"
  clear_cache "${path%/*}"
}

# Of the directory, which may be anybody's, only what has a name as we give it, and not what a program runs from.
clear_cache() { # DIRECTORY
  local each directory
  directory=$(realpath "$1")
  while IFS= read -r -d '' each; do
    [[ -n $(find /proc/[0-9]*/exe -maxdepth 0 \( -lname "$each" -o -lname "$each/*" \) -print -quit 2>/dev/null) ]] || rm -rf "$each"
  done < <(find "$directory" -mindepth 1 -maxdepth 1 -mtime +30 -regextype posix-extended \
    -regex '.*/(containerd|coredns|image|kubernetes|pause|python)-[^/]*[0-9a-f]{16}(\.tar)?(\.new|\.lock)?' -print0)
}
