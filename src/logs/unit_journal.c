#include "unit_journal.h"

#include "base/cleanup.h"
#include "unit_alias.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MATCH_SIZE 320 /* a unit's name has at most 255 bytes */

/* The trusted fields begin with an underscore: journald has set them itself. */
struct pattern {
    const char *said, *of; /* the field with the unit in what its processes said, in what was said
                              of it */
    const char *said_by, *of_by; /* who must have said it; NULL: anybody */
};

static int add_unit(sd_journal *journal, const char *field, const char *unit)
{
    char match[MATCH_SIZE];
    int n = snprintf(match, sizeof match, "%s=%s", field, unit);

    return n < (int)sizeof match ? sd_journal_add_match(journal, match, (size_t)n) : -ENAMETOOLONG;
}

static int add_matches(sd_journal *journal, const char *unit, const struct pattern *p)
{
    int result = add_unit(journal, p->said, unit);

    if (result >= 0 && p->said_by)
        result = sd_journal_add_match(journal, p->said_by, 0);
    if (result >= 0)
        result = sd_journal_add_disjunction(journal);
    if (result >= 0)
        result = add_unit(journal, p->of, unit);
    return result < 0 ? result : sd_journal_add_match(journal, p->of_by, 0);
}

/* Under both names: what it was called may have changed. */
static int add_names(sd_journal *journal, const char *unit, enum bus_type bus,
                     const struct pattern *p)
{
    char other[UNIT_NAME_SIZE];
    int result = add_matches(journal, unit, p);

    if (result < 0 || !unit_alias(unit, bus, other))
        return result;
    result = sd_journal_add_disjunction(journal);
    return result < 0 ? result : add_matches(journal, other, p);
}

static int add_bus_matches(sd_journal *journal, const char *unit, enum bus_type bus)
{
    char uid[32];
    const struct pattern system = {"_SYSTEMD_UNIT", "UNIT", NULL, "_PID=1"};
    const struct pattern user = {"_SYSTEMD_USER_UNIT", "USER_UNIT", uid, uid};

    snprintf(uid, sizeof uid, "_UID=%u", (unsigned)getuid());
    return add_names(journal, unit, bus, bus == BUS_USER ? &user : &system);
}

/* One is opened also where none is. */
static int check_found(sd_journal *journal, struct error *err)
{
    if (sd_journal_has_runtime_files(journal) > 0 || sd_journal_has_persistent_files(journal) > 0)
        return 0;
    return error_set(err, -ENOENT,
                     "there is no journal of systemd's in /run/log/journal or /var/log/journal%s",
                     geteuid() == 0 ? "; does systemd-journald run?"
                                    : " that this daemon may read; the group systemd-journal may");
}

int unit_journal_open(const char *unit, enum bus_type bus, size_t limit, sd_journal **ret_journal,
                      struct error *err)
{
    CLEANUP(unit_journal_closep) sd_journal *journal = NULL;
    int result = sd_journal_open_namespace(&journal, NULL,
                                           SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_ALL_NAMESPACES);

    if (result < 0)
        return error_set(err, result, "open systemd's journal: %m");
    result = check_found(journal, err);
    if (result < 0)
        return result;
    result = sd_journal_set_data_threshold(journal, limit);
    if (result >= 0)
        result = add_bus_matches(journal, unit, bus);
    if (result < 0)
        return error_set(err, result, "look for %s in systemd's journal: %m", unit);
    *ret_journal = take(journal);
    return 0;
}

/* ---- what is not in it yet ---- */

/* What journalctl --sync asks too; the message ends with its NUL. */
static const char write_call[] =
    "{\"method\":\"io.systemd.Journal.Synchronize\",\"parameters\":{}}";

int unit_journal_write_out(void)
{
    const struct sockaddr_un address = {AF_UNIX, "/run/systemd/journal/io.systemd.journal"};
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ssize_t sent;

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    sent = send(fd, write_call, sizeof write_call, MSG_NOSIGNAL);
    if (sent != (ssize_t)sizeof write_call)
        return sent < 0 ? -errno : -EIO;
    return take_fd(&fd);
}
