// The functions as calls of XLA's programs, by the plugin's interface for functions of
// others (XLA's FFI, version 0.1). Only the heads of its structures stand here, which
// dl/internal/xla's TestOneDNN runs with the plugin.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "attention.h"
#include "call.h"
#include "convolution.h"
#include "matrix.h"
#include "recurrence.h"
#include "tiny.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sched.h>
#endif
#include <unistd.h>

typedef struct extension { size_t struct_size; int type; struct extension *next; } extension;
enum { METADATA = 1, EXECUTE = 3, FLOAT32 = 11, INT32 = 4, INVALID_ARGUMENT = 3, RESOURCE_EXHAUSTED = 8 };

typedef struct { size_t struct_size; void *extensions; int dtype; void *data; int64_t rank; int64_t *dims; } buffer;
typedef struct { size_t struct_size; void *extensions; int64_t size; int *types; buffer **buffers; } buffers;
typedef struct { size_t struct_size; void *extensions; int major, minor; } version;
typedef struct { size_t struct_size; version version; uint32_t traits; } metadata;
typedef struct { extension head; metadata *metadata; } metadata_extension;
typedef struct { size_t struct_size; void *extensions; const char *message; int code; } error_args;
typedef struct { size_t struct_size; void *extensions; void *error; } destroy_args;
typedef struct { size_t struct_size; void *extensions; void *context; void (*task)(void *); void *data; } schedule_args;

typedef struct {
	size_t struct_size; void *extensions;
	version version;
	void *internal;
	void *(*error_create)(error_args *);
	void *error_message;
	void (*error_destroy)(destroy_args *);
	void *handler_register, *stream_get, *type_register, *context_get, *state_set, *state_get, *allocate, *release;
	void *(*schedule)(schedule_args *);
} functions;

typedef struct {
	size_t struct_size; extension *extensions;
	const functions *api;
	void *context;
	int stage;
	buffers args, results;
} frame;

// A loop whose turns the caller and threads of XLA's take, whoever comes first. A
// thread may come when all is over, so that the last one to leave frees it.
typedef struct {
	pthread_mutex_t lock;
	pthread_cond_t over;
	int next, n, done, users;
	void (*work)(void *data, int i);
	void *data;
} turns;

