/* tokens - the token file: who may come in over TCP, a line `name role secret` each.
 * Threads: none, the holder guards it. Ownership: tokens_deinit() wipes and frees. */
#pragma once

#include "base/error.h"
#include "model/identity.h"

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_SECRET_MIN 16
#define TOKEN_SECRET_MAX 256
#define TOKEN_NAME_MAX   64

struct token {
    char name[TOKEN_NAME_MAX + 1];
    enum role role;
    unsigned char secret[TOKEN_SECRET_MAX]; /* padded with NUL */
};

struct tokens {
    struct token *items;
    size_t count;
};

/* The error tells what is wrong, *ret_line where; 0: with the file as a whole. */
int tokens_read(const char *path, struct tokens *ret_tokens, int *ret_line, struct error *err);
/* Makes the file, mode 0600, with one admin token of 256 random bits; -EEXIST when it is there. */
int tokens_make(const char *path, struct error *err);
/* Compares with every token in a time that tells nothing of any. False: none. */
bool tokens_find(const struct tokens *tokens, const char *secret, struct identity *ret_identity);
/* Whether every token of others is there, with the same role and secret. */
bool tokens_cover(const struct tokens *tokens, const struct tokens *others);
void tokens_deinit(struct tokens *tokens);
