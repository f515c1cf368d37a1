#include "memory.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;
static char *kept;
static size_t kept_size;
enum { MOST_KEPT = 32 << 20 };

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
