// Each sequence of a batch is by itself, so that a thread takes some of them through all
// places and waits for no other thread: XLA runs a loop of a dozen functions, which all
// threads begin and end together, for each place. The hidden state's matrix stays in the
// processor's cache, cut into panels of two vectors.
#include "recurrence.h"
#include "memory.h"

#include <string.h>

#define FORM_FILE "recurrence_form.h"
#define ROWS_OTHER 6
#define ROWS_AVX512 8
#include "forms.h"
#define ENTRY(name) {2 * name##_width, name##_product, {name##_lstm, name##_gru}, {name##_lstm_back, name##_gru_back}}

typedef void place(const float *gates, const float *sum, const float *bias, const float *h, const float *c, float *next, float *kept, int64_t n);
typedef void place_back(const float *kept, const float *h, const float *c, const float *v, float *vh, float *vc, float *gates, float *hidden, float *sums, int64_t n);

// form is what the rest needs to know of a form.
typedef struct {
	int64_t panel; // columns of a panel
	void (*product)(const float *a, int64_t row, int64_t column, const float *b, int64_t next, float *c, int64_t stride, int64_t m, int64_t n, int64_t k, int add);
	place *forward[CELLS];
	place_back *back[CELLS];
} form_functions;

static const form_functions forms[FORMS] = FORMS_OF(ENTRY);

enum { UNIT = 8 }; // sequences that are summed up together

int64_t recurrence_gates(int cell) { return cell == CELL_LSTM ? 4 : 3; }
int64_t recurrence_states(int cell) { return cell == CELL_LSTM ? 2 : 1; }
int64_t recurrence_keeps(int cell) { return cell == CELL_LSTM ? 5 : 4; }
int64_t recurrence_biases(int cell) { return cell == CELL_LSTM ? 1 : 2; }
int64_t recurrence_units(int64_t n) { return (n + UNIT - 1) / UNIT; }

// What all parts share.
typedef struct {
	const recurrence *r;
	const recurrence_back *back; // 0 for the output
	const form_functions *form;
	int parts;
	int64_t units, rows;       // of a part at most
	const float *matrix;       // in panels
	float *scratch;            // of all parts
	int64_t part_size;         // numbers of scratch for a part
} job;

// Writes columns of a matrix as panels. The number at row i of column j is m[i*row + j*column].
static void pack(const float *m, int64_t row, int64_t column, int64_t rows, int64_t columns, int64_t panel, float *to) {
	for (int64_t from = 0; from < columns; from += panel) {
		int64_t wide = columns - from < panel ? columns - from : panel;
		for (int64_t i = 0; i < rows; i++)
			for (int64_t j = 0; j < wide; j++) *to++ = m[i * row + (from + j) * column];
	}
}

// Is c [m, n] = a [m, k] by the panels, or is added to it.
static void multiply(const form_functions *f, const float *a, int64_t k, const float *panels, float *c, int64_t m, int64_t n, int add) {
	for (int64_t from = 0; from < n; from += f->panel) {
		int64_t wide = n - from < f->panel ? n - from : f->panel;
		f->product(a, k, 1, panels, wide, c + from, n, m, wide, k, add);
		panels += wide * k;
	}
}

// Returns the place that step i reads.
static int64_t place_of(int64_t i, int64_t steps, int backward) { return backward ? steps - 1 - i : i; }

static void forward(void *data, int part) {
	const job *j = data;
	const recurrence *r = j->r;
	const int64_t n = r->n, hidden = r->hidden, width = recurrence_gates(r->cell) * hidden, keeps = recurrence_keeps(r->cell) * hidden;
	const int64_t from = j->units * part / j->parts * UNIT, to = j->units * (part + 1) / j->parts * UNIT, rows = (to < n ? to : n) - from;
	float *sum = j->scratch + part * j->part_size;
	const int64_t last = (recurrence_states(r->cell) - 1) * n + from; // of the last state
	const float *h = r->first + from * hidden, *c = r->first + last * hidden;
	int64_t c_stride = hidden;
	for (int64_t i = 0; i < r->steps; i++) {
		const int64_t at = place_of(i, r->steps, r->backward) * n + from;
		float *kept = r->kept + at * keeps, *next = r->hs + at * hidden;
		multiply(j->form, h, hidden, j->matrix, sum, rows, width, 0);
		for (int64_t row = 0; row < rows; row++)
			j->form->forward[r->cell](r->gates + (at + row) * width, sum + row * width, r->bias, h + row * hidden, c + row * c_stride, next + row * hidden,
				kept + row * keeps, hidden);
		h = next;
		c = kept + keeps - hidden;
		c_stride = keeps;
	}
	memcpy(r->end + from * hidden, h, rows * hidden * sizeof(float));
	if (recurrence_states(r->cell) > 1)
		for (int64_t row = 0; row < rows; row++) memcpy(r->end + (last + row) * hidden, c + row * c_stride, hidden * sizeof(float));
}

