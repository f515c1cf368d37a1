// A vector has a channel's numbers at one point of as many images, so that each number of a
// filter is multiplied with the vectors of all pairs of points that it joins, and the filters
// are read once, in their order. At the edge of so small a picture a filter has more points
// outside than inside, which are left out.
#include "tiny.h"
#include "memory.h"

#include <string.h>

enum { AHEAD = 8 }; // channels of the sum whose filters are asked for early

#define FORM_FILE "tiny_form.h"
#define ROWS_OTHER 2
#define ROWS_AVX512 6
#include "forms.h"
#define ENTRY(name) {name##_width, name##_outputs, name##_block, name##_gradient}

static const struct {
	int width, outputs;
	void (*block)(int side, int rows, int turned, const float *x, const float *w, int64_t n, int64_t along, int64_t down, float *y);
	void (*gradient)(int side, int rows, const float *x, const float *v, int64_t n, float *y);
} forms[FORMS] = FORMS_OF(ENTRY);

enum { BLOCK = 12, TAPS = 9, MOST_WIDTH = 16, MOST_POINTS = 4, MOST_OUTPUTS = 2 };

typedef struct {
	const tiny *t;
	int form, parts;
	int64_t groups; // of images, a vector each
	float *x;       // [groups, in, points, width]
} job;

// Copies images into vectors: some channels are a part's.
static void copy_images(void *data, int part) {
	const job *j = data;
	const tiny *t = j->t;
	const int64_t points = t->side * t->side, width = forms[j->form].width;
	const int64_t from = t->in * part / j->parts, to = t->in * (part + 1) / j->parts;
	for (int64_t g = 0; g < j->groups; g++)
		for (int64_t p = 0; p < points; p++)
			for (int64_t l = 0; l < width; l++) {
				const int64_t image = g * width + l;
				const float *x = t->x + (image * points + p) * t->in;
				float *at = j->x + (g * t->in * points + p) * width + l;
				for (int64_t i = from; i < to; i++) at[i * points * width] = image < t->images ? x[i] : 0;
			}
}

// Computes some channels of the output.
static void compute(void *data, int part) {
	const job *j = data;
	const tiny *t = j->t;
	const int64_t points = t->side * t->side, width = forms[j->form].width, blocks = (t->out + BLOCK - 1) / BLOCK;
	const int64_t along = t->first ? t->out * TAPS : TAPS, down = t->first ? TAPS : t->in * TAPS;
	float y[BLOCK * MOST_POINTS * MOST_WIDTH];
	for (int64_t b = blocks * part / j->parts; b < blocks * (part + 1) / j->parts; b++) {
		const int64_t o = b * BLOCK, rows = min(BLOCK, t->out - o);
		for (int64_t g = 0; g < j->groups; g++) {
			forms[j->form].block((int)t->side, (int)rows, t->turned, j->x + g * t->in * points * width, t->w + o * down, t->in, along, down, y);
			for (int64_t l = 0; l < min(width, t->images - g * width); l++)
				for (int64_t p = 0; p < points; p++) {
					float *to = t->y + ((g * width + l) * points + p) * t->out + o;
					for (int64_t r = 0; r < rows; r++) to[r] = y[(r * points + p) * width + l];
				}
		}
	}
}

int tiny_compute(const tiny *t, int form, int n, filters_loop *loop, void *pool) {
	const int64_t width = forms[form].width;
	job j = {.t = t, .form = form, .parts = n < 1 ? 1 : n, .groups = (t->images + width - 1) / width};
	size_t got;
	char *memory = memory_take(j.groups * t->in * t->side * t->side * width * sizeof(float), &got);
	if (!memory) return 0;
	j.x = (float *)memory;
	loop(pool, j.parts, copy_images, &j);
	loop(pool, j.parts, compute, &j);
	memory_give(memory, got);
	return 1;
}

int tiny_fits(const filters *f) {
	int fits = f->size[0] <= 2 && f->size[1] == f->size[0];
	for (int i = 0; i < 2; i++)
		fits = fits && f->places[i] == f->size[i] && f->kernel[i] == 3 && f->stride[i] == 1 && f->dilation[i] == 1 && f->before[i] == 1;
	return fits;
}

typedef struct {
	const filters *f;
	int form, parts;
	float *v;         // [out, images, points]
	float *x;         // of each part, [images, points, width]
	int64_t num_v, num_x; // numbers of v, and of x of a part
} gradient_job;

// Copies v: some channels are a part's.
static void copy_outputs(void *data, int part) {
	const gradient_job *j = data;
	const filters *f = j->f;
	const int64_t places = f->images * f->places[0] * f->places[1];
	for (int64_t o = f->out * part / j->parts; o < f->out * (part + 1) / j->parts; o++)
		for (int64_t p = 0; p < places; p++) j->v[o * places + p] = f->v[p * f->out + o];
}

// Computes the gradients for some channels of x.
static void compute_gradient(void *data, int part) {
	const gradient_job *j = data;
	const filters *f = j->f;
	const int64_t width = forms[j->form].width, places = f->images * f->places[0] * f->places[1], blocks = (f->in + width - 1) / width;
	float *x = j->x + part * j->num_x, y[MOST_OUTPUTS * TAPS * MOST_WIDTH];
	for (int64_t b = blocks * part / j->parts; b < blocks * (part + 1) / j->parts; b++) {
		const int64_t i = b * width, n = min(width, f->in - i);
		for (int64_t p = 0; p < places; p++) {
			memcpy(x + p * width, f->x + p * f->in + i, n * sizeof(float));
			if (n < width) memset(x + p * width + n, 0, (width - n) * sizeof(float));
		}
		for (int64_t o = 0, rows; o < f->out; o += rows) {
			rows = o + forms[j->form].outputs <= f->out ? forms[j->form].outputs : 1;
			forms[j->form].gradient((int)f->size[0], (int)rows, x, j->v + o * places, f->images, y);
			for (int64_t r = 0; r < rows; r++) {
				float *to = f->gradient + ((o + r) * f->in + i) * TAPS;
				for (int64_t l = 0; l < n; l++)
					for (int64_t t = 0; t < TAPS; t++) *to++ = y[(r * TAPS + t) * width + l];
			}
		}
	}
}

int tiny_gradient(const filters *f, int form, int n, filters_loop *loop, void *pool) {
	const int64_t places = f->images * f->places[0] * f->places[1];
	gradient_job j = {.f = f, .form = form, .parts = n < 1 ? 1 : n};
	j.num_v = lines(places * f->out);
	j.num_x = places * forms[form].width;
	size_t got;
	char *memory = memory_take((j.num_v + j.parts * j.num_x) * sizeof(float), &got);
	if (!memory) return 0;
	j.v = (float *)memory;
	j.x = j.v + j.num_v;
	loop(pool, j.parts, copy_outputs, &j);
	loop(pool, j.parts, compute_gradient, &j);
	memory_give(memory, got);
	return 1;
}
