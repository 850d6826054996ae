"""`check` on files that are broken in more than a hundred ways: each is told with its place, its
key and what is wrong, by both programs alike, and takes nothing else down.

A case is a name, what the file holds, and every error that must be told of it, no more and no
fewer: (line, column, key, a piece of the message); line 0 is the file as a whole.
"""
import os
import re
import unittest

from harness.orderly import ROOT, Daemon, check_config, fake, main, on_fd, run_ctl

GOOD = "[service]\ncommand = /bin/true\n"
HERE = GOOD.count("\n") + 1  # the line that follows
LONG = "x" * 300
UNIT = "[service]\nbackend = systemd\n"


def value(section, key, text, piece, at=0):
    """A service whose only fault is the value of one key."""
    first = "" if (section, key) == ("service", "command") else GOOD
    if section != "service" or not first:
        first += f"[{section}]\n"
    return (f"{first}{key} = {text}\n",
            [(first.count("\n") + 1, len(key) + 4 + at, key, piece)])


def later(section, key, text="x"):
    """A key whose feature is not built."""
    text, [(line, _, _, _)] = value(section, key, text, "")
    return text, [(line, 1, key, "not built into this version")]


def unit(name, piece, at=0):
    """A unit whose only fault is its name."""
    return f"{UNIT}unit = {name}\n", [(3, 8 + at, "unit", piece)]


def of_process(section, key, text):
    """A unit with a key that only processes have."""
    name = f"{section}-{key}.service"
    text = UNIT + f"unit = {name}\n" + (f"[{section}]\n" if section != "service" else "") + (
        f"{key} = {text}\n")
    return text, [(text.count("\n"), len(key) + 4, key, "not with backend = systemd: the unit's "
                   f"own file says it (systemctl edit {name})")]


def described(raw, column, piece):
    """A description that is no text."""
    return (GOOD.encode() + b"description = " + raw + b"\n", [(HERE, column, None, piece)])


BYTES = {
    "nul": (b"[service]\ncommand = /bin/true\0\n", [(2, 20, None, "a NUL byte")]),
    "nul-alone": (b"\0" * 10, [(1, 1, None, "a NUL byte")]),
    "not-utf8": described(b"\xff", 15, "byte 0xff: this is not UTF-8"),
    "latin1": described(b"caf\xe9", 18, "byte 0xe9"),
    "overlong": described(b"\xc0\xaf", 15, "byte 0xc0"),
    "surrogate": described(b"\xed\xa0\x80", 15, "byte 0xed"),
    "beyond-unicode": described(b"\xf4\x90\x80\x80", 15, "byte 0xf4"),
    "cut-short": described(b"\xe2\x82", 15, "byte 0xe2"),
    "stray": described(b"a\x80", 16, "byte 0x80"),
    "escape": described(b"\x1b[31mred", 15, "control character 0x1b"),
    "bell": described(b"ding\x07", 19, "control character 0x07"),
    "delete": described(b"a\x7f", 16, "control character 0x7f"),
    "c1-control": described(b"\xc2\x9b31m", 15, "control character 0x9b"),
    "cr-inside": described(b"a\rb", 16, "control character 0x0d"),
    "cr-only": (b"[service]\rcommand = /bin/true\r", [(1, 10, None, "control character 0x0d")]),
    "utf16": (GOOD.encode("utf-16-le"), [(1, 2, None, "a NUL byte"), (2, 1, None, "a NUL byte"),
                                         (3, 1, None, "a NUL byte")]),
    "elf": (b"\x7fELF\x02\x01\x01\0", [(1, 1, None, "control character 0x7f")]),
    "second-bom": (GOOD.encode() + b"\xef\xbb\xbf[log]\n",
                   [(HERE, 1, None, 'there is no "="')]),
    "too-large": ("# " + "x" * (1 << 20) + "\n", [(0, 0, None, "larger than")]),
}

