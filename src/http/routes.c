/* The table of everything that can be asked for, and of everything that can be answered: what
 * orderlyd --help-api prints, the manual is made from, and a story tries entry by entry. */
#include "routes.h"

#include "problem.h"
#include "query.h"
#include "router.h"

#define OPERATE                                                                                    \
    (PARAMETER_WAIT | PARAMETER_TIMEOUT | PARAMETER_MODE | PARAMETER_COALESCE | PARAMETER_REASON)

#define CODE(name) PROBLEM_BIT(PROBLEM_##name)

/* Of every request: what its bytes, its host or its time can be refused for. */
#define PUBLIC                                                                                     \
    (CODE(BAD_PARAMETER) | CODE(BAD_BODY) | CODE(FORBIDDEN) | CODE(TOO_LARGE) | CODE(CLOSING))
#define ANY             (PUBLIC | CODE(UNAUTHENTICATED))
#define OF_A_SERVICE    (CODE(UNKNOWN_SERVICE) | CODE(CONFIG_REFUSED))
#define OF_AN_OPERATION (CODE(UNKNOWN_OPERATION) | CODE(GONE) | CODE(JOURNAL_UNAVAILABLE))
#define ASKED                                                                                      \
    (ANY | OF_A_SERVICE | CODE(NOT_JSON) | CODE(NOT_IDLE) | CODE(GONE) | CODE(KEY_REUSED) |        \
     CODE(QUEUE_FULL) | CODE(JOURNAL_UNAVAILABLE))
#define ENDED (ANSWER_200 | ANSWER_202 | ANSWER_409)

#define OPERATION(path, parameters, problems, action)                                              \
    {                                                                                              \
        "POST", path, ARGUMENT_SERVICE, ROLE_OPERATE, BODY_PARAMETERS, parameters, ENDED,          \
            problems, route_operate, action                                                        \
    }

const struct route routes[] = {
    OPERATION("/start/", OPERATE, ASKED, ACTION_START),
    /* accepted even when the journal can be neither written nor read */
    OPERATION("/stop/", OPERATE, ASKED & ~CODE(JOURNAL_UNAVAILABLE), ACTION_STOP),
    OPERATION("/restart/", OPERATE, ASKED, ACTION_RESTART),
    OPERATION("/reload/", OPERATE, ASKED | CODE(CANNOT_RELOAD), ACTION_RELOAD),
    OPERATION("/signal/", OPERATE | PARAMETER_SIGNAL, ASKED, ACTION_SIGNAL),
    {"PUT", "/goal/", ARGUMENT_SERVICE, ROLE_OPERATE, BODY_PARAMETERS, OPERATE | PARAMETER_GOAL,
     ENDED, ASKED, route_goal, 0},
    {"POST", "/operations", ARGUMENT_NONE, ROLE_OPERATE, BODY_BATCH, OPERATE, ENDED,
     ASKED | CODE(CANNOT_RELOAD) | CODE(NEVER_FITS), route_batch, 0},
    {"GET", "/operations", ARGUMENT_NONE, ROLE_READ, BODY_NONE,
     PARAMETER_SERVICE | PARAMETER_STATE | PARAMETER_BATCH | PARAMETER_BEFORE | PARAMETER_LIMIT |
         PARAMETER_WAIT,
     ENDED, ANY | OF_A_SERVICE | OF_AN_OPERATION | CODE(QUEUE_FULL), route_list_operations, 0},
    {"GET", "/operations/", ARGUMENT_OPERATION, ROLE_READ, BODY_NONE, PARAMETER_WAIT, ENDED,
     ANY | OF_AN_OPERATION | CODE(QUEUE_FULL), route_operation, 0},
    {"DELETE", "/operations/", ARGUMENT_OPERATION, ROLE_OPERATE, BODY_NONE, 0, ANSWER_200,
     ANY | OF_AN_OPERATION | CODE(CANNOT_CANCEL), route_cancel, 0},
    {"GET", "/status", ARGUMENT_NONE, ROLE_READ, BODY_NONE, PARAMETER_SINCE | PARAMETER_WAIT,
     ANSWER_200 | ANSWER_304, ANY | CODE(QUEUE_FULL), route_status, 0},
    {"GET", "/status/", ARGUMENT_SERVICE, ROLE_READ, BODY_NONE, 0, ANSWER_200, ANY | OF_A_SERVICE,
     route_service_status, 0},
    {"GET", "/logs/", ARGUMENT_SERVICE, ROLE_READ, BODY_NONE,
     PARAMETER_LINES | PARAMETER_FOLLOW | PARAMETER_STREAM, ANSWER_200,
     ANY | OF_A_SERVICE | CODE(NOT_FOUND) | CODE(QUEUE_FULL), route_logs, 0},
    {"GET", "/events", ARGUMENT_NONE, ROLE_READ, BODY_NONE,
     PARAMETER_SERVICE | PARAMETER_SINCE_EVENT, ANSWER_200, ANY | OF_A_SERVICE | CODE(QUEUE_FULL),
     route_events, 0},
    {"POST", "/rotate/", ARGUMENT_SERVICE, ROLE_OPERATE, BODY_PARAMETERS, 0,
     ANSWER_200 | ANSWER_409, ANY | OF_A_SERVICE | CODE(NOT_JSON), route_rotate, 0},
    {"GET", "/healthz", ARGUMENT_NONE, ROLE_NONE, BODY_NONE, 0, ANSWER_200 | ANSWER_503, PUBLIC,
     route_healthz, 0},
    {"GET", "/readyz", ARGUMENT_NONE, ROLE_NONE, BODY_NONE, 0, ANSWER_200 | ANSWER_503, PUBLIC,
     route_readyz, 0},
    {"GET", "/version", ARGUMENT_NONE, ROLE_READ, BODY_NONE, 0, ANSWER_200, ANY, route_version, 0},
    {"POST", "/daemon/reload", ARGUMENT_NONE, ROLE_ADMIN, BODY_PARAMETERS, PARAMETER_STRICT,
     ANSWER_200, ANY | CODE(NOT_JSON) | CODE(CONFIG_REFUSED), route_reload, 0},
    {"POST", "/daemon/shutdown", ARGUMENT_NONE, ROLE_ADMIN, BODY_PARAMETERS, PARAMETER_LEAVE,
     ANSWER_200, ANY | CODE(NOT_JSON), route_shutdown, 0},
    {"POST", "/daemon/upgrade", ARGUMENT_NONE, ROLE_ADMIN, BODY_PARAMETERS, 0, ANSWER_202,
     ANY | CODE(NOT_JSON) | CODE(CANNOT_UPGRADE), route_upgrade, 0},
};
const size_t route_count = sizeof routes / sizeof *routes;
