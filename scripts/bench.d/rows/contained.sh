# shellcheck shell=bash disable=SC2154  # row sets what is used here
# contained.sh - what trouble in one place costs another service: its restart beside a load, against
# its restart alone.
#
# Ours is the ratio of those two in one round; bare is the same ratio of the bare loop of signal,
# wait, spawn and first line, beside a bare load that does the same work. So what the load takes
# from the machine is in both.
#
# order: 70
# row: contained-flood-block - restart of a quiet service while another writes 100 MB a second,
#   when_full = block; bare beside the same writer, spliced into a file
# row: contained-flood-drop - the same with when_full = drop
# row: contained-stuck - while 300 clients hold on to the daemon's socket: half a head, an answer
#   that is not read, a wait
# row: contained-crashes - while 64 services crash, each again 100 ms after it has ended; bare
#   beside the same programs, spawned by a bare loop
# row: contained-forks - while a service that forks 200 children when it is stopped is restarted
#   again and again; bare beside a bare loop that does the same
# row: contained-reader - while somebody stands in a read transaction of the journal
# row: contained-writer - while somebody holds the journal's write lock for 300 ms again and again
# tool: bare_restart_process: bare_restart_process bare_process spawn child ../../src/base/sys measure
# tool: rest_restart: rest_restart rest measure
# tool: plain_service: plain_service
# tool: noisy: noisy ending measure
# tool: bare_splice: bare_splice child ending measure
# tool: stuck_clients: stuck_clients ending measure
# tool: bare_crash_loops: bare_crash_loops child ending measure
# tool: forking_service: forking_service ending measure
# tool: bare_stop_forking: bare_stop_forking child ending measure
# tool: ask_again: ask_again ending rest measure
# tool: hold_database: hold_database ending measure | sqlite3

# shellcheck source=SCRIPTDIR/../load.sh
. "$here/load.sh"

# Alone and beside the load, in a round; the bare loop takes about the same time for more of them.
contained_restarts=150
contained_bare_restarts=300
contained_default=6 # rounds

# contained_prepare: the quiet service; the others are written after that.
contained_prepare() {
    daemon_prepare
    service_write quiet "$tools/plain_service" '[readiness]' 'type = fd'
}

# contained_restart FILE: the quiet service, so often.
contained_restart() {
    rm -f "$1"
    "$tools/rest_restart" "$at/api.sock" "$daemon" quiet $contained_restarts "$1" >/dev/null ||
        trouble "a restart failed"
}

contained_bare() {
    rm -f "$1"
    "$tools/bare_restart_process" $contained_bare_restarts "$1" "$tools/plain_service" >/dev/null ||
        trouble "a bare restart failed"
}

# contained_times SIDE PREFIX LOADED ALONE: of one round.
contained_times() {
    local percent

    for percent in 50 95; do
        samples "$row-p$percent" "+${2}beside us" "$3" $percent
        samples "$row-p$percent" "+${2}alone us" "$4" $percent
        figure "$row-p$percent" "$1" \
            "$(calculate "$(percentile $percent "$3") / $(percentile $percent "$4")")"
    done
}

# contained_count KEY UNIT WORD: what a load did in a second, from the line that it left.
contained_count() {
    figure "$row-p50" "+$1 $2" \
        "$(calculate "$(word "$3" "$load_said") / $(word seconds "$load_said")")"
}

# contained_rounds ON OFF BARE-ON BARE-OFF: functions that bring the load and take it away.
contained_rounds() {
    local round used began

    for ((round = $(rounds $contained_default); round > 0; round--)); do
        contained_restart "$work/alone"
        contained_bare "$work/bare-alone"
        "$1"
        used=$(processor_ms "$daemon")
        began=$(date +%s%N)
        contained_restart "$work/beside"
        figure "$row-p50" '+cpu %' \
            "$(calculate "($(processor_ms "$daemon") - $used) * 1e8 / ($(date +%s%N) - $began)")"
        "$2"
        "$3"
        contained_bare "$work/bare-beside"
        "$4"
        contained_times ours '' "$work/beside" "$work/alone"
        contained_times bare bare- "$work/bare-beside" "$work/bare-alone"
        figure "$row-p95" '+max us' "$(sort -n "$work/beside" | tail -n 1)"
    done
    report "$row-p50" x
    report "$row-p95" x
}

# ---- a flood ----

contained_flood() {
    contained_prepare
    service_write noisy "$tools/noisy paced 100 4096 $work/noisy.told" 'autostart = no' \
        '[readiness]' 'type = fd' '[log]' 'max_size = 10M' 'max_files = 1' "when_full = $1"
    daemon_start
    contained_rounds flood_on flood_off bare_flood_on bare_flood_off
}

flood_on() {
    rm -f "$work/noisy.told"
    ctl start noisy >/dev/null || trouble "noisy did not start"
}

