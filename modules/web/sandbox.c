/* sandbox.c - the system calls a worker may make.
 *
 * Kore's own list kills the calling thread; a worker whose main thread is dead
 * while others live is a zombie that holds the listening socket and is never
 * started again. So the list is ours and complete: registered under the name
 * of Kore's ("worker"), which Kore then leaves out, and ended by an action that
 * kills the process. exec, ptrace, new processes and mounts are not in it.
 */

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <sched.h>
#include <stddef.h>

#include "web/kore_api.h"

#include <kore/seccomp.h>

void kore_seccomp_hook(void);

#define ALLOW KORE_SYSCALL_ALLOW
#define DENY  KORE_SYSCALL_DENY

static struct sock_filter filter[] = {
    /* Busy ones first. */
    ALLOW(futex),
    ALLOW(read),
    ALLOW(write),
    ALLOW(epoll_wait),
    ALLOW(epoll_pwait),
    ALLOW(epoll_ctl),
    ALLOW(sendto),
    ALLOW(recvfrom),
    ALLOW(clock_gettime),

    /* Files: libpq's and glibc's, reload of modules. */
    ALLOW(open),
    ALLOW(openat),
    ALLOW(close),
    ALLOW(stat),
    ALLOW(lstat),
    ALLOW(fstat),
    ALLOW(newfstatat),
    ALLOW(lseek),
    ALLOW(pread64),
    ALLOW(readv),
    ALLOW(writev),
    ALLOW(access),
    ALLOW(faccessat),
    ALLOW(readlink),
    ALLOW(readlinkat),
    ALLOW(getcwd),
    ALLOW(fcntl),
    ALLOW(unlink),
    ALLOW(sendfile),
#if defined(SYS_statx)
    ALLOW(statx),
#endif
#if defined(SYS_faccessat2)
    ALLOW(faccessat2),
#endif
    DENY(ioctl, EACCES),

    /* Sockets: PostgreSQL, the runner, name look-up, requests. Others are
     * refused. */
    KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_UNIX),
    KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_INET),
    KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_INET6),
    DENY(socket, EACCES),
    DENY(socketpair, EACCES), /* curl can do without */
    ALLOW(connect),
    ALLOW(bind),
    ALLOW(accept),
    ALLOW(shutdown),
    ALLOW(getsockopt),
    ALLOW(setsockopt),
    ALLOW(getsockname),
    ALLOW(getpeername),
    ALLOW(sendmsg),
    ALLOW(recvmsg),
    ALLOW(sendmmsg),
    ALLOW(recvmmsg),
    ALLOW(poll),
    ALLOW(ppoll),
    ALLOW(select),
    ALLOW(pselect6),

    /* Events and clocks. */
    ALLOW(epoll_create),
    ALLOW(epoll_create1),
    ALLOW(eventfd2),
    ALLOW(timerfd_create),
    ALLOW(timerfd_settime),
    ALLOW(timer_create),
    ALLOW(timer_settime),
    ALLOW(timer_gettime),
    ALLOW(timer_delete),
    ALLOW(nanosleep),
    ALLOW(clock_nanosleep),
    ALLOW(clock_getres),
    ALLOW(gettimeofday),
    ALLOW(time),
    ALLOW(getrusage),
    ALLOW(times),

    /* Memory; never writable and executable. */
    KORE_SYSCALL_DENY_WITH_FLAG(mmap, 2, PROT_EXEC | PROT_WRITE, EINVAL),
    KORE_SYSCALL_DENY_WITH_FLAG(mprotect, 2, PROT_EXEC, EINVAL),
    ALLOW(mmap),
    ALLOW(mprotect),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW(mlock),
    ALLOW(brk),

    /* Threads, no processes: clone3's flags can't be seen, so glibc is
	 * told to use clone. */
    DENY(clone3, ENOSYS),
    KORE_SYSCALL_ALLOW_WITH_FLAG(clone, 0, CLONE_THREAD),
    ALLOW(set_robust_list),
    ALLOW(get_robust_list),
    ALLOW(rseq),
    ALLOW(gettid),
    ALLOW(tgkill),
    ALLOW(rt_tgsigqueueinfo), /* a script that is stopped */
    ALLOW(sched_yield),
    ALLOW(setpriority), /* of the thread for passwords */
    ALLOW(sched_getaffinity),
    ALLOW(sched_setaffinity),
    ALLOW(membarrier),
    KORE_SYSCALL_ALLOW_ARG(prctl, 0, PR_SET_NAME),
    KORE_SYSCALL_ALLOW_ARG(prctl, 0, PR_SET_PDEATHSIG),
    KORE_SYSCALL_ALLOW_ARG(prctl, 0, PR_SET_VMA),
    DENY(prctl, EINVAL),
    ALLOW(exit),
    ALLOW(exit_group),

    /* Signals: to ourselves and, as Kore does, to its own processes. */
    ALLOW(kill),
    ALLOW(rt_sigaction),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(rt_sigtimedwait),
    ALLOW(sigaltstack),
    ALLOW(restart_syscall),

    /* Who am I. */
    ALLOW(getpid),
    ALLOW(getppid),
    ALLOW(getuid),
    ALLOW(geteuid),
    ALLOW(getgid),
    ALLOW(getegid),
    ALLOW(uname),
    ALLOW(sysinfo),
    ALLOW(getrlimit),
    ALLOW(prlimit64),
    ALLOW(getrandom),
    ALLOW(pipe2),

    KORE_BPF_RET(SECCOMP_RET_KILL_PROCESS),
};

void
kore_seccomp_hook(void)
{
	kore_seccomp_filter("worker", filter, KORE_FILTER_LEN(filter));
}