SYNTAX = {
    "empty": ("", [(0, 0, "command", "is required")]),
    "only-comments": ("# nothing\n ; here\n", [(0, 0, "command", "is required")]),
    "only-a-section": ("[service]\n", [(0, 0, "command", "is required")]),
    "no-equals": ("[service]\ncommand /bin/true\n", [(2, 1, None, 'there is no "="')]),
    "colon": ("[service]\n  command: /bin/true\n", [(2, 3, None, 'there is no "="')]),
    "no-key": (GOOD + "= x\n", [(HERE, 1, None, 'no key before the "="')]),
    "no-section": ("command = /bin/true\n", [(1, 1, "command", "before any [section]")]),
    "open-bracket": ("[service\ncommand = /bin/true\n", [(1, 1, None, 'the "]" is missing')]),
    "behind-bracket": ("[service] # here\ncommand = /bin/true\n",
                       [(1, 11, None, 'nothing may follow the "]"')]),
    "nameless-section": ("[]\ncommand = /bin/true\n", [(1, 1, None, "a section needs a name")]),
    "blank-section": ("[  ]\ncommand = /bin/true\n", [(1, 1, None, "a section needs a name")]),
    "unknown-section": ("[servise]\ncommand = /bin/true\n",
                        [(1, 1, None, "did you mean [service]?")]),
    "section-case": ("[SERVICE]\ncommand = /bin/true\n",
                     [(1, 1, None, "there is no section [SERVICE]")]),
    "foreign-section": (GOOD + "[daemon]\nworkers = 1\n",
                        [(HERE, 1, None, "there is no section [daemon]")]),
    "control-in-section": (GOOD + "[l\x01og]\nx = y\n",
                           [(HERE, 3, None, "control character 0x01")]),
    "section-twice": (GOOD + "[log]\n[service]\n", [(HERE + 1, 1, None, "began in line 1")]),
    "ends-in-backslash": (GOOD + "description = a \\",
                          [(HERE, 17, None, 'the file ends in a "\\"')]),
    "ends-in-backslash-and-newline": (GOOD + "description = a\\\n",
                                      [(HERE, 16, None, 'the file ends in a "\\"')]),
    "long-line": ("[service]\ncommand = /bin/echo " + "x" * 70000 + "\n",
                  [(2, 1, None, "the line is too long: 64 KiB")]),
    "long-continued": ("[service]\ncommand = /bin/echo \\\n" + ("x" * 999 + "\\\n") * 80 + "x\n",
                       [(2, 1, None, "the line is too long: 64 KiB")]),
    "unknown-key": ("[service]\ncomand = /bin/true\n", [(2, 1, "comand", '"command"?')]),
    "unknown-key-near-nothing": (GOOD + "zzzzzz = 1\n",
                                 [(HERE, 1, "zzzzzz", "there is no such key in [service]")]),
    "key-case": (GOOD + "Umask = 022\n", [(HERE, 1, "Umask", "there is no such key")]),
    "key-with-a-blank": (GOOD + "[operation]\nstop timeout = 1s\n",
                         [(HERE + 1, 1, "stop timeout", '"stop_timeout"?')]),
    "long-key": (GOOD + "k" * 5000 + " = 1\n", [(HERE, 1, "kkkk", "there is no such key")]),
    "key-twice": (GOOD + "command = /bin/false\n", [(HERE, 1, "command", "was set in line 2")]),
    "key-of-another-section": (GOOD + "stop_timeout = 1s\n",
                               [(HERE, 1, "stop_timeout", "it belongs in [operation]")]),
    "key-of-two-others": (GOOD + "timeout = 1s\n",
                          [(HERE, 1, "timeout", "it belongs in [operation] or [readiness]")]),
    "key-of-the-daemon": (GOOD + "queue_limit_total = 5\n",
                          [(HERE, 1, "queue_limit_total", "there is no such key")]),
    "three-errors": ("[service]\ncomand = /bin/true\numask = 9\n[opration]\n",
                     [(2, 1, "comand", "command"), (3, 9, "umask", '"9"'),
                      (4, 1, None, "[operation]")]),
    "too-many-errors": (GOOD + "x = 1\n" * 500, [(HERE + n, 1, "x", "there is no such key")
                                                 for n in range(100)]
                        + [(HERE + 100, 1, None, "too many errors")]),
}

COMMANDS = {
    "quote": value("service", "command", "/bin/echo 'open", "never closed", 10),
    "double-quote": value("service", "command", '/bin/echo "open', "never closed", 10),
    "quote-with-backslash": value("service", "command", '/bin/echo "open\\"', "never closed", 10),
    "nothing": value("service", "command", "", "a program and its arguments"),
    "empty-program": value("service", "command", "'' a", "the program's name is empty"),
    "variable": value("service", "command", "/bin/echo $HOME", "quote the $", 10),
    "pipe": value("service", "command", "/bin/a | b", "no shell runs here", 7),
    "into-file": value("service", "command", "/bin/a > b", "quote the >", 7),
    "from-file": value("service", "command", "/bin/a < b", "quote the <", 7),
    "background": value("service", "command", "/bin/a &", "quote the &", 7),
    "and-then": value("service", "command", "/bin/a ; b", "quote the ;", 7),
    "glob": value("service", "command", "/bin/ls *", "quote the *", 8),
    "glob-one": value("service", "command", "/bin/ls a?", "quote the ?", 9),
    "subshell": value("service", "command", "(a)", "quote the ("),
    "backquote": value("service", "command", "a `b`", "quote the `", 2),
    "in-a-continuation": ("[service]\ncommand = /bin/a \\\n   b | c\n",
                          [(3, 6, "command", "quote the |")]),
    "long-part": value("service", "command", f"/{LONG}", "longer than 255 bytes"),
    "reload-quote": value("operation", "reload_command", "a 'b", "never closed", 2),
    "reload-variable": value("operation", "reload_command", "kill -HUP $MAINPID",
                             "write sh -c", 10),
    "reload-nothing": value("operation", "reload_command", "", "a program"),
    "reload-twofold": (GOOD + "[operation]\nreload_signal = HUP\nreload_command = a\n",
                       [(HERE + 2, 18, "reload_command", "reload_signal is set in line 4")]),
}

