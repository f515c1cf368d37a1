#include "heap.h"

#include <stdlib.h> // says whether it is glibc

#ifdef __GLIBC__

#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { AHEAD = 256 << 20, MOST_FREE = 1 << 30, LARGE = 32 << 20, MOST_LARGE = 1 << 16, FEW = 8 };

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static int holds, compilations;

// Returns whether GLIBC_TUNABLES says what malloc keeps: who has set it knows better.
static int said_otherwise(void) {
	const char *said = getenv("GLIBC_TUNABLES");
	return said && (strstr(said, "arena") || strstr(said, "mmap_max") || strstr(said, "mmap_threshold") || strstr(said, "trim_threshold") || strstr(said, "top_pad"));
}

// How many heaps there may be is settled when the first thread wants one of its own, and Go has
// threads before main. The heap of a thread has no room for more than 64 MiB: what is larger
// comes from the system and goes back to it each time.
__attribute__((constructor)) static void one_heap(void) {
	if (!said_otherwise() && sysconf(_SC_NPROCESSORS_ONLN) <= FEW) mallopt(M_ARENA_MAX, 1);
}

void heap_hold(void) {
	if (said_otherwise()) return;
	malloc_trim(0);
	mallopt(M_TOP_PAD, AHEAD);
	mallopt(M_TRIM_THRESHOLD, MOST_FREE);
	mallopt(M_MMAP_THRESHOLD, LARGE);
	pthread_mutex_lock(&counting);
	holds = 1;
	if (!compilations) mallopt(M_MMAP_MAX, 0);
	pthread_mutex_unlock(&counting);
}

void heap_compiles(void) {
	pthread_mutex_lock(&counting);
	if (!compilations++ && holds) mallopt(M_MMAP_MAX, MOST_LARGE);
	pthread_mutex_unlock(&counting);
}

void heap_compiled(void) {
	malloc_trim(0);
	pthread_mutex_lock(&counting);
	if (!--compilations && holds) mallopt(M_MMAP_MAX, 0);
	pthread_mutex_unlock(&counting);
}

#else

void heap_hold(void) {}
void heap_compiles(void) {}
void heap_compiled(void) {}

#endif
