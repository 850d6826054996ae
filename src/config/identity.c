#include "identity.h"

#include "base/cleanup.h"
#include "lookup.h"
#include "values.h"

#include <errno.h>
#include <grp.h>
#include <string.h>

/* ---- the types ---- */

static void refuse_lookup(const struct setting *s, size_t at, int r, const char *kind,
                          const char *name, const struct error *err)
{
    if (r == -ENOENT)
        setting_refuse(s, at, "there is no %s %s", kind, QUOTED(name));
    else
        setting_refuse(s, at, "%s: %s", QUOTED(name), err->text);
}

/* A uid that nobody has is fine where it is a number: the user may live in an image only. */
static void set_user(const struct setting *s)
{
    struct identity_draft *who = &s->loading->who;
    CLEANUP(lookup_user_deinit) struct user user = {0};
    struct error err;
    int r = lookup_user(s->text, &user, &err);

    if (r == -ENOENT && lookup_number(s->text, &who->uid)) {
        who->user = strdup(s->text);
        who->home = strdup("/");
    } else if (r < 0) {
        refuse_lookup(s, 0, r, "user", s->text, &err);
        return;
    } else {
        who->uid = user.uid;
        who->primary = user.gid;
        who->has_primary = true;
        who->user = take(user.name);
        who->home = take(user.home);
    }
    who->has_user = who->user && who->home;
    if (!who->has_user)
        loading_out_of_memory(s->loading);
}

const struct value_type type_user = {
    .name = "user", .expects = "a user's name or number", .set = set_user};

static void set_group(const struct setting *s)
{
    struct identity_draft *who = &s->loading->who;
    struct error err;
    int r = lookup_group(s->text, &who->group, &err);

    if (r < 0)
        refuse_lookup(s, 0, r, "group", s->text, &err);
    who->has_group = r == 0;
}

const struct value_type type_group = {
    .name = "group", .expects = "a group's name or number", .set = set_group};

static bool add_group(gid_t **groups, size_t *count, gid_t gid)
{
    gid_t *grown = realloc(*groups, (*count + 1) * sizeof *grown);

    if (!grown)
        return false;
    *groups = grown;
    grown[(*count)++] = gid;
    return true;
}

static void set_groups(const struct setting *s)
{
    CLEANUP(string_list_clear) struct string_list names = {0};
    struct identity_draft *who = &s->loading->who;
    struct error err;
    gid_t gid;
    int r;

    if (!setting_names(s, NULL, &names))
        return;
    for (size_t i = 0; i < names.count; i++) {
        r = lookup_group(names.items[i], &gid, &err);
        if (r < 0)
            refuse_lookup(s, setting_name_at(s, i), r, "group", names.items[i], &err);
        else if (!add_group(&who->extra, &who->extra_count, gid))
            loading_out_of_memory(s->loading);
    }
}

const struct value_type type_groups = {
    .name = "groups", .expects = "names of groups", .set = set_groups, .may_be_empty = true};

static void set_api_group(const struct setting *s)
{
    struct error err;
    gid_t gid;
    int r = lookup_group(s->text, &gid, &err);

    if (r < 0)
        refuse_lookup(s, 0, r, "group", s->text, &err);
    else
        setting_put_string(s, strdup(s->text));
}

const struct value_type type_api_group = {
    .name = "group",
    .expects = "a group's name or number",
    .set = set_api_group,
    .same = same_string,
};

/* ---- putting it together ---- */

