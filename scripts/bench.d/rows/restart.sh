# shellcheck shell=bash disable=SC2154  # row sets what is used here
# restart.sh - restarts of processes, asked for.
#
# order: 10
# row: restart-process - POST /restart/SERVICE?wait over one kept connection, against signal, wait,
#   posix_spawn and first line; the same with a control group and an executor for each (floor);
#   other supervisors by their sockets and FIFOs, each service once
# row: restart-process-ctl - orderlyctl restart as a whole process, against the same bare loop and
#   supervisorctl, s6-svc and sv
# row: restart-100 - restarts of 100 services by 16 clients, against the bare loop on 2 threads and
#   other supervisors with 16 clients
# tool: bare_restart_process: bare_restart_process bare_process spawn child ../../src/base/sys measure
# tool: commits: commits measure | sqlite3
# static-tool: floor_executor: floor_executor
# tool: plain_service: plain_service
# tool: round_trips: round_trips rest measure
# tool: rest_restart: rest_restart rest measure
# tool: restarts: restarts way_rest way_bare way_supervisord way_control told lines bare_process spawn child ../../src/base/sys rest measure
# tool: run_repeatedly: run_repeatedly measure
# package: supervisor s6 runit

restart_count=60      # on either side, in a round
restart_peer_services=21 # all but the first are restarted once in a round
restart_ctl_count=20
restart_services=100
restart_clients=16
restart_many_count=1600

# restart_floor: a round of what comes on top of the bare loop in any case: groups and executors, a
# commit, a request and its answer.
restart_floor() {
    rm -f "$work"/{floor,commits,trips}
    "$tools/commits" $restart_count "$work/commits" "$work/commits.db" >/dev/null
    samples "$row" '+commit us' "$work/commits"
    "$tools/round_trips" $restart_count "$work/trips" "$at/api.sock" /version >/dev/null
    samples "$row" '+request us' "$work/trips"
    [ -n "$floor" ] || return 0
    env "${on_floor[@]}" "$tools/bare_restart_process" $restart_count "$work/floor" "$tools/plain_service" \
        >/dev/null
    samples "$row" floor "$work/floor"
}

# restart_bare_and_ours: a round of both, one after the other.
restart_bare_and_ours() {
    local said

    rm -f "$work"/{bare,ours}
    "$tools/bare_restart_process" $restart_count "$work/bare" "$tools/plain_service" >/dev/null
    samples "$row" bare "$work/bare"
    samples "$row" '+bare-p95 us' "$work/bare" 95
    restart_floor
    said=$("$tools/rest_restart" "$at/api.sock" "$daemon" bench $restart_count "$work/ours") ||
        trouble "a restart failed"
    samples "$row" ours "$work/ours"
    samples "$row" '+p95 us' "$work/ours" 95
    figure "$row" '+cpu us' "$(word cpu "$said")"
}

# restart_peers CLIENTS SERVICES: a round of each peer; leaves what each has said in $said. s6 and
# runit hold a service back that has not been there for a second: so none is restarted twice, and all
# of them are older than that. supervisord does not gain or lose by it.
restart_peers() {
    local peer

    sleep 1.1
    for peer in "${peers[@]}"; do
        rm -f "$work/samples"
        said[$peer]=$("$tools/restarts" "$(peer_way "$peer")" "$(peer_where "$peer")" \
            "$work/lines-$peer" "$1" "$2" once "$work/samples") || trouble "$peer failed"
        [ "$1" -gt 1 ] || samples "$row" "$peer" "$work/samples"
    done
}

row_restart_process() {
    local round
    local -A said

    daemon_prepare
    service_write bench "$tools/plain_service" '[readiness]' 'type = fd'
    daemon_start
    floor_open || true
    peers_prepare_and_start $restart_peer_services
    for ((round = $(rounds 10); round > 0; round--)); do
        restart_bare_and_ours
        restart_peers 1 $restart_peer_services
    done
    report "$row" us 'bare<=1.3'
    note "floor: the bare loop, each process born in a group of its own and executed by another"
    note "commit, request: what one row in one transaction, and GET /version, take by themselves"
}

# restart_ctl SIDE COMMAND...: a round of a whole process.
restart_ctl() {
    local side=$1

    shift
    rm -f "$work/samples"
    "$tools/run_repeatedly" $restart_ctl_count "$work/samples" "$@" >/dev/null ||
        trouble "$side failed"
    samples "$row" "$side" "$work/samples"
}

# s6-svc -r and sv restart keep a service waiting that has not been there for a second; down and up
# do not.
restart_ctl_peers() {
    restart_ctl supervisord /usr/bin/supervisorctl -c "$work/supervisord/conf" restart bench-1
    restart_ctl s6 /bin/sh -c "s6-svc -wD -d '$1' && s6-svc -wu -u '$1'"
    restart_ctl runit /bin/sh -c "sv -w 10 down '$2' >/dev/null && sv -w 10 up '$2'"
}

row_restart_process_ctl() {
    local round

    daemon_prepare
    service_write bench "$tools/plain_service" '[readiness]' 'type = fd'
    daemon_start
    peers_prepare_and_start 1
    for ((round = $(rounds 3); round > 0; round--)); do
        rm -f "$work/bare"
        "$tools/bare_restart_process" $restart_ctl_count "$work/bare" "$tools/plain_service" \
            >/dev/null
        samples "$row" bare "$work/bare"
        restart_ctl ours "$build/bin/orderlyctl" --socket "$at/api.sock" restart bench
        restart_ctl '+empty-process us' /bin/true
        restart_ctl_peers "$work/s6/bench-1" "$work/runit/bench-1"
    done
    report "$row" us
    note "empty-process: what the start and the end of /bin/true alone take"
}

restart_many_round() {
    local ours bare peer

    rm -f "$work"/{bare,ours}
    bare=$("$tools/restarts" bare "$tools/plain_service" "$work" 2 $restart_services \
        $restart_many_count "$work/bare")
    figure "$row" bare "$(word together "$bare")"
    if [ -n "$floor" ]; then
        bare=$(env "${on_floor[@]}" "$tools/restarts" bare "$tools/plain_service" "$work" 2 $restart_services \
            $restart_many_count "$work/bare")
        figure "$row" floor "$(word together "$bare")"
    fi
    ours=$("$tools/restarts" rest "$at/api.sock" "$work" $restart_clients $restart_services \
        $restart_many_count "$work/ours" "$daemon") || trouble "a restart failed"
    figure "$row" ours "$(word together "$ours")"
    figure "$row" '+cpu us' "$(word cpu "$ours")"
    samples "$row" '+p50 us' "$work/ours"
    samples "$row" '+p95 us' "$work/ours" 95
    restart_peers $restart_clients $restart_services
    for peer in "${peers[@]}"; do
        figure "$row" "$peer" "$(word together "${said[$peer]}")"
    done
}

row_restart_100() {
    local round number
    local -A said

    daemon_prepare
    for ((number = 1; number <= restart_services; number++)); do
        service_write "bench-$number" "$tools/plain_service" '[readiness]' 'type = fd'
    done
    daemon_start
    floor_open || true
    peers_prepare_and_start $restart_services
    for ((round = $(rounds 5); round > 0; round--)); do
        restart_many_round
    done
    report "$row" /s 'bare>=0.8' 'supervisord>=10'
}
