/* trust - warnings of configuration that others than root and ourselves may change.
 * Threads: any. */
#pragma once

#include "report.h"

/* Looks at the file or folder at path; the warnings are the report's file's. */
void trust_check(struct report *report, const char *path);
