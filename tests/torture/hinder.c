/* Makes a process's disk slow or broken, and its clock wrong, while it runs.

   Loaded with LD_PRELOAD. HINDER names a file of three numbers, "MILLISECONDS ERRNO SECONDS", which is
   read at each call: how long each write to a file in HINDER_FOLDER takes, what error it ends with
   (0: none), and how far the clock is ahead. Clocks that count from the start of the machine stay
   right. */

#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

struct hindrance {
    long milliseconds, error, seconds;
};

static struct hindrance now(void) {
    struct hindrance found = {0, 0, 0};
    char text[64] = "";
    const char *path = getenv("HINDER");
    int file = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        if (syscall(SYS_read, file, text, sizeof text - 1) > 0)
            sscanf(text, "%ld %ld %ld", &found.milliseconds, &found.error, &found.seconds);
        syscall(SYS_close, file);
    }
    return found;
}

static int is_hindered(int file) {
    char link[64], path[PATH_MAX] = "";
    const char *folder = getenv("HINDER_FOLDER");
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    return folder && syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1) > 0 &&
           !strncmp(path, folder, strlen(folder));
}

/* 0, or -1 with errno set. */
static int hinder(int file) {
    int before = errno;
    if (is_hindered(file)) {
        struct hindrance found = now();
        struct timespec pause = {found.milliseconds / 1000, found.milliseconds % 1000 * 1000000};
        if (found.milliseconds)
            syscall(SYS_nanosleep, &pause, NULL);
        if (found.error) {
            errno = found.error;
            return -1;
        }
    }
    errno = before;
    return 0;
}

#define PWRITE(name)                                                                               \
    ssize_t name(int file, const void *data, size_t size, off_t offset) {                          \
        return hinder(file) ? -1 : syscall(SYS_pwrite64, file, data, size, offset);                \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int file, const void *data, size_t size) {
    return hinder(file) ? -1 : syscall(SYS_write, file, data, size);
}

int fdatasync(int file) {
    return hinder(file) ? -1 : syscall(SYS_fdatasync, file);
}

int fsync(int file) {
    return hinder(file) ? -1 : syscall(SYS_fsync, file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int before = errno, failed = syscall(SYS_clock_gettime, clock, time);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += now().seconds;
    if (!failed)
        errno = before;
    return failed;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int before = errno, failed = syscall(SYS_gettimeofday, time, zone);
    if (!failed)
        time->tv_sec += now().seconds;
    if (!failed)
        errno = before;
    return failed;
}

time_t time(time_t *to) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (to)
        *to = found.tv_sec;
    return found.tv_sec;
}
