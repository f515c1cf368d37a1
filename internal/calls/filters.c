// The gradient for the filters is a product of matrices: each point and channel of a
// filter is a row, each channel of the output a column, and the sum goes over all
// places of all images. Neither matrix is written down. The rows are cut into blocks of
// channels that lie side by side in the picture, so that a block is read where it is. A
// block of one point leaves out the places at which the point lies outside of the picture.
// Where there are few channels a block goes on to the next point, and the rows of the
// picture are copied first with zeros at their ends.
//
// The images are cut into segments, each with a sum of its own, so that what threads read
// is read once. The places of a segment are taken in chunks of some rows of v, whose
// numbers stay in the first cache while all blocks are multiplied with them.
#include "filters.h"
#include "memory.h"
#include "tiny.h"

#include <string.h>

// stretch is what a block of rows of the sum is computed from: lines rows of v, the first of
// which is row y of an image.
typedef struct {
	const float *x; // of the first image, at the first place that counts
	const float *v; // likewise, in the first line
	int64_t lines, line;     // numbers from one line of v to the next
	int64_t places, columns; // places that count in a line, and numbers from one to the next
	int64_t image, y, rows;  // rows of v in an image
	int64_t height, pitch;   // rows of the picture, and numbers from one to the next
	int64_t step;            // numbers in x from one place to the next
	int64_t down, above;     // row y of v looks at row y·down + above
} stretch;

#define FORM_FILE "filters_form.h"
#define ROWS_OTHER 6
#define ROWS_AVX512 12
#include "forms.h"
#define ENTRY(name) {name##_width, name##_block_rows, name##_block}

// form is what the rest needs to know of a form.
static const struct {
	int width, rows;
	void (*block)(int rows, const stretch *s, float *c, int64_t stride, int first);
} forms[FORMS] = FORMS_OF(ENTRY);

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
	PANEL = 4096,   // numbers of v that stay in the first cache
	NEAR = 64,      // columns of v up to which its panels are read where they are
	FEW = 8,        // channels below which a block goes on to the next point
	APART = 128,    // channels of which a multiple puts the points of a picture into few sets of the cache
	COPY = 1 << 23, // numbers of such pictures that are copied, at most
	MANY = 512,     // products for each number of the picture from which on a copy is worth it
	SEGMENTS = 8,   // into which the images are cut, at most
	SUMS = 1 << 19, // numbers of all segments' sums, at most, where there are several
};

// block is some rows of the sum.
typedef struct {
	int64_t row;      // the first of them
	int64_t above;    // the row of the picture, from that of the place
	int64_t offset;   // the number in it, from that of the place
	int64_t from, to; // the places of a row that count
	int rows;
} block;

typedef struct {
	const filters *f;
	int form;
	int segments, parts; // parts of the blocks for each segment
	const float *x;
	int64_t pitch, point; // numbers from one row of the picture to the next, and from one point
	block *blocks;
	int64_t num_blocks;
	int64_t stride;   // of the sums' rows
	int64_t sum_size; // numbers of a sum
	int64_t chunk;    // rows of v
	float *sums, *copy;
	float *panels; // of all segments and parts, where they are copied
	int64_t panel_size;
} job;

// Copies rows of the picture with zeros at both ends, or with a line of the cache between its
// points: some of them are a part's.
static void copy_picture(void *data, int part) {
	const job *j = data;
	const filters *f = j->f;
	const int64_t all = f->images * f->size[0], width = f->size[1] * f->in, left = min(f->before[1] * f->in, j->pitch);
	const int64_t copied = min(width, j->pitch - left);
	for (int64_t r = all * part / SEGMENTS; r < all * (part + 1) / SEGMENTS; r++) {
		float *to = j->copy + r * j->pitch;
		if (j->point != f->in) {
			for (int64_t i = 0; i < f->size[1]; i++, to += j->point) memcpy(to, f->x + r * width + i * f->in, f->in * sizeof(float));
			continue;
		}
		memset(to, 0, left * sizeof(float));
		memcpy(to + left, f->x + r * width, copied * sizeof(float));
		memset(to + left + copied, 0, (j->pitch - left - copied) * sizeof(float));
	}
}

