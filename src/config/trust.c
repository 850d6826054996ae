#include "trust.h"

#include <sys/stat.h>
#include <unistd.h>

void trust_check(struct report *report, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        return; /* reading it says what is wrong */
    if (st.st_uid != 0 && st.st_uid != geteuid())
        report_warning(report, NO_PLACE, NULL, "it belongs to uid %u, who may change what is run",
                       st.st_uid);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        report_warning(report, NO_PLACE, NULL,
                       "%s may write it (mode %04o) and so change what is run",
                       st.st_mode & S_IWOTH ? "anybody" : "its group", st.st_mode & 07777);
}
