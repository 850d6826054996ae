/* The head of a gzip file (RFC 1952) may carry fields of one's own: ours holds the inode and the
 * time of the last change of the file that it was made of. */
#include "pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK       65536
#define WINDOW_GZIP (15 + 16) /* zlib: the largest window, gzip's head and end */
#define MEMORY      8

/* The field: 'O' 'r', its length in two bytes, then the inode, seconds and nanoseconds. */
#define FIELD_SIZE   28
#define HEAD_SIZE    10 /* before the length of all fields */
#define FLAGS_AT     3
#define FLAG_FIELDS  4
#define FIELDS_START (HEAD_SIZE + 2)

static void put_number(unsigned char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static void make_field(const struct stat *st, unsigned char field[static FIELD_SIZE])
{
    field[0] = 'O';
    field[1] = 'r';
    field[2] = FIELD_SIZE - 4;
    field[3] = 0;
    put_number(field + 4, (uint64_t)st->st_ino);
    put_number(field + 12, (uint64_t)st->st_mtim.tv_sec);
    put_number(field + 20, (uint64_t)st->st_mtim.tv_nsec);
}

bool pack_is_of(int pack, const struct stat *source)
{
    unsigned char head[FIELDS_START + FIELD_SIZE], field[FIELD_SIZE];

    if (pread(pack, head, sizeof head, 0) != sizeof head)
        return false;
    make_field(source, field);
    return head[0] == 0x1f && head[1] == 0x8b && (head[FLAGS_AT] & FLAG_FIELDS) &&
           memcmp(head + FIELDS_START, field, sizeof field) == 0;
}

struct packing {
    int source, pack;
    z_stream z;
    off_t place;
    unsigned char in[BLOCK], out[BLOCK];
};

static int write_all(int fd, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

/* Packs what is in p->in, and when it is the last, all that zlib still holds. */
static int pack_block(struct packing *p, size_t size, int flush)
{
    int result = 0;

    p->z.next_in = p->in;
    p->z.avail_in = (uInt)size;
    do {
        p->z.next_out = p->out;
        p->z.avail_out = BLOCK;
        deflate(&p->z, flush); /* cannot fail: the stream is in order and there is room */
        result = write_all(p->pack, p->out, BLOCK - p->z.avail_out);
    } while (result == 0 && p->z.avail_out == 0);
    return result;
}

static int pack_all(struct packing *p, pack_given_up *given_up, void *context)
{
    for (;;) {
        ssize_t n = pread(p->source, p->in, BLOCK, p->place);
        int result;

        if (n < 0)
            return -errno;
        if (given_up(context))
            return -ECANCELED;
        p->place += n;
        result = pack_block(p, (size_t)n, n == 0 ? Z_FINISH : Z_NO_FLUSH);
        if (result < 0 || n == 0)
            return result;
    }
}

int pack_file(int source, const struct stat *st, int pack, pack_given_up *given_up, void *context)
{
    struct packing *p = calloc(1, sizeof *p);
    struct timespec times[2] = {st->st_atim, st->st_mtim};
    unsigned char field[FIELD_SIZE];
    gz_header head = {.os = 3 /* Unix */, .extra = field, .extra_len = FIELD_SIZE};
    int result;

    if (!p)
        return -ENOMEM;
    p->source = source;
    p->pack = pack;
    make_field(st, field);
    if (deflateInit2(&p->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        free(p);
        return -ENOMEM;
    }
    deflateSetHeader(&p->z, &head); /* cannot fail: it is a gzip stream that has not begun */
    result = pack_all(p, given_up, context);
    deflateEnd(&p->z);
    free(p);
    /* The plain file goes when this one has its name: not before its bytes are safe. */
    if (result == 0 && fdatasync(pack) < 0)
        result = -errno;
    return result == 0 && futimens(pack, times) < 0 ? -errno : result;
}
