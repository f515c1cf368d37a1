// The product of matrices for one form, which is included with the macros of forms.h. ROWS rows of
// a block, with two vectors each, and three other vectors fill the registers.

typedef float FORM(vector) __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

// Adds what a stretch of filters gets from some rows of v to the rows of the sum c, which
// are stride apart, or sets them where first is true. rows is constant where it is called.
TARGET static inline __attribute__((always_inline)) void FORM(rows)(const int rows, const stretch *s, float *c, int64_t stride, int first) {
	FORM(vector) sum[ROWS][2];
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (FORM(vector)){0};
	const int64_t step = s->step, columns = s->columns;
	int64_t y = s->y, image = s->image;
	const float *line = s->v;
	for (int64_t left = s->lines; left > 0; left--, line += s->line) {
		const int64_t above = y * s->down + s->above;
		if (above >= 0 && above < s->height) {
			const float *a = s->x + (image * s->height + above) * s->pitch, *b = line;
			for (int64_t k = s->places; k > 0; k--, a += step, b += columns) {
				FORM(vector) b0 = *(const FORM(vector) *)b, b1 = *(const FORM(vector) *)(b + WIDTH);
#pragma GCC unroll 16
				for (int i = 0; i < rows; i++) {
					sum[i][0] += a[i] * b0;
					sum[i][1] += a[i] * b1;
				}
			}
		}
		if (++y == s->rows) y = 0, image++;
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

TARGET static void FORM(block)(int rows, const stretch *s, float *c, int64_t stride, int first) {
	switch (rows) {
	case 1: FORM(rows)(1, s, c, stride, first); break;
	case 2: FORM(rows)(2, s, c, stride, first); break;
	case 3: FORM(rows)(3, s, c, stride, first); break;
	case 4: FORM(rows)(4, s, c, stride, first); break;
	case 5: FORM(rows)(5, s, c, stride, first); break;
	case 6: FORM(rows)(6, s, c, stride, first); break;
#if ROWS > 6
	case 7: FORM(rows)(7, s, c, stride, first); break;
	case 8: FORM(rows)(8, s, c, stride, first); break;
	case 9: FORM(rows)(9, s, c, stride, first); break;
	case 10: FORM(rows)(10, s, c, stride, first); break;
	case 11: FORM(rows)(11, s, c, stride, first); break;
	case 12: FORM(rows)(12, s, c, stride, first); break;
#endif
	}
}