VALUES = {
    "backend": value("service", "backend", "docker", "process"),
    "backend-typo": ("[service]\nbackend = sytemd\nunit = a.service\n"
                     "[operation]\ntimeout = 5s\n",
                     [(2, 11, "backend", 'did you mean "systemd"?')]),
    "backend-other-case": value("service", "backend", "Systemd", 'did you mean "systemd"?'),
    "description": value("service", "description", "x" * 501, "at most 500 bytes; there are 501"),
    "directory-empty": value("service", "directory", "", "expected a path"),
    "directory-part": value("service", "directory", f"/{LONG}", "longer than 255 bytes"),
    "directory-long": value("service", "directory", "/x" * 3000, "it is too long"),
    "user": value("service", "user", "no-such-user", 'no user "no-such-user"'),
    "user-negative": value("service", "user", "-1", 'no user "-1"'),
    "group": value("service", "group", "no-such-group", 'no group "no-such-group"'),
    "groups": value("service", "supplementary_groups", "0 none-such", '"none-such"', 2),
    "groups-twice": value("service", "supplementary_groups", "0, 0", '"0" stands twice', 3),
    "environment": value("service", "environment", "A=1 novalue", "expected NAME=VALUE"),
    "environment-name": value("service", "environment", "1X=y", "word 1 is none"),
    "environment-twice": value("service", "environment", "A=1 A=2", "A stands twice"),
    "environment-quote": value("service", "environment", "A='b", "never closed", 2),
    "environment-variable": value("service", "environment", "A=$B", "nothing is expanded", 2),
    "environment-file": value("service", "environment_file", "-", "expected a path, or -path"),
    "umask": value("service", "umask", "999", "an octal number"),
    "umask-large": value("service", "umask", "01000", "an octal number"),
    "umask-words": value("service", "umask", "rwx", "an octal number"),
    "tags": value("service", "tags", "a b@c!", '"b@c!" is no name', 2),
    "tags-twice": value("service", "tags", "a, b a", '"a" stands twice', 5),
    "requires-path": value("service", "requires", "../evil", '"../evil" is no name'),
    "wants-dash": value("service", "wants", "-x", '"-x" is no name'),
    "after-sign": value("service", "after", "!", '"!" is no name'),
    "autostart": value("service", "autostart", "maybe", "no or yes"),
    "autostart-case": value("service", "autostart", "Yes", "no or yes"),
    "timeout": value("operation", "timeout", "10 parsecs", "from 1ms to 1d"),
    "timeout-negative": value("operation", "timeout", "-5s", '"-5s"'),
    "timeout-zero": value("operation", "timeout", "0", "from 1ms to 1d"),
    "timeout-large": value("operation", "timeout", "25h", "from 1ms to 1d"),
    "timeout-overflow": value("operation", "timeout", "9" * 30, "from 1ms to 1d"),
    "timeout-empty": value("operation", "timeout", "", "a duration"),
    "timeout-too-small": (GOOD + "[operation]\ntimeout = 5s\nstop_timeout = 10s\n",
                          [(HERE + 1, 11, "timeout", "a restart needs at least 11s")]),
    "stop-timeout-too-large": (GOOD + "[operation]\nstop_timeout = 40s\n",
                               [(HERE + 1, 16, "timeout", "a restart needs at least 41s")]),
    "stop-signal": value("operation", "stop_signal", "TREM", 'did you mean "TERM"?'),
    "stop-signal-number": value("operation", "stop_signal", "99", "a signal such as"),
    "stop-timeout": value("operation", "stop_timeout", "5x", "from 0s to 1d"),
    "reload-signal": value("operation", "reload_signal", "HPU", 'did you mean "HUP"?'),
    "reload-signal-kill": value("operation", "reload_signal", "KILL", "no program can take"),
    "reload-signal-stop": value("operation", "reload_signal", "19", "no program can take"),
    "reload-signal-zero": value("operation", "reload_signal", "0", "a signal such as HUP"),
    "queue-limit": value("operation", "queue_limit", "0", "from 1 to 65536"),
    "queue-limit-large": value("operation", "queue_limit", "65537", "from 1 to 65536"),
    "queue-limit-point": value("operation", "queue_limit", "1.5", "a whole number"),
    "coalesce": value("operation", "coalesce", "sometimes", "no or yes"),
    "ready-type": value("readiness", "type", "dealy", 'did you mean "delay"?'),
    "ready-delay": value("readiness", "delay", "soon", "a duration"),
    "ready-timeout": value("readiness", "timeout", "1y", "a duration"),
    "restart": value("recovery", "restart", "allways", 'did you mean "always"?'),
    "first-delay": value("recovery", "first_delay", "x", "a duration"),
    "max-delay": value("recovery", "max_delay", "1.5.2s", "a duration"),
    "attempts": value("recovery", "attempts", "-1", "from 0 to 1000000"),
    "attempts-large": value("recovery", "attempts", "1000001", "from 0 to 1000000"),
    "stable-after": value("recovery", "stable_after", "", "a duration"),
    "target": value("log", "target", "syslog", "file, console, both or none"),
    "stderr": value("log", "stderr", "seperate", 'did you mean "separate"?'),
    "max-size": value("log", "max_size", "10Q", "a size"),
    "max-size-negative": value("log", "max_size", "-1", "from 0 to 1024G"),
    "max-size-fraction": value("log", "max_size", "0.3", "a size"),
    "max-files": value("log", "max_files", "1001", "from 0 to 1000"),
    "max-age": value("log", "max_age", "a week", "a duration"),
    "max-age-large": value("log", "max_age", "3651d", "from 0s to 3650d"),
    "max-age-small": value("log", "max_age", "1ms", "0 (any age) or at least 1s"),
    "compress": value("log", "compress", "gzip", "no or yes"),
    "timestamps": value("log", "timestamps", "1", "no or yes"),
    "when-full": value("log", "when_full", "blok", 'did you mean "block"?'),
    "memory": value("limits", "memory", "lots", "a size"),
    "memory-small": value("limits", "memory", "1023K", "from 1M"),
    "memory-percent": value("limits", "memory", "50%", "a size"),
    "cpu": value("limits", "cpu", "150%", "a number of processors"),
    "cpu-zero": value("limits", "cpu", "0", "from 0.01 to 4096"),
    "cpu-large": value("limits", "cpu", "4096.1", "from 0.01 to 4096"),
    "cpu-fine": value("limits", "cpu", "1.2345", "a number of processors"),
    "tasks": value("limits", "tasks", "0", "from 1 to 4194304"),
    "tasks-point": value("limits", "tasks", "1.5", "a whole number"),
    "nofile": value("limits", "nofile", "7", "from 8 to"),
    "core": value("limits", "core", "1Z", "a size such as 0 or 100M, or unlimited"),
    "oom-high": value("limits", "oom_score_adjust", "1001", "from -1000 to 1000"),
    "oom-low": value("limits", "oom_score_adjust", "-1001", "from -1000 to 1000"),
}

