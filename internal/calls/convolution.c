// The convolution is a product of matrices: each place is a row, each channel of the output a
// column, and the sum goes over the points of a filter and the channels of the picture. The
// filters are copied into panels of two vectors of channels, so that a row of a panel is read
// as it lies. The picture is copied where it has padding or zeros between its points, and read
// where it is otherwise.
#include "convolution.h"
#include "memory.h"

#include <string.h>

#define FORM_FILE "convolution_form.h"
#define ROWS_OTHER 6
#define ROWS_AVX512 12
#include "forms.h"
#define ENTRY(name) {name##_width, name##_block_rows, name##_block}

static const struct {
	int width, rows;
	void (*block)(const float *x, const int64_t *at, int64_t rows, int64_t down, int64_t points, int64_t along, int64_t n, const float *w, float *y, int64_t apart);
} forms[FORMS] = FORMS_OF(ENTRY);

enum { MOST_ROWS = 12, MOST_COLUMNS = 32 };

typedef struct {
	const convolution *c;
	int form, parts;
	const float *x;     // the picture, or its copy
	int64_t seen[2];    // rows and points of it
	int64_t panels;     // of the filters
	int64_t length;     // rows of a panel: points of a filter times channels
	float *w, *copy;    // [panels, K, K, in, 2·width], and [N, seen, seen, in]
} job;

// Copies rows of the picture with its padding and zeros: some of them are a part's.
static void copy_picture(void *data, int part) {
	const job *j = data;
	const convolution *c = j->c;
	const int64_t all = c->images * j->seen[0], bytes = c->in * sizeof(float);
	for (int64_t r = all * part / j->parts; r < all * (part + 1) / j->parts; r++) {
		const int64_t image = r / j->seen[0], y = r % j->seen[0] - c->before[0];
		float *to = j->copy + r * j->seen[1] * c->in;
		if (y < 0 || y % c->spread[0] || y / c->spread[0] >= c->size[0]) {
			memset(to, 0, j->seen[1] * bytes);
			continue;
		}
		const float *from = c->x + (image * c->size[0] + y / c->spread[0]) * c->size[1] * c->in;
		if (c->spread[1] == 1) { // the points lie side by side
			const int64_t left = min(max(c->before[1], 0), j->seen[1]), cut = max(-c->before[1], 0), n = max(0, min(c->size[1] - cut, j->seen[1] - left));
			memset(to, 0, left * bytes);
			memcpy(to + left * c->in, from + cut * c->in, n * bytes);
			memset(to + (left + n) * c->in, 0, (j->seen[1] - left - n) * bytes);
			continue;
		}
		for (int64_t i = 0; i < j->seen[1]; i++, to += c->in) {
			const int64_t x = i - c->before[1];
			if (x < 0 || x % c->spread[1] || x / c->spread[1] >= c->size[1]) memset(to, 0, bytes);
			else memcpy(to, from + x / c->spread[1] * c->in, bytes);
		}
	}
}

// Copies filters into panels: some rows of each are a part's.
static void copy_filters(void *data, int part) {
	const job *j = data;
	const convolution *c = j->c;
	const int64_t columns = 2 * forms[j->form].width, taps = c->kernel[0] * c->kernel[1];
	const int64_t from = c->in * part / j->parts, to = c->in * (part + 1) / j->parts;
	const int64_t down = (c->first ? 1 : c->in) * taps, next = (c->first ? c->out : 1) * taps;
	for (int64_t p = 0; p < j->panels; p++) {
		const int64_t o = p * columns, n = min(columns, c->out - o);
		for (int64_t i = from; i < to; i++)
			for (int64_t tap = 0; tap < taps; tap++) {
				const float *w = c->w + o * down + i * next + (c->turned ? taps - 1 - tap : tap);
				float *at = j->w + ((p * taps + tap) * c->in + i) * columns;
				for (int64_t l = 0; l < n; l++) at[l] = w[l * down];
				for (int64_t l = n; l < columns; l++) at[l] = 0;
			}
	}
}

// Computes some blocks of places and channels.
static void compute(void *data, int part) {
	const job *j = data;
	const convolution *c = j->c;
	const int64_t columns = 2 * forms[j->form].width, rows = forms[j->form].rows;
	const int64_t places = c->images * c->places[0] * c->places[1], tiles = (places + rows - 1) / rows, all = j->panels * tiles;
	const int64_t pitch = j->seen[1] * c->in, spread = c->dilation[1] > 1;
	float y[MOST_ROWS * MOST_COLUMNS];
	for (int64_t b = all * part / j->parts; b < all * (part + 1) / j->parts; b++) {
		const int64_t panel = b / tiles, place = b % tiles * rows, o = panel * columns, n = min(columns, c->out - o);
		int64_t at[MOST_ROWS], beside = place % c->places[1], above = place / c->places[1] % c->places[0], image = place / c->places[1] / c->places[0];
		for (int64_t i = 0; i < rows; i++) { // beyond the last place, it once more
			at[i] = (image * j->seen[0] + above * c->stride[0]) * pitch + beside * c->stride[1] * c->in;
			if (place + i + 1 >= places || ++beside < c->places[1]) continue;
			beside = 0;
			if (++above < c->places[0]) continue;
			above = 0;
			image++;
		}
		float *to = c->y + place * c->out + o;
		const int whole = n == columns && place + rows <= places;
		forms[j->form].block(j->x, at, c->kernel[0], c->dilation[0] * pitch, spread ? c->kernel[1] : 1, c->dilation[1] * c->in,
			spread ? c->in : c->kernel[1] * c->in, j->w + panel * j->length * columns, whole ? to : y, whole ? c->out : columns);
		if (whole) continue;
		for (int64_t i = 0; i < min(rows, places - place); i++) memcpy(to + i * c->out, y + i * columns, n * sizeof(float));
	}
}

int convolution_compute(const convolution *c, int form, int n, filters_loop *loop, void *pool) {
	const int64_t columns = 2 * forms[form].width;
	job j = {.c = c, .form = form, .parts = n < 1 ? 1 : n, .x = c->x, .panels = (c->out + columns - 1) / columns, .length = c->kernel[0] * c->kernel[1] * c->in};
	int copied = 0;
	for (int i = 0; i < 2; i++) {
		j.seen[i] = (c->places[i] - 1) * c->stride[i] + (c->kernel[i] - 1) * c->dilation[i] + 1;
		copied |= c->before[i] || c->spread[i] > 1 || j.seen[i] > c->size[i];
	}
	if (!copied) j.seen[0] = c->size[0], j.seen[1] = c->size[1];
	const int64_t filters = j.panels * j.length * columns, picture = copied ? c->images * j.seen[0] * j.seen[1] * c->in : 0;
	size_t got;
	char *memory = memory_take((lines(filters) + picture) * sizeof(float), &got);
	if (!memory) return 0;
	j.w = (float *)memory;
	j.copy = j.w + lines(filters);
	if (copied) {
		j.x = j.copy;
		loop(pool, j.parts, copy_picture, &j);
	}
	loop(pool, j.parts, copy_filters, &j);
	loop(pool, j.parts, compute, &j);
	memory_give(memory, got);
	return 1;
}
