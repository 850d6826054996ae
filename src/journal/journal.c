#include "journal_private.h"

#include "base/cleanup.h"
#include "group.h"

#include <errno.h>
#include <stdlib.h>

int journal_open(const struct journal_config *config, struct journal **ret_journal,
                 bool *ret_set_aside, struct error *err)
{
    CLEANUP(freep) struct journal *journal = calloc(1, sizeof *journal);
    bool set_aside;
    int result;

    if (!journal)
        return error_set(err, -ENOMEM, "journal %s: %m", config->path);
    result = store_open(&journal->store, config, &set_aside, err);
    if (result < 0)
        return result;
    result = readers_init(&journal->readers, config->path, &journal->store.opening, err);
    if (result < 0)
        goto close_store;
    result = writer_start(&journal->writer, &journal->store, config, err);
    if (result < 0)
        goto deinit_readers;
    *ret_set_aside = set_aside;
    *ret_journal = take(journal);
    return 0;
deinit_readers:
    readers_deinit(&journal->readers);
close_store:
    store_close(&journal->store);
    return result;
}

/* The writer's connection is the last to close: it then empties the log and removes it. */
void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    writer_stop(&journal->writer);
    readers_deinit(&journal->readers);
    store_close(&journal->store);
    free(journal);
}

void journal_give_back(struct journal *journal)
{
    writer_give_back(&journal->writer);
}

int journal_submit(struct journal *journal, const struct journal_entry *entries, size_t count)
{
    struct group *group = group_new(entries, count);

    if (!group)
        return -ENOMEM;
    writer_submit(&journal->writer, group);
    return 0;
}

int journal_load(struct journal *journal, struct journal_boot *ret_boot, struct error *err)
{
    int result = store_load(&journal->store, ret_boot, err);

    if (result == 0 && !journal->store.db)
        writer_trouble(&journal->writer, &journal->store.trouble);
    return result;
}

bool journal_writable(struct journal *journal, char text[static 256])
{
    return writer_writable(&journal->writer, text);
}

bool journal_takes_essential(struct journal *journal)
{
    return writer_takes_essential(&journal->writer);
}

bool journal_warning(struct journal *journal, char text[static 256])
{
    return writer_warning(&journal->writer, text);
}
