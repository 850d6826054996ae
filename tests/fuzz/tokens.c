/* The token file: what is accepted, written down, is read the same, and each secret in it opens the
 * door to its own name; what is refused is refused at a line of it, without showing a secret. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "model/names.h"
#include "tokens.h"

#include <stdio.h>
#include <string.h>

static char path[256];

static int read_tokens(const void *data, size_t size, struct tokens *tokens, int *line,
                       struct error *err)
{
    fuzz_write("tokens", data, size);
    return tokens_read(path, tokens, line, err);
}

static void write_down(struct text *t, const struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++)
        text_appendf(t, "%s %s %.*s\n", tokens->items[i].name,
                     name_of(&role_names, (int)tokens->items[i].role), TOKEN_SECRET_MAX,
                     (const char *)tokens->items[i].secret);
}

static void check_found(const struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        char secret[TOKEN_SECRET_MAX + 1] = "";
        struct identity who = {0};

        memcpy(secret, tokens->items[i].secret, TOKEN_SECRET_MAX);
        CHECK(tokens_find(tokens, secret, &who), "%s is not found", tokens->items[i].name);
        CHECK(strcmp(who.name + strlen("token:"), tokens->items[i].name) == 0, "%s is %s",
              tokens->items[i].name, who.name);
        CHECK(who.role == tokens->items[i].role, "%s has another role", who.name);
        secret[strlen(secret) - 1] ^= 1; /* of these, one more or less is not there but by chance */
        tokens_find(tokens, secret, &who);
    }
}

static void check_again(const struct tokens *tokens)
{
    CLEANUP(text_deinit) struct text t = {0};
    struct tokens again = {0};
    struct error err = {0};
    int line;

    write_down(&t, tokens);
    CHECK(read_tokens(t.data, t.len, &again, &line, &err) == 0, "line %d: %s", line, err.text);
    CHECK(again.count == tokens->count && tokens_cover(&again, tokens) &&
              tokens_cover(tokens, &again),
          "%zu tokens became %zu", tokens->count, again.count);
    tokens_deinit(&again);
}

static size_t count_lines(const uint8_t *data, size_t size)
{
    size_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tokens tokens = {0};
    struct error err = {0};
    int line = -1;

    snprintf(path, sizeof path, "%s/tokens", fuzz_folder());
    if (read_tokens(data, size, &tokens, &line, &err) < 0) {
        CHECK(err.text[0] && line >= 0 && (size_t)line <= count_lines(data, size), "line %d", line);
        CHECK(!tokens.items && tokens.count == 0, "refused, and yet given");
        return 0;
    }
    check_found(&tokens);
    check_again(&tokens);
    tokens_deinit(&tokens);
    return 0;
}
