/**
 * System calls an ordinary container may make, by subject (docker's default allow-list as data). A call that is not
 * here is answered with EPERM. What is left out on purpose: `socketcall` (its socket family cannot be seen by a
 * filter, and AF_ALG must be: CVE-2026-31431), `io_uring_*` (past holes), `keyctl` and kin, `userfaultfd`, clock
 * setting, module loading, `swapon`, `nfsservctl`, `vm86`.
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const allowedCalls: readonly string[] = [
  // Files and folders.
  ...words(`access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
    fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl
    fcntl64 fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd
    getdents getdents64 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown lchown32 link linkat
    listmount _llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2
    pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2
    rmdir sendfile sendfile64 splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range
    syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev`),
  // Extended attributes.
  ...words(`fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr
    lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat`),
  // Waiting for several things, pipes, events.
  ...words(`epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old
    eventfd eventfd2 io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect
    pipe pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4 timerfd_create timerfd_gettime
    timerfd_gettime64 timerfd_settime timerfd_settime64`),
  // Memory.
  ...words(`brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall
    mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
    process_mrelease remap_file_pages`),
  // Processes, threads, signals.
  ...words(`alarm execve execveat exit exit_group fork futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake
    get_robust_list get_thread_area getcpu getitimer getpgid getpgrp getpid getppid getpriority getrlimit getrusage
    getsid gettid ioprio_get ioprio_set kill nanosleep pause pidfd_open pidfd_send_signal prctl prlimit64
    process_vm_readv process_vm_writev ptrace restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
    sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam
    sched_setscheduler sched_yield set_robust_list set_thread_area set_tid_address setitimer setpgid setpriority
    setrlimit setsid sigaltstack sigprocmask sigreturn tgkill times tkill ugetrlimit vfork wait4 waitid waitpid`),
  // Who one is.
  ...words(`capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid
    getresgid32 getresuid getresuid32 getuid getuid32 landlock_add_rule landlock_create_ruleset landlock_restrict_self
    seccomp setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid
    setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32`),
  // Time and the machine, read only (adjtimex needs CAP_SYS_TIME to set).
  ...words(`adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
    clock_nanosleep clock_nanosleep_time64 getrandom gettimeofday sysinfo time timer_create timer_delete
    timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 uname`),
  // Sockets; `socket` itself is by family, below.
  ...words(`accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg
    recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketpair`),
  // System V and POSIX messages, semaphores, shared memory.
  ...words(`ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
    mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget`),
];

/** Calls of one processor family. */
export const callsByArchitecture: Readonly<Record<string, readonly string[]>> = {
  x64: words("arch_prctl modify_ldt uretprobe"),
  arm64: words("arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2"),
};

/** Calls that come with a capability, by its name. */
export const callsByCapability: Readonly<Record<string, readonly string[]>> = {
  DAC_READ_SEARCH: words("open_by_handle_at"),
  SYS_ADMIN: words(`bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
    lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
    setdomainname sethostname setns syslog umount umount2 unshare`),
  SYS_BOOT: words("reboot"),
  SYS_CHROOT: words("chroot"),
  SYS_MODULE: words("delete_module finit_module init_module"),
  SYS_PACCT: words("acct"),
  SYS_PTRACE: words("kcmp pidfd_getfd process_madvise"),
  SYS_RAWIO: words("ioperm iopl"),
  SYS_TIME: words("clock_settime clock_settime64 settimeofday stime"),
  SYS_TTY_CONFIG: words("vhangup"),
  SYS_NICE: words("get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
  SYSLOG: words("syslog"),
  BPF: words("bpf"),
  PERFMON: words("perf_event_open"),
};

/**
 * Socket families beyond those below 12 that may be opened: all that have ordinary uses. Not 38 (AF_ALG) nor 40
 * (AF_VSOCK, which would reach past every network namespace).
 */
export const socketFamiliesFrom12: readonly number[] = [
  13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45,
];

/** personality(2): Linux, 32 bit, uname 2.6, both, and asking. */
export const personalities: readonly number[] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];
