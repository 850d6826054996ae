# shellcheck shell=bash disable=SC2154  # row sets what is used here
# units.sh - units of systemd, against a bare program on the same private systemd.
#
# order: 90
# row: restart-unit (systemd) - POST /restart/UNIT?wait, one after the other, against RestartUnit and
#   its JobRemoved by a bare sd-bus program; Type=simple
# row: restart-unit-exec (systemd) - the same with Type=exec
# row: units-shown (systemd) - 200 units stopped and started with systemctl: processor time for each
#   change that GET /status?since&wait shows, against a bare reader of the bus; and how long after
#   the change it is shown
# tool: bare_restart_unit: bare_restart_unit bus measure | libsystemd
# tool: rest_restart: rest_restart rest measure
# tool: units_shown: units_shown view eye_rest eye_bus bus rest measure | libsystemd jansson
# package: systemd dbus

units_restarts=60 # on either side, in a round
units_count=200

# unit_write NAME TYPE: a unit that does nothing; it may be restarted as often as one likes.
unit_write() {
    cat >"/run/systemd/system/$1.service" <<UNIT
[Unit]
StartLimitIntervalSec=0
[Service]
Type=$2
ExecStart=/bin/sleep infinity
TimeoutStartSec=10
TimeoutStopSec=10
UNIT
}

# The same as a service of Orderly's, which leaves it to itself otherwise.
unit_service_write() {
    printf '%s\n' '[service]' 'backend = systemd' "unit = $1.service" >"$work/services.d/$1.conf"
}

row_restart_unit() {
    units_restart simple
}

row_restart_unit_exec() {
    units_restart exec
}

# While the bare side has its turn no daemon listens to the same systemd. A third turn, of the bare
# program while one does, tells what listening alone costs a restart, whoever asks for it.
units_restart() {
    local round

    daemon_prepare
    unit_write bench "$1"
    unit_service_write bench
    systemctl daemon-reload
    systemctl start bench.service
    for ((round = $(rounds 10); round > 0; round--)); do
        rm -f "$work"/{bare,ours,beside}
        "$tools/bare_restart_unit" bench.service $units_restarts "$work/bare" >/dev/null
        daemon_start
        said=$("$tools/rest_restart" "$work/api.sock" "$daemon" bench $units_restarts "$work/ours") ||
            trouble "a restart failed"
        "$tools/bare_restart_unit" bench.service $units_restarts "$work/beside" >/dev/null
        daemon_stop
        samples "$row" bare "$work/bare"
        samples "$row" ours "$work/ours"
        samples "$row" '+p95 us' "$work/ours" 95
        samples "$row" '+bare-p95 us' "$work/bare" 95
        samples "$row" '+bare-beside-orderlyd us' "$work/beside"
        figure "$row" '+cpu us' "$(word cpu "$said")"
    done
    report "$row" us 'bare<=1.2'
}

# Wanted by a target that is active, as enabled units are: systemd keeps them loaded when stopped.
units_write() {
    local number names=()

    echo "[Unit]" >/run/systemd/system/bench.target
    for ((number = 1; number <= units_count; number++)); do
        unit_write "bench-$number" simple
        unit_service_write "bench-$number"
        names+=("bench-$number.service")
        echo "Wants=bench-$number.service" >>/run/systemd/system/bench.target
    done
    systemctl daemon-reload
    systemctl start bench.target
    # The target does not wait for what it wants.
    systemctl start "${names[@]}"
}

# units_figures SIDE PREFIX LINE: of one round.
units_figures() {
    figure "$row" "$1" "$(word watcher "$3")"
    figure "$row" "+${2}systemd us" "$(word systemd "$3")"
    figure "$row" "+${2}bus us" "$(word bus "$3")"
    samples "$row-after" "$1" "$work/$1" 95
    samples "$row-after" "+${2}p50 us" "$work/$1"
}

row_units_shown() {
    local round bare ours

    daemon_prepare
    units_write
    for ((round = $(rounds 5); round > 0; round--)); do
        rm -f "$work"/{bare,ours}
        bare=$("$tools/units_shown" $units_count "$work/bare")
        daemon_start
        ours=$("$tools/units_shown" $units_count "$work/ours" "$work/api.sock" "$daemon") ||
            trouble "the units were not shown"
        daemon_stop
        units_figures bare bare- "$bare"
        units_figures ours '' "$ours"
    done
    report "$row" us
    note "processor time for a change, of the watcher; beside it what systemd and the bus used"
    report "$row-after" us '<=100000'
    note "p95 of how long after the change it was seen"
}
