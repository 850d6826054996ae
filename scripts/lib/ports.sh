# shellcheck shell=bash
# ports.sh - what is listened on already, and by whom. Reads /proc; needs no tools.

# "PORT INODE" of every TCP socket that 127.0.0.1 would meet.
listening_ports() {
    local address inode

    awk '$4 == "0A" { print $2, $10 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        while read -r address inode; do
            case ${address%:*} in
            0100007F | 00000000 | 00000000000000000000000000000000 | \
                0000000000000000FFFF00000100007F) echo "$((16#${address#*:})) $inode" ;;
            esac
        done
}

# The pid that holds a socket; nothing when it belongs to a user whose processes we can't see.
socket_owner() {
    local path

    path=$(find /proc/[0-9]*/fd -maxdepth 1 -lname "socket:\[$1\]" -print -quit 2>/dev/null)
    path=${path#/proc/}
    echo "${path%%/*}"
}

# Whether a process is a service of this clone, left running by an earlier daemon of it, which the
# next one takes over: its output goes to a FIFO below run/runtime.
is_left_over() {
    local fifo

    for fifo in "${root:?}"/run/runtime/*/*; do
        if [ "/proc/$1/fd/1" -ef "$fifo" ] || [ "/proc/$1/fd/2" -ef "$fifo" ]; then
            return 0
        fi
    done
    return 1
}

# listeners PORT...: "PORT PID" of whoever listens on one of them; PID 0: another user's process.
listeners() {
    local port inode pid

    while read -r port inode; do
        case " $* " in
        *" $port "*)
            pid=$(socket_owner "$inode")
            echo "$port ${pid:-0}"
            ;;
        esac
    done < <(listening_ports)
}

# ports_in_use PORT...: prints a line for each that somebody else listens on.
ports_in_use() {
    local port pid

    while read -r port pid; do
        if [ "$pid" = 0 ]; then
            echo "port $port is in use by a process of another user"
        elif ! is_left_over "$pid"; then
            echo "port $port is in use by pid $pid: $(tr '\0\n' '  ' < "/proc/$pid/cmdline" | cut -c 1-80)"
        fi
    done < <(listeners "$@")
}

# Whether somebody listens on a Unix socket.
socket_listened() {
    awk -v path="$1" '$4 == "00010000" && $8 == path { found = 1 } END { exit !found }' /proc/net/unix
}
