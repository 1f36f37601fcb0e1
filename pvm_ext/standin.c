/*
 * Stands in for a process that another one forks.
 *
 *     standin NAME PROGRAM ARGUMENT ...
 *     standin --listen NAME PROGRAM ARGUMENT ...
 *
 * PVM's daemon knows what it starts by its process id: it sends signals there, learns from the
 * system how it ended, and reads what it prints from a pipe.  This program is what the daemon
 * starts.  It asks who listens at NAME (a socket in Linux's abstract namespace) to start PROGRAM
 * in its own way, by a fork of a process that has everything loaded, and hands over its
 * descriptors 0 to 2, its folder, its arguments and its environment.  Then it passes on the
 * signals that it gets, and ends as the other process does.  When it is killed, the kernel kills
 * the other process, which has asked for that (F_SETSIG).
 *
 * Where nobody listens, or the answer is no, it becomes PROGRAM.
 *
 * With --listen it opens the socket, as descriptor 3, and becomes PROGRAM; whoever comes early
 * waits in the queue of the socket.
 *
 * The conversation, in ints of this machine: the length of what follows, with the descriptors;
 * how many arguments; then these and the environment as strings with a zero behind each.  The
 * answer is the process id of the other process, 0 for no.  One byte lets that process begin:
 * until then this one can still change its mind.  At last comes its status, as of waitpid.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    LISTENING = 3,      /* the descriptor that PROGRAM finds the socket at */
    QUEUE = 4096,       /* whoever may wait there; the system has a limit of its own */
    TRIES = 10,         /* attempts to connect, for the other side may have been started a moment ago */
    PAUSE_MS = 5,       /* between these */
    ANSWER_MS = 30000,  /* limit for the answer */
    LAST_MS = 2000      /* limit for the status of a process that has ended */
};

static sigset_t before;

static void become(char **command)
{
    sigprocmask(SIG_SETMASK, &before, NULL);
    execv(command[0], command);
    perror(command[0]);
    _exit(1);
}

static socklen_t address(const char *name, struct sockaddr_un *place)
{
    size_t length = strlen(name);

    memset(place, 0, sizeof *place);
    place->sun_family = AF_UNIX;
    if (length > sizeof place->sun_path - 1)
        length = sizeof place->sun_path - 1;
    memcpy(place->sun_path + 1, name, length); /* the zero before it makes it abstract */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

static void listen_and_become(const char *name, char **command)
{
    struct sockaddr_un place;
    socklen_t length = address(name, &place);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&place, length) || listen(listener, QUEUE)) {
        perror(name);
        _exit(1);
    }
    if (listener != LISTENING) {
        dup2(listener, LISTENING);
        close(listener);
    }
    become(command);
}

