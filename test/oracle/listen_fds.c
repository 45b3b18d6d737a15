/* What sd_listen_fds_with_names(3) itself answers, for one environment after another. In: a line for each, "1" or "0" for
 * unset_environment, then NAME=VALUE with the value in hex. Out: a line of JSON for each, the names in hex. */
#include "oracle.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { FIRST = SD_LISTEN_FDS_START, LAST = FIRST + 5 };

static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"};

/* Whatever the parent left open would take the place of a socket. */
static void open_sockets(void) {
  if (close_range(FIRST, ~0U, 0) < 0) die("close_range");
  for (int fd = FIRST; fd <= LAST; fd++) {
    if (socket(AF_UNIX, SOCK_STREAM, 0) != fd) die("socket");
  }
}

/* Returns unset_environment. */
static int prepare(char *line) {
  for (size_t i = 0; i < COUNT(variables); i++) unsetenv(variables[i]);
  for (int fd = FIRST; fd <= LAST; fd++) fcntl(fd, F_SETFD, 0);
  char *rest = NULL;
  const char *unset = strtok_r(line, " \n", &rest);
  set_variables(rest);
  return unset != NULL && strcmp(unset, "1") == 0;
}

static void answer(int result, char **names) {
  print_result(result);
  printf(",\"names\":[");
  for (int i = 0; names != NULL && names[i] != NULL; i++) {
    printf(i > 0 ? ",\"" : "\"");
    for (const char *c = names[i]; *c != 0; c++) printf("%02x", (unsigned char)*c);
    printf("\"");
  }
  printf("],\"cloexec\":[");
  const char *comma = "";
  for (int fd = FIRST; fd <= LAST; fd++) {
    if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) continue;
    printf("%s%d", comma, fd);
    comma = ",";
  }
  printf("]");
  print_left(variables, COUNT(variables));
}

int main(void) {
  open_sockets();
  char *line = NULL;
  for (size_t size = 0; getline(&line, &size, stdin) > 0;) {
    int unset = prepare(line);
    char **names = NULL;
    int result = sd_listen_fds_with_names(unset, &names);
    answer(result, names);
    for (int i = 0; names != NULL && names[i] != NULL; i++) free(names[i]);
    free(names);
  }
  free(line);
}
