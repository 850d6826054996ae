#include "head.h"

#include "exchange.h"
#include "visit.h"

#include <ctype.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Headers that decide something: one each. */
enum single {
    SINGLE_HOST,
    SINGLE_LENGTH,
    SINGLE_CODING,
    SINGLE_AUTHORIZATION,
    SINGLE_ORIGIN,
    SINGLE_FETCH_SITE,
    SINGLE_EXPECT,
    SINGLE_UPGRADE,
    SINGLE_COUNT
};

static const char *const singles[SINGLE_COUNT] = {
    [SINGLE_HOST] = MHD_HTTP_HEADER_HOST,
    [SINGLE_LENGTH] = MHD_HTTP_HEADER_CONTENT_LENGTH,
    [SINGLE_CODING] = MHD_HTTP_HEADER_TRANSFER_ENCODING,
    [SINGLE_AUTHORIZATION] = MHD_HTTP_HEADER_AUTHORIZATION,
    [SINGLE_ORIGIN] = MHD_HTTP_HEADER_ORIGIN,
    [SINGLE_FETCH_SITE] = "Sec-Fetch-Site",
    [SINGLE_EXPECT] = MHD_HTTP_HEADER_EXPECT,
    [SINGLE_UPGRADE] = MHD_HTTP_HEADER_UPGRADE,
};

#define ODD_LINE "a line holds a NUL, is folded, has no name, or does not end in CR LF"

struct head {
    unsigned counts[SINGLE_COUNT];
    const char *values[SINGLE_COUNT];
    const char *next;  /* where the next line must begin; NULL: not known */
    const char *fault; /* of a line; NULL: none */
};

/* ---- its lines ---- */

static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0' ||
            (!isalnum((unsigned char)text[i]) && !strchr("!#$%&'*+-.^_`|~", text[i])))
            return false;
    return len > 0;
}

static bool has_controls(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return true;
    return false;
}

static enum MHD_Result note(void *context, enum MHD_ValueKind kind, const char *name, size_t len,
                            const char *value, size_t value_len)
{
    struct head *head = context;

    (void)kind;
    if (head->next && name != head->next)
        head->fault = ODD_LINE;
    if (head->next)
        head->next = value + value_len + 2;
    if (!is_token(name, len))
        head->fault = "a header's name holds letters, digits and -, and is followed by its colon";
    else if (value && has_controls(value, value_len))
        head->fault = "a header holds control characters";
    for (size_t i = 0; i < SINGLE_COUNT; i++)
        if (strcasecmp(name, singles[i]) == 0) {
            head->counts[i]++;
            head->values[i] = value ? value : "";
        }
    return MHD_YES;
}

/* This libmicrohttpd cuts a header up where it stands, into lines that lie one behind the other,
 * with two NULs where CR LF was, the empty line at the end too. Lines that lie otherwise were
 * otherwise. Versions whose own reader is strict need no such look, and might do it another way. */
static bool is_cut_in_place(void)
{
    return strcmp(MHD_get_version(), "0.9.75") == 0;
}

/* A line without a name is taken for the empty one: what is behind it would be the next request. */
static void check_end(const struct exchange *x, struct head *head)
{
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    if (head->next && (!size || x->method + size->header_size != head->next + 2))
        head->fault = ODD_LINE;
}

/* ---- what is wrong with it ---- */

