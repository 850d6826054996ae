# shellcheck shell=bash
# machine.sh - what this machine lets a supervisor do; tests depend on it.

# cgroup_v2_make NAME: a group below our own; says which. False: it can't be made, and says why.
cgroup_v2_make() {
    local mount group

    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
    [ -n "$mount" ] || { echo "none mounted"; return 1; }
    group=$mount$(sed -n 's/^0:://p' /proc/self/cgroup)
    group=${group%/}
    mkdir "$group/$1" 2>/dev/null || { echo "$mount, not writable"; return 1; }
    echo "$group/$1"
}

cgroup_v2() {
    local group

    if group=$(cgroup_v2_make "orderly-probe-$$"); then
        rmdir "$group"
        echo "groups can be made in ${group%/*}"
    else
        echo "$group"
    fi
}

# Asks with arguments that can't be right: EINVAL says that the call is there.
clone3_there() {
    python3 -c '
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(435, None, 0)
error = ctypes.get_errno()
print("yes" if error in (errno.EINVAL, errno.EFAULT) else "no: " + errno.errorcode.get(error, "?"))'
}

# Whether tests can boot a systemd of their own; if not, why.
private_systemd() {
    local said

    if said=$("${root:?}/tests/systemd/with-systemd" systemctl --version 2>&1); then
        echo "yes: $(head -n 1 <<<"$said")"
    else
        echo "no: $(sed -n 's/^with-systemd: //p' <<<"$said" | head -n 1)"
    fi
}

machine_describe() {
    cat <<END
    kernel      $(uname -r) $(uname -m)
    cpus        $(nproc)
    memory      $(awk '/^MemAvailable/ { printf "%d MiB available", $2 / 1024 }' /proc/meminfo)
    user        uid $(id -u)
    open files  $(ulimit -Sn) soft, $(ulimit -Hn) hard
    cgroup v2   $(cgroup_v2)
    clone3      $(clone3_there)
    systemd     $(private_systemd)
    mmap bits   $(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo unknown)
END
}

# ThreadSanitizer of clang 14 finds no room for its shadow when addresses are spread over more than
# 28 bits: then its tests run without address randomisation.
without_randomisation() {
    if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -gt 28 ] &&
        setarch -R true 2>/dev/null; then
        setarch -R "$@"
    else
        "$@"
    fi
}