TWICE = "shop.service is already driven by service driven (services.d/driven.conf)"

UNITS = {
    "unit": value("service", "unit", "nginx.service", "only with backend = systemd"),
    "bus": value("service", "bus", "user", "only with backend = systemd"),
    "bus-word": (UNIT + "unit = bus.service\nbus = session\n",
                 [(4, 7, "bus", "expected system or user")]),
    "bus-wrong-twice": (GOOD + "bus = session\n", [(HERE, 7, "bus", "expected system or user"),
                                                   (HERE, 7, "bus", "only with backend")]),
    "on-timeout": value("operation", "on_timeout", "stop", "only with backend = systemd"),
    "on-timeout-word": (UNIT + "unit = late.service\n[operation]\non_timeout = kill\n",
                        [(5, 14, "on_timeout", "expected leave or stop")]),
    "unit-of-process": ("[service]\nbackend = process\nunit = nginx.service\n",
                        [(0, 0, "command", "[service] command is required"),
                         (3, 8, "unit", "only with backend = systemd")]),
    "unit-without-backend": ("[service]\nunit = nginx.service\n[operation]\ntimeout = 5s\n",
                             [(2, 8, "unit", "only with backend = systemd")]),
    "unit-missing": (UNIT, [(2, 11, "unit", "[service] unit is required with backend = systemd")]),
    "unit-key-typo": (UNIT + "unti = a.service\n", [(3, 1, "unti", '"unit"?')]),
    "unit-and-command": (UNIT + "unit = both.service\ncommand = /bin/true\n",
                         [(4, 11, "command", "not with backend = systemd")]),
    "unit-empty": unit("", "expected a unit such as nginx.service or worker@3.service"),
    "unit-bare": unit("nginx", "a unit has a suffix: did you mean nginx.service?"),
    "unit-suffix": unit("nginx.sevrice", "a unit has a suffix: did you mean nginx.service?"),
    "unit-dotted": unit("my.app", "a unit has a suffix: did you mean my.app.service?"),
    "unit-socket": unit("nginx.socket", "nginx.socket is a socket: Orderly drives services; the "
                        "service that it starts is usually nginx.service"),
    "unit-timer": unit("backup.timer", "backup.timer is a timer: Orderly drives services; the "
                       "service that it starts is usually backup.service"),
    "unit-path": unit("spool.path", "is a path unit: Orderly drives services; the service that it "
                      "starts is usually spool.service"),
    "unit-target": unit("multi-user.target", "multi-user.target is a target: Orderly drives"),
    "unit-mount": unit("home.mount", "home.mount is a mount: Orderly drives services"),
    "unit-automount": unit("home.automount", "is an automount: Orderly drives services"),
    "unit-swap": unit("a.swap", "is a swap: Orderly drives services"),
    "unit-slice": unit("user.slice", "is a slice: Orderly drives services"),
    "unit-scope": unit("init.scope", "is a scope: Orderly drives services"),
    "unit-device": unit("dev-sda.device", "is a device: Orderly drives services"),
    "unit-template": unit("worker@.service", "worker@.service is a template: name an instance, as "
                          "worker@1.service"),
    "unit-nameless-instance": unit("@1.service", 'nothing stands before the @ in "@1.service"'),
    "unit-nameless": unit(".service", 'nothing stands before the suffix in ".service"'),
    "unit-of-path": unit("/lib/systemd/system/nginx.service",
                         "goes by its name, not by a path: did you mean nginx.service?"),
    "unit-glob": unit("nginx*.service", "a service is one unit, not all that fit a pattern", 5),
    "unit-two": unit("a.service b.service", '" " can\'t stand in the name of a unit', 9),
    "unit-specifier": unit("a@%i.service", '"%" can\'t stand in the name of a unit', 2),
    "unit-umlaut": unit("ü.service", '"ü" can\'t stand in the name of a unit'),
    "unit-long": unit("x" * 248 + ".service", "expected at most 255 bytes; there are 256"),
    "drives-again": (UNIT + "unit = shop.service\n", [(3, 8, "unit", TWICE)]),
    "drives-once-more": (UNIT + "tags = x\nunit = shop.service\n", [(4, 8, "unit", TWICE)]),
}
for _section, _key, _text in (
        ("service", "directory", "/"), ("service", "user", "root"), ("service", "group", "0"),
        ("service", "supplementary_groups", "0"), ("service", "environment", "A=1"),
        ("service", "environment_file", "/a"), ("service", "umask", "022"),
        ("operation", "stop_signal", "INT"), ("operation", "stop_timeout", "1h"),
        ("operation", "reload_signal", "HUP"), ("operation", "reload_command", "a"),
        ("readiness", "type", "fd"), ("readiness", "delay", "1h"), ("readiness", "timeout", "1h"),
        ("log", "target", "none"), ("log", "stderr", "separate"), ("log", "max_size", "1M"),
        ("log", "max_files", "1"), ("log", "max_age", "1ms"), ("log", "compress", "yes"),
        ("log", "timestamps", "yes"), ("log", "when_full", "drop"), ("limits", "memory", "1M"),
        ("limits", "cpu", "1"), ("limits", "tasks", "1"), ("limits", "nofile", "16"),
        ("limits", "core", "0"), ("limits", "oom_score_adjust", "1")):
    UNITS[f"unit-{_section}-{_key}"] = of_process(_section, _key, _text)

