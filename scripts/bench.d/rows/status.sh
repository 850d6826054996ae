# shellcheck shell=bash disable=SC2154  # row sets what is used here
# status.sh - how much the status costs that everybody looks at.
#
# order: 50
# row: status-1000 - GET /status of 1000 services that run, 64 kept connections, against
#   libmicrohttpd with a fixed body of the same size
# row: status-304 - the same with If-None-Match, answered 304
# row: status-since - 58 clients that each wait with GET /status?since&wait while one of 1000
#   services is restarted again and again: processor time for each answer, against libmicrohttpd
#   with a body of the same size, written once for each change
# row: status-pollers - 58 clients that GET /status of 1000 services once a second while something
#   changes as often: the share of one processor, against libmicrohttpd with a fixed body
# tool: http_load: http_load crowd measure
# tool: status_since: status_since crowd measure
# tool: bare_http: bare_http measure | libmicrohttpd
# tool: ask_again: ask_again ending rest measure
# tool: plain_service: plain_service
# package: libmicrohttpd-dev

# shellcheck source=SCRIPTDIR/../load.sh
. "$here/load.sh"

status_services=1000
status_clients=64
status_pollers=58
status_seconds=1 # on either side, in a round
status_changes=50

# How many services run and are ready.
status_running() {
    ctl status --json | grep -o '"state":"running","ready":true' | wc -l
}

# status_prepare: the daemon with all services running, and $status_size, how long their status is.
status_prepare() {
    local number said

    daemon_prepare
    for ((number = 1; number <= status_services; number++)); do
        service_write "service-$number" "$tools/plain_service" '[readiness]' 'type = fd'
    done
    daemon_start
    until [ "$(status_running)" = $status_services ]; do
        kill -0 "$daemon" 2>/dev/null || trouble "orderlyd ended while its services started"
        sleep 0.1
    done
    said=$("$tools/http_load" "$at/api.sock" "$daemon" 1 1 /status full /dev/null 1) ||
        trouble "the status can't be had"
    status_size=$(word bytes "$said")
}

# bare_start SIZE-OF-CHANGE: sets $bare, its pid.
bare_start() {
    load_start bare_http "$tools/bare_http" "$work/bare.sock" "$status_size" "$1"
    bare=${load_pids[bare_http]}
}

# status_load full|match BOUND: as many requests as can be had.
status_load() {
    local round said bare

    status_prepare
    bare_start 1
    for ((round = $(rounds 5); round > 0; round--)); do
        said=$("$tools/http_load" "$work/bare.sock" "$bare" $status_clients $status_seconds \
            /status "$1" /dev/null) || trouble "the bare server failed"
        figure "$row" bare "$(word rate "$said")"
        figure "$row" '+bare-cpu us' "$(word cpu "$said")"
        said=$("$tools/http_load" "$at/api.sock" "$daemon" $status_clients $status_seconds /status \
            "$1" /dev/null) || trouble "a request failed"
        figure "$row" ours "$(word rate "$said")"
        figure "$row" '+cpu us' "$(word cpu "$said")"
        figure "$row" '+client us' "$(word client "$said")"
    done
    load_stop bare_http
    report "$row" /s "$2"
}

row_status_1000() {
    local status_size

    status_load full 'bare>=0.7'
    note "a body of $status_size bytes; the client has its share of the processors on both sides"
}

row_status_304() {
    local status_size

    status_load match '>=80000'
}

# status_told SIDE PREFIX SOCKET PID POST-PATH: one round; what nobody waits for is taken off.
status_told() {
    local alone told used

    rm -f "$work/$1"
    alone=$("$tools/status_since" "$3" "$4" 0 $status_changes /status "$5" /dev/null) ||
        trouble "a change failed"
    told=$("$tools/status_since" "$3" "$4" $status_pollers $status_changes /status "$5" \
        "$work/$1") || trouble "a change was not told"
    used=$(calculate "$(word cpu "$told") - $(word cpu "$alone")")
    figure "$row" "$1" "$(calculate "$used / $(word answers "$told")")"
    figure "$row" "+${2}answers each" "$(calculate "$(word answers "$told") / $status_pollers")"
    samples "$row" "+${2}p95 us" "$work/$1" 95
    status_change=$(word bytes "$told")
}

row_status_since() {
    local round bare status_size status_change

    status_prepare
    status_told ours '' "$at/api.sock" "$daemon" '/restart/service-7?wait'
    rm -r "$work/figures" # it told how large an answer is
    bare_start "$status_change"
    for ((round = $(rounds 5); round > 0; round--)); do
        status_told bare bare- "$work/bare.sock" "$bare" /change
        status_told ours '' "$at/api.sock" "$daemon" '/restart/service-7?wait'
    done
    load_stop bare_http
    report "$row" us
    note "of $status_change bytes; beside it how many answers a client got for each change, and" \
        "how long it took from the request until all $status_pollers knew its end"
}

row_status_pollers() {
    local round said bare status_size seconds=3

    status_prepare
    bare_start 1
    load_start changes "$tools/ask_again" "$at/api.sock" '/restart/service-7?wait' 1000
    for ((round = $(rounds 3); round > 0; round--)); do
        rm -f "$work"/{bare,ours}
        said=$("$tools/http_load" "$work/bare.sock" "$bare" $status_pollers $seconds /status full \
            "$work/bare" 1) || trouble "the bare server failed"
        figure "$row" bare "$(word share "$said")"
        said=$("$tools/http_load" "$at/api.sock" "$daemon" $status_pollers $seconds /status full \
            "$work/ours" 1) || trouble "a request failed"
        figure "$row" ours "$(word share "$said")"
        samples "$row" '+p95 us' "$work/ours" 95
        samples "$row" '+bare-p95 us' "$work/bare" 95
    done
    load_stop changes
    load_stop bare_http
    report "$row" %
    note "$status_size bytes to each of $status_pollers in every second; ours with a restart in it"
}
