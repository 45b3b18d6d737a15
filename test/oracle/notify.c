/* What sd_notify(3), sd_notify_barrier(3), sd_watchdog_enabled(3) and sd_booted(3) themselves answer. In: a line for each call, "1" or "0"
 * for unset_environment, then
 *   notify HEX COUNT FD   sd_pid_notify_with_fds() of this state, with this descriptor so many times; "-" is no state at all
 *   barrier USEC          sd_notify_barrier()
 *   watchdog              sd_watchdog_enabled()
 *   booted                sd_booted()
 * then NAME=VALUE with the value in hex. Out: a line of JSON for each. */
#include "oracle.h"
#include <stdint.h>
#include <systemd/sd-daemon.h>

static const char *const variables[] = {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"};

static const char *word(char **rest) {
  char *found = strtok_r(NULL, " \n", rest);
  if (found == NULL) die("word");
  return found;
}

static int notify(int unset, char **rest) {
  char *state = (char *)word(rest);
  unsigned count = (unsigned)atoi(word(rest));
  int fd = atoi(word(rest));
  int fds[1024];
  if (count > COUNT(fds)) die("count");
  for (unsigned i = 0; i < count; i++) fds[i] = fd;
  int is_null = strcmp(state, "-") == 0;
  decode(state + 1);
  set_variables(*rest);
  return sd_pid_notify_with_fds(0, unset, is_null ? NULL : state + 1, fds, count);
}

static int barrier(int unset, char **rest) {
  uint64_t usec = strtoull(word(rest), NULL, 10);
  set_variables(*rest);
  return sd_notify_barrier(unset, usec);
}

int main(void) {
  char *line = NULL;
  for (size_t size = 0; getline(&line, &size, stdin) > 0;) {
    for (size_t i = 0; i < COUNT(variables); i++) unsetenv(variables[i]);
    char *rest = NULL;
    const char *first = strtok_r(line, " \n", &rest);
    int unset = first != NULL && strcmp(first, "1") == 0;
    const char *call = word(&rest);
    uint64_t usec = 0;
    int result;
    if (strcmp(call, "notify") == 0) result = notify(unset, &rest);
    else if (strcmp(call, "barrier") == 0) result = barrier(unset, &rest);
    else if (strcmp(call, "booted") == 0) result = sd_booted();
    else {
      set_variables(rest);
      result = sd_watchdog_enabled(unset, &usec);
    }
    print_result(result);
    printf(",\"usec\":\"%llu\"", (unsigned long long)usec);
    print_left(variables, COUNT(variables));
  }
  free(line);
}
