// The convolution of pictures of one point or of 2×2 by filters of 3×3, on the processor.
#pragma once

#include "filters.h"

// A convolution of x [N S S I] with filters of 3×3, padding 1, to y [N S S O]. The filters are
// [O I 3 3], or [I O 3 3] where the sum goes over their first axis, and turned by half a turn where
// turned is not 0.
typedef struct {
	const float *x, *w;
	float *y;
	int64_t images, side, in, out;
	int first, turned;
} tiny;

// Computes the convolution in a form, by a loop, which has the pool. Returns 0 where there is
// no memory.
int tiny_compute(const tiny *t, int form, int n, filters_loop *loop, void *pool);

// Returns whether a gradient for filters is of such a convolution.
int tiny_fits(const filters *f);

// Computes it, as filters_gradient does.
int tiny_gradient(const filters *f, int form, int n, filters_loop *loop, void *pool);
