// The product of matrices for one form, which is included with the macros of forms.h. ROWS rows
// with two vectors of columns each, and three other vectors fill the registers; where the sum
// goes along the rows of both, four rows with as many columns.

typedef float FORM(vector) __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

// Computes two vectors of columns of ROWS rows: y [ROWS, 2·WIDTH]. The numbers of a row of a
// begin at at, and are apart numbers apart; the rows of b are next numbers apart.
TARGET static void FORM(block)(const float *const *at, int64_t apart, const float *b, int64_t next, int64_t k, float *y) {
	FORM(vector) sum[ROWS][2];
	const float *a[ROWS];
#pragma GCC unroll 16
	for (int i = 0; i < ROWS; i++) {
		sum[i][0] = sum[i][1] = (FORM(vector)){0};
		a[i] = at[i];
	}
	for (int64_t from = 0; k > 0; k--, from += apart, b += next) {
		FORM(vector) b0 = *(const FORM(vector) *)b, b1 = *(const FORM(vector) *)(b + WIDTH);
#pragma GCC unroll 16
		for (int i = 0; i < ROWS; i++) {
			sum[i][0] += a[i][from] * b0;
			sum[i][1] += a[i][from] * b1;
		}
	}
#pragma GCC unroll 16
	for (int i = 0; i < ROWS; i++) {
		*(FORM(vector) *)(y + 2 * i * WIDTH) = sum[i][0];
		*(FORM(vector) *)(y + (2 * i + 1) * WIDTH) = sum[i][1];
	}
}

// Computes the products of SIDE rows with as many others: y [SIDE, SIDE].
TARGET static void FORM(inner)(const float *const *a, const float *const *b, int64_t k, float *y) {
	FORM(vector) sum[SIDE][SIDE];
#pragma GCC unroll 4
	for (int i = 0; i < SIDE; i++)
#pragma GCC unroll 4
		for (int j = 0; j < SIDE; j++) sum[i][j] = (FORM(vector)){0};
	const int64_t whole = k / WIDTH * WIDTH;
	for (int64_t l = 0; l < whole; l += WIDTH) {
		FORM(vector) of[SIDE];
#pragma GCC unroll 4
		for (int j = 0; j < SIDE; j++) of[j] = *(const FORM(vector) *)(b[j] + l);
#pragma GCC unroll 4
		for (int i = 0; i < SIDE; i++) {
			FORM(vector) with = *(const FORM(vector) *)(a[i] + l);
#pragma GCC unroll 4
			for (int j = 0; j < SIDE; j++) sum[i][j] += with * of[j];
		}
	}
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			float all[WIDTH];
			*(FORM(vector) *)all = sum[i][j];
			for (int half = WIDTH / 2; half; half /= 2)
				for (int l = 0; l < half; l++) all[l] += all[l + half];
			for (int64_t l = whole; l < k; l++) all[0] += a[i][l] * b[j][l];
			y[i * SIDE + j] = all[0];
		}
}