static void refuse_target(struct exchange *x)
{
    struct text body = {0};
    char *data;

    text_appendf(&body,
                 "{\"type\":\"about:blank\",\"title\":\"URI Too Long\",\"status\":%d,\"code\":"
                 "\"%s\",\"detail\":\"a path with its query may have at most %d bytes\","
                 "\"instance\":null}\n",
                 MHD_HTTP_URI_TOO_LONG, problem_kind(PROBLEM_TOO_LARGE)->code, TARGET_LIMIT);
    data = text_take(&body);
    exchange_respond(
        x, MHD_HTTP_URI_TOO_LONG,
        data ? MHD_create_response_from_buffer(strlen(data), data, MHD_RESPMEM_MUST_FREE) : NULL);
    exchange_header(x, MHD_HTTP_HEADER_CONTENT_TYPE, "application/problem+json");
    exchange_header(x, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    exchange_header(x, "X-Content-Type-Options", "nosniff");
}

static bool check_line(struct exchange *x, const char *version)
{
    bool known =
        strcmp(version, MHD_HTTP_VERSION_1_1) == 0 || strcmp(version, MHD_HTTP_VERSION_1_0) == 0;

    if (!known)
        exchange_problem(x, PROBLEM_BAD_PARAMETER, "HTTP/1.1 is spoken here");
    else if (!is_token(x->method, strlen(x->method)))
        exchange_problem(x, PROBLEM_BAD_PARAMETER, "the method is no word");
    else if (x->visit->target_len > TARGET_LIMIT)
        refuse_target(x);
    else if (!x->visit->target_plain)
        exchange_problem(x, PROBLEM_BAD_PARAMETER,
                         "the target must begin with / and hold visible ASCII only: %%xx stands "
                         "for everything else");
    return x->status == 0;
}

static bool check_singles(struct exchange *x, const struct head *head, const char *version)
{
    bool one_one = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;

    if (head->fault)
        exchange_problem(x, PROBLEM_BAD_PARAMETER, "%s", head->fault);
    for (size_t i = 0; i < SINGLE_COUNT; i++)
        if (head->counts[i] > 1)
            exchange_problem(x, PROBLEM_BAD_PARAMETER, "the request has %u headers %s",
                             head->counts[i], singles[i]);
    if (head->counts[SINGLE_HOST] == 0 && one_one)
        exchange_problem(x, PROBLEM_BAD_PARAMETER, "the request names no host");
    if (head->counts[SINGLE_UPGRADE] > 0)
        exchange_problem(x, PROBLEM_BAD_PARAMETER, "there is nothing to upgrade to here");
    if (head->counts[SINGLE_EXPECT] > 0 &&
        strcasecmp(head->values[SINGLE_EXPECT], "100-continue") != 0)
        exchange_problem(x, PROBLEM_BAD_PARAMETER, "nothing but 100-continue may be expected");
    return x->status == 0;
}

static bool may_have_body(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0 &&
           strcmp(method, MHD_HTTP_METHOD_DELETE) != 0;
}

/* Chunks can be read in too many ways: whatever comes behind them is not taken for a request. */
static bool check_coding(struct exchange *x, const struct head *head, const char *version)
{
    if (head->counts[SINGLE_CODING] == 0)
        return true;
    if (head->counts[SINGLE_LENGTH] > 0)
        exchange_problem(x, PROBLEM_BAD_BODY, "the request gives a length and a transfer coding");
    else if (strcasecmp(head->values[SINGLE_CODING], "chunked") != 0)
        exchange_problem(x, PROBLEM_BAD_BODY, "the only transfer coding known here is chunked");
    else if (strcmp(version, MHD_HTTP_VERSION_1_0) == 0)
        exchange_problem(x, PROBLEM_BAD_BODY, "HTTP/1.0 knows no transfer coding");
    else if (!may_have_body(x->method))
        exchange_problem(x, PROBLEM_BAD_BODY, "%.32s takes no body", x->method);
    x->visit->last = true;
    return x->status == 0;
}

/* Who waits for our word before sending the body can be told at once. */
static void check_length(struct exchange *x, const struct head *head)
{
    unsigned long long length = 0, limit = BODY_DRAINED;

    if (head->counts[SINGLE_LENGTH] > 0)
        length = strtoull(head->values[SINGLE_LENGTH], NULL, 10); /* digits only got this far */
    if (head->counts[SINGLE_EXPECT] > 0)
        limit = BODY_LIMIT;
    if (length > limit)
        exchange_problem(x, PROBLEM_TOO_LARGE, "a body may have at most %d bytes", BODY_LIMIT);
}

bool head_check(struct exchange *x, const char *version)
{
    struct head head = {.next = is_cut_in_place() ? version + strlen(version) + 2 : NULL};

    x->visit->last = false;
    MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, note, &head);
    check_end(x, &head);
    if (check_line(x, version) && check_singles(x, &head, version) &&
        check_coding(x, &head, version))
        check_length(x, &head);
    if (x->status == 0 && !x->broken)
        return true;
    x->visit->last = true;
    return false;
}
