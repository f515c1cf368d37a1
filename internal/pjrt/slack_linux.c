// While a goroutine is in C, a thread of Go's (sysmon) asks every 20 µs whether others want to run
// in its place, to which Linux adds up to 50 µs. On two processors each question takes 10 µs from
// the thread that multiplies: a tenth of the time, in the first 4 ms of each program's run. So
// threads of a process that runs XLA's programs may be woken 0.5 ms late by their timers. Threads
// have the setting of the one that makes them, and this one makes Go's.
#include <sys/prctl.h>

enum { SLACK = 500000 }; // nanoseconds

__attribute__((constructor)) static void allow_slack(void) {
	const int set = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	if (set >= 0 && set < SLACK) prctl(PR_SET_TIMERSLACK, SLACK, 0, 0, 0);
}
