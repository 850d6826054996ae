# shellcheck shell=bash
# floor.sh - the side "floor": the bare programs once more, but every process is born in a control
# group of its own, made and removed for it, and executed by a program in between (spawn.h). Nobody
# who promises what Orderly does can be faster. Sourced by row.

floor='' # where the groups are made; empty: they can't be

# floor_open: false where no groups can be made; the row does without that side then.
floor_open() {
    local group

    if ! group=$(cgroup_v2_make "orderly-floor-$$"); then
        echo "    nothing is known of the floor: cgroup v2: $group"
        return 1
    fi
    floor=$group
}

# on_floor COMMAND...: a bare program, on the floor.
on_floor() {
    BENCH_GROUPS=$floor BENCH_EXECUTOR=${tools:?}/floor_executor "$@"
}

floor_close() {
    [ -z "$floor" ] || find "$floor" -depth -type d -exec rmdir {} +
}
