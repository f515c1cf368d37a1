// Products of small matrices, and matrices transposed, on the processor.
#pragma once

#include "filters.h"

// The product y [m, n] of a [m, k], or [k, m] where a_first is not 0, and b [k, n], or [n, k]
// where b_last is not 0. One of a_first and b_last is 0.
typedef struct {
	const float *a, *b;
	float *y;
	int64_t m, n, k;
	int a_first, b_last;
} product;

// Computes the product in a form, by a loop, which has the pool. Returns 0 where there is no
// memory.
int product_compute(const product *p, int form, int parts, filters_loop *loop, void *pool);

// The matrices x [n, rows, columns] transposed: y [n, columns, rows].
typedef struct {
	const float *x;
	float *y;
	int64_t n, rows, columns;
} transposition;

// Transposes them by a loop, which has the pool.
void transpose_compute(const transposition *t, int parts, filters_loop *loop, void *pool);