flood_off() {
    ctl stop noisy >/dev/null || trouble "noisy was not stopped"
    load_said=$(<"$work/noisy.told")
    contained_count flood 'MB a second' mb
    figure "$row-p50" '+dropped MB' "$(calculate "$(flood_dropped) / 1e6")"
}

# How many bytes of it were dropped.
flood_dropped() {
    ctl status noisy --json | grep -o '"dropped_bytes":[0-9]*' | grep -o '[0-9]*$'
}

bare_flood_on() {
    rm -f "$work/bare.told"
    load_start bare_splice "$tools/bare_splice" "$work/bare.log" 10485760 "$tools/noisy" paced 100 \
        4096 "$work/bare.told"
}

bare_flood_off() {
    load_stop bare_splice
    load_said=$(<"$work/bare.told")
    contained_count bare-flood 'MB a second' mb
}

row_contained_flood_block() {
    contained_flood block
}

row_contained_flood_drop() {
    contained_flood drop
}

# ---- clients that hold on ----

# The wait is for an operation that does not end before we do; the answer that nobody reads is
# larger than any socket's buffer.
row_contained_stuck() {
    contained_prepare
    service_write endless "/bin/sleep infinity" 'autostart = no' '[operation]' 'timeout = 1h' \
        '[readiness]' 'type = fd'
    yes 'what quiet has written before, a line of some length that fills the file' |
        head -c 8000000 >"$at/log/quiet.log" || true
    daemon_start
    stuck_wait=$(ctl start endless --no-wait --json | grep -o '"id":[0-9]*' | head -n 1)
    stuck_wait="/operations/${stuck_wait#*:}?wait"
    contained_rounds stuck_on stuck_off stuck_on stuck_off
}

stuck_on() {
    load_start stuck_clients "$tools/stuck_clients" "$at/api.sock" 300 '/logs/quiet?lines=100000' \
        "$stuck_wait"
}

stuck_off() {
    load_stop stuck_clients
    [ "$(word answered "$load_said")" = 0 ] || trouble "a wait was answered before its end"
}

# ---- crash loops ----

row_contained_crashes() {
    local number

    contained_prepare
    for ((number = 1; number <= 64; number++)); do
        service_write "crash-$number" /bin/false 'autostart = no' 'tags = crash' \
            '[readiness]' 'type = immediate' \
            '[recovery]' 'restart = always' 'first_delay = 100ms' 'max_delay = 100ms'
    done
    daemon_start
    contained_rounds crashes_on crashes_off bare_crashes_on bare_crashes_off
}

# crashes_counted: how often they have been restarted by themselves, in all.
crashes_counted() {
    ctl status --json | grep -o '"restarts":[0-9]*' | awk -F : '{ sum += $2 } END { print sum + 0 }'
}

crashes_on() {
    crashes_before=$(crashes_counted)
    ctl start @crash --no-wait >/dev/null || trouble "the crash loops did not start"
    until [ "$(crashes_counted)" -ge $((crashes_before + 64)) ]; do
        kill -0 "$daemon" 2>/dev/null || trouble "orderlyd ended beside the crash loops"
        sleep 0.01
    done
    crashes_before=$(crashes_counted)
    crashes_began=$(date +%s%N)
}

crashes_off() {
    load_said="count $(($(crashes_counted) - crashes_before)) "
    load_said+="seconds $(calculate "($(date +%s%N) - $crashes_began) / 1e9")"
    ctl stop @crash >/dev/null || trouble "the crash loops were not stopped"
    contained_count crashes 'a second' count
}

bare_crashes_on() {
    load_start bare_crash_loops "$tools/bare_crash_loops" 64 100 /bin/false
}

bare_crashes_off() {
    load_stop bare_crash_loops
    contained_count bare-crashes 'a second' count
}

# ---- forks while it is stopped ----

row_contained_forks() {
    contained_prepare
    service_write forking "$tools/forking_service" '[operation]' 'stop_timeout = 100ms' \
        '[readiness]' 'type = fd'
    daemon_start
    contained_rounds forks_on forks_off bare_forks_on bare_forks_off
}

forks_on() {
    load_start ask_again "$tools/ask_again" "$at/api.sock" '/restart/forking?wait'
}

forks_off() {
    load_stop ask_again
    contained_count stops 'a second' count
}

bare_forks_on() {
    load_start bare_stop_forking "$tools/bare_stop_forking" 100 "$tools/forking_service"
}

bare_forks_off() {
    load_stop bare_stop_forking
    contained_count bare-stops 'a second' count
}

# ---- somebody in the journal ----

contained_journal() {
    journal_way=$1 journal_hold=$2 journal_pause=$3
    contained_prepare
    daemon_start
    contained_rounds journal_on journal_off journal_on journal_off
}

journal_on() {
    load_start hold_database "$tools/hold_database" "$at/state/state.db" "$journal_way" \
        "$journal_hold" "$journal_pause"
}

journal_off() {
    load_stop hold_database
}

row_contained_reader() {
    contained_journal read 1000 0
}

row_contained_writer() {
    contained_journal write 300 300
}
