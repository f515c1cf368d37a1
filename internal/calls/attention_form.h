// What attention is made of, for one form, which is included with the macros of form.h.

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

// Makes the first n scores of a row probabilities, and the rest of its columns 0.
TARGET static void FORM(softmax)(float *s, int64_t n, int64_t columns, float scale) {
	int64_t up = (n + WIDTH - 1) / WIDTH * WIDTH;
	for (int64_t j = n; j < up; j++) s[j] = s[0];
	FORM(vector) most = *(FORM(vector) *)s, sum = {0};
	for (int64_t j = WIDTH; j < up; j += WIDTH) {
		FORM(vector) x = *(FORM(vector) *)(s + j);
		FORM(bits) above = (FORM(bits))(x > most);
		most = (FORM(vector))((above & (FORM(bits))x) | (~above & (FORM(bits))most));
	}
	float top = most[0], total = 0;
	for (int i = 1; i < WIDTH; i++) top = most[i] > top ? most[i] : top;
	for (int64_t j = 0; j < up; j += WIDTH) *(FORM(vector) *)(s + j) = FORM(power)((*(FORM(vector) *)(s + j) - top) * scale);
	for (int64_t j = n; j < columns; j++) s[j] = 0;
	for (int64_t j = 0; j < up; j += WIDTH) sum += *(FORM(vector) *)(s + j);
	for (int i = 0; i < WIDTH; i++) total += sum[i];
	total = 1 / total;
	for (int64_t j = 0; j < up; j += WIDTH) *(FORM(vector) *)(s + j) *= total;
}

// Turns the gradient of a row's probabilities p into that of its scores.
TARGET static void FORM(scores)(const float *p, float *v, int64_t columns, float scale) {
	FORM(vector) sum = {0};
	for (int64_t j = 0; j < columns; j += WIDTH) sum += *(const FORM(vector) *)(p + j) * *(FORM(vector) *)(v + j);
	float total = 0;
	for (int i = 0; i < WIDTH; i++) total += sum[i];
	for (int64_t j = 0; j < columns; j += WIDTH)
		*(FORM(vector) *)(v + j) = *(const FORM(vector) *)(p + j) * (*(FORM(vector) *)(v + j) - total) * scale;
}

#undef FORM
#undef TARGET
#undef WIDTH
#undef ROWS