UNBUILT = {
    "ready-command": later("readiness", "command", "/bin/true"),
    "ready-url": later("readiness", "url", "http://127.0.0.1/"),
    "ready-address": later("readiness", "address", "127.0.0.1:1"),
    "ready-notify": value("readiness", "type", "notify", "not built into this version"),
    "ready-exec": value("readiness", "type", "exec", "not built into this version"),
    "ready-http": value("readiness", "type", "http", "not built into this version"),
    "ready-tcp": value("readiness", "type", "tcp", "not built into this version"),
    "on-failure": later("recovery", "on_failure", "/bin/true"),
    "health": (GOOD + "[health]\ntype = http\nurl = http://127.0.0.1/\n",
               [(HERE, 1, None, "[health]: health checks are not built into this version")]),
}

GRAPH = {
    "needs-nobody": value("service", "requires", "nobody-here", 'no service "nobody-here"'),
    "needs-nearly": value("service", "wants", "good-on", 'did you mean "good-one"?'),
    "itself": value("service", "after", "itself", '"itself" names itself'),
    "circle-a": value("service", "requires", "circle-b", "circle-a -> circle-b -> circle-c"),
    "circle-b": value("service", "wants", "circle-c", "circle-b -> circle-c -> circle-a"),
    "circle-c": value("service", "after", "circle-a", "circle-c -> circle-a -> circle-b"),
    "web": value("log", "stderr", "separate", 'the log of the service "web.err"'),
    "-dash": (GOOD, [(0, 0, None, "can't be the name of a service")]),
    "sp ace": (GOOD, [(0, 0, None, "can't be the name of a service")]),
    "n" * 101: (GOOD, [(0, 0, None, "can't be the name of a service")]),
    "umlaut-ü": (GOOD, [(0, 0, None, "can't be the name of a service")]),
}

