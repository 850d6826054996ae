/* values_unit - the type of the key `unit`: the name of a service of systemd's, by its own rules.
 * Threads: any. */
#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/text.h"
#include "loading.h"
#include "utf8.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

#define UNIT_NAME_MOST 255
#define UNIT_SIGNS     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@"
#define SERVICE        ".service"

/* The other kinds of units. */
static const struct unit_kind {
    const char *suffix, *title;
    bool starts_service; /* of its own name, if its file does not say otherwise */
} other_kinds[] = {
    {".socket", "a socket", true},  {".timer", "a timer", true},
    {".path", "a path unit", true}, {".target", "a target", false},
    {".mount", "a mount", false},   {".automount", "an automount", false},
    {".swap", "a swap", false},     {".slice", "a slice", false},
    {".scope", "a scope", false},   {".device", "a device", false},
};

enum unit_fault {
    UNIT_FINE,
    UNIT_SIGN, /* one that no name may hold */
    UNIT_LONG,
    UNIT_NAMELESS, /* nothing before the @ or the suffix */
    UNIT_SUFFIX,   /* none that systemd knows */
    UNIT_OTHER,    /* another kind of unit */
    UNIT_TEMPLATE,
};

static const char *suffix_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? dot : name + strlen(name);
}

/* NULL: not one of those. */
static const struct unit_kind *other_kind(const char *suffix)
{
    for (size_t i = 0; i < sizeof other_kinds / sizeof *other_kinds; i++)
        if (strcmp(other_kinds[i].suffix, suffix) == 0)
            return &other_kinds[i];
    return NULL;
}

/* Whether len bytes of a name end with its first @: the instance is missing. */
static bool ends_in_template(const char *name, size_t len)
{
    const char *at = memchr(name, '@', len);

    return at && at + 1 == name + len;
}

static enum unit_fault judge(const char *name)
{
    const char *suffix = suffix_of(name);

    if (name[strspn(name, UNIT_SIGNS)] != '\0')
        return UNIT_SIGN;
    if (strlen(name) > UNIT_NAME_MOST)
        return UNIT_LONG;
    if (name[0] == '@' || suffix == name)
        return UNIT_NAMELESS;
    if (other_kind(suffix))
        return UNIT_OTHER;
    if (strcmp(suffix, SERVICE) != 0)
        return UNIT_SUFFIX;
    return ends_in_template(name, (size_t)(suffix - name)) ? UNIT_TEMPLATE : UNIT_FINE;
}

/* The service of the first len bytes of name, instance 1 of a template; NULL: there can be none. */
static char *service_of(const char *name, size_t len)
{
    CLEANUP(text_deinit) struct text t = {0};

    text_append_n(&t, name, len);
    text_append(&t, ends_in_template(name, len) ? "1" SERVICE : SERVICE);
    return t.data && judge(t.data) == UNIT_FINE ? text_take(&t) : NULL;
}

/* ---- what is said ---- */

static void refuse_path(const struct setting *s)
{
    const char *name = strrchr(s->text, '/') + 1;

    if (judge(name) == UNIT_FINE)
        setting_refuse(s, 0, "a unit goes by its name, not by a path: did you mean %s?",
                       SHORTENED(name));
    else
        setting_refuse(s, 0, "a unit goes by its name, not by a path");
}

static void refuse_sign(const struct setting *s)
{
    size_t at = strspn(s->text, UNIT_SIGNS);
    const char *sign = s->text + at;
    char alone[5]; /* UTF-8: four bytes at most */

    snprintf(alone, sizeof alone, "%.*s", (int)utf8_length(sign, strlen(sign)), sign);
    if (strchr(s->text, '/'))
        refuse_path(s);
    else if (strchr("*?[]", *sign))
        setting_refuse(s, at, "a service is one unit, not all that fit a pattern");
    else
        setting_refuse(s, at,
                       "%s can't stand in the name of a unit: letters, digits and : - _ . \\ @",
                       QUOTED(alone));
}

static void refuse_suffix(const struct setting *s)
{
    const char *suffix = suffix_of(s->text);
    struct nearest meant = {.typed = suffix};
    CLEANUP(freep) char *service = NULL;

    nearest_offer(&meant, SERVICE);
    if (meant.word || strcmp(suffix, ".") == 0) /* mistyped: it is replaced */
        service = service_of(s->text, (size_t)(suffix - s->text));
    else
        service = service_of(s->text, strlen(s->text));
    if (service)
        setting_refuse(s, 0, "a unit has a suffix: did you mean %s?", SHORTENED(service));
    else
        setting_refuse(s, 0, "a unit has a suffix, such as " SERVICE);
}

static void refuse_other(const struct setting *s)
{
    const char *suffix = suffix_of(s->text);
    const struct unit_kind *kind = other_kind(suffix);
    CLEANUP(freep)
    char *service = kind->starts_service ? service_of(s->text, (size_t)(suffix - s->text)) : NULL;

    if (service)
        setting_refuse(
            s, 0, "%s is %s: Orderly drives services; the service that it starts is usually %s",
            SHORTENED(s->text), kind->title, SHORTENED(service));
    else
        setting_refuse(s, 0, "%s is %s: Orderly drives services", SHORTENED(s->text), kind->title);
}

static void refuse_template(const struct setting *s)
{
    CLEANUP(freep) char *service = service_of(s->text, strlen(s->text) - strlen(SERVICE));

    if (service)
        setting_refuse(s, 0, "%s is a template: name an instance, as %s", SHORTENED(s->text),
                       SHORTENED(service));
    else
        setting_refuse(s, 0, "%s is a template: name an instance", SHORTENED(s->text));
}

static void set_unit(const struct setting *s)
{
    switch (judge(s->text)) {
    case UNIT_FINE: setting_put_string(s, strdup(s->text)); break;
    case UNIT_SIGN: refuse_sign(s); break;
    case UNIT_LONG:
        setting_refuse(s, 0, "expected at most %d bytes; there are %zu", UNIT_NAME_MOST,
                       strlen(s->text));
        break;
    case UNIT_NAMELESS:
        setting_refuse(s, 0, "nothing stands before the %s in %s",
                       s->text[0] == '@' ? "@" : "suffix", QUOTED(s->text));
        break;
    case UNIT_SUFFIX: refuse_suffix(s); break;
    case UNIT_OTHER: refuse_other(s); break;
    case UNIT_TEMPLATE: refuse_template(s); break;
    }
}

const struct value_type type_unit = {
    .name = "unit name",
    .expects = "a unit such as nginx.service or worker@3.service",
    .set = set_unit,
};
