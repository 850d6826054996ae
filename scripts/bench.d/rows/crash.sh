# shellcheck shell=bash disable=SC2154  # row sets what is used here
# crash.sh - services that nobody asked for anything: their crash, and the boot of all of them.
#
# order: 20
# row: crash - kill -9 of a service until its next first line, first_delay = 0, against a loop of
#   pidfd wait and posix_spawn; the same with a control group and an executor for each (floor); other
#   supervisors (services older than a second)
# row: boot-1000 - from the execve of orderlyd to the first lines of 1000 services, against a bare
#   loop of posix_spawn; the same with groups and executors (floor); other supervisors
# tool: bare_keeper: bare_keeper spawn child ../../src/base/sys measure
# tool: boot: boot measure
# tool: crashes: crashes lines measure
# static-tool: floor_executor: floor_executor
# tool: plain_service: plain_service
# package: supervisor s6 runit

crash_services=20
crash_slow=2 # of those that take a second for each
crash_before_ms=1100
boot_services=1000

crash_prepare() {
    local number

    fifos_make "$work/lines-ours" $crash_services
    fifos_make "$work/lines-bare" $crash_services
    daemon_prepare
    for ((number = 1; number <= crash_services; number++)); do
        service_write "bench-$number" "$tools/plain_service $work/lines-ours/$number.fifo" \
            '[readiness]' 'type = immediate' '[recovery]' 'restart = always' 'first_delay = 0'
    done
    daemon_start
    setpriv --pdeathsig TERM -- "$tools/bare_keeper" $crash_services folder "$work/lines-bare" \
        "$tools/plain_service" &
    keeper=$!
    beside+=("$keeper")
    if floor_open; then
        fifos_make "$work/lines-floor" $crash_services
        env "${on_floor[@]}" setpriv --pdeathsig TERM -- "$tools/bare_keeper" $crash_services folder \
            "$work/lines-floor" "$tools/plain_service" & # no function: $! is the keeper's
        beside+=("$!")
    fi
    peers_prepare_and_start $crash_services
}

# crash_side SIDE COUNT PID: a round of one side; leaves what was said in $said.
crash_side() {
    rm -f "$work/samples"
    said=$("$tools/crashes" "$work/lines-$1" "$2" $crash_before_ms "$work/samples" "$3") ||
        trouble "$1 failed"
    samples "$row" "$1" "$work/samples"
}

row_crash() {
    local round keeper said

    crash_prepare
    for ((round = $(rounds 4); round > 0; round--)); do
        crash_side bare $crash_services "$keeper"
        samples "$row" '+bare-p95 us' "$work/samples" 95
        figure "$row" '+bare-cpu us' "$(word cpu "$said")"
        [ -z "$floor" ] || crash_side floor $crash_services "${beside[1]}"
        crash_side ours $crash_services "$daemon"
        samples "$row" '+p95 us' "$work/samples" 95
        figure "$row" '+cpu us' "$(word cpu "$said")"
        crash_side s6 $crash_slow "${peer_pids[s6]}"
        crash_side runit $crash_services "${peer_pids[runit]}"
        crash_side supervisord $crash_slow "${peer_pids[supervisord]}"
    done
    report "$row" us 'bare<=1.3'
}

# boot_side SIDE ENDING COMMAND...: a round of one side; the same FIFO serves all, in turn.
boot_side() {
    local side=$1 ending=$2

    shift 2
    rm -f "$work/samples"
    said=$("$tools/boot" $boot_services "$work/lines" "$work/samples" "$ending" "$@" \
        2>>"$work/$side.log") || trouble "$side failed: $(tail -n 3 "$work/$side.log")"
    figure "$row" "$side" "$(awk '{ printf "%.2f", $1 / 1000 }' "$work/samples")"
}

row_boot_1000() {
    local round said number peer command ending

    mkfifo "$work/lines"
    floor_open || true
    daemon_prepare
    for ((number = 1; number <= boot_services; number++)); do
        service_write "bench-$number" "$tools/plain_service $work/lines"
    done
    for peer in "${peers[@]}"; do
        peer_prepare "$peer" "$work/lines" $boot_services
    done
    for ((round = $(rounds 3); round > 0; round--)); do
        boot_side bare TERM "$tools/bare_keeper" $boot_services shared "$work/lines" \
            "$tools/plain_service"
        [ -z "$floor" ] || boot_side floor TERM /usr/bin/env "${on_floor[@]}" "$tools/bare_keeper" $boot_services shared \
            "$work/lines" "$tools/plain_service"
        boot_side ours TERM "$build/bin/orderlyd" --config "$at/supervisor.conf"
        figure "$row" '+cpu ms' "$(word cpu "$said")"
        # The slowest of them takes most of the time: every second round is enough of them.
        [ $((round % 2)) = 1 ] || continue
        for peer in "${peers[@]}"; do
            peer_command "$peer"
            boot_side "$peer" "$ending" "${command[@]}"
        done
    done
    report "$row" ms 'bare<=1.3'
}
