/** Numbers of the Linux kernel, the same on x86-64 and arm64 (include/uapi). */

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_VSOCK = 40;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_SEQPACKET = 5;
export const SOCK_CLOEXEC = 0o2000000;

export const SOL_SOCKET = 1;
export const SO_TYPE = 3;
export const SO_SNDBUF = 7;
export const SO_LINGER = 13;
export const SO_PASSCRED = 16;
export const SO_PEERNAME = 28;
export const SO_ACCEPTCONN = 30;
export const SO_SNDBUFFORCE = 32;
export const SO_DOMAIN = 39;
export const SO_MEMINFO = 55;
export const SO_COOKIE = 57;
export const SCM_RIGHTS = 1;
export const SCM_CREDENTIALS = 2;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x40000000;
export const SOL_TCP = 6;
export const TCP_INFO = 11;

// Where these are in struct tcp_info (include/uapi/linux/tcp.h, Linux 4.6).
export const TCPI_UNACKED = 24;
export const TCPI_LAST_DATA_SENT = 44;
export const TCPI_LAST_DATA_RECV = 52;
export const TCPI_BYTES_RECEIVED = 128;
export const TCPI_NOTSENT_BYTES = 144;
export const TCPI_DATA_SEGS_OUT = 156;

export const SHUT_RD = 0;
export const SHUT_RDWR = 2;

export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;
export const FD_CLOEXEC = 1;

export const O_RDONLY = 0;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

export const LOCK_EX = 2;
export const LOCK_NB = 4;

export const CLOCK_MONOTONIC = 1;

export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
export const EPOLLET = 0x80000000;

export const SYS_PIDFD_OPEN = 434;
/** It is from before the numbers were made the same. */
export const PIDFS_MAGIC = 0x50494446;

const names: Record<number, string> = {
  1: "EPERM",
  2: "ENOENT",
  4: "EINTR",
  9: "EBADF",
  11: "EAGAIN",
  13: "EACCES",
  17: "EEXIST",
  5: "EIO",
  12: "ENOMEM",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  28: "ENOSPC",
  30: "EROFS",
  32: "EPIPE",
  36: "ENAMETOOLONG",
  38: "ENOSYS",
  40: "ELOOP",
  88: "ENOTSOCK",
  90: "EMSGSIZE",
  91: "EPROTOTYPE",
  95: "EOPNOTSUPP",
  97: "EAFNOSUPPORT",
  98: "EADDRINUSE",
  99: "EADDRNOTAVAIL",
  101: "ENETUNREACH",
  104: "ECONNRESET",
  105: "ENOBUFS",
  107: "ENOTCONN",
  109: "ETOOMANYREFS",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
};

export const ENOENT = 2;
export const EINTR = 4;
export const EBADF = 9;
export const EMFILE = 24;
export const EAGAIN = 11;
export const EAFNOSUPPORT = 97;
export const ECONNREFUSED = 111;

/** The name of an errno, given as libc's negative result. */
export function errnoName(result: number): string {
  return names[-result] ?? `errno ${-result}`;
}
