// The product of matrices for one form, which is included with these macros:
//
//	FORM(name)  the name of a function of this form
//	TARGET      the attributes that let the compiler use the form's instructions
//	WIDTH       numbers of a vector
//	ROWS        rows of a block, at most: with two vectors each and three others they
//	            fill the registers

typedef float FORM(vector) __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

// Adds the product of a, rows columns of k numbers, and b, k rows of two vectors, to
// the rows of c, which are stride apart, or sets them where first is true. rows is
// constant where it is called.
TARGET static inline __attribute__((always_inline)) void FORM(rows)(const int rows, const float *a, const float *b, int64_t k, float *c, int64_t stride, int first) {
	FORM(vector) sum[ROWS][2];
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (FORM(vector)){0};
	for (; k > 0; k--, a += rows, b += 2 * WIDTH) {
		FORM(vector) b0 = *(const FORM(vector) *)b, b1 = *(const FORM(vector) *)(b + WIDTH);
#pragma GCC unroll 16
		for (int i = 0; i < rows; i++) {
			sum[i][0] += a[i] * b0;
			sum[i][1] += a[i] * b1;
		}
	}
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++) {
		FORM(vector) *to = (FORM(vector) *)(c + i * stride), *next = (FORM(vector) *)(c + i * stride + WIDTH);
		if (!first) {
			sum[i][0] += *to;
			sum[i][1] += *next;
		}
		*to = sum[i][0];
		*next = sum[i][1];
	}
}

TARGET static void FORM(block)(int rows, const float *a, const float *b, int64_t k, float *c, int64_t stride, int first) {
	switch (rows) {
	case 1: FORM(rows)(1, a, b, k, c, stride, first); break;
	case 2: FORM(rows)(2, a, b, k, c, stride, first); break;
	case 3: FORM(rows)(3, a, b, k, c, stride, first); break;
	case 4: FORM(rows)(4, a, b, k, c, stride, first); break;
	case 5: FORM(rows)(5, a, b, k, c, stride, first); break;
	case 6: FORM(rows)(6, a, b, k, c, stride, first); break;
#if ROWS > 6
	case 7: FORM(rows)(7, a, b, k, c, stride, first); break;
	case 8: FORM(rows)(8, a, b, k, c, stride, first); break;
	case 9: FORM(rows)(9, a, b, k, c, stride, first); break;
	case 10: FORM(rows)(10, a, b, k, c, stride, first); break;
	case 11: FORM(rows)(11, a, b, k, c, stride, first); break;
	case 12: FORM(rows)(12, a, b, k, c, stride, first); break;
#endif
	}
}

#undef FORM
#undef TARGET
#undef WIDTH
#undef ROWS
