/* ask - one request with everything that goes with it: the daemon is found at the first one, what
 * fails is said on stderr, and the answer becomes an exit status.
 * Threads: one. Ownership: answers are the caller's, also when they tell of a refusal. */
#pragma once

#include "cli.h"

#include "base/clock.h"

/* How long an ordinary answer may take. */
#define ASK_PATIENCE_US (60 * USEC_PER_SEC)

/* Makes the client; it says itself what is wrong. */
enum status ask_open(struct cli *cli);

/* STATUS_DONE: the answer is 2xx and JSON, or the record of an operation. A request without a
 * patience has ASK_PATIENCE_US. */
enum status ask_request(struct cli *cli, const struct request *request, struct answer *ret_answer);
enum status ask(struct cli *cli, const char *method, const struct text *path,
                struct answer *ret_answer);
enum status ask_path(struct cli *cli, const char *method, const char *path,
                     struct answer *ret_answer);

/* What an answer or a failed request means; says nothing. */
enum status status_of_answer(const struct answer *answer);
enum status status_of_failure(const struct error *err);
/* Whether the body is the record of an operation. */
bool answer_is_operation(const struct answer *answer);
/* Prints what a refusal says, on stderr; with --json its body on stdout too, when asked. */
void complain_of_answer(const struct cli *cli, const struct answer *answer);
void complain_of_failure(const struct error *err);

/* What it means that stdout could not be written, with that errno. */
enum status status_of_output(int error);
/* The body on stdout, as it is. */
void print_body(const struct answer *answer);
/* false, and said: it cannot be the name of a service. */
bool check_name(const char *name);
/* 0, and said: the word is not the number of an operation. */
int64_t parse_id(const char *word);