static bool has_group(const gid_t *groups, size_t count, gid_t gid)
{
    for (size_t i = 0; i < count; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

/* Our own supplementary groups. */
static int own_groups(gid_t **ret_groups, size_t *ret_count)
{
    int count = getgroups(0, NULL);
    gid_t *groups = calloc((size_t)count + 1, sizeof *groups);

    if (!groups)
        return -ENOMEM;
    count = getgroups(count, groups);
    if (count < 0) {
        free(groups);
        return -errno;
    }
    *ret_groups = groups;
    *ret_count = (size_t)count;
    return 0;
}

/* Whether one set of groups holds all of the other, gid aside: every process has it anyway. */
static bool covers(const gid_t *all, size_t count, const gid_t *some, size_t some_count, gid_t gid)
{
    for (size_t i = 0; i < some_count; i++)
        if (some[i] != gid && !has_group(all, count, some[i]))
            return false;
    return true;
}

static const char *own_name(struct user *own)
{
    struct error err;

    return lookup_uid(geteuid(), own, &err) == 0 ? own->name : "another";
}

/* Without being root the service is what we are, or it is refused. */
static void check_possible(struct loading *l)
{
    CLEANUP(lookup_user_deinit) struct user own = {0};
    CLEANUP(freep) gid_t *groups = NULL;
    size_t count = 0;

    if (l->who.has_user && l->who.uid != geteuid())
        report_error(l->report, loading_place(l, "service", "user"), "user",
                     "only root runs services as others: this is %s, the service would be %s",
                     QUOTED(own_name(&own)), QUOTED(l->who.user));
    if (l->who.has_group && l->who.group != getegid())
        report_error(l->report, loading_place(l, "service", "group"), "group",
                     "only root gives services another group: ours is %u, the service's would "
                     "be %u",
                     getegid(), l->who.group);
    if (own_groups(&groups, &count) < 0 ||
        !covers(groups, count, l->who.extra, l->who.extra_count, getegid()))
        report_error(l->report, loading_place(l, "service", "supplementary_groups"),
                     "supplementary_groups",
                     "only root gives services groups that are not its own");
}

/* The groups that the service is to have, gid among them. */
static int wanted_groups(const struct identity_draft *who, gid_t gid, gid_t **ret_groups,
                         size_t *ret_count)
{
    CLEANUP(freep) gid_t *groups = NULL;
    size_t count = 0;
    int r = 0;

    if (!who->has_user)
        r = own_groups(&groups, &count);
    else if (who->has_primary)
        r = lookup_groups_of(who->user, gid, &groups, &count);
    if (r < 0)
        return r;
    if (!has_group(groups, count, gid) && !add_group(&groups, &count, gid))
        return -ENOMEM;
    for (size_t i = 0; i < who->extra_count; i++)
        if (!has_group(groups, count, who->extra[i]) && !add_group(&groups, &count, who->extra[i]))
            return -ENOMEM;
    *ret_groups = take(groups);
    *ret_count = count;
    return 0;
}

/* Whether the service is to be anything that we are not. */
static bool differs(const struct service_spec *spec)
{
    CLEANUP(freep) gid_t *groups = NULL;
    size_t count = 0;

    return spec->uid != geteuid() || spec->gid != getegid() || own_groups(&groups, &count) < 0 ||
           !covers(groups, count, spec->groups, spec->group_count, spec->gid) ||
           !covers(spec->groups, spec->group_count, groups, count, spec->gid);
}

void identity_settle(struct loading *l, struct service_spec *spec)
{
    struct identity_draft *who = &l->who;

    spec->uid = who->has_user ? who->uid : geteuid();
    spec->gid = who->has_group ? who->group : who->has_primary ? who->primary : getegid();
    if (geteuid() != 0)
        check_possible(l);
    if (who->has_user && !who->has_primary && !who->has_group)
        report_error(l->report, loading_place(l, "service", "user"), "user",
                     "no user has the number %s, so its group isn't known: set group too",
                     who->user);
    if (wanted_groups(who, spec->gid, &spec->groups, &spec->group_count) < 0)
        loading_out_of_memory(l);
    spec->set_user = geteuid() == 0 && differs(spec) &&
                     (who->has_user || who->has_group || who->extra_count > 0);
    spec->user = take(who->user);
    spec->home = take(who->home);
}
