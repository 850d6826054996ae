/* What the journal does when its file, its folder or its disk are taken from it. */
#include "sandbox.h"

#include "group.h"
#include "store.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* ---- a journal whose changes of state can be waited for ---- */

struct scene {
    struct sandbox *box;
    struct journal *journal;
    struct lock lock;
    struct cond changed;
    int changes;
    struct journal_boot boot;
};

static void on_change(void *context)
{
    struct scene *scene = context;

    lock_take(&scene->lock);
    scene->changes++;
    cond_broadcast(&scene->changed);
    lock_release(&scene->lock);
}

static void scene_open_in(struct scene *scene, struct sandbox *box, const char *boot_id)
{
    struct journal_config config = sandbox_config(box);
    struct error err = {0};

    *scene = (struct scene){.box = box};
    lock_init(&scene->lock, LOCK_TEST);
    cond_init(&scene->changed);
    config.boot_id = boot_id;
    config.state_changed = on_change;
    config.context = scene;
    scene->journal = open_config(&config);
    if (journal_load(scene->journal, &scene->boot, &err) < 0)
        fail_msg("%s", err.text);
}

static void scene_open(struct scene *scene, struct sandbox *box)
{
    scene_open_in(scene, box, "boot-1");
}

static void scene_close(struct scene *scene)
{
    journal_boot_deinit(&scene->boot);
    journal_close(scene->journal);
}

/* Waits until the journal says so: each change is told of. */
static void wait_writable(struct scene *scene, bool writable)
{
    char text[256];

    lock_take(&scene->lock);
    while (journal_writable(scene->journal, text) != writable)
        cond_wait(&scene->changed, &scene->lock);
    lock_release(&scene->lock);
}

enum kind { PLAIN, ESSENTIAL, KEPT };

static void submit(struct scene *scene, int64_t id, enum kind kind, struct outcome *outcome)
{
    struct operation op = an_operation(id, "web", OPERATION_QUEUED);
    struct journal_entry entry = {
        .operation = &op,
        .essential = kind == ESSENTIAL,
        .give_up_mono = kind == KEPT ? 0 : clock_mono_us() + 60 * USEC_PER_SEC,
        .done = outcome_done,
        .context = outcome,
    };

    outcome_init(outcome);
    assert_int_equal(journal_submit(scene->journal, &entry, 1), 0);
}

static int result_of(struct scene *scene, int64_t id, enum kind kind)
{
    struct outcome outcome;

    submit(scene, id, kind, &outcome);
    return outcome_wait(&outcome);
}

static void remove_files(struct sandbox *box)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-reserve"};
    char path[128];

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(path, sizeof path, "%s%s", box->path, suffixes[i]);
        unlink(path);
    }
}

static void path_of(const struct sandbox *box, const char *name, char path[static 128])
{
    snprintf(path, 128, "%s/%s", box->folder, name);
}

static bool is_there(const struct sandbox *box, const char *name)
{
    char path[128];

    path_of(box, name, path);
    return access(path, F_OK) == 0;
}

/* ---- a disk of our own ---- */

static bool mount_disk(struct sandbox *box)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    return mount("none", box->folder, "tmpfs", 0, "size=12m,mode=755") == 0;
}

static void unmount_disk(struct sandbox *box)
{
    umount2(box->folder, MNT_DETACH);
}

static void fill_disk(struct sandbox *box)
{
    char path[128], piece[4096];
    int fd;

    memset(piece, 'f', sizeof piece);
    path_of(box, "filler", path);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, piece, sizeof piece) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static void empty_disk(struct sandbox *box)
{
    char path[128];

    path_of(box, "filler", path);
    assert_int_equal(unlink(path), 0);
}

/* Until the log must grow, what is written has room. */
static int64_t write_until_full(struct scene *scene, int64_t id)
{
    while (result_of(scene, id, PLAIN) == 0)
        id++;
    return id;
}

