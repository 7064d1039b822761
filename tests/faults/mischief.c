/* What a disk and a clock do that no test can make them do without root: loaded before libc (LD_PRELOAD) into every process of a
 * served instance. The file named by MISCHIEF says what happens, from one call to the next; zeros: nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct orders {
    int64_t clock_seconds; /* the wall clock is ahead by so much */
    int32_t write_error;   /* of writes to files of the folder */
    int32_t sync_error;
    char folder[256];
};

static const struct orders nothing, *orders = &nothing;

__attribute__((constructor)) static void read_orders(void)
{
    const char *path = getenv("MISCHIEF");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *shared = mmap(NULL, sizeof(struct orders), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (shared != MAP_FAILED)
        orders = shared;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name)) dlsym(RTLD_NEXT, #name)

static int is_ours(int file)
{
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strncmp(path, orders->folder, strlen(orders->folder)) == 0;
}

static int fails(int error, int file)
{
    if (!error || !is_ours(file))
        return 0;
    errno = error;
    return 1;
}

ssize_t write(int file, const void *bytes, size_t count)
{
    REAL(write);
    return fails(orders->write_error, file) ? -1 : real(file, bytes, count);
}

int fdatasync(int file)
{
    REAL(fdatasync);
    return fails(orders->sync_error, file) ? -1 : real(file);
}

int fsync(int file)
{
    REAL(fsync);
    return fails(orders->sync_error, file) ? -1 : real(file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    REAL(clock_gettime);
    int failed = real(clock, now);
    if (!failed && clock == CLOCK_REALTIME)
        now->tv_sec += orders->clock_seconds;
    return failed;
}

time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone)
{
    REAL(gettimeofday);
    int failed = real(now, zone);
    if (!failed)
        now->tv_sec += orders->clock_seconds;
    return failed;
}

/* A file that is touched gets the time of the same clock. */
int utimensat(int folder, const char *path, const struct timespec times[2], int flags)
{
    REAL(utimensat);
    struct timespec now[2];
    if (!times && orders->clock_seconds) {
        clock_gettime(CLOCK_REALTIME, &now[0]);
        now[1] = now[0];
        times = now;
    }
    return real(folder, path, times, flags);
}
