// The matrices are small enough to be read where they lie: to copy them into panels first, as
// products of large ones do, would take as long as to multiply them.
#include "matrix.h"
#include "memory.h"

#include <string.h>

enum { SIDE = 4 };

#define FORM_FILE "matrix_form.h"
#define ROWS_OTHER 6
#define ROWS_AVX512 12
#include "forms.h"
#define ENTRY(name) {name##_width, name##_block_rows, name##_block, name##_inner}

static const struct {
	int width, rows;
	void (*block)(const float *const *at, int64_t apart, const float *b, int64_t next, int64_t k, float *y);
	void (*inner)(const float *const *a, const float *const *b, int64_t k, float *y);
} forms[FORMS] = FORMS_OF(ENTRY);

enum { MOST_ROWS = 12, MOST_COLUMNS = 32 };

typedef struct {
	const product *p;
	int form, parts;
	float *last; // the columns of b that fill no block, with zeros beside them: [k, 2·width]
} job;

// Computes some blocks of which the columns of b lie side by side.
static void columns_of(void *data, int part) {
	const job *j = data;
	const product *p = j->p;
	const int64_t rows = forms[j->form].rows, columns = 2 * forms[j->form].width;
	const int64_t tiles = (p->m + rows - 1) / rows, all = (p->n + columns - 1) / columns * tiles;
	float y[MOST_ROWS * MOST_COLUMNS];
	for (int64_t i = all * part / j->parts; i < all * (part + 1) / j->parts; i++) {
		const int64_t row = i % tiles * rows, column = i / tiles * columns, n = min(columns, p->n - column);
		const float *at[MOST_ROWS];
		for (int64_t r = 0; r < rows; r++) { // beyond the last row, it once more
			const int64_t of = min(row + r, p->m - 1);
			at[r] = p->a + (p->a_first ? of : of * p->k);
		}
		const int whole = n == columns;
		forms[j->form].block(at, p->a_first ? p->m : 1, whole ? p->b + column : j->last, whole ? p->n : columns, p->k, y);
		for (int64_t r = 0; r < min(rows, p->m - row); r++) memcpy(p->y + (row + r) * p->n + column, y + r * columns, n * sizeof(float));
	}
}

// Computes some blocks of which the sum goes along the rows of both.
static void rows_of(void *data, int part) {
	const job *j = data;
	const product *p = j->p;
	const int64_t tiles = (p->m + SIDE - 1) / SIDE, all = (p->n + SIDE - 1) / SIDE * tiles;
	float y[SIDE * SIDE];
	for (int64_t i = all * part / j->parts; i < all * (part + 1) / j->parts; i++) {
		const int64_t row = i % tiles * SIDE, column = i / tiles * SIDE, n = min(SIDE, p->n - column);
		const float *a[SIDE], *b[SIDE];
		for (int64_t r = 0; r < SIDE; r++) a[r] = p->a + min(row + r, p->m - 1) * p->k, b[r] = p->b + min(column + r, p->n - 1) * p->k;
		forms[j->form].inner(a, b, p->k, y);
		for (int64_t r = 0; r < min(SIDE, p->m - row); r++) memcpy(p->y + (row + r) * p->n + column, y + r * SIDE, n * sizeof(float));
	}
}

int product_compute(const product *p, int form, int parts, filters_loop *loop, void *pool) {
	job j = {.p = p, .form = form, .parts = parts < 1 ? 1 : parts};
	if (p->b_last) {
		loop(pool, j.parts, rows_of, &j);
		return 1;
	}
	const int64_t columns = 2 * forms[form].width, over = p->n % columns;
	size_t got;
	char *memory = 0;
	if (over) {
		if (!(memory = memory_take(p->k * columns * sizeof(float), &got))) return 0;
		j.last = (float *)memory;
		for (int64_t l = 0; l < p->k; l++) {
			memcpy(j.last + l * columns, p->b + (l + 1) * p->n - over, over * sizeof(float));
			memset(j.last + l * columns + over, 0, (columns - over) * sizeof(float));
		}
	}
	loop(pool, j.parts, columns_of, &j);
	if (memory) memory_give(memory, got);
	return 1;
}

typedef struct {
	const transposition *t;
	int parts;
} transpose_job;

enum { BLOCK = 64 }; // rows and columns that stay in the cache until they are transposed

// Transposes some blocks of rows of the result.
static void transpose(void *data, int part) {
	const transpose_job *j = data;
	const transposition *t = j->t;
	const int64_t blocks = (t->columns + BLOCK - 1) / BLOCK, all = t->n * blocks;
	for (int64_t i = all * part / j->parts; i < all * (part + 1) / j->parts; i++) {
		const int64_t from = i % blocks * BLOCK, to = min(from + BLOCK, t->columns);
		const float *restrict x = t->x + i / blocks * t->rows * t->columns;
		float *restrict y = t->y + i / blocks * t->rows * t->columns;
		if (t->rows == 3) { // colours, for which there are shuffles
			const float *restrict green = x + t->columns, *restrict blue = x + 2 * t->columns;
			for (int64_t c = from; c < to; c++) y[3 * c] = x[c], y[3 * c + 1] = green[c], y[3 * c + 2] = blue[c];
			continue;
		}
		for (int64_t r = 0; r < t->rows; r += BLOCK) {
			const int64_t end = min(r + BLOCK, t->rows);
			for (int64_t c = from; c < to; c++)
				for (int64_t k = r; k < end; k++) y[c * t->rows + k] = x[k * t->columns + c];
		}
	}
}

void transpose_compute(const transposition *t, int parts, filters_loop *loop, void *pool) {
	transpose_job j = {t, parts < 1 ? 1 : parts};
	loop(pool, j.parts, transpose, &j);
}
