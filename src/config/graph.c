#include "graph.h"

#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE         SIZE_MAX
#define SHOWN_MOST   12  /* services of one cycle */
#define NEAREST_MOST 200 /* unknown names that are compared with all others */

struct edge {
    size_t to;
    enum dependency_kind kind;
};

struct node {
    size_t first, count;    /* its edges */
    size_t found, low;      /* Tarjan: when it was found (0: not yet), the earliest within reach */
    size_t next;            /* Tarjan: the next edge to follow */
    size_t component;       /* NONE: not known yet */
    size_t from, from_edge; /* the way that a search for a cycle came */
    size_t searched;        /* the last search that saw it, from 1 */
    bool stacked, told;
};

struct graph {
    struct service_file *const *files;
    size_t count;
    struct node *nodes;
    struct edge *edges;
    size_t edge_count, edge_capacity;
    size_t *stack, *path; /* Tarjan's two; the searches use them as queue and cycle */
    size_t nearest_left;
};

static void graph_deinit(struct graph *g)
{
    free(g->nodes);
    free(g->edges);
    free(g->stack);
    free(g->path);
}

/* ---- edges ---- */

static size_t find(const struct graph *g, const char *name)
{
    size_t low = 0, high = g->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, g->files[middle]->name);

        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NONE;
}

static void report_unknown(struct graph *g, size_t from, enum dependency_kind kind,
                           const char *name)
{
    struct service_file *file = g->files[from];
    struct nearest best = {.typed = name};
    CLEANUP(text_deinit) struct text t = {0};

    for (size_t i = 0; g->nearest_left > 0 && i < g->count; i++)
        if (i != from && service_name_valid(g->files[i]->name))
            nearest_offer(&best, g->files[i]->name);
    g->nearest_left -= g->nearest_left > 0;
    if (best.word)
        text_appendf(&t, "; did you mean \"%s\"?", best.word);
    report_error(&file->report, file->dependencies[kind], dependency_key(kind),
                 "there is no service \"%s\"%s", name, t.data ? t.data : "");
}

