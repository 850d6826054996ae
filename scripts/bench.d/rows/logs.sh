# shellcheck shell=bash disable=SC2154  # row sets what is used here
# logs.sh - how fast the output of a service is kept.
#
# order: 60
# row: log-throughput - one service that writes as fast as it can, 100 and 4096 bytes at a time:
#   MB a second into its file, against a bare loop of splice, and against the service writing the file
#   itself
# tool: noisy: noisy ending measure
# tool: bare_splice: bare_splice child ending measure

# shellcheck source=SCRIPTDIR/../load.sh
. "$here/load.sh"

# log_rate FILE: what noisy has told.
log_rate() {
    calculate "$(word mb "$(<"$1")") / $(word seconds "$(<"$1")")"
}

# log_kept FILE MB: whether all of it stands in a file; what was still in the pipe takes a moment.
log_kept() {
    local tries

    for ((tries = 0; tries < 1000; tries++)); do
        [ "$(stat -c %s "$1")" -lt $(($2 * 1000000)) ] || return 0
        sleep 0.01
    done
    trouble "$1 holds $(stat -c %s "$1") bytes, not $2 MB"
}

# log_round CHUNK MB: each side writes the same. What was written before is set aside first.
log_round() {
    local name=log-throughput-$1 said used

    rm -f "$work"/*.told "$work"/{direct,spliced}.log
    "$tools/noisy" all "$2" "$1" "$work/direct.told" >"$work/direct.log"
    said=$("$tools/bare_splice" "$work/spliced.log" 0 "$tools/noisy" all "$2" "$1" \
        "$work/bare.told")
    log_kept "$work/spliced.log" "$2"
    used=$(processor_ms "$daemon")
    ctl start "noisy-$1" >/dev/null || trouble "noisy-$1 did not write what it should"
    log_kept "$at/log/noisy-$1.log" "$2"
    used=$(calculate "$(processor_ms "$daemon") - $used")
    ctl stop "noisy-$1" >/dev/null || trouble "noisy-$1 was not stopped"
    ctl rotate "noisy-$1" >/dev/null || trouble "the log was not set aside"
    figure "$name" ours "$(log_rate "$work/ours.told")"
    figure "$name" bare "$(log_rate "$work/bare.told")"
    figure "$name" direct "$(log_rate "$work/direct.told")"
    figure "$name" '+cpu us a MB' "$(calculate "$used * 1000 / $2")"
    figure "$name" '+bare-cpu us a MB' "$(calculate "$(word cpu "$said") / $2")"
}

row_log_throughput() {
    local round chunk chunks=(100 4096) mbs=(100 300)

    daemon_prepare
    for chunk in 0 1; do
        service_write "noisy-${chunks[chunk]}" \
            "$tools/noisy all ${mbs[chunk]} ${chunks[chunk]} $work/ours.told" 'autostart = no' \
            '[readiness]' 'type = fd' '[log]' 'max_size = 0' 'max_files = 0'
    done
    daemon_start
    for ((round = $(rounds 5); round > 0; round--)); do
        for chunk in 0 1; do
            log_round "${chunks[chunk]}" "${mbs[chunk]}"
        done
    done
    report "$row-100" MB/s
    note "the service writes 100 bytes at a time; direct: it writes the file itself"
    report "$row-4096" MB/s
    note "the service writes 4096 bytes at a time"
}
