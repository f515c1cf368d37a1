// The gradient of a convolution for its filters, on the processor.
#pragma once

#include <stdint.h>

// A convolution of x [N H W I] with filters [O I K K], one group, whose output's
// gradient is v [N h w O]. Height comes first.
typedef struct {
	const float *x, *v;
	float *gradient; // [O I K K]
	int64_t images, size[2], in;
	int64_t places[2], out;
	int64_t kernel[2], stride[2], dilation[2], before[2]; // before is the padding above and left
} filters;

// The forms of the kernel that there are for a processor.
enum { FORM_PORTABLE, FORM_AVX2, FORM_AVX512, FORMS };

// Returns whether the processor has what a form needs.
int filters_has(int form);

// Returns the form with the widest vectors that the processor has.
int filters_best(void);

// Calls work(data, i) for all i below n, in any order and in any threads, and returns
// when all have returned.
typedef void filters_loop(void *pool, int n, void (*work)(void *data, int i), void *data);

// Computes the gradient in a form, in n parts by a loop, which has the pool. The
// numbers do not depend on n. Returns 0 where there is no memory.
int filters_gradient(const filters *f, int form, int n, filters_loop *loop, void *pool);
