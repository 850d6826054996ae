# shellcheck shell=bash disable=SC2154  # row sets what is used here
# peers.sh - other supervisors with the same services, each in a folder below $work and with the
# settings that suit it best. Sourced by row, which ends those that run when it ends.
#
# Services are bench-1 to bench-COUNT and tell of themselves in FIFOs: LINES/NUMBER.fifo, or LINES
# itself for all of them when it is a FIFO.

peers=(supervisord s6 runit)
declare -A peer_pids=()

# fifo_of LINES NUMBER: sets $fifo.
fifo_of() {
    fifo=$1
    [ ! -d "$1" ] || fifo=$1/$2.fifo
}

# fifos_make FOLDER COUNT
fifos_make() {
    local number

    mkdir -p "$1"
    for ((number = 1; number <= $2; number++)); do
        [ -p "$1/$number.fifo" ] || mkfifo "$1/$number.fifo"
    done
}

# peer_prepare PEER LINES COUNT
peer_prepare() {
    mkdir "$work/$1"
    "$1_prepare" "$2" "$3"
}

# No shell stands between: the interpreter of the run file is the service itself.
run_folders_prepare() {
    local folder=$1 lines=$2 count=$3 number fifo

    for ((number = 1; number <= count; number++)); do
        echo "$folder/bench-$number"
    done | xargs mkdir --
    for ((number = 1; number <= count; number++)); do
        fifo_of "$lines" "$number"
        printf '#!%s %s\n' "$tools/plain_service" "$fifo" >"$folder/bench-$number/run"
    done
    chmod -R +x "$folder"
}

s6_prepare() {
    run_folders_prepare "$work/s6" "$@"
}

runit_prepare() {
    run_folders_prepare "$work/runit" "$@"
}

supervisord_prepare() {
    local number fifo

    {
        printf '%s\n' '[supervisord]' 'nodaemon = true' "logfile = $work/supervisord/log" \
            "pidfile = $work/supervisord/pid" "childlogdir = $work/supervisord" \
            'loglevel = error' "minfds = $(($2 * 4 + 100))" 'minprocs = 200' 'user = root' \
            '[unix_http_server]' "file = $work/supervisord/socket" '[supervisorctl]' \
            "serverurl = unix://$work/supervisord/socket" '[rpcinterface:supervisor]' \
            'supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface'
        for ((number = 1; number <= $2; number++)); do
            fifo_of "$1" "$number"
            printf '%s\n' "[program:bench-$number]" "command = $tools/plain_service $fifo" \
                'startsecs = 0' 'autorestart = true' 'redirect_stderr = true' 'stdout_logfile = NONE'
        done
    } >"$work/supervisord/conf"
}

# peer_command PEER: sets $command, what starts it, and $ending, the signal that ends it with all of
# its services.
peer_command() {
    ending=TERM
    case $1 in
    supervisord) command=(/usr/bin/supervisord -c "$work/supervisord/conf") ;;
    s6) command=(/usr/bin/s6-svscan -c 5000 "$work/s6") ;;
    runit)
        command=(/usr/bin/runsvdir -P "$work/runit")
        ending=HUP
        ;;
    esac
}

# peer_start PEER: returns at once; its services may not be there yet.
peer_start() {
    local command ending

    peer_command "$1"
    setpriv --pdeathsig "$ending" -- "${command[@]}" >>"$work/$1.log" 2>&1 </dev/null &
    peer_pids[$1]=$!
}

# peer_where PEER: what clients need to know to reach it.
peer_where() {
    case $1 in
    supervisord) echo "$work/supervisord/socket" ;;
    *) echo "$work/$1" ;;
    esac
}

# peer_way PEER: how the program "restarts" asks it.
peer_way() {
    case $1 in
    supervisord) echo supervisord ;;
    *) echo control ;;
    esac
}

# peers_prepare_and_start COUNT: with FIFOs of their own; they stay for all rounds.
peers_prepare_and_start() {
    local peer number

    for peer in "${peers[@]}"; do
        fifos_make "$work/lines-$peer" "$1"
        peer_prepare "$peer" "$work/lines-$peer" "$1"
        peer_start "$peer"
    done
    for peer in "${peers[@]}"; do
        for ((number = 1; number <= $1; number++)); do
            peer_await_service "$peer" "$number"
        done
    done
}

peers_stop() {
    local peer command ending

    for peer in "${!peer_pids[@]}"; do
        peer_command "$peer"
        kill "-$ending" "${peer_pids[$peer]}" 2>/dev/null
        wait "${peer_pids[$peer]}" 2>/dev/null
        unset "peer_pids[$peer]"
    done
}

# peer_await_service PEER NUMBER: until its supervisor takes orders for it.
peer_await_service() {
    case $1 in
    supervisord) peer_await "$1" test -S "$work/supervisord/socket" ;;
    *) peer_await "$1" test -p "$work/$1/bench-$2/supervise/control" ;;
    esac
}

# peer_await PEER COMMAND...: until it succeeds.
peer_await() {
    local peer=$1 left

    shift
    for ((left = 3000; left > 0; left--)); do
        ! "$@" || return 0
        kill -0 "${peer_pids[$peer]}" 2>/dev/null ||
            trouble "$peer ended while it started: $(tail -n 3 "$work/$peer.log")"
        sleep 0.01
    done
    trouble "$peer did not start"
}
