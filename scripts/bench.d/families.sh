# shellcheck shell=bash
# families.sh - what the files in bench.d/rows say of themselves, in comments that begin a line:
#
#   order: NUMBER                      where the family stands among the others
#   row: NAME - TEXT                   a row and what it measures; lines that begin with "#   " go on
#   row: NAME (systemd) - TEXT         the same, run in a private systemd
#   tool: NAME: SOURCE... [| LIBRARY]  a measuring program: sources in bench.d without .c, and what
#                                      pkg-config knows the libraries as
#   static-tool: NAME: SOURCE...       the same, static, with the C library that orderly-exec has
#   package: NAME...                   Debian packages that the rows need
#
# Sourced by scripts/bench and row.

families_folder=${root:?}/scripts/bench.d/rows

# families: the files, in their order.
families() {
    local file

    for file in "$families_folder"/*.sh; do
        printf '%s %s\n' "$(sed -n 's/^# order: //p' "$file")" "$file"
    done | sort -n | cut -d ' ' -f 2-
}

# told KEY FILE...: what stands behind it, a line each.
told() {
    local key=$1

    shift
    sed -n "s/^# $key: //p" "$@"
}

# family_rows FILE...: the names of its rows.
family_rows() {
    told row "$@" | sed 's/ .*//'
}

# family_of ROW: the file that knows the row; false when none does.
family_of() {
    local file

    while read -r file; do
        if family_rows "$file" | grep -qxF -e "$1"; then
            echo "$file"
            return
        fi
    done < <(families)
    return 1
}

# Whether a row wants a systemd that is its own.
row_wants_systemd() {
    told row "$(family_of "$1")" | grep -qF -e "$1 (systemd) - "
}

# families_help FILE...: every row with its text.
families_help() {
    local file

    for file; do
        sed -n -e '/^# row: /{s/^# row: //;s/ (systemd) - / - /;p;d}' -e 's/^#   /+ /p' "$file"
    done | awk '
        function out() { if (name) print_wrapped() }
        function print_wrapped(    words, n, i, line) {
            line = sprintf("  %-20s", name)
            n = split(text, words, " ")
            for (i = 1; i <= n; i++) {
                if (length(line) + length(words[i]) + 1 > 100) {
                    print line
                    line = sprintf("%22s", "")
                }
                line = line " " words[i]
            }
            print line
        }
        /^\+ / { text = text " " substr($0, 3); next }
        { out(); at = index($0, " - "); name = substr($0, 1, at - 1); text = substr($0, at + 3) }
        END { out() }'
}
