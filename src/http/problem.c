#include "problem.h"

static const struct problem_kind kinds[PROBLEM_COUNT] = {
    [PROBLEM_BAD_PARAMETER] = {"bad_parameter", 400, "Bad Request", NULL},
    [PROBLEM_BAD_BODY] = {"bad_body", 400, "Bad Request", NULL},
    [PROBLEM_NOT_JSON] = {"not_json", 400, "Bad Request", NULL},
    [PROBLEM_UNAUTHENTICATED] = {"unauthenticated", 401, "Unauthorized", NULL},
    [PROBLEM_FORBIDDEN] = {"forbidden", 403, "Forbidden", NULL},
    [PROBLEM_NOT_FOUND] = {"not_found", 404, "Not Found", NULL},
    [PROBLEM_UNKNOWN_SERVICE] = {"unknown_service", 404, "Not Found", NULL},
    [PROBLEM_UNKNOWN_OPERATION] = {"unknown_operation", 404, "Not Found", NULL},
    [PROBLEM_METHOD_NOT_ALLOWED] = {"method_not_allowed", 405, "Method Not Allowed", NULL},
    [PROBLEM_NOT_IDLE] = {"not_idle", 409, "Conflict", NULL},
    [PROBLEM_CANNOT_CANCEL] = {"cannot_cancel", 409, "Conflict", NULL},
    [PROBLEM_CANNOT_UPGRADE] = {"cannot_upgrade", 409, "Conflict", NULL},
    [PROBLEM_CANNOT_RELOAD] = {"cannot_reload", 409, "Conflict", NULL},
    [PROBLEM_CONFIG_REFUSED] = {"config_refused", 409, "Conflict", NULL},
    [PROBLEM_GONE] = {"gone", 410, "Gone", NULL},
    [PROBLEM_TOO_LARGE] = {"too_large", 413, "Content Too Large", NULL},
    [PROBLEM_KEY_REUSED] = {"key_reused", 422, "Unprocessable Content", NULL},
    [PROBLEM_NEVER_FITS] = {"never_fits", 422, "Unprocessable Content", NULL},
    [PROBLEM_QUEUE_FULL] = {"queue_full", 429, "Too Many Requests", "1"},
    [PROBLEM_CLOSING] = {"closing", 503, "Service Unavailable", NULL},
    [PROBLEM_JOURNAL_UNAVAILABLE] = {"journal_unavailable", 503, "Service Unavailable", "5"},
};

const struct problem_kind *problem_kind(enum problem_code code)
{
    return &kinds[code];
}

void problem_json(enum problem_code code, const char *detail, const char *instance, struct text *t)
{
    const struct problem_kind *kind = &kinds[code];

    text_append(t, "{\"type\":\"about:blank\",\"title\":");
    text_json_string(t, kind->title);
    text_appendf(t, ",\"status\":%u,\"code\":\"%s\",\"detail\":", kind->status, kind->code);
    text_json_string(t, detail);
    text_append(t, ",\"instance\":");
    text_json_string(t, instance);
    text_append(t, "}\n");
}
