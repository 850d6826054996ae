/* The process backend, each test with a cgroup and without: what is told of a service's life, and
 * what a service finds when it begins. */
#include "scene.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- what is told ---- */

static void an_exit_code_is_told_after_the_start_and_before_the_end_of_the_tree(void **state)
{
    struct scene *s = *state;
    struct backend_event event;

    scene_run(s, "exit 7");
    assert_true(expect(s, 0, BACKEND_STARTED).pid > 0);
    event = expect(s, 1, BACKEND_MAIN_EXITED);
    assert_int_equal(event.exit.kind, EXIT_CODE);
    assert_int_equal(event.exit.value, 7);
    expect(s, 2, BACKEND_TREE_GONE);
}

static void the_signal_that_killed_it_is_told(void **state)
{
    struct scene *s = *state;
    struct backend_event event;

    scene_run(s, "kill -USR2 $$");
    expect(s, 0, BACKEND_STARTED);
    event = expect(s, 1, BACKEND_MAIN_EXITED);
    assert_int_equal(event.exit.kind, EXIT_SIGNAL);
    assert_int_equal(event.exit.value, SIGUSR2);
    expect(s, 2, BACKEND_TREE_GONE);
}

static void the_pid_that_is_told_is_the_program_s_own(void **state)
{
    struct scene *s = *state;
    char pid[16], *output;

    scene_run(s, "echo $$");
    snprintf(pid, sizeof pid, "%d\n", expect(s, 0, BACKEND_STARTED).pid);
    expect(s, 2, BACKEND_TREE_GONE);
    output = scene_output(s);
    assert_string_equal(output, pid);
    free(output);
}

static void a_newline_on_descriptor_3_is_readiness(void **state)
{
    struct scene *s = *state;

    s->spec->readiness = READINESS_FD;
    scene_run(s, "printf not yet >&3; echo >&$ORDERLY_READY_FD; exec " LONG_AGO_SLEEP);
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_GROUP, NULL), 0);
    assert_int_equal(expect(s, 2, BACKEND_MAIN_EXITED).exit.value, SIGTERM);
    expect(s, 3, BACKEND_TREE_GONE);
}

static void readiness_told_in_the_last_moment_still_comes_before_the_exit(void **state)
{
    struct scene *s = *state;

    s->spec->readiness = READINESS_FD;
    scene_run(s, "echo >&3");
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
    expect(s, 2, BACKEND_MAIN_EXITED);
    expect(s, 3, BACKEND_TREE_GONE);
}

static void containment_is_what_was_asked_for(void **state)
{
    struct scene *s = *state;
    struct process_capabilities capabilities;

    scene_run(s, "exit 0");
    process_backend_capabilities(s->backend, &capabilities);
    if (s->best_effort)
        assert_false(capabilities.cgroup);
    assert_int_equal(s->instance->containment,
                     capabilities.cgroup ? CONTAINMENT_CGROUP : CONTAINMENT_BEST_EFFORT);
    expect(s, 2, BACKEND_TREE_GONE);
}

static void a_service_may_be_started_again_and_again(void **state)
{
    struct scene *s = *state;

    for (int i = 0; i < 30; i++) {
        scene_run(s, "exit 3");
        expect(s, 0, BACKEND_STARTED);
        assert_int_equal(expect(s, 1, BACKEND_MAIN_EXITED).exit.value, 3);
        expect(s, 2, BACKEND_TREE_GONE);
        scene_forget(s);
    }
}

/* ---- what cannot be started ---- */

static void expect_start_error(struct scene *s, const char *detail)
{
    scene_start(s);
    expect(s, 0, BACKEND_START_ERROR);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
    assert_string_equal(s->witness.detail, detail);
}

static void a_program_that_is_not_there_is_named(void **state)
{
    struct scene *s = *state;

    string_list_add(&s->spec->argv, "/no/such/program");
    expect_start_error(s, "cannot execute /no/such/program: No such file or directory");
    assert_int_equal(s->witness.events[1].exit.value, 127);
}

static void a_bare_name_that_is_not_in_the_path_is_named(void **state)
{
    struct scene *s = *state;

    string_list_add(&s->spec->argv, "no-such-program");
    expect_start_error(s, "cannot execute no-such-program: No such file or directory");
}