SERVICES = {**BYTES, **SYNTAX, **COMMANDS, **VALUES, **UNITS, **UNBUILT, **GRAPH}

# What is wrong only beside a good one.
BESIDE_GOOD = {"web", "drives-again", "drives-once-more"}

GOOD_SERVICES = {
    "good-one": GOOD, "web.err": GOOD,
    "with-bom": b"\xef\xbb\xbf" + GOOD.encode(),
    "with-crlf": GOOD.replace("\n", "\r\n"),
    "no-newline": GOOD.rstrip("\n"),
    "continued": "[service]\ncommand = /bin/echo \\\n  'a ; b' \\\n  # c\n",
    "needs-a-refused-one": GOOD + "requires = unit\n",
    "driven": UNIT + "unit = shop.service\n",
    "driven-for-a-user": UNIT + "unit = shop.service\nbus = user\n",
    "driven-instance": (UNIT + "unit = worker@3.service\ndescription = a worker\ntags = web\n"
                        "requires = driven\nautostart = yes\n[operation]\ntimeout = 5s\n"
                        "queue_limit = 3\ncoalesce = yes\non_timeout = stop\n[recovery]\n"
                        "restart = on-failure\n"),
    "driven-escaped": UNIT + "unit = dev-disk\\x2dby.service\n",
    "all-of-it": GOOD + ("tags = a, b\n[operation]\nreload_signal = HUP\ncoalesce = yes\n[log]\n"
                         "target = both\nstderr = separate\nmax_age = 7d\ncompress = yes\n"
                         "timestamps = yes\nwhen_full = drop\n[recovery]\nrestart = no\n"),
}

