// The convolution of pictures of one or of 2×2 points for one form, which is included with the
// macros of forms.h. ROWS channels are computed together.

// So many channels of the output have their filters' gradients computed together.
enum { FORM(outputs) = ROWS > 2 ? 2 : 1 };

typedef float FORM(vector) __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

// Sums over n channels, of which x has side·side vectors each, for rows channels of the
// output: y [rows, side·side] vectors. The nine numbers of a filter lie together; the filters
// of the next channel of the sum are along numbers on, and those of the next one of the output
// down. side, rows and turned are constant where it is called.
TARGET static inline __attribute__((always_inline)) void FORM(points)(const int side, const int rows, const int turned, const float *x, const float *w, int64_t n, int64_t along, int64_t down, float *y) {
	FORM(vector) sum[ROWS][4];
#pragma GCC unroll 8
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
		for (int p = 0; p < side * side; p++) sum[r][p] = (FORM(vector)){0};
	for (; n > 0; n--, x += side * side * WIDTH, w += along) {
		FORM(vector) at[4];
#pragma GCC unroll 4
		for (int p = 0; p < side * side; p++) at[p] = *(const FORM(vector) *)(x + p * WIDTH);
#pragma GCC unroll 8
		for (int r = 0; r < rows; r++) {
			const float *filter = w + r * down;
			__builtin_prefetch(filter + AHEAD * along);
#pragma GCC unroll 4
			for (int p = 0; p < side * side; p++)
#pragma GCC unroll 4
				for (int q = 0; q < side * side; q++) {
					const int above = q / side - p / side + 1, beside = q % side - p % side + 1, tap = above * 3 + beside;
					sum[r][p] += filter[turned ? 8 - tap : tap] * at[q];
				}
		}
	}
#pragma GCC unroll 8
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
		for (int p = 0; p < side * side; p++) *(FORM(vector) *)(y + (r * side * side + p) * WIDTH) = sum[r][p];
}

TARGET static void FORM(block)(int side, int rows, int turned, const float *x, const float *w, int64_t n, int64_t along, int64_t down, float *y) {
	for (; rows > 0; rows -= ROWS, w += ROWS * down, y += ROWS * side * side * WIDTH) {
		if (rows < ROWS)
			for (int r = 0; r < rows; r++, w += down, y += side * side * WIDTH) {
				if (side == 1) FORM(points)(1, 1, 0, x, w, n, along, down, y);
				else if (turned) FORM(points)(2, 1, 1, x, w, n, along, down, y);
				else FORM(points)(2, 1, 0, x, w, n, along, down, y);
			}
		else if (side == 1) FORM(points)(1, ROWS, 0, x, w, n, along, down, y);
		else if (turned) FORM(points)(2, ROWS, 1, x, w, n, along, down, y);
		else FORM(points)(2, ROWS, 0, x, w, n, along, down, y);
	}
}

// Computes the gradients of rows channels of the output for a vector of channels of x, which
// has side·side vectors for each of n images, from v [rows, n, side·side]: y [rows, 9] vectors.
// side and rows are constant where it is called.
TARGET static inline __attribute__((always_inline)) void FORM(taps)(const int side, const int rows, const float *x, const float *v, int64_t n, float *y) {
	FORM(vector) sum[FORM(outputs)][9];
	const int64_t next = n * side * side;
#pragma GCC unroll 2
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 9
		for (int t = 0; t < 9; t++) sum[r][t] = (FORM(vector)){0};
	for (; n > 0; n--, x += side * side * WIDTH, v += side * side) {
		FORM(vector) at[4];
#pragma GCC unroll 4
		for (int p = 0; p < side * side; p++) at[p] = *(const FORM(vector) *)(x + p * WIDTH);
#pragma GCC unroll 2
		for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
			for (int p = 0; p < side * side; p++)
#pragma GCC unroll 4
				for (int q = 0; q < side * side; q++) {
					const int above = q / side - p / side + 1, beside = q % side - p % side + 1;
					sum[r][above * 3 + beside] += v[r * next + p] * at[q];
				}
	}
#pragma GCC unroll 2
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 9
		for (int t = 0; t < 9; t++) *(FORM(vector) *)(y + (r * 9 + t) * WIDTH) = sum[r][t];
}

TARGET static void FORM(gradient)(int side, int rows, const float *x, const float *v, int64_t n, float *y) {
	if (rows == FORM(outputs)) {
		if (side == 1) FORM(taps)(1, FORM(outputs), x, v, n, y);
		else FORM(taps)(2, FORM(outputs), x, v, n, y);
	} else {
		if (side == 1) FORM(taps)(1, 1, x, v, n, y);
		else FORM(taps)(2, 1, x, v, n, y);
	}
}