static void a_bare_name_is_looked_for_in_the_service_s_own_path(void **state)
{
    struct scene *s = *state;

    string_list_add(&s->spec->environment, "PATH=/usr/bin:/nowhere:/bin");
    string_list_add(&s->spec->argv, "true");
    scene_start(s);
    expect(s, 0, BACKEND_STARTED);
    assert_int_equal(expect(s, 1, BACKEND_MAIN_EXITED).exit.value, 0);
    expect(s, 2, BACKEND_TREE_GONE);
}

static void a_file_that_is_no_program_is_named(void **state)
{
    struct scene *s = *state;
    char expected[256];

    string_list_add(&s->spec->argv, s->output);
    snprintf(expected, sizeof expected, "cannot execute %s: Permission denied", s->output);
    expect_start_error(s, expected);
}

static void a_directory_that_is_not_there_is_named(void **state)
{
    struct scene *s = *state;

    s->spec->directory = strdup("/no/such/place");
    scene_script(s, "exit 0");
    expect_start_error(s, "cannot change to directory /no/such/place: No such file or directory");
}

static void a_directory_that_the_user_may_not_enter_is_named(void **state)
{
    struct scene *s = *state;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(s->folder, 0700), 0);
    s->spec->directory = strdup(s->folder);
    s->spec->set_user = true;
    s->spec->uid = s->spec->gid = 65534;
    scene_script(s, "exit 0");
    scene_start(s);
    expect(s, 0, BACKEND_START_ERROR);
    assert_non_null(strstr(s->witness.detail, "cannot change to directory"));
    assert_non_null(strstr(s->witness.detail, "Permission denied"));
}

static void environment_file(struct scene *s, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/env", s->folder);
    f = fopen(path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(s->spec->environment_file);
    s->spec->environment_file = strdup(path);
}

static void a_wrong_line_of_the_environment_file_is_named_with_its_number(void **state)
{
    struct scene *s = *state;
    char expected[256];

    environment_file(s, "# fine\nA=1\nthis is not\n");
    scene_script(s, "exit 0");
    snprintf(expected, sizeof expected, "environment file %s line 3: expected KEY=VALUE",
             s->spec->environment_file);
    expect_start_error(s, expected);
}

static void an_environment_file_must_be_there_unless_it_is_optional(void **state)
{
    struct scene *s = *state;

    s->spec->environment_file = strdup("/no/such/env");
    scene_script(s, "exit 0");
    expect_start_error(s, "cannot read environment file /no/such/env: No such file or directory");
    scene_forget(s);
    s->spec->environment_file_optional = true;
    scene_start(s);
    expect(s, 0, BACKEND_STARTED);
    expect(s, 2, BACKEND_TREE_GONE);
}

static void output_that_cannot_be_opened_is_named(void **state)
{
    struct scene *s = *state;

    strcpy(s->output, "/no/such/fifo");
    scene_script(s, "exit 0");
    expect_start_error(s, "cannot open its standard output: No such file or directory");
}

static void limits_that_cannot_be_set_are_named(void **state)
{
    struct scene *s = *state;

    s->spec->nofile = INT64_C(1) << 40; /* above what the kernel allows anyone */
    scene_script(s, "exit 0");
    expect_start_error(s, "cannot set the limits nofile and core: Operation not permitted");
}

static void an_instance_that_cannot_be_prepared_starts_nothing_and_tells_nothing(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    char path[128];
    int fd;

    scene_open_backend(s);
    s->spec->readiness = READINESS_FD;
    scene_script(s, "exit 0");
    snprintf(path, sizeof path, "%s/web", s->folder); /* where the folder of the FIFO is to be */
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    assert_true(s->backend->ops->start(s->backend,
                                       &(struct launch){.spec = s->spec, .generation = 1},
                                       &s->witness, &s->instance, &err) < 0);
    assert_non_null(strstr(err.text, path));
    s->instance = NULL;
    assert_int_equal(s->witness.count, 0);
}

/* ---- what the service finds ---- */

static char *run_to_end(struct scene *s, const char *script)
{
    scene_run(s, script);
    expect(s, 0, BACKEND_STARTED);
    assert_int_equal(expect(s, 1, BACKEND_MAIN_EXITED).exit.value, 0);
    expect(s, 2, BACKEND_TREE_GONE);
    return scene_output(s);
}

/* The shell's descriptors, seen by another process, for a shell that looks opens some more. */
static void expect_descriptors(struct scene *s, const char *expected)
{
    char *output = run_to_end(s, "ls -l /proc/$$/fd; true");
    char found[1024] = "";

    for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n")) {
        char *arrow = strstr(line, " -> ");

        if (!arrow)
            continue;
        while (arrow[-1] != ' ')
            arrow--;
        strncat(found, arrow, sizeof found - strlen(found) - 2);
        strcat(found, "\n");
    }
    assert_string_equal(found, expected);
    free(output);
}

