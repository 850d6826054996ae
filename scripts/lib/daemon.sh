# shellcheck shell=bash
# daemon.sh - the daemon of this clone: where it stands, whether it runs, how it starts and ends.

# daemon_paths: sets $home (the clone, by a path short enough for a Unix socket), $config, $socket,
# $daemon_log and $build. A socket's path may have 107 bytes; a deeper clone is reached through a link in a folder
# that only this user can write to.
daemon_paths() {
    local folder

    home=${root:?}
    if [ ${#root} -gt 90 ]; then
        folder=/tmp/orderly-$(id -u)
        mkdir -m 700 "$folder" 2>/dev/null || true
        if [ "$(stat -c '%F %a %u' "$folder")" != "directory 700 $(id -u)" ]; then
            fail "$folder is needed for a short path to $root, but it is not a private folder of uid $(id -u)"
        fi
        home=$folder/$(printf %s "$root" | cksum | cut -d ' ' -f 1)
        ln -sfn "$root" "$home"
    fi
    config=$home/supervisor.conf
    socket=$home/run/api.sock
    build=$root/build/release
    daemon_log=$home/run/log/orderlyd.log
}

ctl() {
    "$build/bin/orderlyctl" --socket "$socket" "$@"
}

# Prints the pid of the daemon that ./scripts/run started; false when it is gone.
daemon_pid() {
    local pid

    pid=$(cat "$home/run/orderlyd.pid" 2>/dev/null) && [ -n "$pid" ] || return 1
    case $(readlink "/proc/$pid/exe" 2>/dev/null) in
    */orderlyd | */orderlyd\ \(deleted\)) echo "$pid" ;;
    *) return 1 ;;
    esac
}

daemon_answers() {
    [ -x "$build/bin/orderlyctl" ] && ctl status > /dev/null 2>&1
}

service_names() {
    local file

    for file in "$home"/services.d/*.conf; do
        basename "$file" .conf
    done
}

# Every port that the daemon and its services listen on, as their files say.
needed_ports() {
    sed -n 's/^listen = .*:\([0-9]*\)$/\1/p' "$config"
    sed -n 's/^[A-Z0-9_]*_PORT=\([0-9]*\)$/\1/p' "$home/services.d/etc/network.env"
}

# Whether services run on that an earlier daemon of this clone started.
services_left_over() {
    local ports pid

    mapfile -t ports < <(needed_ports)
    while read -r _ pid; do
        ! is_left_over "$pid" || return 0
    done < <(listeners "${ports[@]}")
    return 1
}

# Nothing is started when something that we need is somebody else's.
daemon_check_free() {
    local ports used pid

    mapfile -t ports < <(needed_ports)
    mapfile -t used < <(ports_in_use "${ports[@]}")
    if pid=$(daemon_pid); then
        fail "the daemon of this clone (pid $pid) is there but does not answer" \
            "Its log is $daemon_log; kill $pid ends it."
    fi
    if socket_listened "$socket"; then
        used+=("$socket is listened on by another program")
    fi
    [ ${#used[@]} = 0 ] || fail "something that Orderly needs is in use; nothing was started" \
        "${used[@]}" "End that program, or choose other ports in supervisor.conf and services.d/etc/network.env."
}

# Starts the daemon in a session of its own and waits until it answers. Sets $log_start: what its log
# holds from there on is its own.
daemon_start() {
    local pid

    log_start=$(stat -c %s "$daemon_log" 2>/dev/null || echo 0)
    setsid nohup "$build/bin/orderlyd" --config "$config" \
        >> "$daemon_log" 2>&1 </dev/null 9>&- &
    pid=$!
    echo "$pid" > "$home/run/orderlyd.pid"
    until daemon_answers; do
        if ! kill -0 "$pid" 2>/dev/null; then
            show_tail "$daemon_log" "$log_start"
            fail "the daemon ended while it started; its log is $daemon_log"
        fi
        sleep 0.05
    done
}

# An ordered stop: returns once the daemon is gone.
daemon_stop() {
    local pid

    pid=$(daemon_pid) || pid=
    ctl shutdown || fail "the daemon refused to shut down; its log is $daemon_log"
    if [ -n "$pid" ]; then
        timeout 120 tail --pid="$pid" -s 0.05 -f /dev/null ||
            fail "the daemon (pid $pid) is still there after two minutes; its log is $daemon_log"
    fi
    while socket_listened "$socket"; do
        sleep 0.05
    done
    rm -f "$home/run/orderlyd.pid"
    if [ "$home" != "$root" ]; then
        rm -f "$home"
    fi
}
