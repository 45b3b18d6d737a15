// An echo daemon on fd 3 with libsystemd, for one client after the other.
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

int main(void) {
  char buffer[65536];
  if (sd_listen_fds(1) != 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNSPEC, SOCK_STREAM, 1) <= 0) return EXIT_FAILURE;
  for (;;) {
    ssize_t n;
    int fd = accept(SD_LISTEN_FDS_START, NULL, NULL);
    if (fd < 0) return EXIT_FAILURE;
    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
      for (ssize_t at = 0, w; at < n; at += w)
        if ((w = write(fd, buffer + at, n - at)) < 0) return EXIT_FAILURE;
    }
    close(fd);
  }
}
