# shellcheck shell=bash
# floor.sh - the side "floor": the bare programs once more, but every process is born in a control
# group of its own, made and removed for it, and executed by a program in between (spawn.h). Nobody
# who promises what Orderly does can be faster. Sourced by row.

# shellcheck disable=SC2034  # used by whoever sources this

floor=''    # where the groups are made; empty: they can't be
on_floor=() # what a bare program has in its environment there

# floor_open: false where no groups can be made; the row does without that side then.
floor_open() {
    local group

    if ! group=$(cgroup_v2_make "orderly-floor-$$"); then
        echo "    nothing is known of the floor: cgroup v2: $group"
        return 1
    fi
    floor=$group
    on_floor=("BENCH_GROUPS=$floor" "BENCH_EXECUTOR=${tools:?}/floor_executor")
}

# floor_close: whoever was killed in them may take a moment to be gone.
floor_close() {
    local left

    [ -n "$floor" ] || return 0
    for ((left = 100; left > 0; left--)); do
        find "$floor" -depth -type d -exec rmdir {} + 2>/dev/null
        [ -d "$floor" ] || return 0
        sleep 0.05
    done
    echo "    $floor is busy, and stays" >&2
}
