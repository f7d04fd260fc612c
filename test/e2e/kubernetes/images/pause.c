// The process that holds a pod's namespaces together. It is no more than that: it waits to be told
// to go, and as process 1 of a pod with a shared process namespace it buries orphans.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void Leave(int signal_number) {
  (void)signal_number;
  _exit(0);
}

static void Bury(int signal_number) {
  (void)signal_number;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

int main(void) {
  signal(SIGINT, Leave);
  signal(SIGTERM, Leave);
  signal(SIGCHLD, Bury);
  for (;;) pause();
}