static void on_a_full_disk_only_what_is_essential_is_written_into_the_reserve(void **state)
{
    struct sandbox *box = *state;
    struct scene scene;
    int64_t id;
    char text[256];

    if (!mount_disk(box))
        skip();
    scene_open(&scene, box);
    assert_int_equal(result_of(&scene, 1, PLAIN), 0);
    assert_true(is_there(box, "state.db-reserve"));
    fill_disk(box);
    id = write_until_full(&scene, 2);
    assert_false(journal_writable(scene.journal, text));
    assert_non_null(strstr(text, "the disk is full"));
    assert_true(is_there(box, "state.db-reserve")); /* nothing needed it */
    assert_int_equal(result_of(&scene, id++, ESSENTIAL), 0);
    assert_true(journal_takes_essential(scene.journal));
    for (int i = 0; i < 200; i++) {
        assert_int_equal(result_of(&scene, id + 2 * i, ESSENTIAL), 0);
        assert_int_equal(result_of(&scene, id + 2 * i + 1, PLAIN), -ENOSPC);
    }
    assert_false(is_there(box, "state.db-reserve"));
    assert_false(journal_writable(scene.journal, text));
    assert_int_equal(result_of(&scene, id + 400, KEPT), 0);
    assert_int_equal(find(scene.journal, id + 398), JOURNAL_FOUND);
    assert_int_equal(find(scene.journal, id + 399), JOURNAL_PRUNED); /* below one that is there */
    empty_disk(box);
    wait_writable(&scene, true);
    assert_true(is_there(box, "state.db-reserve"));
    assert_int_equal(result_of(&scene, id + 401, PLAIN), 0);
    scene_close(&scene);
    unmount_disk(box);
}

/* Too large for what is left of the log. */
static void add_large(struct list *groups, int64_t id, enum kind kind, struct outcome *outcome)
{
    struct operation op = an_operation(id, "web", OPERATION_QUEUED);
    struct journal_entry entry = {.operation = &op,
                                  .essential = kind == ESSENTIAL,
                                  .give_up_mono = kind == KEPT ? 0 : CLOCK_NEVER,
                                  .done = outcome_done,
                                  .context = outcome};
    struct group *group;

    op.detail = calloc(1, 300001);
    assert_non_null(op.detail);
    memset(op.detail, 'd', 300000);
    outcome_init(outcome);
    group = group_new(&entry, 1);
    assert_non_null(group);
    list_append(groups, &group->link);
    operation_deinit(&op);
}

static void a_transaction_that_holds_both_is_split_on_a_full_disk(void **state)
{
    struct sandbox *box = *state;
    struct journal_config config = sandbox_config(box);
    struct outcome kept, plain, essential;
    struct list groups, refused;
    struct store store;
    sqlite3 *db;
    bool aside;

    if (!mount_disk(box))
        skip();
    assert_int_equal(store_open(&store, &config, &aside, NULL), 0);
    fill_disk(box);
    list_init(&groups);
    list_init(&refused);
    add_large(&groups, 1, KEPT, &kept);
    add_large(&groups, 2, PLAIN, &plain);
    add_large(&groups, 3, ESSENTIAL, &essential);
    assert_int_equal(store_write(&store, &groups, &refused, NULL), 0);
    group_finish(&refused, -ENOSPC);
    group_finish(&groups, 0);
    assert_int_equal(outcome_wait(&kept), 0);
    assert_int_equal(outcome_wait(&plain), -ENOSPC);
    assert_int_equal(outcome_wait(&essential), 0);
    assert_true(store.full);
    db = open_shell(box);
    assert_int_equal(shell_integer(db, "SELECT group_concat(id) = '1,3' FROM operations"), 1);
    sqlite3_close(db);
    empty_disk(box);
    store_close(&store);
    unmount_disk(box);
}

