#include "services.h"

#include "ask.h"
#include "fields.h"

#include "base/nearest.h"
#include "model/names.h"

#include <fnmatch.h>
#include <string.h>

bool service_is_running(const json_t *service)
{
    return strcmp(field_string(service, "state"), name_of(&service_state_names, STATE_RUNNING)) ==
           0;
}

json_t *service_find(const json_t *services, const char *name)
{
    json_t *service;
    size_t i;

    json_array_foreach(services, i, service) if (strcmp(field_string(service, "name"), name) ==
                                                 0) return service;
    return NULL;
}

/* '@' may stand inside a name, so only the first character makes a tag of it. */
bool service_is_pattern(const char *word)
{
    return word[0] == '@' || strpbrk(word, "*?[") != NULL;
}

static bool has_tag(const json_t *service, const char *tag)
{
    const json_t *tags = json_object_get(service, "tags"), *each;
    size_t i;

    json_array_foreach(tags, i, each) if (json_is_string(each) &&
                                          strcmp(json_string_value(each), tag) == 0) return true;
    return false;
}

bool service_matches(const json_t *service, const char *word)
{
    if (word[0] == '@')
        return has_tag(service, word + 1);
    return fnmatch(word, field_string(service, "name"), 0) == 0;
}

/* ".../backend.conf" is the file of backend. */
static bool is_file_of(const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    size_t len = strlen(name);

    return strncmp(base, name, len) == 0 && strcmp(base + len, ".conf") == 0;
}

json_t *service_config_error(const json_t *status, const char *name)
{
    const json_t *errors = json_object_get(json_object_get(status, "daemon"), "config_errors");
    json_t *error;
    size_t i;

    json_array_foreach(errors, i,
                       error) if (is_file_of(field_string(error, "file"), name)) return error;
    return NULL;
}

void complain_of_unknown_service(const json_t *services, const char *name)
{
    struct nearest best = {.typed = name};
    const json_t *service;
    size_t i;

    json_array_foreach(services, i, service) nearest_offer(&best, field_string(service, "name"));
    if (best.word)
        complain("there is no service \"%s\"; did you mean \"%s\"?", name, best.word);
    else
        complain("there is no service \"%s\"", name);
}

void complain_of_config_error(const json_t *error)
{
    const char *key = field_string(error, "key");
    int64_t line = field_int(error, "line");

    if (line > 0)
        complain("%s:%lld: %s%s%s", field_string(error, "file"), (long long)line, key,
                 *key ? ": " : "", field_string(error, "message"));
    else
        complain("%s: %s%s%s", field_string(error, "file"), key, *key ? ": " : "",
                 field_string(error, "message"));
}

static bool is_meant(const json_t *service, const char *word)
{
    return service_is_pattern(word) ? service_matches(service, word)
                                    : strcmp(field_string(service, "name"), word) == 0;
}

static enum status complain_of_word(const json_t *body, const char *word)
{
    const json_t *error = service_config_error(body, word);

    if (error)
        complain_of_config_error(error);
    else if (word[0] == '@')
        complain("no service has the tag \"%s\"", word + 1);
    else if (service_is_pattern(word))
        complain("no service matches \"%s\"", word);
    else
        complain_of_unknown_service(json_object_get(body, "services"), word);
    return error ? STATUS_REFUSED : STATUS_UNKNOWN;
}

static enum status choose_word(const json_t *body, const char *word, json_t *chosen)
{
    json_t *service;
    bool found = false;
    size_t i;

    json_array_foreach(json_object_get(body, "services"), i, service)
    {
        if (!is_meant(service, word))
            continue;
        found = true;
        if (!service_find(chosen, field_string(service, "name")) &&
            json_array_append(chosen, service) < 0)
            return STATUS_FAILED;
    }
    return found ? STATUS_DONE : complain_of_word(body, word);
}

enum status services_choose(const json_t *body, const char *const *words, size_t count, bool all,
                            json_t *chosen)
{
    enum status status = STATUS_DONE;

    if (all && json_array_extend(chosen, json_object_get(body, "services")) < 0)
        return STATUS_FAILED;
    for (size_t i = 0; i < count; i++)
        status = status_worse(status, choose_word(body, words[i], chosen));
    return status;
}

enum status services_ask(struct cli *cli, const char *const *words, size_t count,
                         struct answer *ret_answer, json_t **ret_chosen)
{
    enum status status = ask_path(cli, "GET", "/status", ret_answer);

    *ret_chosen = NULL;
    if (status != STATUS_DONE)
        return status;
    *ret_chosen = json_array();
    if (!*ret_chosen)
        return STATUS_FAILED;
    return services_choose(ret_answer->json, words, count, option_given(&cli->options, OPTION_ALL),
                           *ret_chosen);
}