static void no_descriptor_but_the_standard_ones_reaches_a_service(void **state)
{
    struct scene *s = *state;
    char expected[300];
    int leaks[40];

    for (int i = 0; i < 40; i++)
        leaks[i] = open("/dev/null", O_RDONLY); /* not CLOEXEC */
    snprintf(expected, sizeof expected, "0 -> /dev/null\n1 -> %s\n2 -> %s\n", s->output, s->output);
    expect_descriptors(s, expected);
    for (int i = 0; i < 40; i++)
        close(leaks[i]);
}

static void descriptor_3_is_there_for_readiness_alone(void **state)
{
    struct scene *s = *state;
    char expected[400];

    s->spec->readiness = READINESS_FD;
    snprintf(expected, sizeof expected, "0 -> /dev/null\n1 -> %s\n2 -> %s\n3 -> %s/web/ready\n",
             s->output, s->output, s->folder);
    expect_descriptors(s, expected);
}

static void the_environment_is_ours_less_what_was_meant_for_us_and_with_its_own(void **state)
{
    struct scene *s = *state;
    char *output;

    setenv("NOTIFY_SOCKET", "/x", 1);
    setenv("LISTEN_FDS", "3", 1);
    setenv("WATCHDOG_USEC", "3", 1);
    setenv("INHERITED", "yes", 1);
    setenv("BY_FILE", "inherited", 1);
    setenv("BY_SPEC", "inherited", 1);
    environment_file(s, "BY_FILE=file\n\n# no\n  QUOTED = wrong\n");
    environment_file(s, "BY_FILE=file\r\nBY_SPEC=file\nQUOTED=\"a b\"\nORDERLY_INSTANCE=stolen");
    string_list_add(&s->spec->environment, "BY_SPEC=spec");
    string_list_add(&s->spec->environment, "EMPTY=");
    output = run_to_end(s, "env");
    unsetenv("NOTIFY_SOCKET");
    unsetenv("LISTEN_FDS");
    unsetenv("WATCHDOG_USEC");
    assert_null(strstr(output, "NOTIFY_SOCKET"));
    assert_null(strstr(output, "LISTEN_FDS"));
    assert_null(strstr(output, "WATCHDOG_USEC"));
    assert_non_null(strstr(output, "INHERITED=yes\n"));
    assert_non_null(strstr(output, "BY_FILE=file\n"));
    assert_non_null(strstr(output, "BY_SPEC=spec\n"));
    assert_non_null(strstr(output, "QUOTED=a b\n"));
    assert_non_null(strstr(output, "EMPTY=\n"));
    assert_non_null(strstr(output, "PATH="));
    assert_non_null(strstr(output, "ORDERLY_SERVICE=web\n"));
    assert_non_null(strstr(output, "ORDERLY_INSTANCE=web.1."));
    assert_null(strstr(output, "ORDERLY_READY_FD"));
    free(output);
}

static void directory_umask_session_and_signals_are_a_service_s_own(void **state)
{
    struct scene *s = *state;
    char *output, expected[64];

    signal(SIGUSR1, SIG_IGN);
    s->spec->umask = 027;
    output = run_to_end(s, "pwd; umask; grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f2; "
                           "cut -d' ' -f6 /proc/$$/stat");
    signal(SIGUSR1, SIG_DFL);
    snprintf(expected, sizeof expected, "/\n0027\n%016x\n%016x\n%d\n", 0, 0,
             s->witness.events[0].pid);
    assert_string_equal(output, expected);
    free(output);
}

