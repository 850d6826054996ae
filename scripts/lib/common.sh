# shellcheck shell=bash
# common.sh - what scripts/run and scripts/test share. Sourced; sets $root, the clone.
export LC_ALL=C
umask 022
# shellcheck disable=SC2034  # used by whoever sources this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() {
    printf '==> %s\n' "$*"
}

fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    if [ $# -gt 0 ]; then
        printf '       %s\n' "$@" >&2
    fi
    exit 1
}

# show_tail LOG [BYTE]: the last lines of a log that explains a failure, none from before BYTE.
show_tail() {
    if [ -s "$1" ]; then
        echo "---- the last lines of $1" >&2
        tail -c "+$((${2:-0} + 1))" "$1" | tail -n 30 >&2
        echo "----" >&2
    fi
}

# make_writable FOLDER...: makes them; says plainly when they are somebody else's.
make_writable() {
    local folder

    for folder; do
        mkdir -p "$folder" 2>/dev/null || true
        [ -w "$folder" ] || fail "$folder can't be written by uid $(id -u)" \
            "Probably another user made it: run this as that user, or remove it."
    done
}
