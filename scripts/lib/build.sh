# shellcheck shell=bash
# build.sh - configures and builds one preset.

# build_preset PRESET FOLDER LOG [CMAKE-OPTION...]: false when it failed; the log says why.
build_preset() {
    local preset=$1 folder=$2 log=$3
    shift 3

    # The presets stand in the clone; cmake looks for them in the working directory.
    (
        cd "${root:?}" &&
            cmake --preset "$preset" -B "$folder" "$@" &&
            cmake --build "$folder"
    ) > "$log" 2>&1 </dev/null
}
