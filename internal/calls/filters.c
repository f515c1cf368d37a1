// The gradient for the filters is a product of matrices: each point and channel of a
// filter is a row, each channel of the output a column, and the sum goes over all
// places of all images. Neither matrix is written down as a whole. The places are
// taken in chunks of some rows of v; for each, the rows of a group of blocks are
// copied out of the picture so that they lie side by side, and stay in the second
// cache, while a panel of columns, which stays in the first, is multiplied with all of
// them. In a row of the picture the points of a filter's row are side by side, with
// all their channels, so that a block is a stretch of it and may cross points.
#include "filters.h"
#include "memory.h"

#include <string.h>

#define FORM(name) portable_##name
#define TARGET
#define WIDTH 4
#define ROWS 6
#include "form.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define FORM(name) avx2_##name
#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 8
#define ROWS 6
#include "form.h"

#define FORM(name) avx512_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma,prefer-vector-width=512")))
#define WIDTH 16
#define ROWS 12
#include "form.h"
#endif

// form is what the rest needs to know of a form.
static const struct {
	int width, rows;
	void (*block)(int rows, const float *a, const float *b, int64_t k, float *c, int64_t stride, int first);
} forms[FORMS] = {
	[FORM_PORTABLE] = {4, 6, portable_block},
#if defined(__x86_64__) && defined(__GNUC__)
	[FORM_AVX2] = {8, 6, avx2_block},
	[FORM_AVX512] = {16, 12, avx512_block},
#endif
};

