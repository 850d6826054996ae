#include "head.h"

#include "exchange.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct head {
    unsigned hosts, lengths, codings;
    bool chunked;
    unsigned long long length;
};

static enum MHD_Result note(void *context, enum MHD_ValueKind kind, const char *name,
                            const char *value)
{
    struct head *head = context;

    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        head->hosts++;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        head->lengths++;
        head->length = value ? strtoull(value, NULL, 10) : 0; /* digits only got this far */
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        head->codings++;
        head->chunked = value && strcasecmp(value, "chunked") == 0;
    }
    return MHD_YES;
}

static void find_fault(struct exchange *x, const struct head *head, const char *version)
{
    if (head->hosts > 1)
        exchange_problem(x, PROBLEM_BAD_PARAMETER, "the request names %u hosts", head->hosts);
    else if (head->hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
        exchange_problem(x, PROBLEM_BAD_PARAMETER, "the request names no host");
    else if (head->lengths > 1)
        exchange_problem(x, PROBLEM_BAD_BODY, "the request gives %u lengths", head->lengths);
    else if (head->lengths > 0 && head->codings > 0)
        exchange_problem(x, PROBLEM_BAD_BODY, "the request gives a length and a transfer coding");
    else if (head->codings > 1 || (head->codings == 1 && !head->chunked))
        exchange_problem(x, PROBLEM_BAD_BODY, "the only transfer coding known here is chunked");
    else if (head->length > BODY_DRAINED)
        exchange_problem(x, PROBLEM_TOO_LARGE, "a body may have at most %d bytes", BODY_LIMIT);
}

bool head_check(struct exchange *x, const char *version)
{
    struct head head = {0};

    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, note, &head);
    find_fault(x, &head, version);
    exchange_header(x, MHD_HTTP_HEADER_CONNECTION, "close");
    return x->status == 0 && !x->broken;
}
