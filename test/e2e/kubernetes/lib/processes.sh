# shellcheck shell=bash
# The programs that run for a run directory. They are recognised by what they are, a program of ours
# with a path below the run directory among its arguments, and not by a file with a process id: such
# a file is stale after a crash, and gone after `rm -rf build`, with everything still running.

programs=(containerd containerd-shim-runc-v2 "${parts[@]}")
started=()

# Starts a program that outlives this script. All that it starts must name a path below $run.
start() { # PROGRAM ARGUMENT...
  local name=${1##*/}
  # Descriptors 8 and 9 are locks, on what the cache is about to get and on the run directory.
  setsid "$@" >>"$run/logs/$name.log" 2>&1 </dev/null 8>&- 9>&- &
  disown
  started+=("$name")
}

process_ids() { # [PROGRAM]...
  local file name
  local -a argv wanted=("$@")
  (($#)) || wanted=("${programs[@]}")
  for file in /proc/[0-9]*/cmdline; do
    mapfile -d '' -t argv 2>/dev/null <"$file" || continue
    name=${argv[0]-}
    [[ " ${wanted[*]} " == *" ${name##*/} "* && " ${argv[*]}" == *[\ =]"$run/"* ]] || continue
    file=${file%/cmdline}
    echo "${file##*/}"
  done
}

no_part_has_died() {
  local name
  for name in "${started[@]}"; do
    [[ -n $(process_ids "$name") ]] && continue
    log "$name has ended; the end of $run/logs/$name.log:"
    tail -n 15 "$run/logs/$name.log" >&2 || true
    return 1
  done
}

# At once and for certain: nothing that they hold is kept.
kill_processes() { # PROCESS_ID...
  local id
  for id in "$@"; do kill -KILL "$id" 2>/dev/null || true; done
}
