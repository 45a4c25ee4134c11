/* In a container with CAP_SYS_PTRACE: uses every process that comes as its own, through /proc
 * and by ptrace, and tells what it had that the container has not. The first process is
 * attacked, too, if it is another.
 *
 *   tracer /path/of/a/host/file    runs until standard input ends
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *secret;
static struct stat mine;
static unsigned long long my_caps;
static int my_seccomp;
static char my_pids[64];
static long opened, traced, held;

static void status_of(int pid, unsigned long long *caps, int *seccomp)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    *caps = 0, *seccomp = -1;
    FILE *file = fopen(path, "r");
    if (!file) return;
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "CapPrm: %llx", caps);
        sscanf(line, "Seccomp: %d", seccomp);
    }
    fclose(file);
}

static int opens(const char *format, int pid, const char *rest)
{
    char path[4200];
    snprintf(path, sizeof path, format, pid, rest);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

/* A descriptor of a folder leads to all of the host. */
static int opens_by_descriptor(int pid)
{
    char path[64];
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char below[4500];
        snprintf(below, sizeof below, "/proc/%d/fd/%s%s", pid, entry->d_name, secret);
        int fd = isdigit(entry->d_name[0]) ? open(below, O_RDONLY) : -1;
        if (fd >= 0) found++, close(fd);
    }
    if (dir) closedir(dir);
    return found;
}

static void through_proc(int pid)
{
    int found = opens("/proc/%d/root%s", pid, secret) + opens("/proc/%d/cwd%s", pid, secret)
        + opens_by_descriptor(pid);
    opened += found;
}

static void by_ptrace(int pid)
{
    if (ptrace(PTRACE_SEIZE, pid, 0, 0)) return;
    if (ptrace(PTRACE_INTERRUPT, pid, 0, 0)) return;
    int status;
    if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) return;
    traced++;
    printf("traced %d\n", pid);
    fflush(stdout);
    unsigned long long caps;
    int seccomp;
    char path[64], pids[64] = "";
    struct stat other;
    status_of(pid, &caps, &seccomp);
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", pid);
    ssize_t length = readlink(path, pids, sizeof pids - 1);
    snprintf(path, sizeof path, "/proc/%d/root", pid);
    if ((caps & ~my_caps) || seccomp != my_seccomp || length < 0 || strcmp(pids, my_pids)
        || stat(path, &other) || other.st_ino != mine.st_ino || other.st_dev != mine.st_dev) {
        held++;
        printf("held by %d: caps %llx, seccomp %d, mnt %s\n", pid, caps, seccomp, pids);
    }
    ptrace(PTRACE_DETACH, pid, 0, 0);
}

int main(int argc, char **argv)
{
    struct pollfd end = {.fd = 0, .events = POLLIN};
    int newest = getpid();
    secret = argc == 2 ? argv[1] : "/";
    stat("/", &mine);
    status_of(getpid(), &my_caps, &my_seccomp);
    readlink("/proc/self/ns/mnt", my_pids, sizeof my_pids - 1);
    puts("ready");
    fflush(stdout);
    if (getpid() != 1) {
        through_proc(1);
        by_ptrace(1);
    }
    while (!poll(&end, 1, 0))
        for (int pid = newest + 1; pid < newest + 20; pid++) {
            if (kill(pid, 0) && errno == ESRCH) continue;
            through_proc(pid);
            by_ptrace(pid);
            newest = pid;
        }
    printf("opened %ld, traced %ld, held %ld\n", opened, traced, held);
    return 0;
}