// Copies k places of v as panels of two vectors of columns: [panels, k, 2·width].
static void copy_panels(const job *j, const float *v, int64_t k, float *b) {
	const filters *f = j->f;
	const int64_t columns = 2 * forms[j->form].width;
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

// Computes some rows of the sum of a segment.
static void compute(void *data, int turn) {
	const job *j = data;
	const filters *f = j->f;
	const int segment = turn / j->parts, part = turn % j->parts;
	const int64_t columns = 2 * forms[j->form].width, w = f->places[1], all = f->images * f->places[0];
	const int64_t begin = all * segment / j->segments, end = all * (segment + 1) / j->segments;
	const int64_t from = j->num_blocks * part / j->parts, to = j->num_blocks * (part + 1) / j->parts;
	float *sum = j->sums + segment * j->sum_size, *panels = j->panels ? j->panels + turn * j->panel_size : 0;
	stretch s = {.rows = f->places[0], .height = f->size[0], .pitch = j->pitch, .step = f->stride[1] * j->point, .down = f->stride[0]};
	for (int64_t r = begin; r < end; r += j->chunk) {
		const float *v = f->v + r * w * f->out;
		int64_t next = columns, k = min(j->chunk, end - r) * w;
		s.lines = min(j->chunk, end - r);
		s.image = r / f->places[0];
		s.y = r % f->places[0];
		s.columns = f->out;
		if (panels) {
			copy_panels(j, v, k, panels);
			v = panels;
			s.columns = columns;
			next = k * columns;
		}
		s.line = w * s.columns;
		for (int64_t o = 0; o < j->stride; o += columns, v += next)
			for (int64_t i = from; i < to; i++) {
				const block *b = &j->blocks[i];
				s.x = j->x + b->offset + b->from * s.step;
				s.v = v + b->from * s.columns;
				s.places = b->to - b->from;
				s.above = b->above;
				forms[j->form].block(b->rows, &s, sum + b->row * j->stride + o, j->stride, r == begin);
			}
	}
}

// Adds the sums, [K·K I O], and turns them into the gradient, [O I K·K]: some outputs are a
// part's.
static void turn(void *data, int part) {
	const job *j = data;
	const filters *f = j->f;
	const int64_t taps = f->kernel[0] * f->kernel[1], lines = (f->out + LINE - 1) / LINE, parts = (int64_t)j->segments * j->parts;
	for (int64_t line = lines * part / parts; line < lines * (part + 1) / parts; line++) {
		const int64_t o = line * LINE, n = min(LINE, f->out - o);
		for (int64_t i = 0; i < f->in; i++)
			for (int64_t tap = 0; tap < taps; tap++) {
				const float *from = j->sums + (tap * f->in + i) * j->stride + o;
				float *to = f->gradient + (o * f->in + i) * taps + tap, sum[LINE];
				memcpy(sum, from, n * sizeof(float));
				for (int s = 1; s < j->segments; s++)
					for (int64_t c = 0; c < n; c++) sum[c] += from[s * j->sum_size + c];
				for (int64_t c = 0; c < n; c++) to[c * f->in * taps] = sum[c];
			}
	}
}

// Cuts rows of the sum that lie side by side in the picture into blocks of about the same
// size.
static int64_t cut(block *to, int64_t count, block whole, int64_t length, int most) {
	int64_t n = (length + most - 1) / most;
	for (int64_t i = 0; i < n; i++) {
		int64_t from = length * i / n;
		block *b = &to[count++];
		*b = whole;
		b->row += from;
		b->offset += from;
		b->rows = (int)(length * (i + 1) / n - from);
	}
	return count;
}

int filters_gradient(const filters *f, int form, int n, filters_loop *loop, void *pool) {
	if (tiny_fits(f)) return tiny_gradient(f, form, n, loop, pool);
	const int64_t columns = 2 * forms[form].width, taps = f->kernel[0] * f->kernel[1], w = f->places[1];
	const int most = forms[form].rows;
	const int padded = f->in < FEW && f->kernel[1] > 1 && f->dilation[1] == 1 && f->before[1] >= 0;
	job j = {.f = f, .form = form, .x = f->x, .pitch = f->size[1] * f->in, .point = f->in, .stride = (f->out + columns - 1) / columns * columns};
	const int64_t length = f->kernel[1] * f->in, at_once = padded ? length : f->in;
	const int64_t most_blocks = taps * f->in / at_once * ((at_once + most - 1) / most);
	j.sum_size = lines(taps * f->in * j.stride);
	j.segments = (int)max(1, min(min(SEGMENTS, SUMS / j.sum_size), f->images));
	j.parts = (int)min((SEGMENTS + j.segments - 1) / j.segments, most_blocks);
	j.chunk = max(1, PANEL / columns / w);
	int64_t panels = f->out % columns || f->out > NEAR ? lines(j.chunk * w * j.stride) : 0, rows = 0;
	if (padded) {
		j.pitch = ((w - 1) * f->stride[1] + f->kernel[1]) * f->in;
	} else if (f->in % APART == 0 && taps * f->out >= MANY && f->images * f->size[0] * f->size[1] * (f->in + LINE) <= COPY) {
		j.point += LINE;
		j.pitch = f->size[1] * j.point;
	}
	const int copied = padded || j.point != f->in;
	if (copied) rows = lines(f->images * f->size[0] * j.pitch);
	const int64_t numbers = j.segments * j.sum_size + rows + j.segments * j.parts * panels;
	size_t got;
	char *memory = memory_take(numbers * sizeof(float) + most_blocks * sizeof(block), &got);
	if (!memory) return 0;
	j.sums = (float *)memory;
	j.copy = j.sums + j.segments * j.sum_size;
	j.panels = panels ? j.copy + rows : 0;
	j.panel_size = panels;
	j.blocks = (block *)(j.sums + numbers);
	for (int64_t y = 0; y < f->kernel[0]; y++) {
		block b = {.row = y * length, .above = y * f->dilation[0] - f->before[0], .to = w};
		if (padded) {
			j.num_blocks = cut(j.blocks, j.num_blocks, b, length, most);
			continue;
		}
		for (int64_t x = 0; x < f->kernel[1]; x++, b.row += f->in) {
			int64_t beside = x * f->dilation[1] - f->before[1];
			b.offset = beside * j.point;
			b.from = beside < 0 ? (-beside + f->stride[1] - 1) / f->stride[1] : 0;
			b.to = beside < f->size[1] ? min(w, (f->size[1] - beside - 1) / f->stride[1] + 1) : 0;
			if (b.to < b.from) b.to = b.from;
			j.num_blocks = cut(j.blocks, j.num_blocks, b, f->in, most);
		}
	}
	if (copied) {
		j.x = j.copy;
		loop(pool, SEGMENTS, copy_picture, &j);
	}
	loop(pool, j.segments * j.parts, compute, &j);
	loop(pool, j.segments * j.parts, turn, &j);
	memory_give(memory, got);
	return 1;
}