static void leave(turns *t) {
	pthread_mutex_lock(&t->lock);
	int users = --t->users;
	pthread_mutex_unlock(&t->lock);
	if (users) return;
	pthread_cond_destroy(&t->over);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static void take_turns(turns *t) {
	pthread_mutex_lock(&t->lock);
	while (t->next < t->n) {
		int i = t->next++;
		pthread_mutex_unlock(&t->lock);
		t->work(t->data, i);
		pthread_mutex_lock(&t->lock);
		if (++t->done == t->n) pthread_cond_broadcast(&t->over);
	}
	pthread_mutex_unlock(&t->lock);
}

static void help(void *data) {
	take_turns(data);
	leave(data);
}

// Returns how many processors the process may use.
static int processors(void) {
#ifdef __linux__
	cpu_set_t set;
	if (!sched_getaffinity(0, sizeof set, &set)) return CPU_COUNT(&set);
#endif
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : (int)n;
}

static void in_threads(void *pool, int n, void (*work)(void *data, int i), void *data) {
	const frame *f = pool;
	int helpers = processors();
	if (helpers > n) helpers = n;
	helpers--;
	turns *t = helpers > 0 ? malloc(sizeof *t) : 0;
	if (!t) {
		for (int i = 0; i < n; i++) work(data, i);
		return;
	}
	*t = (turns){.n = n, .users = 1, .work = work, .data = data};
	pthread_mutex_init(&t->lock, 0);
	pthread_cond_init(&t->over, 0);
	for (int i = 0; i < helpers; i++) {
		pthread_mutex_lock(&t->lock);
		t->users++;
		pthread_mutex_unlock(&t->lock);
		schedule_args s = {sizeof s, 0, f->context, help, t};
		void *error = f->api->schedule(&s);
		if (!error) continue;
		// There are no threads: the caller takes all turns.
		destroy_args d = {sizeof d, 0, error};
		f->api->error_destroy(&d);
		leave(t);
		break;
	}
	take_turns(t);
	pthread_mutex_lock(&t->lock);
	while (t->done < t->n) pthread_cond_wait(&t->over, &t->lock);
	pthread_mutex_unlock(&t->lock);
	leave(t);
}

static void *fail(const frame *f, const char *message, int code) {
	error_args e = {offsetof(error_args, code) + sizeof e.code, 0, message, code};
	return f->api->error_create(&e);
}

// Answers what the interface asks of a handler before it is run, and returns whether it did.
static int described(frame *f) {
	if (!f->extensions || f->extensions->type != METADATA) return 0;
	metadata *m = ((metadata_extension *)f->extensions)->metadata;
	m->version.major = 0;
	m->version.minor = 1;
	m->traits = 0;
	return 1;
}

// Returns into how many parts to cut what all processors share, so that one that comes late
// takes less.
static int parts(void) {
	int n = processors();
	return n > 1 ? 4 * n : 1;
}

// Returns into how many parts to cut some work: one where to wake another thread takes as long.
static int parts_for(double work, double least) { return work < least ? 1 : parts(); }

// The operands are x [N H W I], v [N h w O] and int32 numbers: stride, dilation, and
// padding above and left, of height and width each. The result is [O I K K].
void *filters_call(void *p) {
	frame *f = p;
	if (described(f) || f->stage != EXECUTE) return 0;
	if (f->args.size != 3 || f->results.size != 1) return fail(f, "holt: the filters' gradient has other operands", INVALID_ARGUMENT);
	buffer *x = f->args.buffers[0], *v = f->args.buffers[1], *w = f->args.buffers[2], *g = f->results.buffers[0];
	if (x->rank != 4 || v->rank != 4 || g->rank != 4 || w->rank != 1 || w->dims[0] != 6 || x->dtype != FLOAT32 || v->dtype != FLOAT32 || g->dtype != FLOAT32 ||
		w->dtype != INT32 || x->dims[0] != v->dims[0] || g->dims[0] != v->dims[3] || g->dims[1] != x->dims[3])
		return fail(f, "holt: the filters' gradient has operands of other shapes", INVALID_ARGUMENT);
	const int32_t *n = w->data;
	filters c = {
		.x = x->data, .v = v->data, .gradient = g->data, .images = x->dims[0], .size = {x->dims[1], x->dims[2]}, .in = x->dims[3],
		.places = {v->dims[1], v->dims[2]}, .out = v->dims[3], .kernel = {g->dims[2], g->dims[3]}, .stride = {n[0], n[1]}, .dilation = {n[2], n[3]}, .before = {n[4], n[5]},
	};
	if (!filters_gradient(&c, filters_best(), parts(), in_threads, f)) return fail(f, "holt: no memory for the filters' gradient", RESOURCE_EXHAUSTED);
	return 0;
}

// The operands are the input [N L 3·H D], for the gradient the output's [N L H D], and an int32
// number that is not 0 where each place looks at those up to its own. The result is [N L H D],
// or the gradient of the input.
void *attention_call(void *p) {
	frame *f = p;
	if (described(f) || f->stage != EXECUTE) return 0;
	const int gradient = f->args.size == 3;
	if (f->args.size != 2 && !gradient || f->results.size != 1) return fail(f, "holt: attention has other operands", INVALID_ARGUMENT);
	buffer *in = f->args.buffers[0], *v = gradient ? f->args.buffers[1] : 0, *causal = f->args.buffers[f->args.size - 1], *out = f->results.buffers[0];
	buffer *smaller = gradient ? v : out, *larger = gradient ? out : in;
	int right = in->rank == 4 && smaller->rank == 4 && larger->rank == 4 && causal->rank == 1 && causal->dims[0] == 1 && causal->dtype == INT32 &&
		in->dtype == FLOAT32 && out->dtype == FLOAT32 && smaller->dtype == FLOAT32 && in->dims[2] == 3 * smaller->dims[2] && in->dims[3] % 16 == 0;
	for (int i = 0; right && i < 4; i++) right = larger->dims[i] == in->dims[i] && (i == 2 || smaller->dims[i] == in->dims[i]);
	if (!right) return fail(f, "holt: attention has operands of other shapes", INVALID_ARGUMENT);
	attention a = {
		.in = in->data, .v = v ? v->data : 0, .out = out->data, .sequences = in->dims[0], .length = in->dims[1], .heads = smaller->dims[2], .size = in->dims[3],
		.causal = *(const int32_t *)causal->data,
	};
	if (!attention_compute(&a, filters_best(), parts(), in_threads, f)) return fail(f, "holt: no memory for attention", RESOURCE_EXHAUSTED);
	return 0;
}

// The operands are x [N S S I], filters [O I 3 3], and int32 numbers: one that is not 0 where the
// sum goes over their first axis, as if they were [I O 3 3], and one that is not 0 where they are
// turned by half a turn. The result is [N S S O]. S is 1 or 2.
void *tiny_call(void *p) {
	frame *f = p;
	if (described(f) || f->stage != EXECUTE) return 0;
	if (f->args.size != 3 || f->results.size != 1) return fail(f, "holt: a convolution has other operands", INVALID_ARGUMENT);
	buffer *x = f->args.buffers[0], *w = f->args.buffers[1], *numbers = f->args.buffers[2], *y = f->results.buffers[0];
	if (x->rank != 4 || w->rank != 4 || y->rank != 4 || numbers->rank != 1 || numbers->dims[0] != 2 || x->dtype != FLOAT32 || w->dtype != FLOAT32 || y->dtype != FLOAT32 ||
		numbers->dtype != INT32)
		return fail(f, "holt: a convolution has operands of other types", INVALID_ARGUMENT);
	const int32_t *n = numbers->data;
	const int first = n[0] != 0;
	tiny t = {x->data, w->data, y->data, x->dims[0], x->dims[1], x->dims[3], y->dims[3], first, n[1] != 0};
	if (t.side < 1 || t.side > 2 || x->dims[2] != t.side || y->dims[0] != t.images || y->dims[1] != t.side || y->dims[2] != t.side || w->dims[first] != t.out ||
		w->dims[!first] != t.in || w->dims[2] != 3 || w->dims[3] != 3)
		return fail(f, "holt: a convolution has operands of other shapes", INVALID_ARGUMENT);
	if (!tiny_compute(&t, filters_best(), parts(), in_threads, f)) return fail(f, "holt: no memory for a convolution", RESOURCE_EXHAUSTED);
	return 0;
}

// The operands are x [N H W I], filters [O I K K], and int32 numbers: stride, spread, dilation, and
// padding above and left, of height and width each, whether the sum goes over the filters' first
// axis, as if they were [I O K K], and whether they are turned by half a turn. The result is
// [N h w O].
void *convolution_call(void *p) {
	frame *f = p;
	if (described(f) || f->stage != EXECUTE) return 0;
	if (f->args.size != 3 || f->results.size != 1) return fail(f, "holt: a convolution has other operands", INVALID_ARGUMENT);
	buffer *x = f->args.buffers[0], *w = f->args.buffers[1], *numbers = f->args.buffers[2], *y = f->results.buffers[0];
	if (x->rank != 4 || w->rank != 4 || y->rank != 4 || numbers->rank != 1 || numbers->dims[0] != 10 || x->dtype != FLOAT32 || w->dtype != FLOAT32 ||
		y->dtype != FLOAT32 || numbers->dtype != INT32)
		return fail(f, "holt: a convolution has operands of other types", INVALID_ARGUMENT);
	const int32_t *n = numbers->data;
	convolution c = {
		.x = x->data, .w = w->data, .y = y->data, .images = x->dims[0], .size = {x->dims[1], x->dims[2]}, .in = x->dims[3],
		.places = {y->dims[1], y->dims[2]}, .out = y->dims[3], .kernel = {w->dims[2], w->dims[3]},
		.stride = {n[0], n[1]}, .spread = {n[2], n[3]}, .dilation = {n[4], n[5]}, .before = {n[6], n[7]}, .first = n[8] != 0, .turned = n[9] != 0,
	};
	if (y->dims[0] != c.images || w->dims[c.first] != c.out || w->dims[!c.first] != c.in || n[0] < 1 || n[1] < 1 || n[2] < 1 || n[3] < 1 || n[4] < 1 || n[5] < 1)
		return fail(f, "holt: a convolution has operands of other shapes", INVALID_ARGUMENT);
	if (!convolution_compute(&c, filters_best(), parts(), in_threads, f)) return fail(f, "holt: no memory for a convolution", RESOURCE_EXHAUSTED);
	return 0;
}

// Returns whether a buffer is float32 with these sizes.
static int is(const buffer *b, int64_t rank, int64_t d0, int64_t d1, int64_t d2) {
	const int64_t dims[] = {d0, d1, d2};
	if (b->dtype != FLOAT32 || b->rank != rank) return 0;
	for (int64_t i = 0; i < rank; i++)
		if (b->dims[i] != dims[i]) return 0;
	return 1;
}

// The operands are a [M K], b [K N], and int32 numbers: one that is not 0 where a is [K M], and
// one that is not 0 where b is [N K]. The result is [M N].
void *product_call(void *p) {
	frame *f = p;
	if (described(f) || f->stage != EXECUTE) return 0;
	if (f->args.size != 3 || f->results.size != 1) return fail(f, "holt: a product has other operands", INVALID_ARGUMENT);
	buffer *a = f->args.buffers[0], *b = f->args.buffers[1], *numbers = f->args.buffers[2], *y = f->results.buffers[0];
	if (y->rank != 2 || a->rank != 2 || numbers->rank != 1 || numbers->dims[0] != 2 || numbers->dtype != INT32)
		return fail(f, "holt: a product has operands of other types", INVALID_ARGUMENT);
	const int32_t *n = numbers->data;
	product m = {a->data, b->data, y->data, y->dims[0], y->dims[1], a->dims[n[0] == 0], n[0] != 0, n[1] != 0};
	if (m.a_first && m.b_last || !is(y, 2, m.m, m.n, 0) || !is(a, 2, m.a_first ? m.k : m.m, m.a_first ? m.m : m.k, 0) ||
		!is(b, 2, m.b_last ? m.n : m.k, m.b_last ? m.k : m.n, 0))
		return fail(f, "holt: a product has operands of other shapes", INVALID_ARGUMENT);
	if (!product_compute(&m, filters_best(), parts_for(2. * m.m * m.n * m.k, 1 << 21), in_threads, f)) return fail(f, "holt: no memory for a product", RESOURCE_EXHAUSTED);
	return 0;
}

// The operand is x [N R C], and the result [N C R].
void *transpose_call(void *p) {
	frame *f = p;
	if (described(f) || f->stage != EXECUTE) return 0;
	if (f->args.size != 1 || f->results.size != 1) return fail(f, "holt: a transposition has other operands", INVALID_ARGUMENT);
	buffer *x = f->args.buffers[0], *y = f->results.buffers[0];
	if (x->rank != 3 || !is(x, 3, x->dims[0], x->dims[1], x->dims[2]) || !is(y, 3, x->dims[0], x->dims[2], x->dims[1]))
		return fail(f, "holt: a transposition has operands of other shapes", INVALID_ARGUMENT);
	transposition t = {x->data, y->data, x->dims[0], x->dims[1], x->dims[2]};
	transpose_compute(&t, parts_for((double)t.n * t.rows * t.columns, 1 << 17), in_threads, f);
	return 0;
}

// Reads the two int32 numbers of a recurrence, its cell and whether it begins with the last
// place. Returns whether they are right.
static int cell_of(const buffer *b, int *cell, int *backward) {
	if (b->dtype != INT32 || b->rank != 1 || b->dims[0] != 2) return 0;
	const int32_t *n = b->data;
	*cell = n[0];
	*backward = n[1] != 0;
	return n[0] >= 0 && n[0] < CELLS;
}

// The operands are the gates [L N W·H], the matrix [W·H H], the first states [S N H] with the
// biases [B W·H] after them in one list, and int32 numbers: the cell, and whether it begins
// with the last place. The results are the hidden states after each place and then the last
// states, [L+S N H], and what is kept for the gradient, [L N K·H].
void *recurrence_call(void *p) {
	frame *f = p;
	if (described(f) || f->stage != EXECUTE) return 0;
	if (f->args.size != 4 || f->results.size != 2) return fail(f, "holt: a recurrence has other operands", INVALID_ARGUMENT);
	buffer **in = f->args.buffers, **out = f->results.buffers;
	recurrence r = {0};
	if (!cell_of(in[3], &r.cell, &r.backward) || in[0]->rank != 3 || in[1]->rank != 2) return fail(f, "holt: a recurrence of another cell", INVALID_ARGUMENT);
	const int64_t l = r.steps = in[0]->dims[0], n = r.n = in[0]->dims[1], h = r.hidden = in[1]->dims[1], w = recurrence_gates(r.cell) * h;
	const int64_t states = recurrence_states(r.cell);
	if (h % 16 || l < 1 || !is(in[0], 3, l, n, w) || !is(in[1], 2, w, h, 0) || !is(in[2], 1, states * n * h + recurrence_biases(r.cell) * w, 0, 0) ||
		!is(out[0], 3, l + states, n, h) || !is(out[1], 3, l, n, recurrence_keeps(r.cell) * h))
		return fail(f, "holt: a recurrence has operands of other shapes", INVALID_ARGUMENT);
	r.gates = in[0]->data, r.matrix = in[1]->data, r.first = in[2]->data, r.bias = r.first + states * n * h;
	r.hs = out[0]->data, r.end = r.hs + l * n * h, r.kept = out[1]->data;
	if (!recurrence_forward(&r, filters_best(), parts(), in_threads, f)) return fail(f, "holt: no memory for a recurrence", RESOURCE_EXHAUSTED);
	return 0;
}

// The operands are what is kept [L N K·H], the matrix, the list and the states of
// recurrence_call, the gradient for these, and its numbers. The results are a list of the
// gradients for the first states and for the biases, these as [U B W·H], of which they are
// the sum; the gradients for the gates [L N W·H]; and for GRU those for what the hidden state
// gives the gates.
void *recurrence_gradient_call(void *p) {
	frame *f = p;
	if (described(f) || f->stage != EXECUTE) return 0;
	if (f->args.size != 6 || f->results.size < 2) return fail(f, "holt: the gradient of a recurrence has other operands", INVALID_ARGUMENT);
	buffer **in = f->args.buffers, **out = f->results.buffers;
	recurrence_back r = {0};
	if (!cell_of(in[5], &r.cell, &r.backward) || in[0]->rank != 3 || in[1]->rank != 2) return fail(f, "holt: the gradient of a recurrence of another cell", INVALID_ARGUMENT);
	const int64_t l = r.steps = in[0]->dims[0], n = r.n = in[0]->dims[1], h = r.hidden = in[1]->dims[1], w = recurrence_gates(r.cell) * h;
	const int64_t states = recurrence_states(r.cell), biases = recurrence_biases(r.cell), apart = r.cell == CELL_GRU;
	if (h % 16 || l < 1 || f->results.size != 2 + apart || !is(in[0], 3, l, n, recurrence_keeps(r.cell) * h) || !is(in[1], 2, w, h, 0) ||
		!is(in[2], 1, states * n * h + biases * w, 0, 0) || !is(in[3], 3, l + states, n, h) || !is(in[4], 3, l + states, n, h) ||
		!is(out[0], 1, states * n * h + recurrence_units(n) * biases * w, 0, 0) || !is(out[1], 3, l, n, w) || apart && !is(out[2], 3, l, n, w))
		return fail(f, "holt: the gradient of a recurrence has operands of other shapes", INVALID_ARGUMENT);
	r.kept = in[0]->data, r.matrix = in[1]->data, r.first = in[2]->data, r.hs = in[3]->data, r.v = in[4]->data, r.v_end = r.v + l * n * h;
	r.first_v = out[0]->data, r.sums = r.first_v + states * n * h, r.gates = out[1]->data, r.hidden_gates = apart ? out[2]->data : 0;
	if (!recurrence_gradient(&r, filters_best(), parts(), in_threads, f)) return fail(f, "holt: no memory for the gradient of a recurrence", RESOURCE_EXHAUSTED);
	return 0;
}

// The head of PJRT_Api, and its extension for calls of others.
typedef struct { size_t struct_size; extension *extensions; } api_head;
typedef struct { size_t struct_size; const char *name; size_t name_size; void *handler; const char *platform; size_t platform_size; int traits; } register_args;
typedef struct { extension head; void *type_register, *user_data; void *(*register_handler)(register_args *); } ffi_extension;
enum { FFI = 5 };

static int add(ffi_extension *e, const char *name, void *handler) {
	static const char platform[] = "Host";
	register_args r = {sizeof r, name, strlen(name), handler, platform, sizeof platform - 1, 0};
	return !e->register_handler(&r);
}

int calls_register(void *api) {
	extension *e = ((api_head *)api)->extensions;
	while (e && e->type != FFI) e = e->next;
	if (!e || e->struct_size < sizeof(ffi_extension)) return 0;
	ffi_extension *to = (ffi_extension *)e;
	return add(to, "holt_filters_gradient", filters_call) && add(to, "holt_attention", attention_call) && add(to, "holt_tiny_convolution", tiny_call) &&
		add(to, "holt_convolution", convolution_call) && add(to, "holt_product", product_call) && add(to, "holt_transpose", transpose_call) &&
		add(to, "holt_recurrence", recurrence_call) && add(to, "holt_recurrence_gradient", recurrence_gradient_call);
}
