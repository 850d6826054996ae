/* identity - who asks, and what they may: peer credentials or a named token.
 * Threads: any; a plain value. */
#pragma once

#include "model/names.h"
#include "model/operation.h"

struct identity {
    char name[IDENTITY_MAX]; /* "uid:0", "token:deploy" */
    enum role role;          /* ROLE_NONE: not authenticated */
};