/* Return a connection to a process of this user, or -1. */
static int connected(const char *name)
{
    struct sockaddr_un place;
    socklen_t length = address(name, &place);
    struct timespec pause = {0, PAUSE_MS * 1000000L};
    struct ucred peer;
    socklen_t size = sizeof peer;
    int number, link = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (link < 0)
        return -1;
    for (number = 0; connect(link, (struct sockaddr *)&place, length); number++) {
        if (errno != ECONNREFUSED || number == TRIES) {
            close(link);
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    if (getsockopt(link, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.uid != getuid()) {
        close(link);
        return -1;
    }
    return link;
}

static int send_all(int link, const char *data, size_t left)
{
    while (left > 0) {
        ssize_t sent = send(link, data, left, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        data += sent;
        left -= (size_t)sent;
    }
    return 0;
}

/* Ask for a process that runs `command`; return 0 when all of the request is on its way. */
static int ask(int link, char **command)
{
    char **lists[2] = {command, environ}, **word;
    size_t total = 0;
    int header[2] = {0, 0}, descriptors[4] = {0, 1, 2, -1}, i;
    char control[CMSG_SPACE(sizeof descriptors)] = {0}, *text, *end;
    struct iovec part = {header, sizeof header};
    struct msghdr message = {0};
    struct cmsghdr *rights;

    for (i = 0; i < 2; i++)
        for (word = lists[i]; *word; word++)
            total += strlen(*word) + 1;
    for (word = command; *word; word++)
        header[1]++;
    header[0] = (int)total;
    text = end = malloc(total);
    descriptors[3] = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (text == NULL || descriptors[3] < 0)
        return -1;
    for (i = 0; i < 2; i++)
        for (word = lists[i]; *word; word++)
            end = stpcpy(end, *word) + 1;

    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof descriptors);
    memcpy(CMSG_DATA(rights), descriptors, sizeof descriptors);
    i = sendmsg(link, &message, MSG_NOSIGNAL) != sizeof header || send_all(link, text, total);
    free(text);
    close(descriptors[3]);
    return i ? -1 : 0;
}

static int read_int(int link, int *number)
{
    return recv(link, number, sizeof *number, MSG_WAITALL) == sizeof *number ? 0 : -1;
}

/* Wait for the answer; return the process id of the other process, 0 when there is none. */
static int answer(int link, int signals)
{
    struct pollfd events[2] = {{link, POLLIN, 0}, {signals, POLLIN, 0}};
    struct signalfd_siginfo caught;
    sigset_t one;
    int pid;

    for (;;) {
        int ready = poll(events, 2, ANSWER_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return 0;
        if (events[1].revents && read(signals, &caught, sizeof caught) == sizeof caught) {
            sigemptyset(&one); /* nobody to pass it on to: it does here what it does */
            sigaddset(&one, (int)caught.ssi_signo);
            raise((int)caught.ssi_signo);
            sigprocmask(SIG_UNBLOCK, &one, NULL);
            sigprocmask(SIG_BLOCK, &one, NULL);
        }
        if (events[0].revents)
            return read_int(link, &pid) ? 0 : pid;
    }
}

/* End as a process has ended, by waitpid's word. */
static void end_like(int status)
{
    struct rlimit none = {0, 0};
    sigset_t all;

    if (WIFSIGNALED(status)) {
        setrlimit(RLIMIT_CORE, &none); /* that process has left its own */
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
        sigemptyset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

static void pass_on(int pid, int process, int number)
{
    if (process < 0 || syscall(SYS_pidfd_send_signal, process, number, NULL, 0) != 0)
        kill(pid, number);
}

/* Be there for a process until it has ended. */
static void stand_in(int link, int signals, int pid)
{
    /* With a descriptor for the process its id cannot become another's; before Linux 5.3 there is none. */
    int process = (int)syscall(SYS_pidfd_open, pid, 0), status, limit = -1;
    struct pollfd events[3] = {{link, POLLIN, 0}, {signals, POLLIN, 0}, {process, POLLIN, 0}};
    struct signalfd_siginfo caught;

    if (send_all(link, "", 1))
        return;
    for (;;) {
        int ready = poll(events, 3, limit);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            _exit(0); /* who could know the status has gone */
        if (events[1].revents && read(signals, &caught, sizeof caught) == sizeof caught)
            pass_on(pid, process, (int)caught.ssi_signo);
        if (events[0].revents) {
            if (read_int(link, &status) == 0)
                end_like(status);
            events[0].fd = -1; /* closed by all: by that process, too, unless it is told apart */
            if (process < 0 || limit >= 0)
                _exit(0);
        }
        if (events[2].revents) {
            events[2].fd = -1;
            if (events[0].fd < 0)
                _exit(0);
            limit = LAST_MS;
        }
    }
}

int main(int count, char **words)
{
    sigset_t all;
    int link, signals, pid;

    if (count < 3 || (count < 4 && strcmp(words[1], "--listen") == 0)) {
        fprintf(stderr, "usage: %s [--listen] NAME PROGRAM [ARGUMENT ...]\n", words[0]);
        return 2;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    if (strcmp(words[1], "--listen") == 0)
        listen_and_become(words[2], words + 3);
    link = connected(words[1]);
    signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (link >= 0 && signals >= 0 && ask(link, words + 2) == 0) {
        pid = answer(link, signals);
        if (pid > 0)
            stand_in(link, signals, pid);
    }
    if (link >= 0)
        close(link);
    become(words + 2);
}
