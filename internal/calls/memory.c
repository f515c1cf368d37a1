#include "memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <unistd.h>
#endif

static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;
static char *kept;
static size_t kept_size;
enum { MOST_KEPT = 32 << 20, AHEAD = 256 << 20, MOST_FREE = 1 << 30, FEW = 8 };

char *memory_take(size_t size, size_t *got) {
	pthread_mutex_lock(&keeping);
	char *p = kept;
	*got = kept_size;
	kept = 0;
	pthread_mutex_unlock(&keeping);
	if (p && *got >= size) return p;
	free(p);
	*got = (size + 63) & ~(size_t)63;
	return aligned_alloc(64, *got);
}

void memory_give(char *p, size_t size) {
	pthread_mutex_lock(&keeping);
	char *before = p;
	if (size <= MOST_KEPT && (!kept || kept_size < size)) {
		before = kept;
		kept = p;
		kept_size = size;
	}
	pthread_mutex_unlock(&keeping);
	free(before);
}

#ifdef __GLIBC__
// Returns whether GLIBC_TUNABLES says what malloc keeps: who has set it knows better.
static int said_otherwise(void) {
	const char *said = getenv("GLIBC_TUNABLES");
	return said && (strstr(said, "arena") || strstr(said, "mmap_max") || strstr(said, "mmap_threshold") || strstr(said, "trim_threshold") || strstr(said, "top_pad"));
}

// How many heaps there may be is asked once, when the first thread wants one of its own, and Go
// has threads before main. The heap of a thread has no room for more than 64 MiB: what is larger
// would come from the system and go back to it each time.
__attribute__((constructor)) static void one_heap(void) {
	if (!said_otherwise() && sysconf(_SC_NPROCESSORS_ONLN) <= FEW) mallopt(M_ARENA_MAX, 1);
}
#endif

void memory_hold(void) {
#ifdef __GLIBC__
	if (said_otherwise()) return;
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TOP_PAD, AHEAD);
	mallopt(M_TRIM_THRESHOLD, MOST_FREE);
#endif
}
