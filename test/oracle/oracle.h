/* What the programs share that ask libsystemd: lines with variables in, a line of JSON out for each. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* In place: the bytes are half as long as their hex. */
static void decode(char *text) {
  char *to = text;
  for (const char *from = text; from[0] != 0 && from[1] != 0; from += 2) {
    unsigned byte;
    if (sscanf(from, "%2x", &byte) != 1) die("hex");
    *to++ = (char)byte;
  }
  *to = 0;
}

/* NAME=VALUE with the value in hex, up to the end of the line. */
static void set_variables(char *words) {
  char *rest = NULL;
  for (char *word = strtok_r(words, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest)) {
    char *value = strchr(word, '=');
    if (value == NULL) die(word);
    *value++ = 0;
    decode(value);
    if (setenv(word, value, 1) < 0) die("setenv");
  }
}

/* The beginning of the answer. */
static void print_result(int result) {
  if (result < 0) printf("{\"result\":\"%s\"", strerrorname_np(-result));
  else printf("{\"result\":%d", result);
}

/* The end of the answer: which variables are still set. */
static void print_left(const char *const variables[], size_t count) {
  printf(",\"left\":[");
  const char *comma = "";
  for (size_t i = 0; i < count; i++) {
    if (getenv(variables[i]) == NULL) continue;
    printf("%s\"%s\"", comma, variables[i]);
    comma = ",";
  }
  printf("]}\n");
  fflush(stdout);
}