# What supervisor.conf holds beside folders of the test's own, from line 1 on: one run each.
SUPERVISORS = [
    ("[daemon]\nwrokers = 4\n", [(2, 1, "wrokers", '"workers"?')]),
    ("[deamon]\n", [(1, 1, None, "[daemon]")]),
    ("[api]\nlisten = 127.0.0.1\n", [(2, 10, "listen", "ADDRESS:PORT")]),
    ("[api]\nlisten = 127.0.0.1:99999\n", [(2, 10, "listen", "ADDRESS:PORT")]),
    ("[api]\nlisten = example.org:80\n", [(2, 10, "listen", "ADDRESS:PORT")]),
    ("[api]\nlisten = 0.0.0.0:80\n", [(2, 10, "listen", "set tls_cert and tls_key, or "
                                       "allow_plain_http = yes")]),
    ("[api]\nlisten = [::]:80\nallow_plain_http = no\n", [(2, 10, "listen", "not loopback")]),
    ("[api]\nlisten = 80\ntls_cert = @FOLDER@/cert\n", [(3, 12, "tls_cert", "TLS needs tls_key")]),
    ("[api]\nlisten = 80\ntls_key = @FOLDER@/key\n", [(3, 11, "tls_key", "TLS needs tls_cert")]),
    ("[api]\nlisten = 80\ntls_cert = @FOLDER@/none\ntls_key = @FOLDER@/key\n",
     [(3, 12, "tls_cert", "No such file")]),
    ("[api]\nlisten = 80\ntls_cert = @FOLDER@/key\ntls_key = @FOLDER@/key\n",
     [(3, 12, "tls_cert", "no certificate in PEM form")]),
    ("[api]\nlisten = 80\ntls_cert = @FOLDER@/cert\ntls_key = @FOLDER@/open-key\n",
     [(4, 11, "tls_key", "anybody may read")]),
    ("[api]\nlisten = 80\nserver_names = ok *.example.org\n",
     [(3, 19, "server_names", '"*.example.org" is no host name')]),
    ("[api]\nlisten = 80\nallow_plain_http = maybe\n", [(3, 20, "allow_plain_http", "no or yes")]),
    ("[daemon]\nexit_with = web\n", [(2, 1, "exit_with", "not built into this version")]),
    ("[daemon]\nworkers = 2\nworkers = 3\n", [(3, 1, "workers", "was set in line 2")]),
    ("[journal]\n[daemon]\n[journal]\n", [(3, 1, None, "began in line 1")]),
    ("[service]\ncommand = a\n", [(1, 1, None, "there is no section [service]")]),
    ("[operations]\nstop_timeout = 1s\n", [(2, 1, "stop_timeout", "there is no such key")]),
    (b"[daemon]\nworkers = 2\xff\n", [(2, 12, None, "0xff")]),
    (b"[daemon]\0\n", [(1, 9, None, "a NUL byte")]),
    ("[daemon]\nworkers = 2 \\", [(2, 13, None, 'the file ends in a "\\"')]),
    ("[api]\nsocket = /" + "x" * 120 + "\n", [(2, 10, "socket", "at most 107 bytes")]),
    # every key that has a range or words at once
    ("[daemon]\nworkers = 257\nshutdown_timeout = 1w\nresume = perhaps\nlog_level = loud\n"
     "log_target = syslog\nstate_dir =\nruntime_dir =\nlog_dir =\nservices_dir =\n"
     "[api]\nsocket =\ngroup = no-such-group\ntoken_file =\n"
     "[operations]\ntimeout = never\nqueue_limit = 0\nqueue_limit_total = x\nhistory_count = -3\n"
     "history_age = old\n[journal]\ndurability = ful\n",
     [(2, 11, "workers", "from 0 to 256"), (3, 20, "shutdown_timeout", "a duration"),
      (4, 10, "resume", "no or yes"), (5, 13, "log_level", "error, warning, info or debug"),
      (6, 14, "log_target", "auto, stderr, journal or file"), (7, 12, "state_dir", "a path"),
      (8, 14, "runtime_dir", "a path"), (9, 10, "log_dir", "a path"),
      (10, 15, "services_dir", "a path"), (12, 9, "socket", "a path"),
      (13, 9, "group", "no-such-group"), (14, 13, "token_file", "a path"),
      (16, 11, "timeout", "from 1ms"), (17, 15, "queue_limit", "from 1 to 65536"),
      (18, 21, "queue_limit_total", "a whole number"), (19, 17, "history_count", "from 0"),
      (20, 15, "history_age", "a duration"), (22, 14, "durability", "normal or full")]),
]

LINE = re.compile(r"(?P<file>.*?\.conf)(?::(?P<line>\d+):(?P<column>\d+))?: "
                  r"(?P<weight>error|warning): (?P<text>.*)")


def told_by_both(test, conf):
    """{file: [(line, column, text)]} of errors, as both programs tell them, and the exit status."""
    daemon, ctl = check_config(conf), run_ctl("check", conf, text=False)
    said = (ctl.stdout + ctl.stderr).decode(errors="replace")
    test.assertEqual(sorted(daemon.stdout.splitlines()), sorted(said.splitlines()))
    test.assertEqual(bool(daemon.returncode), bool(ctl.returncode))
    found = {}
    for line in daemon.stdout.splitlines():
        seen = LINE.fullmatch(line)
        if seen and seen["weight"] == "error":
            found.setdefault(seen["file"], []).append(
                (int(seen["line"] or 0), int(seen["column"] or 0), seen["text"]))
    return found, daemon.returncode, daemon.stdout


def fits(told, expected):
    """Whether one error is the one that was expected."""
    line, column, text = told
    key, message = text.split(": ", 1) if expected[2] is not None else (None, text)
    return ((line, column) == expected[:2] and expected[3] in message
            and (key == expected[2] or key.endswith("...") and key.startswith(expected[2])))


