// A convolution, and its gradient for the picture, on the processor.
#pragma once

#include "filters.h"

// A convolution of x [N H W I], in which there are spread-1 zeros between two points, with
// filters [O I K K], to y [N h w O]; the filters are [I O K K] where first is not 0, and turned
// by half a turn where turned is not. Height comes first. before is the padding above and left;
// what is negative is cut away.
typedef struct {
	const float *x, *w;
	float *y;
	int64_t images, size[2], in;
	int64_t places[2], out;
	int64_t kernel[2], stride[2], spread[2], dilation[2], before[2];
	int first, turned;
} convolution;

// Computes the convolution in a form, in n parts by a loop, which has the pool. The numbers do
// not depend on n. Returns 0 where there is no memory.
int convolution_compute(const convolution *c, int form, int n, filters_loop *loop, void *pool);