static void when_even_the_reserve_is_used_up_it_says_so_and_heals(void **state)
{
    struct sandbox *box = *state;
    struct outcome kept;
    struct scene scene;
    char text[256];
    int64_t id;

    if (!mount_disk(box))
        skip();
    scene_open(&scene, box);
    fill_disk(box);
    id = write_until_full(&scene, 1);
    while (is_there(box, "state.db-reserve"))
        assert_int_equal(result_of(&scene, id++, ESSENTIAL), 0);
    fill_disk(box); /* somebody else was faster */
    submit(&scene, id, KEPT, &kept);
    while (outcome_reached(&kept) && outcome_wait(&kept) == 0)
        submit(&scene, ++id, KEPT, &kept); /* until the log must grow */
    assert_int_equal(result_of(&scene, id + 1, PLAIN), -ENOSPC);
    assert_false(journal_writable(scene.journal, text));
    empty_disk(box);
    assert_int_equal(outcome_wait(&kept), 0);
    wait_writable(&scene, true);
    assert_int_equal(find(scene.journal, id), JOURNAL_FOUND);
    scene_close(&scene);
    unmount_disk(box);
}

static void a_journal_on_a_full_disk_opens_and_is_loaded(void **state)
{
    struct sandbox *box = *state;
    struct scene scene;

    if (!mount_disk(box))
        skip();
    scene_open(&scene, box);
    assert_int_equal(result_of(&scene, 7, KEPT), 0);
    scene_close(&scene);
    fill_disk(box);
    scene_open(&scene, box);
    assert_int_equal(scene.boot.operation_count, 1);
    assert_int_equal(scene.boot.next_operation_id, 8);
    for (int64_t id = 8; id < 50; id++)
        assert_int_equal(result_of(&scene, id, ESSENTIAL), 0);
    empty_disk(box);
    scene_close(&scene);
    unmount_disk(box);
}

static void remount(struct sandbox *box, bool readonly)
{
    assert_int_equal(
        mount("none", box->folder, NULL, MS_REMOUNT | (readonly ? MS_RDONLY : 0), NULL), 0);
}

static void a_read_only_folder_is_loaded_and_written_to_when_it_can_be(void **state)
{
    struct sandbox *box = *state;
    struct outcome kept;
    struct scene scene;
    char text[256];

    if (!mount_disk(box))
        skip();
    scene_open(&scene, box);
    assert_int_equal(result_of(&scene, 7, KEPT), 0);
    scene_close(&scene);
    remount(box, true);
    scene_open(&scene, box);
    assert_true(scene.boot.same_boot);
    assert_int_equal(scene.boot.operation_count, 1);
    assert_int_equal(scene.boot.next_operation_id, 8);
    assert_false(journal_writable(scene.journal, text));
    assert_int_equal(find(scene.journal, 7), JOURNAL_FOUND);
    submit(&scene, 8, KEPT, &kept);
    assert_false(outcome_reached(&kept));
    remount(box, false);
    assert_int_equal(outcome_wait(&kept), 0);
    wait_writable(&scene, true);
    assert_int_equal(find(scene.journal, 7), JOURNAL_FOUND);
    assert_int_equal(find(scene.journal, 8), JOURNAL_FOUND);
    scene_close(&scene);
    unmount_disk(box);
}

