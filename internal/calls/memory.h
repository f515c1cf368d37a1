// Memory for a call, which the next one takes: to get it from the system anew would cost
// as much as a part of the work.
#pragma once

#include <stddef.h>

// Returns at least size bytes at a multiple of 64, and how many they are, or 0 where there
// is no memory.
char *memory_take(size_t size, size_t *got);

// Gives back what memory_take returned.
void memory_give(char *memory, size_t got);

// Makes malloc keep up to 1 GiB that was given back, for what asks next, and take 256 MiB of
// addresses at a time. XLA takes the memory for a step's intermediate values from it and
// gives it back after the step; left to itself, malloc returns it to the system, which has to
// clear it again for each step. On up to eight processors all threads share one heap, which
// holds less that is free; on more they would wait for one another. Nothing changes without glibc, or where GLIBC_TUNABLES
// already says what malloc keeps.
void memory_hold(void);