class Check(unittest.TestCase):
    def assertTold(self, told, expected):
        self.assertEqual(len(told), len(expected), told[:10])
        for one, other in zip(told, expected):
            self.assertTrue(fits(one, other), f"{one} is not {other}")

    def test_there_are_more_than_a_hundred_broken_files(self):
        self.assertGreater(len(SERVICES) + len(SUPERVISORS), 150)
        self.assertEqual(len({repr(text) for text, _ in SERVICES.values()}),
                         len(SERVICES) - len([t for t, _ in GRAPH.values() if t == GOOD]) + 1)

    def test_each_broken_service_is_told_with_its_place_and_no_other_is_touched(self):
        services = {name: text for name, (text, _) in SERVICES.items()}
        with Daemon({**services, **GOOD_SERVICES}, start=False) as d:
            found, status, said = told_by_both(self, d.conf)
            self.assertEqual(status, 1)
            for name, (_, expected) in SERVICES.items():
                with self.subTest(name):
                    self.assertTold(found.pop(d.service_file(name), []), expected)
            self.assertEqual(found, {})
            count = sum(len(expected) for _, expected in SERVICES.values())
            self.assertIn(f"\n{count} errors\n", said)

    def test_what_is_no_readable_file_is_told_without_waiting_for_it(self):
        with Daemon({"good": GOOD}, start=False) as d:
            pieces = {"folder": "is not a regular file", "fifo": "is not a regular file",
                      "loop": "Too many levels of symbolic links", "gone": "No such file",
                      "endless": "larger than", "through-a-file": "Not a directory"}
            os.mkdir(d.service_file("folder"))
            os.mkfifo(d.service_file("fifo"))
            os.symlink(d.service_file("loop"), d.service_file("loop"))
            os.symlink("/nonexistent/file", d.service_file("gone"))
            os.symlink("/dev/zero", d.service_file("endless"))
            os.symlink(d.service_file("good") + "/x", d.service_file("through-a-file"))
            if not ROOT:
                d.write_service("locked", GOOD)
                os.chmod(d.service_file("locked"), 0)
                pieces["locked"] = "Permission denied"
            found, status, _ = told_by_both(self, d.conf)
        self.assertEqual(status, 1)
        self.assertEqual({os.path.basename(path)[:-5] for path in found}, set(pieces))
        for path, told in found.items():
            with self.subTest(path):
                self.assertTold(told, [(0, 0, None, pieces[os.path.basename(path)[:-5]])])

    def test_each_broken_supervisor_conf_is_told_with_its_place(self):
        with Daemon({"good": GOOD}, start=False) as d:
            for name, text, mode in (("cert", "CERTIFICATE", 0o644), ("key", "PRIVATE KEY", 0o600),
                                     ("open-key", "PRIVATE KEY", 0o644)):
                with open(f"{d.folder}/{name}", "w") as f:
                    f.write(f"-----BEGIN {text}-----\nMIIB\n-----END {text}-----\n")
                os.chmod(f"{d.folder}/{name}", mode)
            for text, expected in SUPERVISORS:
                with self.subTest(text[:60]):
                    raw = d.fill(text)
                    with open(d.conf, "wb") as f:
                        f.write(raw if isinstance(raw, bytes) else raw.encode())
                    found, status, _ = told_by_both(self, d.conf)
                    self.assertEqual(status, 1)
                    self.assertTold(found.pop(d.conf, []), expected)
                    self.assertEqual(found, {})

    def test_errors_of_services_are_told_beside_those_of_supervisor_conf(self):
        with Daemon({"bad": "[service]\ncomand = x\n", "good": GOOD}, start=False,
                    config={"operations": {"timeot": "30s"}}) as d:
            found, status, said = told_by_both(self, d.conf)
        self.assertEqual((status, len(found)), (1, 2))
        self.assertIn("\n2 errors\n", said)

    def test_a_services_dir_that_is_missing_is_an_error(self):
        with Daemon({}, start=False) as d:
            os.rmdir(d.services_dir)
            found, status, _ = told_by_both(self, d.conf)
        self.assertEqual(status, 1)
        self.assertTold(found[d.conf], [(0, 0, None, "open services_dir")])

    def test_a_good_configuration_is_counted_and_warnings_are_no_errors(self):
        services = dict(GOOD_SERVICES, unit=GOOD)
        services["noise"] = GOOD + "[log]\ntarget = none\ncompress = yes\n"
        with Daemon(services, start=False) as d:
            found, status, said = told_by_both(self, d.conf)
        self.assertEqual((found, status), ({}, 0), said)
        self.assertIn(f"{len(services)} services, no errors", said)
        self.assertRegex(said, r"noise\.conf:5:12: warning: compress: means nothing")


class Running(unittest.TestCase):
    def test_a_daemon_runs_what_is_good_among_all_that_is_broken(self):
        broken = {name: text for name, (text, _) in SERVICES.items() if name not in BESIDE_GOOD}
        services = {"steady": on_fd(), "leaning": on_fd(service={"requires": "steady"}),
                    "plain": fake()}
        with Daemon({**broken, **services, "good-one": on_fd()}) as d:
            rows = {row["name"] for row in d.wait_all_running().values()}
            self.assertTrue(rows >= set(services))
            self.assertEqual(rows & set(broken), set())
            told = {error["file"] for error in d.status()["daemon"]["config_errors"]}
            self.assertEqual(told, {d.service_file(name) for name in broken})
            for name in ("quote", "cpu", "unit", "circle-b"):
                answer = d.http("POST", f"/start/{name}")
                self.assertEqual((answer.status, answer.json["code"]), (409, "config_refused"))


if __name__ == "__main__":
    main()
