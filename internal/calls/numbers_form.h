// Vectors, products of matrices and powers, for one form, which is included with the macros
// of forms.h.

typedef float FORM(vector) __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef int32_t FORM(bits) __attribute__((vector_size(WIDTH * 4)));

// Adds a product to rows of some vectors of c, or sets them. The number at i, j of the left
// side is a[i*row + j*column]; the k rows of b are next apart. rows, vectors, and row where it
// is 1, are constant where it is called.
TARGET static inline __attribute__((always_inline)) void FORM(tile)(const int rows, const int vectors, const float *a, int64_t row, int64_t column,
		const float *b, int64_t next, int64_t k, float *c, int64_t stride, int add) {
	FORM(vector) sum[ROWS][2];
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (FORM(vector)){0};
	for (; k > 0; k--, a += column, b += next) {
		FORM(vector) b0 = *(const FORM(vector) *)b, b1 = vectors > 1 ? *(const FORM(vector) *)(b + WIDTH) : b0;
#pragma GCC unroll 16
		for (int i = 0; i < rows; i++) {
			sum[i][0] += a[i * row] * b0;
			if (vectors > 1) sum[i][1] += a[i * row] * b1;
		}
	}
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < vectors; j++) {
			FORM(vector) *to = (FORM(vector) *)(c + i * stride + j * WIDTH);
			if (add) sum[i][j] += *to;
			*to = sum[i][j];
		}
}

TARGET static inline __attribute__((always_inline)) void FORM(rows)(int rows, const int vectors, const float *a, int64_t row, int64_t column,
		const float *b, int64_t next, int64_t k, float *c, int64_t stride, int add) {
	switch (rows) {
	case 1: FORM(tile)(1, vectors, a, row, column, b, next, k, c, stride, add); break;
	case 2: FORM(tile)(2, vectors, a, row, column, b, next, k, c, stride, add); break;
	case 3: FORM(tile)(3, vectors, a, row, column, b, next, k, c, stride, add); break;
	case 4: FORM(tile)(4, vectors, a, row, column, b, next, k, c, stride, add); break;
	case 5: FORM(tile)(5, vectors, a, row, column, b, next, k, c, stride, add); break;
	case 6: FORM(tile)(6, vectors, a, row, column, b, next, k, c, stride, add); break;
#if ROWS > 6
	case 7: FORM(tile)(7, vectors, a, row, column, b, next, k, c, stride, add); break;
	case 8: FORM(tile)(8, vectors, a, row, column, b, next, k, c, stride, add); break;
#endif
	}
}

// Is c [m, n] = a·b, or is added to it, where one of row and column is 1 and n a multiple of
// the form's width.
TARGET static void FORM(product)(const float *a, int64_t row, int64_t column, const float *b, int64_t next, float *c, int64_t stride,
		int64_t m, int64_t n, int64_t k, int add) {
	for (int64_t j = 0; j < n; j += 2 * WIDTH)
		for (int64_t i = 0; i < m; i += ROWS) {
			int rows = m - i < ROWS ? (int)(m - i) : ROWS;
			const float *from = a + i * row;
			float *to = c + i * stride + j;
			if (n - j < 2 * WIDTH) FORM(rows)(rows, 1, from, row, column, b + j, next, k, to, stride, add);
			else if (row == 1) FORM(rows)(rows, 2, from, 1, column, b + j, next, k, to, stride, add);
			else FORM(rows)(rows, 2, from, row, 1, b + j, next, k, to, stride, add);
		}
}

// Returns e to the power of x, which is not above 0; below -87, where a float32 comes to its
// end, that of -87. The polynomial is that of Moshier's Cephes library, expf.
TARGET static inline FORM(vector) FORM(power)(FORM(vector) x) {
	const FORM(vector) least = (FORM(vector)){0} - 87;
	FORM(bits) below = (FORM(bits))(x < least);
	x = (FORM(vector))((below & (FORM(bits))least) | (~below & (FORM(bits))x));
	const float round = 12582912; // 1.5·2²³: adding it leaves a whole number in the last bits
	FORM(vector) t = x * 1.44269504088896341f + round, n = t - round;
	FORM(vector) r = x - n * 0.693359375f + n * 2.12194440e-4f;
	FORM(vector) p = r * 1.9875691500e-4f + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * (r * r) + r + 1;
	FORM(bits) exponent = ((FORM(bits))t - 0x4b400000 + 127) << 23;
	return p * (FORM(vector))exponent;
}
