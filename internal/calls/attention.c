// Each head of each sequence is by itself: its scores never leave the cache, and queries, keys
// and values are read where they stand, so that nothing is moved about in memory. The queries
// are taken in blocks, whose scores for all keys, and for the gradient those scores' gradients,
// are what is kept at a time. The gradient computes the probabilities again, which costs less
// than to write them down and read them.
#include "attention.h"
#include "memory.h"

#include <math.h>

#define FORM_FILE "attention_form.h"
#define ROWS_OTHER 6
#define ROWS_AVX512 8
#include "forms.h"
#define ENTRY(name) {name##_product, name##_softmax, name##_scores}

// form is what the rest needs to know of a form.
typedef struct {
	void (*product)(const float *a, int64_t row, int64_t column, const float *b, int64_t next, float *c, int64_t stride, int64_t m, int64_t n, int64_t k, int add);
	void (*softmax)(float *s, int64_t n, int64_t columns, float scale);
	void (*scores)(const float *p, float *v, int64_t columns, float scale);
} form_functions;

static const form_functions forms[FORMS] = FORMS_OF(ENTRY);

enum {
	BLOCK = 48,      // queries of a block, a multiple of each form's rows
	ONE_BLOCK = 96,  // up to so many are one block
	MOST_WIDTH = 16, // numbers of the longest vector
};

typedef struct {
	const attention *a;
	const form_functions *form;
	int parts;
	int64_t columns;   // of scores: the length, in whole vectors
	int64_t block;     // queries of a block
	float *scratch;    // of all parts
	int64_t part_size; // numbers of scratch for a part
} job;

// Writes rows of size numbers, next apart, as columns: [size, j->columns].
static void turn(const job *j, const float *rows, int64_t next, float *to) {
	const attention *a = j->a;
	for (int64_t d = 0; d < a->size; d++, to += j->columns) {
		for (int64_t i = 0; i < a->length; i++) to[i] = rows[i * next + d];
		for (int64_t i = a->length; i < j->columns; i++) to[i] = 0;
	}
}

// Computes one head of one sequence.
static void head(const job *j, int64_t sequence, int64_t h, float *scratch) {
	const attention *a = j->a;
	const form_functions *f = j->form;
	const int64_t size = a->size, one = a->heads * size, three = 3 * one, columns = j->columns;
	const float scale = 1 / sqrtf((float)size);
	const int64_t in = sequence * a->length * three + h * size, out = sequence * a->length * one + h * size;
	const float *q = a->in + in, *k = q + one, *v = k + one;
	float *turned_k = scratch, *turned_v = turned_k + size * columns, *p = turned_v + size * columns, *s = p + j->block * columns;
	turn(j, k, three, turned_k);
	if (a->v) turn(j, v, three, turned_v);
	for (int64_t from = 0; from < a->length; from += j->block) {
		int64_t rows = a->length - from < j->block ? a->length - from : j->block;
		int64_t keys = a->causal ? from + rows : a->length;
		int64_t wide = (keys + MOST_WIDTH - 1) / MOST_WIDTH * MOST_WIDTH;
		f->product(q + from * three, three, 1, turned_k, columns, p, columns, rows, wide, size, 0);
		for (int64_t i = 0; i < rows; i++) f->softmax(p + i * columns, a->causal ? from + i + 1 : keys, wide, scale);
		if (!a->v) {
			f->product(p, columns, 1, v, three, a->out + out + from * one, one, rows, size, keys, 0);
			continue;
		}
		const float *u = a->v + out + from * one;
		f->product(u, one, 1, turned_v, columns, s, columns, rows, wide, size, 0);
		for (int64_t i = 0; i < rows; i++) f->scores(p + i * columns, s + i * columns, wide, scale);
		float *for_q = a->out + in, *for_k = for_q + one, *for_v = for_k + one;
		f->product(s, columns, 1, k, three, for_q + from * three, three, rows, size, keys, 0);
		// The first block of queries that looks at a key sets its gradients, the others add.
		int64_t seen = a->causal || from == 0 ? from : keys;
		f->product(s, 1, columns, q + from * three, three, for_k, three, seen, size, rows, 1);
		f->product(p, 1, columns, u, one, for_v, three, seen, size, rows, 1);
		f->product(s + seen, 1, columns, q + from * three, three, for_k + seen * three, three, keys - seen, size, rows, 0);
		f->product(p + seen, 1, columns, u, one, for_v + seen * three, three, keys - seen, size, rows, 0);
	}
}

static void compute(void *data, int part) {
	const job *j = data;
	const int64_t all = j->a->sequences * j->a->heads;
	for (int64_t i = all * part / j->parts; i < all * (part + 1) / j->parts; i++)
		head(j, i / j->a->heads, i % j->a->heads, j->scratch + part * j->part_size);
}

int attention_compute(const attention *a, int form, int n, filters_loop *loop, void *pool) {
	const int64_t all = a->sequences * a->heads;
	job j = {.a = a, .form = &forms[form], .parts = n < 1 ? 1 : n < all ? n : (int)all};
	j.columns = (a->length + MOST_WIDTH - 1) / MOST_WIDTH * MOST_WIDTH;
	j.block = a->length <= ONE_BLOCK ? a->length : BLOCK;
	j.part_size = 2 * j.columns * (a->size + j.block);
	size_t got;
	char *memory = memory_take(j.parts * j.part_size * sizeof(float), &got);
	if (!memory) return 0;
	j.scratch = (float *)memory;
	loop(pool, j.parts, compute, &j);
	memory_give(memory, got);
	return 1;
}
