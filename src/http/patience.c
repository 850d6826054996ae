#include "patience.h"

#include "base/clock.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#define FEW 8

struct lock_class patience_lock_class;

static void patience_lock(struct patience *p) ACQUIRE(patience_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&p->lock);
}

static void patience_unlock(struct patience *p) RELEASE(patience_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&p->lock);
}

/* What it has not read is thrown away when the descriptor is closed: the kernel would go on
 * offering it. On a Unix socket the option does nothing, nor does it need to. */
static void cut_off(struct guest *guest)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(guest->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    shutdown(guest->fd, SHUT_RDWR);
}

/* Where the machine is slow, what was sent in time may lie there for long. */
static bool is_our_turn(struct guest *guest)
{
    int unread = 0;

    return atomic_load(&guest->sends) && ioctl(guest->fd, FIONREAD, &unread) == 0 && unread > 0;
}

/* Nothing is done to a guest that goes on to another stage meanwhile. */
static void judge(struct patience *p, struct guest *guest, int64_t now)
{
    int64_t until = atomic_load(&guest->until), next;

    if (until > now)
        return;
    next = is_our_turn(guest) ? now + p->within[STAGE_HEAD] : CLOCK_NEVER;
    if (atomic_compare_exchange_strong(&guest->until, &until, next) && next == CLOCK_NEVER)
        cut_off(guest);
}

static void arm(struct patience *p, int64_t at) REQUIRES(patience_lock_class)
{
    if (at >= atomic_load(&p->armed))
        return;
    atomic_store(&p->armed, at);
    watcher_set(p->watcher, &p->deadline, at);
}

static int64_t first_end(struct patience *p) REQUIRES(patience_lock_class)
{
    int64_t first = CLOCK_NEVER;

    list_for_each(link, &p->guests)
    {
        int64_t until = atomic_load(&list_entry(link, struct guest, link)->until);

        if (until < first)
            first = until;
    }
    return first;
}

/* Says first that nothing is armed: a guest that moves its end forward while we look either is
 * seen here, or sees that and waits for the lock to arm by itself. */
static void passed(struct deadline *deadline)
{
    struct patience *p = list_entry(deadline, struct patience, deadline);
    int64_t now = clock_mono_us();

    patience_lock(p);
    atomic_store(&p->armed, CLOCK_NEVER);
    list_for_each(link, &p->guests) judge(p, list_entry(link, struct guest, link), now);
    arm(p, first_end(p));
    patience_unlock(p);
}

/* Where little goes on, the timer is put off at once rather than left to fire for nothing. */
static void put_off(struct patience *p) REQUIRES(patience_lock_class)
{
    int64_t armed = atomic_load(&p->armed), first;

    if (p->count > FEW || armed == CLOCK_NEVER)
        return;
    atomic_store(&p->armed, CLOCK_NEVER);
    first = first_end(p);
    if (first == armed)
        atomic_store(&p->armed, armed);
    else if (first == CLOCK_NEVER)
        watcher_set(p->watcher, &p->deadline, CLOCK_NEVER);
    else
        arm(p, first);
}

void patience_init(struct patience *p, struct watcher *watcher,
                   const int64_t within[static STAGE_COUNT]) NO_THREAD_SAFETY_CHECK
{
    *p = (struct patience){.watcher = watcher, .within = within, .deadline.passed = passed};
    atomic_init(&p->armed, CLOCK_NEVER);
    lock_init(&p->lock, LOCK_PATIENCE);
    list_init(&p->guests);
}

void patience_deinit(struct patience *p)
{
    watcher_clear(p->watcher, &p->deadline);
    lock_deinit(&p->lock);
}

void patience_admit(struct patience *p, struct guest *guest, int fd)
{
    *guest = (struct guest){.patience = p, .fd = fd};
    atomic_init(&guest->until, CLOCK_NEVER);
    atomic_init(&guest->sends, true);
    patience_lock(p);
    list_append(&p->guests, &guest->link);
    p->count++;
    patience_unlock(p);
    guest_stage(guest, STAGE_HEAD);
}

void patience_dismiss(struct guest *guest)
{
    struct patience *p = guest->patience;

    patience_lock(p);
    list_remove(&guest->link);
    p->count--;
    put_off(p);
    patience_unlock(p);
}

void guest_stage(struct guest *guest, enum stage stage)
{
    struct patience *p = guest->patience;
    int64_t until = p->within[stage];

    if (until != CLOCK_NEVER)
        until += clock_mono_us();
    if (stage == STAGE_HEAD && until > atomic_load(&guest->until))
        return;
    atomic_store(&guest->until, until); /* first: whoever judges by the old one finds it changed */
    atomic_store(&guest->sends, stage != STAGE_WORK && stage != STAGE_ANSWER);
    if (until >= atomic_load(&p->armed) && stage != STAGE_IDLE)
        return;
    patience_lock(p);
    arm(p, until);
    if (stage == STAGE_IDLE)
        put_off(p);
    patience_unlock(p);
}
