#include "tokens.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "model/service_spec.h"
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MADE_BYTES 32
#define FILE_LIMIT (1 << 20)

void tokens_deinit(struct tokens *tokens)
{
    if (tokens->items)
        explicit_bzero(tokens->items, tokens->count * sizeof *tokens->items);
    free(tokens->items);
    *tokens = (struct tokens){0};
}

static bool is_secret(const char *word)
{
    size_t len = strlen(word);

    if (len < TOKEN_SECRET_MIN || len > TOKEN_SECRET_MAX)
        return false;
    for (const char *c = word; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return true;
}

static const char *find_duplicate(const struct tokens *tokens, const struct token *token)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (strcmp(tokens->items[i].name, token->name) == 0)
            return "name";
        if (memcmp(tokens->items[i].secret, token->secret, sizeof token->secret) == 0)
            return "secret";
    }
    return NULL;
}

static int add(struct tokens *tokens, const struct token *token, struct error *err)
{
    const char *duplicate = find_duplicate(tokens, token);
    struct token *grown;

    if (duplicate)
        return error_set(err, -EINVAL, "the %s is there already", duplicate);
    /* not realloc(): it could leave copies of secrets behind */
    grown = malloc((tokens->count + 1) * sizeof *grown);
    if (!grown)
        return error_set(err, -ENOMEM, "%m");
    if (tokens->count > 0)
        memcpy(grown, tokens->items, tokens->count * sizeof *grown);
    grown[tokens->count] = *token;
    size_t count = tokens->count + 1;
    tokens_deinit(tokens);
    *tokens = (struct tokens){grown, count};
    return 0;
}

/* Cuts line into at most 4 words; gives their number. */
static size_t split(char *line, char *words[4])
{
    char *rest = NULL;
    size_t count = 0;

    for (char *word = strtok_r(line, " \t\r\n", &rest); word && count < 4;
         word = strtok_r(NULL, " \t\r\n", &rest))
        words[count++] = word;
    return count;
}

/* The words are not shown: in the wrong order any of them may be the secret. */
static int parse_line(struct tokens *tokens, char *line, struct error *err)
{
    struct token token = {0};
    char *words[4];
    size_t count = split(line, words);
    int role, result;

    if (count == 0 || words[0][0] == '#')
        return 0;
    if (count != 3)
        return error_set(err, -EINVAL, "expected three words, name role secret, and found %s%zu",
                         count == 4 ? "more than " : "", count == 4 ? 3 : count);
    if (!service_name_valid(words[0]) || strlen(words[0]) > TOKEN_NAME_MAX)
        return error_set(err, -EINVAL,
                         "a name has at most %d letters, digits and _.@-, and begins with a "
                         "letter or digit",
                         TOKEN_NAME_MAX);
    role = name_parse(&role_names, words[1]);
    if (role < (int)ROLE_READ)
        return error_set(err, -EINVAL, "the second word, the role, must be read, operate or admin");
    if (!is_secret(words[2]))
        return error_set(err, -EINVAL,
                         "the third word, the secret, must have %d to %d visible characters",
                         TOKEN_SECRET_MIN, TOKEN_SECRET_MAX);
    snprintf(token.name, sizeof token.name, "%s", words[0]);
    token.role = (enum role)role;
    memcpy(token.secret, words[2], strlen(words[2]));
    result = add(tokens, &token, err);
    explicit_bzero(&token, sizeof token);
    return result;
}

/* Ends every line in its place. */
static int parse_lines(char *text, size_t len, struct tokens *tokens, int *ret_line,
                       struct error *err)
{
    int result = 0;

    for (char *line = text, *end; result == 0 && line < text + len; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + len - line));
        if (!end)
            end = text + len;
        *end = '\0';
        ++*ret_line;
        result = line + strlen(line) == end ? parse_line(tokens, line, err)
                                            : error_set(err, -EINVAL, "a NUL is not allowed");
    }
    return result;
}

int tokens_read(const char *path, struct tokens *ret_tokens, int *ret_line, struct error *err)
{
    struct tokens tokens = {0};
    char *text = NULL;
    size_t len = 0;
    int result;

    *ret_line = 0;
    result = secret_read(path, FILE_LIMIT, &text, &len, err);
    if (result == 0)
        result = parse_lines(text, len, &tokens, ret_line, err);
    secret_free(text, len);
    if (result == 0 && tokens.count == 0) {
        *ret_line = 0;
        result = error_set(err, -EINVAL, "it holds no token: expected a line `name role secret`");
    }
    if (result < 0) {
        tokens_deinit(&tokens);
        return result;
    }
    *ret_tokens = tokens;
    return 0;
}

int tokens_make(const char *path, struct error *err)
{
    CLEANUP(closep)
    int fd = FAULTS(token_make) ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    unsigned char random[MADE_BYTES];
    char text[256];
    int len;

    if (fd < 0)
        return error_set(err, -errno, "make %s: %m", path);
    if (getrandom(random, sizeof random, 0) != sizeof random)
        len = -1;
    else
        len = snprintf(text, sizeof text,
                       "# Who may use the API over TCP, a line each: name role secret\n"
                       "# Roles: read, operate, admin.\nadmin admin ");
    for (size_t i = 0; len > 0 && i < sizeof random; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%02x", random[i]);
    if (len > 0)
        text[len++] = '\n';
    errno = EIO; /* of a short write */
    if (len < 0 || write(fd, text, (size_t)len) != len) {
        int code = -errno;

        unlink(path);
        return error_set(err, code, "write %s: %m", path);
    }
    explicit_bzero(text, sizeof text);
    explicit_bzero(random, sizeof random);
    return 0;
}

static bool token_same(const struct token *a, const struct token *b)
{
    return a->role == b->role && strcmp(a->name, b->name) == 0 &&
           memcmp(a->secret, b->secret, sizeof a->secret) == 0;
}

bool tokens_cover(const struct tokens *tokens, const struct tokens *others)
{
    for (size_t i = 0; i < others->count; i++) {
        size_t at = 0;

        while (at < tokens->count && !token_same(&tokens->items[at], &others->items[i]))
            at++;
        if (at == tokens->count)
            return false;
    }
    return true;
}

/* Every byte of every token is looked at, whatever was found before. */
bool tokens_find(const struct tokens *tokens, const char *secret, struct identity *ret_identity)
{
    unsigned char presented[TOKEN_SECRET_MAX] = {0};
    size_t len = strlen(secret), found = SIZE_MAX;

    memcpy(presented, secret, len < sizeof presented ? len : sizeof presented);
    for (size_t i = 0; i < tokens->count; i++) {
        volatile unsigned char difference = len > TOKEN_SECRET_MAX;

        for (size_t j = 0; j < sizeof presented; j++)
            difference |= presented[j] ^ tokens->items[i].secret[j];
        if (difference == 0)
            found = i;
    }
    explicit_bzero(presented, sizeof presented);
    if (found == SIZE_MAX)
        return false;
    snprintf(ret_identity->name, sizeof ret_identity->name, "token:%s", tokens->items[found].name);
    ret_identity->role = tokens->items[found].role;
    return true;
}
