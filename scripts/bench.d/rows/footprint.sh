# shellcheck shell=bash disable=SC2154  # row sets what is used here
# footprint.sh - what it takes to have many services while nothing happens.
#
# order: 30
# row: footprint-1000 - memory (PSS, with helper processes) and context switches in 20 seconds with
#   1000 idle services, against a bare keeper of them and other supervisors
# row: footprint-5000 - the same with 5000; memory for each service beyond 1000; processor time and
#   duration of a restart beside 5000, against those beside 10
# tool: bare_keeper: bare_keeper spawn child ../../src/base/sys measure
# tool: footprint: footprint measure
# tool: plain_service: plain_service
# tool: restarts: restarts way_rest way_bare way_supervisord way_control told lines bare_process spawn child ../../src/base/sys rest measure
# package: supervisor s6 runit

footprint_small=1000
footprint_large=5000
footprint_few=10 # these are restarted
footprint_seconds=20
footprint_restarts=100

# services_write COUNT [FEW]: silent ones, ready at once, which tell the FIFO $work/lines that they are
# there; all but the first few, which tell Orderly.
services_write() {
    local number

    for ((number = 1; number <= $1; number++)); do
        if [ "$number" -le "${2:-0}" ]; then
            service_write "bench-$number" "$tools/plain_service" '[readiness]' 'type = fd'
        else
            service_write "bench-$number" "$tools/plain_service $work/lines"
        fi
    done
}

# lines_open: sets $lines, a descriptor that the services' lines come to.
lines_open() {
    mkfifo "$work/lines"
    exec {lines}<>"$work/lines"
}

# lines_await COUNT: asking for the status instead would cost the memory that is looked at; and what
# only served to be quick is given back when nothing has happened for up to two seconds.
lines_await() {
    local left

    for ((left = $1; left > 0; left--)); do
        read -r -t 60 -u "$lines" || trouble "$left of $1 services did not come up"
    done
    sleep 4
}

# keep_figures NAME SIDE LINE [BESIDE]: of one supervisor.
keep_figures() {
    figure "$1" "$2" "$(awk -v kb="$(word pss "$3")" 'BEGIN { printf "%.2f", kb / 1024 }')"
    figure "$1-switches" "$2" "$(word switches "$3")"
    [ "$2" != ours ] || figure "$1" '+processes ' "$(word processes "$3")"
    [ "$2" != ours ] || figure "$1-switches" '+cpu us' "$(word cpu "$3")"
}

# All of them are idle side by side, and are looked at in the same 20 seconds.
row_footprint_1000() {
    local peer sides=(ours bare "${peers[@]}") pids lines

    lines_open
    daemon_prepare
    services_write $footprint_small
    daemon_start
    setpriv --pdeathsig TERM -- "$tools/bare_keeper" $footprint_small shared "$work/lines" \
        "$tools/plain_service" &
    beside+=($!)
    pids=("$daemon" "$!")
    for peer in "${peers[@]}"; do
        peer_prepare "$peer" "$work/lines" $footprint_small
        peer_start "$peer"
        pids+=("${peer_pids[$peer]}")
    done
    lines_await $((footprint_small * ${#sides[@]}))
    footprint_report
}

# pss_mb: of the daemon started last.
pss_mb() {
    word pss "$("$tools/footprint" 1 "$tools/plain_service" "$daemon")" |
        awk '{ printf "%.2f", $1 / 1024 }'
}

footprint_report() {
    local side=0 line

    while read -r line; do
        keep_figures "$row" "${sides[side]}" "$line"
        side=$((side + 1))
    done < <("$tools/footprint" $footprint_seconds "$tools/plain_service" "${pids[@]}")
    [ "$side" = ${#pids[@]} ] || trouble "the footprint could not be taken"
    ctl status --json >/dev/null
    figure "$row" '+after-a-status MB' "$(pss_mb)"
    report "$row" MB '<=8'
    note "PSS of orderlyd and its helpers, of which there are none where groups contain services"
    report "$row-switches" '' '<=0'
    note "context switches of all their threads in $footprint_seconds s"
}

# restarts_beside SIDE PID: a round of restarts of the few, and what they took of the daemon.
restarts_beside() {
    local said

    rm -f "$work/samples"
    said=$("$tools/restarts" rest "$at/api.sock" "$work" 1 $footprint_few $footprint_restarts \
        "$work/samples" "$2") || trouble "a restart failed"
    figure "$row-cpu" "$1" "$(word cpu "$said")"
    samples "$row-restart" "$1" "$work/samples"
}

# Two daemons, one with few services and one with many, run side by side: the machine is the same for
# both.
row_footprint_5000() {
    local at many few round lines

    lines_open
    at=$work/medium
    footprint_start $footprint_small
    figure "$row" '+with-1000 MB' "$(pss_mb)"
    daemon_stop
    at=$work/many
    footprint_start $footprint_large
    many=$daemon
    at=$work/few
    footprint_start $footprint_few
    few=$daemon
    footprint_5000_idle
    for ((round = $(rounds 5); round > 0; round--)); do
        at=$work/few
        restarts_beside bare "$few"
        at=$work/many
        restarts_beside ours "$many"
    done
    report "$row-cpu" us 'bare<=1.1'
    note "processor time of orderlyd for a restart; bare: of the one with $footprint_few services"
    report "$row-restart" us 'bare<=1.1'
}

# footprint_start COUNT: the daemon at $at, with so many services; the first few tell only it.
footprint_start() {
    daemon_prepare
    services_write "$1" $footprint_few
    daemon_start
    lines_await $(($1 - footprint_few))
}

footprint_5000_idle() {
    local line

    line=$("$tools/footprint" $footprint_seconds "$tools/plain_service" "$many")
    keep_figures "$row" ours "$line"
    figure "$row-each" ours "$(awk -v many="$(word pss "$line")" \
        -v few="$(cat "$work/figures/$row/+with-1000 MB")" \
        -v count=$((footprint_large - footprint_small)) \
        'BEGIN { printf "%.3f", (many - few * 1024) / count }')"
    report "$row" MB
    report "$row-each" KB '<=2.5'
    note "PSS for each service beyond $footprint_small"
    report "$row-switches" '' '<=0'
}