int filters_has(int form) {
	if (form == FORM_PORTABLE) return 1;
#if defined(__x86_64__) && defined(__GNUC__)
	__builtin_cpu_init();
	if (form == FORM_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	if (form == FORM_AVX512) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#endif
	return 0;
}

int filters_best(void) {
	int form = FORMS - 1;
	while (!filters_has(form)) form--;
	return form;
}

enum {
	MOST_ROWS = 12,
	GROUP = 16,   // blocks that are copied together
	PANEL = 4096, // numbers of a panel of columns, which is half of a first cache
	SPARE = 16,   // numbers that a copy of a block may write too much
	LINE = 16,    // numbers of a line of the cache
};

// block is a stretch of a row of filters.
typedef struct {
	int64_t row;    // the first of its rows of the sum
	int64_t above;  // the row of the picture, from that of the place
	int64_t offset; // the number in it, from that of the place
	int rows;
} block;

typedef struct {
	const filters *f;
	int form, parts;
	block *blocks;
	int64_t num_blocks;
	int64_t stride;    // of the sum's rows
	int64_t most;      // places of a chunk
	float *sum;        // [K·K·I, stride]
	float *scratch;    // of all parts
	int64_t part_size; // numbers of scratch for a part
} job;

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

// Copies n numbers from each of some places of a row, which has limit numbers.
static float *copy_slowly(const float *row, int64_t at, int64_t step, int64_t limit, int64_t places, int64_t n, float *a) {
	for (; places > 0; places--, at += step)
		for (int64_t i = 0; i < n; i++) *a++ = at + i >= 0 && at + i < limit ? row[at + i] : 0;
	return a;
}

// Copies the numbers of a block at all places of some rows of v, rows from to to of all
// images: [places, rows of the block]. What lies outside of the picture is 0.
static float *copy_block(const job *j, const block *b, int64_t from, int64_t to, float *a) {
	const filters *f = j->f;
	const int64_t limit = f->size[1] * f->in, step = f->stride[1] * f->in, n = b->rows, places = f->places[1];
	const int64_t copied = j->form == FORM_AVX512 ? 16 : 8;
	// The places from inside to beyond read what is in the row, though a copy is longer
	// than the block.
	int64_t inside = min(places, b->offset < 0 ? (-b->offset + step - 1) / step : 0);
	int64_t beyond = limit - copied < b->offset ? inside : min(places, (limit - copied - b->offset) / step + 1);
	if (beyond < inside) beyond = inside;
	for (int64_t r = from; r < to; r++) {
		int64_t image = r / f->places[0], y = (r % f->places[0]) * f->stride[0] + b->above;
		if (y < 0 || y >= f->size[0]) {
			memset(a, 0, places * n * sizeof(float));
			a += places * n;
			continue;
		}
		const float *row = f->x + (image * f->size[0] + y) * limit;
		a = copy_slowly(row, b->offset, step, limit, inside, n, a);
		const float *at = row + b->offset + inside * step;
		if (copied == 16)
			for (int64_t w = inside; w < beyond; w++, at += step, a += n) memcpy(a, at, 16 * sizeof(float));
		else
			for (int64_t w = inside; w < beyond; w++, at += step, a += n) memcpy(a, at, 8 * sizeof(float));
		a = copy_slowly(row, b->offset + beyond * step, step, limit, places - beyond, n, a);
	}
	return a;
}

// Copies k rows of v as panels of two vectors of columns: [panels, k, 2·width].
static void copy_panels(const job *j, int64_t first, int64_t k, float *b) {
	const filters *f = j->f;
	const int64_t columns = 2 * forms[j->form].width;
	const float *v = f->v + first * f->out;
	for (int64_t o = 0; o < f->out; o += columns) {
		int64_t n = min(columns, f->out - o);
		for (int64_t i = 0; i < k; i++, b += columns) {
			if (n == 8) memcpy(b, v + i * f->out + o, 8 * sizeof(float));
			else if (n == 16) memcpy(b, v + i * f->out + o, 16 * sizeof(float));
			else if (n == 32) memcpy(b, v + i * f->out + o, 32 * sizeof(float));
			else memcpy(b, v + i * f->out + o, n * sizeof(float));
			if (n < columns) memset(b + n, 0, (columns - n) * sizeof(float));
		}
	}
}

// Computes the rows of the sum that are a part's.
static void compute(void *data, int part) {
	const job *j = data;
	const filters *f = j->f;
	const int64_t columns = 2 * forms[j->form].width, w = f->places[1], all = f->images * f->places[0], rows = j->most / w;
	const int64_t from = j->num_blocks * part / j->parts, to = j->num_blocks * (part + 1) / j->parts;
	float *b = j->scratch + part * j->part_size, *a = b + j->most * j->stride;
	for (int64_t r = 0; r < all; r += rows) {
		int64_t end = min(all, r + rows), k = (end - r) * w;
		copy_panels(j, r * w, k, b);
		for (int64_t first = from; first < to; first += GROUP) {
			int64_t last = min(to, first + GROUP);
			float *next = a;
			for (int64_t i = first; i < last; i++) next = copy_block(j, &j->blocks[i], r, end, next);
			for (int64_t o = 0; o < j->stride; o += columns) {
				const float *under = a;
				for (int64_t i = first; i < last; i++) {
					const block *at = &j->blocks[i];
					forms[j->form].block(at->rows, under, b + o * k, k, j->sum + at->row * j->stride + o, j->stride, r == 0);
					under += at->rows * k;
				}
			}
		}
	}
}

// Turns the sum, [K·K I O], into the gradient, [O I K·K]: some outputs are a part's.
static void turn(void *data, int part) {
	const job *j = data;
	const filters *f = j->f;
	const int64_t taps = f->kernel[0] * f->kernel[1], lines = (f->out + LINE - 1) / LINE;
	for (int64_t line = lines * part / j->parts; line < lines * (part + 1) / j->parts; line++) {
		const int64_t o = line * LINE, n = min(LINE, f->out - o);
		for (int64_t i = 0; i < f->in; i++)
			for (int64_t tap = 0; tap < taps; tap++) {
				const float *from = j->sum + (tap * f->in + i) * j->stride + o;
				float *to = f->gradient + (o * f->in + i) * taps + tap;
				for (int64_t c = 0; c < n; c++) to[c * f->in * taps] = from[c];
			}
	}
}

// Cuts a stretch of a row of filters into blocks of about the same size.
static int64_t cut(block *to, int64_t count, int64_t row, int64_t above, int64_t offset, int64_t length, int most) {
	int64_t n = (length + most - 1) / most;
	for (int64_t i = 0; i < n; i++) {
		int64_t from = length * i / n;
		to[count++] = (block){row + from, above, offset + from, (int)(length * (i + 1) / n - from)};
	}
	return count;
}

int filters_gradient(const filters *f, int form, int n, filters_loop *loop, void *pool) {
	const int64_t columns = 2 * forms[form].width;
	const int most = forms[form].rows;
	const int64_t length = f->kernel[1] * f->in;
	job j = {.f = f, .form = form, .stride = (f->out + columns - 1) / columns * columns};
	int64_t w = f->places[1];
	j.most = PANEL / columns / w * w;
	if (j.most < w) j.most = w;
	int64_t rows = f->images * f->places[0];
	if (j.most > rows * w) j.most = rows * w;
	int64_t blocks = f->kernel[0] * (f->dilation[1] == 1 ? (length + most - 1) / most : f->kernel[1] * ((f->in + most - 1) / most));
	j.parts = n < 1 ? 1 : n < blocks ? n : (int)blocks;
	j.part_size = (j.most * j.stride + (int64_t)GROUP * most * j.most + SPARE + LINE - 1) / LINE * LINE;
	size_t sums = (size_t)f->kernel[0] * length * j.stride;
	size_t size = (sums + j.parts * j.part_size) * sizeof(float) + blocks * sizeof(block), got;
	char *memory = memory_take(size, &got);
	if (!memory) return 0;
	j.sum = (float *)memory;
	j.scratch = j.sum + sums;
	j.blocks = (block *)(j.scratch + j.parts * j.part_size);
	for (int64_t y = 0; y < f->kernel[0]; y++) {
		int64_t above = y * f->dilation[0] - f->before[0], left = -f->before[1] * f->in;
		if (f->dilation[1] == 1) {
			j.num_blocks = cut(j.blocks, j.num_blocks, y * length, above, left, length, most);
			continue;
		}
		for (int64_t x = 0; x < f->kernel[1]; x++)
			j.num_blocks = cut(j.blocks, j.num_blocks, y * length + x * f->in, above, left + x * f->dilation[1] * f->in, f->in, most);
	}
	loop(pool, j.parts, compute, &j);
	loop(pool, j.parts, turn, &j);
	memory_give(memory, got);
	return 1;
}
