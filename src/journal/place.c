#include "place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int place_init(struct place *place, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');

    *place = (struct place){.path = strdup(path)};
    place->folder =
        slash > path ? strndup(path, (size_t)(slash - path)) : strdup(slash ? "/" : ".");
    if (!place->path || !place->folder) {
        place_deinit(place);
        return error_set(err, -ENOMEM, "journal %s: %m", path);
    }
    place->name = place->path + (slash ? slash - path + 1 : 0);
    return 0;
}

void place_deinit(struct place *place)
{
    free(place->path);
    free(place->folder);
    *place = (struct place){0};
}

void place_note(struct place *place)
{
    struct stat file, folder;

    if (stat(place->path, &file) < 0 || stat(place->folder, &folder) < 0)
        return;
    place->device = file.st_dev;
    place->inode = file.st_ino;
    place->folder_mode = folder.st_mode & 07777;
    place->folder_uid = folder.st_uid;
    place->folder_gid = folder.st_gid;
}

bool place_lost(const struct place *place)
{
    struct stat st;

    if (stat(place->path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR;
    return st.st_ino != place->inode || st.st_dev != place->device;
}

int place_make_folder(const struct place *place, struct error *err)
{
    if (mkdir(place->folder, place->folder_mode) < 0)
        return errno == EEXIST ? 0 : error_set(err, -errno, "make its folder: %m");
    if (chown(place->folder, place->folder_uid, place->folder_gid) < 0 ||
        chmod(place->folder, place->folder_mode) < 0) /* whatever the umask is */
        return error_set(err, -errno, "make its folder as it was: %m");
    return 0;
}
