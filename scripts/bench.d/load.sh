# shellcheck shell=bash disable=SC2034,SC2154  # used and set by whoever sources this
# load.sh - what a row has running beside what it measures. Sourced by families that need it.
#
# A load is a program that says "ready" when it is there, goes on until SIGTERM, and then prints
# what it did.

declare -A load_pids load_fds
load_said='' # what the load that was stopped last printed

# load_start NAME COMMAND...: returns when it is there.
load_start() {
    local name=$1 line fd

    shift
    mkfifo "$work/$name.load"
    setpriv --pdeathsig TERM -- "$@" >"$work/$name.load" </dev/null &
    load_pids[$name]=$!
    beside+=($!)
    exec {fd}<"$work/$name.load"
    load_fds[$name]=$fd
    rm "$work/$name.load"
    if ! IFS= read -r -t 60 -u "$fd" line || [ "$line" != ready ]; then
        trouble "$name does not begin"
    fi
}

# load_stop NAME: it must have gone on until now.
load_stop() {
    local name=$1 pid=${load_pids[$1]} fd=${load_fds[$1]} other rest=()

    for other in "${beside[@]}"; do
        [ "$other" = "$pid" ] || rest+=("$other")
    done
    beside=("${rest[@]}")
    unset "load_pids[$name]" "load_fds[$name]"
    kill -TERM "$pid" || trouble "$name ended by itself"
    load_said=$(cat <&"$fd")
    exec {fd}<&-
    wait "$pid" || trouble "$name did not end well"
}

# processor_ms PID: what a process has used of the processors.
processor_ms() {
    awk -v ticks="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000 / ticks }' \
        "/proc/$1/stat"
}

# calculate EXPRESSION: of numbers, as awk understands it.
calculate() {
    awk "BEGIN { printf \"%.4f\", $1 }"
}
