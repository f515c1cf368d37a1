// A vector has a channel's numbers at one point of as many images, so that each number of a
// filter is multiplied with the vectors of all pairs of points that it joins, and the filters
// are read once, in their order. At the edge of so small a picture a filter has more points
// outside than inside, which are left out.
#include "tiny.h"
#include "memory.h"

#include <string.h>

enum { AHEAD = 8 }; // channels of the sum whose filters are asked for early

#define FORM(name) portable_##name
#define TARGET
#define WIDTH 4
#define ROWS 2
#include "tiny_form.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define FORM(name) avx2_##name
#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 8
#define ROWS 2
#include "tiny_form.h"

#define FORM(name) avx512_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma,prefer-vector-width=512")))
#define WIDTH 16
#define ROWS 6
#include "tiny_form.h"
#endif

static const struct {
	int width;
	void (*block)(int side, int rows, const float *x, const float *w, int64_t n, int64_t along, int64_t down, float *y);
} forms[FORMS] = {
	[FORM_PORTABLE] = {4, portable_block},
#if defined(__x86_64__) && defined(__GNUC__)
	[FORM_AVX2] = {8, avx2_block},
	[FORM_AVX512] = {16, avx512_block},
#endif
};

enum { BLOCK = 12, TAPS = 9, MOST_WIDTH = 16, MOST_POINTS = 4 };

typedef struct {
	const tiny *t;
	int form, parts;
	int64_t groups; // of images, a vector each
	float *x;       // [groups, in, points, width]
} job;

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

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
			forms[j->form].block((int)t->side, (int)rows, j->x + g * t->in * points * width, t->w + o * down, t->in, along, down, y);
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