static void gradient(void *data, int part) {
	const job *j = data;
	const recurrence_back *r = j->back;
	const int64_t n = r->n, hidden = r->hidden, width = recurrence_gates(r->cell) * hidden, keeps = recurrence_keeps(r->cell) * hidden;
	const int64_t from = j->units * part / j->parts * UNIT, to = j->units * (part + 1) / j->parts * UNIT, rows = (to < n ? to : n) - from;
	const int64_t states = recurrence_states(r->cell), biases = recurrence_biases(r->cell) * width;
	const int64_t last = (states - 1) * n + from;
	float *vh = r->first_v + from * hidden, *vc = r->first_v + last * hidden, *sums = r->sums + from / UNIT * biases;
	for (int64_t s = 0; s < states; s++)
		memcpy(r->first_v + (s * n + from) * hidden, r->v_end + (s * n + from) * hidden, rows * hidden * sizeof(float));
	memset(sums, 0, recurrence_units(rows) * biases * sizeof(float));
	for (int64_t i = r->steps - 1; i >= 0; i--) {
		const int64_t at = place_of(i, r->steps, r->backward) * n + from;
		const int64_t before = i > 0 ? place_of(i - 1, r->steps, r->backward) * n + from : 0;
		const float *h = i > 0 ? r->hs + before * hidden : r->first + from * hidden;
		const float *c = i > 0 ? r->kept + (before + 1) * keeps - hidden : r->first + last * hidden;
		const int64_t c_stride = i > 0 ? keeps : hidden;
		float *gates = r->gates + at * width, *hidden_gates = r->hidden_gates ? r->hidden_gates + at * width : gates;
		for (int64_t row = 0; row < rows; row++)
			j->form->back[r->cell](r->kept + (at + row) * keeps, h + row * hidden, c + row * c_stride, r->v + (at + row) * hidden, vh + row * hidden, vc + row * hidden,
				gates + row * width, hidden_gates + row * width, sums + row / UNIT * biases, hidden);
		multiply(j->form, hidden_gates, width, j->matrix, vh, rows, hidden, 1);
	}
}

// Runs a job in n parts, with a matrix of rows by columns, whose number at row i of column k is
// matrix[i*row + k*column].
static int run(job *j, int n, const float *matrix, int64_t row, int64_t column, int64_t rows, int64_t columns, int64_t scratch, void (*work)(void *, int), filters_loop *loop, void *pool) {
	j->parts = n < 1 ? 1 : n < j->units ? n : (int)j->units;
	j->rows = (j->units + j->parts - 1) / j->parts * UNIT;
	j->part_size = j->rows * scratch;
	size_t got;
	float *memory = (float *)memory_take((rows * columns + j->parts * j->part_size) * sizeof(float), &got);
	if (!memory) return 0;
	pack(matrix, row, column, rows, columns, j->form->panel, memory);
	j->matrix = memory;
	j->scratch = memory + rows * columns;
	loop(pool, j->parts, work, j);
	memory_give((char *)memory, got);
	return 1;
}

int recurrence_forward(const recurrence *r, int form, int n, filters_loop *loop, void *pool) {
	job j = {.r = r, .form = &forms[form], .units = recurrence_units(r->n)};
	const int64_t width = recurrence_gates(r->cell) * r->hidden;
	return run(&j, n, r->matrix, 1, r->hidden, r->hidden, width, width, forward, loop, pool);
}

int recurrence_gradient(const recurrence_back *r, int form, int n, filters_loop *loop, void *pool) {
	job j = {.back = r, .form = &forms[form], .units = recurrence_units(r->n)};
	return run(&j, n, r->matrix, r->hidden, 1, recurrence_gates(r->cell) * r->hidden, r->hidden, 0, gradient, loop, pool);
}