/* Its log is left, and with it the index that readers would share with the writer. */
static void what_a_killed_daemon_left_on_a_read_only_disk_is_loaded_and_written_to(void **state)
{
    struct sandbox *box = *state;
    struct outcome kept;
    struct scene scene;
    pid_t child;

    if (!mount_disk(box))
        skip();
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        scene_open(&scene, box);
        _exit(result_of(&scene, 7, KEPT) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(is_there(box, "state.db-wal"));
    remount(box, true);
    scene_open(&scene, box);
    assert_int_equal(scene.boot.operation_count, 1);
    assert_int_equal(find(scene.journal, 7), JOURNAL_FOUND);
    submit(&scene, 8, KEPT, &kept);
    remount(box, false);
    assert_int_equal(outcome_wait(&kept), 0);
    wait_writable(&scene, true);
    assert_int_equal(find(scene.journal, 7), JOURNAL_FOUND);
    assert_int_equal(find(scene.journal, 8), JOURNAL_FOUND);
    scene_close(&scene);
    unmount_disk(box);
}

static void what_another_boot_left_on_a_read_only_disk_is_ended_when_it_can_be(void **state)
{
    struct sandbox *box = *state;
    struct operation op;
    enum journal_find found;
    struct scene scene;

    if (!mount_disk(box))
        skip();
    scene_open(&scene, box);
    assert_int_equal(result_of(&scene, 7, KEPT), 0);
    scene_close(&scene);
    remount(box, true);
    scene_open_in(&scene, box, "boot-2");
    assert_false(scene.boot.same_boot);
    assert_int_equal(scene.boot.operation_count, 0);
    remount(box, false);
    wait_writable(&scene, true);
    assert_int_equal(journal_find(scene.journal, 7, &found, &op, NULL), 0);
    assert_int_equal(op.state, OPERATION_INTERRUPTED);
    operation_deinit(&op);
    scene_close(&scene);
    unmount_disk(box);
}

/* ---- the file ---- */

static void assert_whole(struct scene *scene, int64_t last)
{
    for (int64_t id = 1; id <= last; id++)
        assert_int_equal(find(scene->journal, id), JOURNAL_FOUND);
}

static void a_file_that_is_removed_is_made_anew_with_all_that_it_held(void **state)
{
    const struct journal_key key = {"uid:0", "k", "POST /restart/web", 3, false};
    const struct service_record web = {"web", {STATE_RUNNING, GOAL_UP, 6, 3}};
    struct sandbox *box = *state;
    struct journal_key_found found;
    struct operation op = an_operation(3, "web", OPERATION_QUEUED);
    struct journal_entry entry = {.operation = &op, .service = &web, .key = &key};
    struct journal_boot boot;
    struct scene scene;
    bool there;

    scene_open(&scene, box);
    put_state(scene.journal, 1, "web", OPERATION_SUCCEEDED);
    put_state(scene.journal, 2, "web", OPERATION_QUEUED);
    assert_int_equal(journal_submit(scene.journal, &entry, 1), 0);
    remove_files(box);
    put_state(scene.journal, 4, "web", OPERATION_QUEUED);
    assert_whole(&scene, 4);
    assert_int_equal(journal_find_key(scene.journal, "uid:0", "k", &there, &found, NULL), 0);
    assert_true(there);
    free(found.request);
    scene_close(&scene);
    scene.journal = open_journal(box);
    assert_int_equal(journal_load(scene.journal, &boot, NULL), 0);
    assert_true(boot.same_boot);
    assert_int_equal(boot.operation_count, 3);
    assert_int_equal(boot.service_count, 1);
    assert_int_equal(boot.services[0].standing.generation, 6);
    journal_boot_deinit(&boot);
    journal_close(scene.journal);
}

static void a_folder_that_is_removed_is_made_anew_as_it_was(void **state)
{
    struct sandbox *box = *state;
    struct scene scene;
    struct stat st;

    assert_int_equal(chmod(box->folder, 0750), 0);
    scene_open(&scene, box);
    put_state(scene.journal, 1, "web", OPERATION_SUCCEEDED);
    remove_files(box);
    assert_int_equal(rmdir(box->folder), 0);
    put_state(scene.journal, 2, "web", OPERATION_SUCCEEDED);
    assert_whole(&scene, 2);
    assert_int_equal(stat(box->folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    scene_close(&scene);
}

static void what_cannot_be_made_anew_is_told_of_until_it_can_be(void **state)
{
    struct sandbox *box = *state;
    struct outcome kept;
    struct scene scene;
    char text[256];
    int fd;

    scene_open(&scene, box);
    put_state(scene.journal, 1, "web", OPERATION_SUCCEEDED);
    assert_int_equal(find(scene.journal, 1), JOURNAL_FOUND);
    remove_files(box);
    assert_int_equal(rmdir(box->folder), 0);
    fd = open(box->folder, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* a file in the folder's place */
    assert_true(fd >= 0);
    close(fd);
    submit(&scene, 2, KEPT, &kept);
    wait_writable(&scene, false);
    journal_writable(scene.journal, text);
    assert_non_null(strstr(text, "state.db is gone and cannot be made again"));
    assert_false(journal_takes_essential(scene.journal));
    assert_false(outcome_reached(&kept));
    assert_int_equal(find(scene.journal, 1), JOURNAL_FOUND); /* from what is still open */
    assert_int_equal(unlink(box->folder), 0);
    assert_int_equal(outcome_wait(&kept), 0);
    wait_writable(&scene, true);
    assert_whole(&scene, 2);
    assert_true(scene.changes >= 2);
    scene_close(&scene);
}

static void another_file_that_takes_its_place_is_taken_and_added_to(void **state)
{
    struct sandbox *box = *state, other;
    struct journal *journal;
    struct scene scene;

    sandbox_make(&other);
    journal = open_journal(&other);
    put_state(journal, 100, "db", OPERATION_SUCCEEDED);
    journal_close(journal);
    scene_open(&scene, box);
    put_state(scene.journal, 1, "web", OPERATION_SUCCEEDED);
    put_state(scene.journal, 200, "web", OPERATION_QUEUED);
    remove_files(box);
    assert_int_equal(rename(other.path, box->path), 0);
    put_state(scene.journal, 201, "web", OPERATION_QUEUED);
    assert_int_equal(find(scene.journal, 1), JOURNAL_FOUND);
    assert_int_equal(find(scene.journal, 100), JOURNAL_FOUND);
    assert_int_equal(find(scene.journal, 200), JOURNAL_FOUND);
    assert_int_equal(find(scene.journal, 201), JOURNAL_FOUND);
    scene_close(&scene);
    sandbox_remove(&other);
}

/* Ids that were given stay given, whatever the new file knows. */
static void ids_go_on_when_the_file_is_another(void **state)
{
    struct sandbox *box = *state;
    struct journal_boot boot;
    struct scene scene;

    scene_open(&scene, box);
    put_state(scene.journal, 500, "web", OPERATION_SUCCEEDED);
    remove_files(box);
    put_state(scene.journal, 2, "web", OPERATION_QUEUED);
    scene_close(&scene);
    scene.journal = open_journal(box);
    assert_int_equal(journal_load(scene.journal, &boot, NULL), 0);
    assert_int_equal(boot.next_operation_id, 501);
    journal_boot_deinit(&boot);
    journal_close(scene.journal);
}

static void a_file_that_turns_out_corrupt_is_set_aside_while_it_runs(void **state)
{
    struct sandbox *box = *state;
    char rubbish[4096], text[256];
    struct scene scene;
    sqlite3 *db;
    int fd;

    scene_open(&scene, box);
    for (int64_t id = 1; id <= 300; id++)
        put_state(scene.journal, id, "web", OPERATION_SUCCEEDED);
    db = open_shell(box);
    shell(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(db);
    memset(rubbish, 0xaa, sizeof rubbish);
    fd = open(box->path, O_WRONLY | O_CLOEXEC);
    for (int page = 1; page < 30; page++)
        assert_int_equal(pwrite(fd, rubbish, sizeof rubbish, page * 4096), sizeof rubbish);
    close(fd);
    db = open_shell(box); /* whoever writes makes the others read their pages again */
    sqlite3_exec(db, "UPDATE meta SET value = value", NULL, NULL, NULL);
    sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL, NULL);
    sqlite3_close(db);
    for (int64_t id = 301; id <= 310; id++)
        assert_int_equal(result_of(&scene, id, KEPT), 0);
    wait_writable(&scene, true);
    assert_true(sandbox_count(box, "state.db.corrupt-") >= 1);
    assert_true(journal_warning(scene.journal, text));
    assert_non_null(strstr(text, "set aside"));
    assert_int_equal(find(scene.journal, 301), JOURNAL_FOUND);
    assert_int_equal(find(scene.journal, 310), JOURNAL_FOUND);
    scene_close(&scene);
}

/* ---- a reader that stands still ---- */

static void write_some(struct store *store, int64_t first, int count)
{
    for (int64_t id = first; id < first + count; id++) {
        struct operation op = an_operation(id, "web", OPERATION_QUEUED);
        struct journal_entry entry = {.operation = &op};
        struct group *group = group_new(&entry, 1);
        struct list groups, refused;

        list_init(&groups);
        list_init(&refused);
        list_append(&groups, &group->link);
        assert_int_equal(store_write(store, &groups, &refused, NULL), 0);
        group_finish(&groups, 0);
    }
}

static int64_t log_size(const struct sandbox *box)
{
    char path[128];
    struct stat st;

    path_of(box, "state.db-wal", path);
    return stat(path, &st) < 0 ? 0 : st.st_size;
}

static void a_log_that_a_reader_makes_grow_is_told_of_and_cut_when_it_has_gone(void **state)
{
    struct sandbox *box = *state;
    struct journal_config config = sandbox_config(box);
    struct store store;
    char text[256];
    bool aside;
    sqlite3 *db;

    assert_int_equal(store_open(&store, &config, &aside, NULL), 0);
    store.log.limit = 8 << 20;
    db = open_shell(box);
    shell(db, "BEGIN; SELECT * FROM operations");
    write_some(&store, 1, 1500);
    assert_true(log_size(box) > store.log.limit);
    assert_true(store_warning(&store, text));
    assert_non_null(strstr(text, "another program has been reading"));
    assert_true(store.log.check_at < clock_mono_us() + 60 * USEC_PER_SEC);
    log_watch_check(&store.log, store.db); /* it is still there */
    assert_true(store_warning(&store, text));
    shell(db, "COMMIT");
    log_watch_check(&store.log, store.db);
    assert_false(store_warning(&store, text));
    assert_int_equal(log_size(box), 0);
    assert_int_equal(store.log.check_at, CLOCK_NEVER);
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 1500);
    sqlite3_close(db);
    store_close(&store);
}

static void without_a_reader_the_log_stays_small_by_itself(void **state)
{
    struct sandbox *box = *state;
    struct journal *journal = open_journal(box);
    char text[256];

    for (int64_t id = 1; id <= 3000; id++)
        put_state(journal, id, "web", OPERATION_QUEUED);
    assert_true(log_size(box) < (5 << 20));
    assert_false(journal_warning(journal, text));
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(on_a_full_disk_only_what_is_essential_is_written_into_the_reserve),
        TEST(a_transaction_that_holds_both_is_split_on_a_full_disk),
        TEST(when_even_the_reserve_is_used_up_it_says_so_and_heals),
        TEST(a_journal_on_a_full_disk_opens_and_is_loaded),
        TEST(a_read_only_folder_is_loaded_and_written_to_when_it_can_be),
        TEST(what_a_killed_daemon_left_on_a_read_only_disk_is_loaded_and_written_to),
        TEST(what_another_boot_left_on_a_read_only_disk_is_ended_when_it_can_be),
        TEST(a_file_that_is_removed_is_made_anew_with_all_that_it_held),
        TEST(a_folder_that_is_removed_is_made_anew_as_it_was),
        TEST(what_cannot_be_made_anew_is_told_of_until_it_can_be),
        TEST(another_file_that_takes_its_place_is_taken_and_added_to),
        TEST(ids_go_on_when_the_file_is_another),
        TEST(a_file_that_turns_out_corrupt_is_set_aside_while_it_runs),
        TEST(a_log_that_a_reader_makes_grow_is_told_of_and_cut_when_it_has_gone),
        TEST(without_a_reader_the_log_stays_small_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
