/* Records what a process writes to files in a folder, and when it has them synced.

   Loaded with LD_PRELOAD. RECORD_FOLDER names the folder, RECORD_TO the file of records. A call and
   its record are one step: other threads wait, so the order of records is that of the calls.

   A record is four numbers of 8 bytes (kind, offset, length of the path, length of the data), the
   path, and the data: what was written, or the other path of a link or a rename. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, UNLINK, RENAME, LINK, MKDIR };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static int records = -1;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("RECORD_TO");
    folder = getenv("RECORD_FOLDER");
    if (folder && path)
        records = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_recorded(const char *path) {
    return records >= 0 && !strncmp(path, folder, strlen(folder)) && !strstr(path, "-shm");
}

static int path_of(int file, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return is_recorded(path);
}

static void record(uint64_t kind, const char *path, uint64_t offset, const void *data, size_t size) {
    int before = errno;
    uint64_t head[4] = {kind, offset, strlen(path), size};
    struct iovec parts[3] = {{head, sizeof head}, {(void *)path, head[2]}, {(void *)data, size}};
    if (syscall(SYS_writev, records, parts, 3) != (ssize_t)(sizeof head + head[2] + size))
        abort();
    errno = before;
}

/* Calls on a path: what they change is the folder's entry. */

static long on_path(uint64_t kind, const char *path, const char *other, long result) {
    if (result >= 0 && is_recorded(other ? other : path))
        record(kind, path, 0, other ? other : "", other ? strlen(other) : 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    return on_path(UNLINK, path, NULL, syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

int rename(const char *path, const char *other) {
    pthread_mutex_lock(&lock);
    return on_path(RENAME, path, other, syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, 0));
}

int link(const char *path, const char *other) {
    pthread_mutex_lock(&lock);
    return on_path(LINK, path, other, syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, other, 0));
}

/* What Python's os.link calls. */
int linkat(int from, const char *path, int to, const char *other, int flags) {
    pthread_mutex_lock(&lock);
    return on_path(LINK, path, other, syscall(SYS_linkat, from, path, to, other, flags));
}

int mkdir(const char *path, mode_t mode) {
    pthread_mutex_lock(&lock);
    return on_path(MKDIR, path, NULL, syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

static int opened(const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&lock);
    int is_new = (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK);
    int file = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (file >= 0 && is_recorded(path)) {
        if (is_new)
            record(CREATE, path, 0, "", 0);
        else if (flags & O_TRUNC)
            record(TRUNCATE, path, 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    return file;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = va_arg(more, mode_t);                                                        \
        va_end(more);                                                                              \
        return opened(path, flags, mode);                                                          \
    }
OPEN(open)
OPEN(open64)

/* Calls on a file. */

static ssize_t written(int file, const void *data, ssize_t size, off_t offset) {
    char path[PATH_MAX];
    if (size > 0 && path_of(file, path))
        record(WRITE, path, offset, data, size);
    pthread_mutex_unlock(&lock);
    return size;
}

ssize_t write(int file, const void *data, size_t size) {
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_write, file, data, size);
    return written(file, data, done, done > 0 ? lseek(file, 0, SEEK_CUR) - done : 0);
}

#define PWRITE(name)                                                                               \
    ssize_t name(int file, const void *data, size_t size, off_t offset) {                          \
        pthread_mutex_lock(&lock);                                                                 \
        return written(file, data, syscall(SYS_pwrite64, file, data, size, offset), offset);       \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

static int on_file(uint64_t kind, int file, off_t size, int result) {
    char path[PATH_MAX];
    if (result >= 0 && path_of(file, path))
        record(kind, path, size, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

#define ON_FILE(name, kind, call)                                                                  \
    int name(int file) {                                                                           \
        pthread_mutex_lock(&lock);                                                                 \
        return on_file(kind, file, 0, syscall(call, file));                                        \
    }
ON_FILE(fsync, SYNC, SYS_fsync)
ON_FILE(fdatasync, SYNC, SYS_fdatasync)

#define TRUNCATE_FILE(name)                                                                        \
    int name(int file, off_t size) {                                                               \
        pthread_mutex_lock(&lock);                                                                 \
        return on_file(TRUNCATE, file, size, syscall(SYS_ftruncate, file, size));                  \
    }
TRUNCATE_FILE(ftruncate)
TRUNCATE_FILE(ftruncate64)
