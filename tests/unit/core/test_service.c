/* The mailbox: what stands in it, whom it wakes, and what a reload counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "service.h"

struct fixture {
    struct host host;
    struct service *service;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct service_spec *spec = spec_new("web");
    struct host *host = &f->host;

    assert_true(f && spec);
    assert_int_equal(watcher_start(&host->watcher, NULL), 0);
    wait_set_init(&host->waits, host->watcher);
    assert_int_equal(board_init(&host->board, &host->waits, NULL), 0);
    run_queue_init(&host->run_queue);
    f->service = service_new(host, spec);
    assert_non_null(f->service);
    spec_unref(spec);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    service_free(f->service);
    wait_set_release(&f->host.waits);
    watcher_stop(f->host.watcher);
    board_deinit(&f->host.board);
    wait_set_deinit(&f->host.waits);
    run_queue_deinit(&f->host.run_queue);
    free(f);
    return 0;
}

static bool is_scheduled(struct service *s)
{
    bool scheduled;

    service_lock(s);
    scheduled = s->scheduled;
    service_unlock(s);
    return scheduled;
}

static void an_event_that_is_followed_at_once_wakes_nobody_by_itself(void **state)
{
    struct fixture *f = *state;
    struct mail mail;

    service_post_event(f->service, &(struct backend_event){
                                       .kind = BACKEND_MAIN_EXITED,
                                       .exit = {EXIT_CODE, 3},
                                       .more = true,
                                   });
    assert_false(is_scheduled(f->service));
    service_post_event(f->service, &(struct backend_event){.kind = BACKEND_TREE_GONE});
    assert_true(is_scheduled(f->service));
    assert_true(service_take_mail(f->service, &mail));
    assert_int_equal(mail.bits, MAIL_MAIN_EXITED | MAIL_TREE_GONE);
    assert_int_equal(mail.exit.value, 3);
    mail_deinit(&mail);
}

static void an_event_that_came_during_a_turn_is_another_turn(void **state)
{
    struct fixture *f = *state;
    struct mail mail;

    service_post(f->service, MAIL_LOOK);
    assert_true(service_take_mail(f->service, &mail));
    mail_deinit(&mail);
    service_post_event(f->service,
                       &(struct backend_event){.kind = BACKEND_MAIN_EXITED, .more = true});
    list_remove(&f->service->run.link); /* as the worker has done */
    service_rest(f->service);
    assert_true(is_scheduled(f->service));
}

/* As when there was memory for it and not for what was to lie in it. */
static void an_empty_enclosure_is_kept_for_the_next_mail(void **state)
{
    struct fixture *f = *state;
    struct enclosure *made, *found;
    struct mail mail;

    service_lock(f->service);
    made = service_enclosed(f->service);
    service_unlock(f->service);
    assert_non_null(made);
    assert_false(service_take_mail(f->service, &mail));
    service_lock(f->service);
    found = service_enclosed(f->service);
    service_unlock(f->service);
    assert_ptr_equal(found, made);
}

static void a_service_that_is_told_twice_before_its_turn_counts_once(void **state)
{
    struct fixture *f = *state;
    struct mail mail;

    service_post_spec(f->service, spec_new("web"), NULL);
    service_post_spec(f->service, NULL, strdup("refused"));
    assert_int_equal(atomic_load(&f->host.unshown), 1);
    assert_true(service_take_mail(f->service, &mail));
    assert_non_null(mail.spec);
    assert_string_equal(mail.config_error, "refused");
    mail_deinit(&mail);
    service_post_spec(f->service, spec_new("web"), NULL); /* in the middle of the turn */
    assert_int_equal(atomic_load(&f->host.unshown), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_that_is_followed_at_once_wakes_nobody_by_itself),
        TEST(an_event_that_came_during_a_turn_is_another_turn),
        TEST(an_empty_enclosure_is_kept_for_the_next_mail),
        TEST(a_service_that_is_told_twice_before_its_turn_counts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
