/* Raw bytes to the real server, with a real supervisor behind it, over the Unix socket or (first
 * byte odd) TCP, in pieces of the size that the second byte says. Its services have an executor
 * that can't be executed: they are asked for, queued and fail, and no process is made. Whatever
 * comes, each answer is one that a client can read, none is a 500, and the server lives on. */
#include "fuzz.h"

#include "answers.h"
#include "base/cleanup.h"
#include "http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define TOKENS     "admin admin 0123456789abcdef\nreader read fedcba9876543210\n"
#define QUIET_MS   20  /* so long nothing comes: it waits for something to happen */
#define ALIVE_EACH 512 /* inputs */

static const char *const services[] = {"web", "db", "unit"};
static struct supervisor *supervisor;
static struct http *http;
static struct config *config;
static struct sockaddr_un local;
static struct sockaddr_in tcp = {.sin_family = AF_INET};

/* ---- the daemon ---- */

static void shut_down(void *context, bool leave)
{
    (void)context, (void)leave;
}

static void reloading(void *context, bool begun)
{
    (void)context, (void)begun;
}

static int can_upgrade(void *context, struct error *err)
{
    (void)context;
    return error_set(err, -ENOTSUP, "a fuzzer is not upgraded");
}

static void upgrade(void *context)
{
    (void)context;
}

/* A port that nobody has at the moment. */
static void choose_port(void)
{
    CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof tcp;

    tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)&tcp, sizeof tcp) == 0, "%s", strerror(errno));
    CHECK(getsockname(fd, (struct sockaddr *)&tcp, &size) == 0, "%s", strerror(errno));
}

static void write_services(void)
{
    char path[256], name[64], text[400];

    snprintf(path, sizeof path, "%s/services.d", fuzz_folder());
    CHECK(mkdir(path, 0755) == 0, "%s", strerror(errno));
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        snprintf(name, sizeof name, "services.d/%s.conf", services[i]);
        snprintf(text, sizeof text,
                 "[service]\ncommand = /bin/true\nautostart = no\ntags = all\n%s"
                 "[operation]\nreload_signal = HUP\n[recovery]\nrestart = no\n",
                 i == 0 ? "requires = db\n" : "");
        fuzz_write(name, text, strlen(text));
    }
    fuzz_write("services.d/bad.conf", "?", 1);
}

static void write_files(void)
{
    const char *f = fuzz_folder();
    char text[1024], path[256];

    choose_port();
    snprintf(text, sizeof text,
             "[daemon]\nstate_dir = %s/state\nruntime_dir = %s/run\nlog_dir = %s/log\n"
             "log_level = error\n[api]\nsocket = %s/api.sock\nlisten = %d\ntoken_file = %s/token\n"
             "server_names = orderly.example\n"
             "[operations]\nhistory_count = 200\n",
             f, f, f, f, ntohs(tcp.sin_port), f);
    fuzz_write("supervisor.conf", text, strlen(text));
    fuzz_write("token", TOKENS, strlen(TOKENS));
    fuzz_write("executor", "", 0);
    snprintf(path, sizeof path, "%s/executor", f);
    CHECK(chmod(path, 0700) == 0, "%s", strerror(errno));
    write_services();
    local.sun_family = AF_UNIX;
    snprintf(local.sun_path, sizeof local.sun_path, "%s/api.sock", f);
}

static void stop(void)
{
    supervisor_release_waits(supervisor);
    http_stop(http);
    supervisor_free(supervisor);
    config_free(config);
}

static void start(void)
{
    char path[256], executor[256];
    struct problems problems = {0};
    struct service_set set = {0};
    struct error err = {0};

    signal(SIGPIPE, SIG_IGN);
    fuzz_quiet();
    write_files();
    snprintf(path, sizeof path, "%s/supervisor.conf", fuzz_folder());
    snprintf(executor, sizeof executor, "%s/executor", fuzz_folder());
    config = config_load(path, &problems);
    CHECK(config && config_load_services(config, &set, &problems, &err) == 0, "%s", err.text);
    const struct supervisor_config core = {
        .config = config, .executor = executor, .force_best_effort = true};
    const struct http_config server = {.config = config,
                                       .shutdown = shut_down,
                                       .reloading = reloading,
                                       .can_upgrade = can_upgrade,
                                       .upgrade = upgrade};

    CHECK(supervisor_new(&core, &set, &problems, &supervisor, &err) == 0, "%s", err.text);
    CHECK(http_start(&server, supervisor, &http, &err) == 0, "%s", err.text);
    service_set_deinit(&set);
    problems_deinit(&problems);
    atexit(stop);
}

/* ---- who waits ---- */

static void accepted(void *context, const struct acceptance *acceptance)
{
    (void)context, (void)acceptance;
}

/* Something happens: whoever follows or waits for a change finds one, and that nobody reads it. */
static void make_news(void)
{
    const struct request_item item = {.service = services[1], .action = ACTION_START};
    const struct request request = {.items = &item, .count = 1, .who = {.role = ROLE_ADMIN}};

    supervisor_submit(supervisor, &request, accepted, NULL);
}

/* ---- a client ---- */

static int connect_to(bool over_tcp)
{
    const struct sockaddr *address = over_tcp ? (void *)&tcp : (void *)&local;
    socklen_t size = over_tcp ? sizeof tcp : sizeof local;
    const struct linger reset = {.l_onoff = 1}; /* leaves no port waiting */
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0 && connect(fd, address, size) == 0, "%s", strerror(errno));
    if (over_tcp)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void send_some(int fd, struct input *input, size_t piece)
{
    size_t size = input->left < piece ? input->left : piece;
    ssize_t n = send(fd, input->at, size, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN)
        n = (ssize_t)input->left; /* it wants no more */
    if (n < 0)
        return;
    input->at += n;
    input->left -= (size_t)n;
    if (input->left == 0)
        shutdown(fd, SHUT_WR);
}

/* False: the end. */
static bool receive_some(int fd, struct text *answer)
{
    char block[16384];
    ssize_t n = recv(fd, block, sizeof block, 0);

    if (n > 0)
        text_append_n(answer, block, (size_t)n);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

/* Until the server closes, or nothing comes even after something has happened. True: all came. */
static bool talk(int fd, struct input *input, size_t piece, struct text *answer)
{
    int quiet = 0;

    if (input->left == 0)
        shutdown(fd, SHUT_WR);
    while (quiet < 2) {
        short events = input->left > 0 ? POLLIN | POLLOUT : POLLIN;
        struct pollfd p = {.fd = fd, .events = events};

        if (poll(&p, 1, QUIET_MS) == 0) {
            if (quiet++ == 0)
                make_news();
            continue;
        }
        if (p.revents & POLLOUT)
            send_some(fd, input, piece);
        if (p.revents & ~POLLOUT && !receive_some(fd, answer))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned count;
    struct input input = input_of(data, size);
    bool over_tcp = input_byte(&input) & 1;
    unsigned piece = input_byte(&input);
    CLEANUP(text_deinit) struct text answer = {0};
    bool is_head = input.left >= 5 && memcmp(input.at, "HEAD ", 5) == 0, whole;
    int fd;

    if (!http)
        start();
    fd = connect_to(over_tcp);
    whole = talk(fd, &input, piece ? piece : SIZE_MAX, &answer);
    close(fd);
    if (answer.len > 0)
        answers_check(answer.data, answer.len, is_head, whole);
    if (++count % ALIVE_EACH == 0)
        CHECK(supervisor_alive(supervisor), "a thread stands still");
    return 0;
}
