// The product of matrices of a convolution for one form, which is included with the macros of
// forms.h. ROWS places with two vectors of channels each, and three other vectors fill the
// registers.

typedef float FORM(vector) __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

// Computes two vectors of channels at ROWS places: y [ROWS, 2·WIDTH], of which the rows are apart
// numbers apart. What a place sees of x begins at its number in at, and has rows stretches down
// numbers apart, each of points stretches along numbers apart, each of n numbers; w has two vectors
// for each of them.
TARGET static void FORM(block)(const float *x, const int64_t *at, int64_t rows, int64_t down, int64_t points, int64_t along, int64_t n, const float *w, float *y, int64_t apart) {
	FORM(vector) sum[ROWS][2];
	const float *from[ROWS];
#pragma GCC unroll 16
	for (int i = 0; i < ROWS; i++) {
		sum[i][0] = sum[i][1] = (FORM(vector)){0};
		from[i] = x + at[i];
	}
	for (int64_t row = 0; row < rows; row++)
		for (int64_t point = 0; point < points; point++) {
			const int64_t begin = row * down + point * along, end = begin + n;
			for (int64_t k = begin; k < end; k++, w += 2 * WIDTH) {
				FORM(vector) w0 = *(const FORM(vector) *)w, w1 = *(const FORM(vector) *)(w + WIDTH);
#pragma GCC unroll 16
				for (int i = 0; i < ROWS; i++) {
					sum[i][0] += from[i][k] * w0;
					sum[i][1] += from[i][k] * w1;
				}
			}
		}
#pragma GCC unroll 16
	for (int i = 0; i < ROWS; i++, y += apart) {
		*(FORM(vector) *)y = sum[i][0];
		*(FORM(vector) *)(y + WIDTH) = sum[i][1];
	}
}
