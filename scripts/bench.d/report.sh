# shellcheck shell=bash
# report.sh - the figures of a row, round by round, and what is made of them. Sourced by row, which
# sets $work, the row's folder, and $results, the file that the results of all rows come into.
#
# A figure has a name, mostly the row's, and a side: "ours", "bare", a peer's name, or "+KEY UNIT"
# for what stands beside it (+cpu us). Each round leaves one; the medians over the rounds are what
# is reported, and of the rounds' ratios too: so both sides of a ratio saw the same machine.
# shellcheck disable=SC2034,SC2154  # used and set by whoever sources this

# What row exits with when a bound is missed, and whether none is.
missed=3
good=yes

# figure NAME SIDE VALUE: one round's.
figure() {
    mkdir -p "$work/figures/$1"
    printf '%s\n' "$3" >>"$work/figures/$1/$2"
}

# samples NAME SIDE FILE [PERCENT]: one round's, from the samples in a file, a line each (p50
# unless it says more). The file stays.
samples() {
    local value

    value=$(percentile "${4:-50}" "$3") || trouble "$2 left no samples of $1"
    figure "$1" "$2" "$value"
}

# percentile PERCENT FILE: of the numbers in a file, a line each; false: it has none.
percentile() {
    [ -s "$2" ] || return 1
    sort -n "$2" | awk -v percent="$1" '
        { at[NR] = $1 }
        END {
            place = int(NR * percent / 100) + 1
            if (place > NR) place = NR
            print at[place]
        }'
}

# rate FILE: what samples in us give, one after the other, in a second.
rate() {
    awk '{ sum += $1 } END { printf "%.0f", NR * 1e6 / sum }' "$1"
}

# word WORD LINE: the number that follows a word; false: there is none.
word() {
    awk -v word="$1" '
        { for (i = 1; i < NF; i++) if ($i == word) { print $(i + 1); found = 1; exit } }
        END { exit !found }' <<<"$2"
}

# report NAME UNIT [BOUND...]: prints the line of a figure and keeps the result. A bound is
# "SIDE<=RATIO", "SIDE>=RATIO", "<=VALUE" or ">=VALUE": ours against a side's, or by itself.
report() {
    local status=0

    python3 -B "$here/report.py" figure "$results" "$row" "$work/figures/$1" "$@" || status=$?
    case $status in
    0) ;;
    "$missed") good=no ;;
    *) trouble "$1 could not be reported" ;;
    esac
}

# note TEXT...: of the figure that was reported last.
note() {
    printf '    %s\n' "$*"
    python3 -B "$here/report.py" note "$results" "$*"
}
