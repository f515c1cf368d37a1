// Memory for a call, which the next one takes: to get it from the system anew would cost
// as much as a part of the work.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LINE = 16 }; // numbers of a line of the cache

// Rounds up to whole lines of the cache.
static inline int64_t lines(int64_t numbers) { return (numbers + LINE - 1) / LINE * LINE; }

static inline int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

// Returns at least size bytes at a multiple of 64, and how many they are, or 0 where there
// is no memory.
char *memory_take(size_t size, size_t *got);

// Gives back what memory_take returned.
void memory_give(char *memory, size_t got);
