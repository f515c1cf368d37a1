// What malloc keeps. XLA takes the memory for a step's intermediate values from it and gives it
// back after the step; left to itself, malloc returns much of it to the system, which has to
// clear it again for each step. Nothing changes without glibc, or where GLIBC_TUNABLES already
// says what malloc keeps.
#pragma once

// Gives what is free back to the system, and from then on makes malloc keep up to 1 GiB that was
// given back, for what asks next, and take 256 MiB of addresses at a time. On up to eight
// processors all threads share one heap, which holds less that is free; on more they would wait
// for one another.
void heap_hold(void);

// Stand around a compilation. While there is one, what is large comes from the system and goes
// back to it: the compiler's own numbers would come to lie where a step's intermediate values
// were, which then find no place in the heap and make it grow by their size. After one, what is
// free goes back to the system, hundreds of megabytes for a large network.
void heap_compiles(void);
void heap_compiled(void);