static void user_and_groups_are_those_of_the_service(void **state)
{
    struct scene *s = *state;
    gid_t groups[] = {1234, 5678};
    char *output;

    if (geteuid() != 0)
        skip();
    s->spec->set_user = true;
    s->spec->uid = 65534;
    s->spec->gid = 4321;
    s->spec->user = strdup("somebody");
    s->spec->home = strdup("/home/somebody");
    s->spec->groups = malloc(sizeof groups);
    memcpy(s->spec->groups, groups, sizeof groups);
    s->spec->group_count = 2;
    output = run_to_end(s, "id -u; id -g; id -G; echo $HOME $USER $LOGNAME; "
                           "grep CapEff /proc/self/status | cut -f2; echo again >> /dev/stdout");
    assert_string_equal(output, "65534\n4321\n4321 1234 5678\n/home/somebody somebody somebody\n"
                                "0000000000000000\nagain\n");
    free(output);
}

static void limits_are_those_we_were_given_or_the_service_s_own(void **state)
{
    struct scene *s = *state;
    struct rlimit given, low;
    char *output, expected[64];

    getrlimit(RLIMIT_NOFILE, &given);
    low = (struct rlimit){given.rlim_max / 2, given.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    output = run_to_end(s, "ulimit -Sn; ulimit -Hn");
    snprintf(expected, sizeof expected, "%llu\n%llu\n", (unsigned long long)low.rlim_cur,
             (unsigned long long)low.rlim_max);
    assert_string_equal(output, expected);
    free(output);
    scene_forget(s);
    assert_int_equal(truncate(s->output, 0), 0);
    s->spec->nofile = 64;
    s->spec->core = 0;
    s->spec->set_oom_score_adjust = true;
    s->spec->oom_score_adjust = 321;
    output = run_to_end(s, "ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj");
    assert_string_equal(output, "64\n64\n0\n321\n");
    free(output);
    scene_forget(s);
    scene_close_backend(s);
    getrlimit(RLIMIT_NOFILE, &low);
    assert_int_equal(low.rlim_cur, given.rlim_max / 2);
    setrlimit(RLIMIT_NOFILE, &given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_WAYS(an_exit_code_is_told_after_the_start_and_before_the_end_of_the_tree),
        IN_BOTH_WAYS(the_signal_that_killed_it_is_told),
        IN_BOTH_WAYS(the_pid_that_is_told_is_the_program_s_own),
        IN_BOTH_WAYS(a_newline_on_descriptor_3_is_readiness),
        IN_BOTH_WAYS(readiness_told_in_the_last_moment_still_comes_before_the_exit),
        IN_BOTH_WAYS(containment_is_what_was_asked_for),
        IN_BOTH_WAYS(a_service_may_be_started_again_and_again),
        IN_BOTH_WAYS(a_program_that_is_not_there_is_named),
        IN_BOTH_WAYS(a_bare_name_that_is_not_in_the_path_is_named),
        IN_BOTH_WAYS(a_bare_name_is_looked_for_in_the_service_s_own_path),
        IN_BOTH_WAYS(a_file_that_is_no_program_is_named),
        IN_BOTH_WAYS(a_directory_that_is_not_there_is_named),
        IN_BOTH_WAYS(a_directory_that_the_user_may_not_enter_is_named),
        IN_BOTH_WAYS(a_wrong_line_of_the_environment_file_is_named_with_its_number),
        IN_BOTH_WAYS(an_environment_file_must_be_there_unless_it_is_optional),
        IN_BOTH_WAYS(output_that_cannot_be_opened_is_named),
        IN_BOTH_WAYS(limits_that_cannot_be_set_are_named),
        IN_BOTH_WAYS(an_instance_that_cannot_be_prepared_starts_nothing_and_tells_nothing),
        IN_BOTH_WAYS(no_descriptor_but_the_standard_ones_reaches_a_service),
        IN_BOTH_WAYS(descriptor_3_is_there_for_readiness_alone),
        IN_BOTH_WAYS(the_environment_is_ours_less_what_was_meant_for_us_and_with_its_own),
        IN_BOTH_WAYS(directory_umask_session_and_signals_are_a_service_s_own),
        IN_BOTH_WAYS(user_and_groups_are_those_of_the_service),
        IN_BOTH_WAYS(limits_are_those_we_were_given_or_the_service_s_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