static int add_edge(struct graph *g, size_t to, enum dependency_kind kind)
{
    if (g->edge_count == g->edge_capacity) {
        size_t capacity = g->edge_capacity ? 2 * g->edge_capacity : 64;
        struct edge *grown = realloc(g->edges, capacity * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        g->edges = grown;
        g->edge_capacity = capacity;
    }
    g->edges[g->edge_count++] = (struct edge){to, kind};
    return 0;
}

static int add_list(struct graph *g, size_t from, enum dependency_kind kind)
{
    struct service_file *file = g->files[from];
    const struct string_list *list = dependency_list(file->spec, kind);
    int r = 0;

    for (size_t i = 0; r == 0 && i < list->count; i++) {
        size_t to = find(g, list->items[i]);

        if (to == NONE)
            report_unknown(g, from, kind, list->items[i]);
        else if (to == from)
            report_error(&file->report, file->dependencies[kind], dependency_key(kind),
                         "\"%s\" names itself", file->name);
        else
            r = add_edge(g, to, kind);
    }
    return r;
}

static int add_edges(struct graph *g)
{
    int r = 0;

    for (size_t i = 0; i < g->count; i++) {
        g->nodes[i] = (struct node){.first = g->edge_count, .component = NONE};
        for (int kind = 0; r == 0 && g->files[i]->spec && kind < DEPENDENCY_KINDS; kind++)
            r = add_list(g, i, kind);
        if (r < 0)
            return r;
        g->nodes[i].count = g->edge_count - g->nodes[i].first;
    }
    return 0;
}

/* ---- components: Tarjan's, with a stack of its own, because a chain may be long ---- */

struct tarjan {
    size_t clock, stack_count, path_count, components;
};

static void enter(struct graph *g, struct tarjan *t, size_t n)
{
    g->nodes[n].found = g->nodes[n].low = ++t->clock;
    g->nodes[n].stacked = true;
    g->stack[t->stack_count++] = n;
    g->path[t->path_count++] = n;
}

/* All of n's edges have been followed. */
static void leave(struct graph *g, struct tarjan *t, size_t n)
{
    size_t member, above;

    t->path_count--;
    if (t->path_count > 0) {
        above = g->path[t->path_count - 1];
        if (g->nodes[n].low < g->nodes[above].low)
            g->nodes[above].low = g->nodes[n].low;
    }
    if (g->nodes[n].low != g->nodes[n].found)
        return;
    do {
        member = g->stack[--t->stack_count];
        g->nodes[member].stacked = false;
        g->nodes[member].component = t->components;
    } while (member != n);
    t->components++;
}

static void find_components(struct graph *g)
{
    struct tarjan t = {0};

    for (size_t root = 0; root < g->count; root++) {
        if (g->nodes[root].found > 0)
            continue;
        enter(g, &t, root);
        while (t.path_count > 0) {
            size_t n = g->path[t.path_count - 1];
            struct node *node = &g->nodes[n];

            if (node->next == node->count) {
                leave(g, &t, n);
                continue;
            }
            struct node *to = &g->nodes[g->edges[node->first + node->next].to];

            if (to->found == 0)
                enter(g, &t, g->edges[node->first + node->next].to);
            else if (to->stacked && to->found < node->low)
                node->low = to->found;
            node->next++;
        }
    }
}

/* ---- cycles ---- */

/* The shortest way from start back to it within its component, into path; its length, 0: none. */
static size_t find_cycle(struct graph *g, size_t start)
{
    size_t head = 0, tail = 0, length = 0, search = start + 1;

    g->stack[tail++] = start;
    while (head < tail) {
        size_t n = g->stack[head++];

        for (size_t e = g->nodes[n].first; e < g->nodes[n].first + g->nodes[n].count; e++) {
            size_t to = g->edges[e].to;

            if (g->nodes[to].component != g->nodes[start].component ||
                g->nodes[to].searched == search)
                continue;
            g->nodes[to].searched = search;
            g->nodes[to].from = n;
            g->nodes[to].from_edge = e;
            if (to != start) {
                g->stack[tail++] = to;
                continue;
            }
            do { /* backwards, from the end of the cycle to its start */
                g->path[length++] = to;
                to = g->nodes[to].from;
            } while (to != start);
            return length;
        }
    }
    return 0;
}

/* path holds a cycle backwards: the service at index i waits for the one at i - 1. */
static void tell_member(struct graph *g, size_t length, size_t i)
{
    struct service_file *file = g->files[g->path[i]];
    size_t before = g->path[(i + length - 1) % length];
    enum dependency_kind kind = g->edges[g->nodes[before].from_edge].kind;
    CLEANUP(text_deinit) struct text t = {0};

    for (size_t n = 0; n < length && n < SHOWN_MOST; n++)
        text_appendf(&t, "%s -> ", g->files[g->path[(i + length - n) % length]]->name);
    if (length > SHOWN_MOST)
        text_appendf(&t, "... (%zu more) -> ", length - SHOWN_MOST);
    report_error(&file->report, file->dependencies[kind], dependency_key(kind),
                 "these wait for each other in a circle: %s%s", t.data ? t.data : "", file->name);
}

static void tell_cycles(struct graph *g)
{
    for (size_t start = 0; start < g->count; start++) {
        size_t length = g->nodes[start].told ? 0 : find_cycle(g, start);

        for (size_t i = 0; i < length; i++) {
            if (!g->nodes[g->path[i]].told)
                tell_member(g, length, i);
            g->nodes[g->path[i]].told = true;
        }
    }
}

int graph_check(struct service_file *const files[], size_t count)
{
    CLEANUP(graph_deinit)
    struct graph g = {.files = files, .count = count, .nearest_left = NEAREST_MOST};

    if (count == 0)
        return 0;
    g.nodes = calloc(count, sizeof *g.nodes);
    g.stack = calloc(count, sizeof *g.stack);
    g.path = calloc(count, sizeof *g.path);
    if (!g.nodes || !g.stack || !g.path || add_edges(&g) < 0)
        return -ENOMEM;
    find_components(&g);
    tell_cycles(&g);
    return 0;
}
