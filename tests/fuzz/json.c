/* The JSON bodies: of a batch (first byte odd) or of any other request, for a route that takes what
 * the next four bytes say. An accepted batch, written down, is read the same; what is refused is
 * refused with a reason. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "batch.h"
#include "body.h"
#include "model/exit_cause.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PARAMETERS_MOST 19

static void write_item(struct text *t, const struct request_item *item)
{
    char signal[16];

    text_appendf(t, "{\"action\":\"%s\",\"service\":", action_name(item->action));
    text_json_string(t, item->service);
    if (item->timeout_us)
        text_appendf(t, ",\"timeout\":\"%" PRId64 "us\"", item->timeout_us);
    if (item->action == ACTION_SIGNAL) {
        signal_name(item->signal, signal);
        text_appendf(t, ",\"signal\":\"%s\"", signal);
    }
    text_append(t, "}");
}

static void check_item(const struct request_item *a, const struct request_item *b)
{
    CHECK(strcmp(a->service, b->service) == 0, "%s became %s", a->service, b->service);
    CHECK(a->action == b->action, "another action");
    CHECK(a->timeout_us == b->timeout_us, "%" PRId64 " us became %" PRId64, a->timeout_us,
          b->timeout_us);
    CHECK(a->signal == b->signal, "signal %d became %d", a->signal, b->signal);
}

static void check_again(const struct batch *batch)
{
    CLEANUP(text_deinit) struct text t = {0};
    struct batch again = {0};
    struct query query;
    enum problem_code code;
    struct error err = {0};

    text_append(&t, "{\"operations\":[");
    for (size_t i = 0; i < batch->count; i++) {
        text_append(&t, i > 0 ? "," : "");
        write_item(&t, &batch->items[i]);
    }
    text_append(&t, "]}");
    query_init(&query);
    CHECK(batch_parse(t.data, t.len, 0, &query, &again, &code, &err) == 0, "%s: %s", t.data,
          err.text);
    CHECK(again.count == batch->count, "%zu became %zu", batch->count, again.count);
    for (size_t i = 0; i < batch->count; i++)
        check_item(&batch->items[i], &again.items[i]);
    batch_deinit(&again);
}

static void check_refused(int result, const struct error *err, enum problem_code code)
{
    CHECK(result == -EINVAL && err->code == result && err->text[0], "%d: %s", result, err->text);
    CHECK(code == PROBLEM_BAD_BODY || code == PROBLEM_NOT_JSON || code == PROBLEM_BAD_PARAMETER,
          "problem %d", (int)code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    bool is_batch = input_byte(&input) & 1;
    uint32_t allowed;
    CLEANUP(freep) char *text = NULL;
    enum problem_code code = PROBLEM_BAD_BODY;
    struct batch batch = {0};
    struct error err = {0};
    struct query query;
    int result;

    input_bytes(&input, &allowed, sizeof allowed);
    text = input_rest(&input, &size);
    allowed &= (1u << PARAMETERS_MOST) - 1;
    query_init(&query);
    result = is_batch ? batch_parse(text, size, allowed, &query, &batch, &code, &err)
                      : body_parse(text, size, allowed, &query, &code, &err);
    CHECK(!(query.given & ~allowed), "something was taken that was not asked for");
    if (result < 0)
        check_refused(result, &err, code);
    else if (is_batch)
        check_again(&batch);
    batch_deinit(&batch);
    return 0;
}
