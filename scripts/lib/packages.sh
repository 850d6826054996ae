# shellcheck shell=bash
# packages.sh - which Debian packages are needed, and how they come onto this machine.
# shellcheck disable=SC2034  # the lists are for the scripts that source this

packages_build=(gcc libc6-dev cmake ninja-build pkg-config musl-tools libsystemd-dev
    libmicrohttpd-dev libgnutls28-dev zlib1g-dev libjansson-dev libsqlite3-dev
    "libcurl4-gnutls-dev|libcurl4-openssl-dev")
packages_services=(busybox lighttpd nats-server redis-tools)
packages_run=("${packages_build[@]}" "${packages_services[@]}" curl)
packages_test=("${packages_build[@]}" "${packages_services[@]}" curl clang clang-format
    libclang-rt-14-dev libcmocka-dev openssl python3 spin sqlite3 zsh systemd dbus)

package_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# packages_missing PACKAGE...: prints those that are not there; of "a|b" either will do.
packages_missing() {
    local wanted name found

    for wanted; do
        found=no
        for name in ${wanted//|/ }; do
            ! package_installed "$name" || found=yes
        done
        [ $found = yes ] || echo "${wanted%%|*}"
    done
}

# packages_install LOG PACKAGE...: installs what is missing. With everything there it asks for no
# rights and no network.
packages_install() {
    local log=$1 missing as_root=()
    shift

    command -v dpkg-query >/dev/null ||
        fail "this is not a Debian system: install what these packages hold by hand" "$*"
    mapfile -t missing < <(packages_missing "$@")
    if [ ${#missing[@]} = 0 ] && [ ! -d /var/lib/orderly-install ]; then
        say "packages: all $# are there"
        return
    fi
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "packages are missing, and there is no sudo" \
            "As root: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    say "packages: installing ${missing[*]:-nothing, but clearing up after an installation that was cut off}"
    : > "$log"
    if ! "${as_root[@]}" "${root:?}/scripts/lib/install-packages" "$log" "${missing[@]}"; then
        show_tail "$log"
        fail "these packages could not be installed: ${missing[*]}" \
            "By hand, as root: apt-get install --no-install-recommends ${missing[*]}"
    fi
}
