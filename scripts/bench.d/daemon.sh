# shellcheck shell=bash
# daemon.sh - Orderly's daemon in a row's own folder. Sourced by row, which sets $work and $build.
#
# $at is where the daemon lives: $work, unless a row has several of them and says "local at=...".
# shellcheck disable=SC2034  # used by whoever sources this

at=${work:?}
daemon=''    # the pid of the one started last
daemons=()   # those that run

# daemon_prepare [LINE...]: its folders and its file, lines of supervisor.conf added to it; services
# are written to $at/services.d after that.
daemon_prepare() {
    local runtime=${ORDERLY_BENCH_MEMORY:?}/${at//\//-}

    mkdir -p "$at"/{services.d,state,log} "$runtime"
    {
        printf '%s\n' '[daemon]' 'services_dir = services.d' 'state_dir = state' \
            "runtime_dir = $runtime" 'log_dir = log' 'log_target = stderr' '' '[api]' 'socket = api.sock' ''
        [ $# = 0 ] || printf '%s\n' "$@"
    } >"$at/supervisor.conf"
}

# service_write NAME COMMAND [LINE...]: a service of one process, ready at once unless lines of its
# file, sections included, say more.
service_write() {
    local name=$1 command=$2

    shift 2
    {
        printf '%s\n' '[service]' "command = $command"
        if [ $# -gt 0 ]; then
            printf '%s\n' "$@"
        else
            printf '%s\n' '[readiness]' 'type = immediate'
        fi
    } >"$at/services.d/$name.conf"
}

# daemon_start: ends with us whatever happens, in order.
daemon_start() {
    setpriv --pdeathsig TERM -- "${build:?}/bin/orderlyd" --config "$at/supervisor.conf" \
        >>"$at/daemon.log" 2>&1 </dev/null &
    daemon=$!
    daemons+=("$daemon")
    until ctl status --json >/dev/null 2>&1; do
        kill -0 "$daemon" 2>/dev/null || trouble "orderlyd ended while it started"
        sleep 0.01
    done
}

ctl() {
    "$build/bin/orderlyctl" --socket "$at/api.sock" "$@"
}

# daemon_stop [PID]: the one started last, unless another is meant.
daemon_stop() {
    local pid=${1:-$daemon} other rest=()

    [ -n "$pid" ] || return 0
    for other in "${daemons[@]}"; do
        [ "$other" = "$pid" ] || rest+=("$other")
    done
    daemons=("${rest[@]}")
    [ "$pid" != "$daemon" ] || daemon=''
    kill -TERM "$pid"
    wait "$pid" || trouble "orderlyd did not end well"
}

# trouble TEXT: what the daemon said last explains most of what goes wrong.
trouble() {
    printf 'error: %s: %s\n' "${row:?}" "$1" >&2
    [ ! -e "$at/daemon.log" ] || tail -n 20 "$at/daemon.log" >&2
    exit 1
}
