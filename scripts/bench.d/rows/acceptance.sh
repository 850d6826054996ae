# shellcheck shell=bash disable=SC2154  # row sets what is used here
# acceptance.sh - how fast operations are accepted: recorded, committed and answered.
#
# order: 40
# row: acceptance - operations that change nothing (start of what runs) by 64 clients on kept
#   connections, until the ends of all are recorded; durability = normal
# row: acceptance-full - the same with durability = full, which waits for the disk
# row: batch-288 - 288 operations that change nothing, accepted as one batch, while 58 readers ask for
#   the status every second; against 288 requests one after the other
# tool: acceptances: acceptances crowd measure
# tool: batch_or_singles: batch_or_singles rest measure
# tool: http_load: http_load crowd measure
# tool: plain_service: plain_service

acceptance_clients=64
acceptance_count=40000
acceptance_full_count=10000
batch_services=288
batch_readers=58

# plain_services COUNT
plain_services() {
    local number

    for ((number = 1; number <= $1; number++)); do
        service_write "bench-$number" "$tools/plain_service" '[readiness]' 'type = fd'
    done
}

# acceptance_measure COUNT ROUNDS
acceptance_measure() {
    local round said

    plain_services $acceptance_clients
    daemon_start
    acceptance_await
    for ((round = $2; round > 0; round--)); do
        rm -f "$work/samples"
        said=$("$tools/acceptances" "$at/api.sock" "$daemon" $acceptance_clients "$1" \
            "$work/samples") || trouble "an operation was not accepted"
        figure "$row" ours "$(word rate "$said")"
        figure "$row" '+cpu us' "$(word cpu "$said")"
        figure "$row" '+client-cpu us' "$(word client "$said")"
        samples "$row" '+p50 us' "$work/samples"
        samples "$row" '+p95 us' "$work/samples" 95
    done
}

# What boot has to do is done.
acceptance_await() {
    ctl start --all >/dev/null || trouble "not all services came up"
}

row_acceptance() {
    daemon_prepare
    acceptance_measure $acceptance_count "$(rounds 5)"
    report "$row" /s '>=20000'
}

row_acceptance_full() {
    daemon_prepare '[journal]' 'durability = full'
    acceptance_measure $acceptance_full_count "$(rounds 3)"
    report "$row" /s
}

row_batch_288() {
    local round said

    daemon_prepare
    plain_services $batch_services
    daemon_start
    acceptance_await
    setpriv --pdeathsig TERM -- "$tools/http_load" "$at/api.sock" "$daemon" $batch_readers 600 \
        /status full "$work/readers" 1 >/dev/null 2>"$work/readers.log" &
    beside+=($!)
    for ((round = $(rounds 5); round > 0; round--)); do
        rm -f "$work"/{batch,singles}
        said=$("$tools/batch_or_singles" "$at/api.sock" "$daemon" $batch_services 10 \
            "$work/batch" "$work/singles") || trouble "an operation was not accepted"
        samples "$row" ours "$work/batch"
        samples "$row" bare "$work/singles"
        figure "$row" '+cpu us' "$(word batch-cpu "$said")"
        figure "$row" '+singles-cpu us' "$(word singles-cpu "$said")"
    done
    kill -0 "${beside[-1]}" 2>/dev/null || trouble "the readers ended: $(cat "$work/readers.log")"
    report "$row" us 'bare<=0.05'
    note "until all are accepted; bare stands for the single requests"
}
