# shellcheck shell=bash
# report.sh - the lines of the table, and the figures in them. Sourced by scripts/bench and row.
# shellcheck disable=SC2034  # used by whoever sources this

# What row exits with when a bound is missed, and whether none is.
missed=3
good=yes

report_head() {
    printf '%-20s %12s %12s %8s %12s\n' row ours bare ratio bound
}

# percentile PERCENT FILE: of the numbers in a file, a line each; false: it has none.
percentile() {
    sort -n "$2" | awk -v percent="$1" '
        { at[NR] = $1 }
        END {
            if (NR == 0) exit 1
            place = int(NR * percent / 100) + 1
            if (place > NR) place = NR
            print at[place]
        }'
}

# The rate that samples in us give, one after the other.
rate() {
    awk '{ sum += $1 } END { printf "%.0f", NR * 1e6 / sum }' "$1"
}

# mean WORD FILE: of the numbers that follow WORD; false: there are none.
mean() {
    awk -v word="$1" '
        { for (i = 1; i < NF; i++) if ($i == word) { sum += $(i + 1); count++ } }
        END { if (count == 0) exit 1; printf "%.1f", sum / count }' "$2"
}

# judge VALUE BOUND: sets $verdict, and $good when the bound is missed; "-" is no bound.
judge() {
    verdict=''
    [ "$2" != - ] || return 0
    verdict=ok
    if awk -v value="$1" -v bound="$2" 'BEGIN { exit !(value + 0 <= bound + 0) }'; then
        return
    fi
    verdict=MISSED
    good=no
}

# report_ratio NAME OURS BARE BOUND: two times in us, and how they compare.
report_ratio() {
    local ratio verdict

    ratio=$(awk -v ours="$2" -v bare="$3" 'BEGIN { printf "%.2f", ours / bare }')
    judge "$ratio" "$4"
    printf '%-20s %9.0f us %9.0f us %8s %12s %s\n' "$1" "$2" "$3" "$ratio" "$4" "$verdict"
}

# report_time NAME OURS BARE BOUND: the bound is a time in us and only for ours.
report_time() {
    local verdict

    judge "$2" "$4"
    printf '%-20s %9.0f us %9.0f us %8s %9.0f us %s\n' "$1" "$2" "$3" - "$4" "$verdict"
}

note() {
    printf '    %s\n' "$*"
}
