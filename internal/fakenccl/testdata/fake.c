// NCCL and CUDA's driver for tests, in one library: processes add up ordinary memory through a file
// that they share. As in NCCL, calls return at once, and a thread of each communicator does the
// work.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 4, IN_PROGRESS = 7, NOT_READY = 600, CHUNK = 1 << 12, MOST = 64 };
typedef struct { char path[128]; } unique_id;
typedef struct { size_t size; unsigned magic, version; int blocking, unset; } config;
typedef struct { atomic_long came; float slots[]; } shared;
typedef struct { atomic_int busy; } stream;
typedef struct { int how, root; const float *from; float *to; size_t n; } op;
typedef struct {
	shared *all;
	int rank, size, calls;
	unique_id id;
	atomic_int state, aborted;
	pthread_t thread;
	int threaded;
	op ops[1024];
	int n;
	stream *on;
} comm;
enum { INIT, ALL_REDUCE, REDUCE, BROADCAST, REDUCE_SCATTER, ALL_GATHER };

static __thread comm *group[MOST];
static __thread int in_group;

// Waits until all ranks have come so often; 0 where the communicator was given up.
static int meet(comm *c) {
	long mine = atomic_fetch_add(&c->all->came, 1), all = (mine / c->size + 1) * c->size;
	while (atomic_load(&c->all->came) < all) {
		if (atomic_load(&c->aborted)) return 0;
		usleep(20);
	}
	return !atomic_load(&c->aborted);
}

static int due(const char *variable, int calls) {
	const char *at = getenv(variable);
	return at && atoi(at) == calls;
}

// Gives all ranks n numbers of each, a chunk after the other, and calls use with them.
static int exchange(comm *c, const float *from, size_t n, void (*use)(comm *, op *, size_t at, size_t k), op *o) {
	for (size_t at = 0; at < n; at += CHUNK) {
		size_t k = n - at < CHUNK ? n - at : CHUNK;
		memcpy(c->all->slots + (size_t)c->rank * CHUNK, from + at, k * sizeof *from);
		if (!meet(c)) return 0;
		use(c, o, at, k);
		if (!meet(c)) return 0;
	}
	return 1;
}

static float sum(comm *c, size_t i) {
	float s = 0;
	for (int r = 0; r < c->size; r++) s += c->all->slots[(size_t)r * CHUNK + i];
	return s;
}

static void use(comm *c, op *o, size_t at, size_t k) {
	for (size_t i = 0; i < k; i++) {
		size_t whole = at + i;
		switch (o->how) {
		case ALL_REDUCE: o->to[whole] = sum(c, i); break;
		case REDUCE: if (o->root == c->rank) o->to[whole] = sum(c, i); break;
		case BROADCAST: o->to[whole] = c->all->slots[(size_t)o->root * CHUNK + i]; break;
		case REDUCE_SCATTER: if ((int)(whole / o->n) == c->rank) o->to[whole % o->n] = sum(c, i); break;
		case ALL_GATHER: for (int r = 0; r < c->size; r++) o->to[r * o->n + whole] = c->all->slots[(size_t)r * CHUNK + i]; break;
		}
	}
}

static void *work(void *of) {
	comm *c = of;
	int ok = 1;
	for (int i = 0; ok && i < c->n; i++) {
		op *o = &c->ops[i];
		if (due("FAKE_NCCL_DIES", c->calls)) _exit(3);
		if (due("FAKE_NCCL_FAILS", c->calls)) { atomic_store(&c->state, 1); c->n = 0; return 0; }
		if (o->how == INIT) {
			int file = open(c->id.path, O_RDWR | O_CREAT, 0600);
			size_t size = sizeof(shared) + sizeof(float) * CHUNK * c->size;
			ok = file >= 0 && !ftruncate(file, size);
			c->all = ok ? mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
			ok = c->all != MAP_FAILED && meet(c);
			close(file);
			unlink(c->id.path);
		} else ok = exchange(c, o->from, o->how == REDUCE_SCATTER ? o->n * c->size : o->n, use, o);
		c->calls++;
	}
	stream *on = c->on;
	c->n = 0; c->on = 0;
	if (on) atomic_fetch_sub(&on->busy, 1);
	atomic_store(&c->state, ok ? SUCCESS : 3);
	return 0;
}

static int queue(comm *c, int how, const void *from, void *to, size_t n, int root, void *on) {
	if (!in_group || c->n == 1024) return INVALID_ARGUMENT;
	c->ops[c->n++] = (op){how, root, from, to, n};
	if (on && !c->on) atomic_fetch_add(&((stream *)on)->busy, 1);
	if (on) c->on = on;
	for (int i = 0; i < MOST; i++) {
		if (group[i] == c) break;
		if (!group[i]) { group[i] = c; break; }
	}
	return SUCCESS;
}

int ncclGetVersion(int *v) { const char *own = getenv("FAKE_NCCL_VERSION"); *v = own ? atoi(own) : 22703; return SUCCESS; }
int ncclGetUniqueId(unique_id *id) {
	static atomic_int n;
	snprintf(id->path, sizeof id->path, "/dev/shm/fake-nccl-%d-%d", getpid(), atomic_fetch_add(&n, 1));
	return SUCCESS;
}
int ncclCommInitRankConfig(void **of, int size, unique_id id, int rank, config *own) {
	if (own->size != 24 || own->magic != 0xcafebeef || own->version != 21400 || own->blocking || size > MOST) return INVALID_ARGUMENT;
	comm *c = calloc(1, sizeof *c);
	c->id = id; c->rank = rank; c->size = size;
	*of = c;
	return queue(c, INIT, 0, 0, 0, 0, 0);
}
int ncclCommAbort(void *of) {
	comm *c = of;
	atomic_store(&c->aborted, 1);
	if (c->threaded) pthread_join(c->thread, 0);
	c->threaded = 0;
	return SUCCESS;
}
int ncclCommGetAsyncError(void *of, int *state) { *state = atomic_load(&((comm *)of)->state); return SUCCESS; }
const char *ncclGetErrorString(int result) { return result == 1 ? "unhandled cuda error" : "invalid argument"; }
const char *ncclGetLastError(void *of) { return ""; }
int ncclGroupStart(void) { in_group = 1; return SUCCESS; }
int ncclGroupEnd(void) {
	for (int i = 0; i < MOST && group[i]; i++) {
		comm *c = group[i];
		group[i] = 0;
		if (c->threaded) pthread_join(c->thread, 0);
		c->threaded = 1;
		atomic_store(&c->state, IN_PROGRESS);
		pthread_create(&c->thread, 0, work, c);
	}
	in_group = 0;
	return IN_PROGRESS;
}
#define IS(type, op) if (type != 7 || op) return INVALID_ARGUMENT
int ncclAllReduce(const void *from, void *to, size_t n, int type, int op, void *c, void *on) { IS(type, op); return queue(c, ALL_REDUCE, from, to, n, 0, on); }
int ncclReduce(const void *from, void *to, size_t n, int type, int op, int root, void *c, void *on) { IS(type, op); return queue(c, REDUCE, from, to, n, root, on); }
int ncclBroadcast(const void *from, void *to, size_t n, int type, int root, void *c, void *on) { IS(type, 0); return queue(c, BROADCAST, from, to, n, root, on); }
int ncclReduceScatter(const void *from, void *to, size_t n, int type, int op, void *c, void *on) { IS(type, op); return queue(c, REDUCE_SCATTER, from, to, n, 0, on); }
int ncclAllGather(const void *from, void *to, size_t n, int type, void *c, void *on) { IS(type, 0); return queue(c, ALL_GATHER, from, to, n, 0, on); }

// A context is that of a device, and must be the thread's where a stream is made.
static int contexts[MOST];
static __thread void *current;
int cuInit(unsigned flags) { return flags ? 1 : 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return ordinal < 0 || ordinal >= MOST ? 101 : 0; }
int cuDeviceGetUuid_v2(char *uuid, int device) {
	const char *same = getenv("FAKE_CUDA_UUID");
	memset(uuid, 0, 16);
	snprintf(uuid, 16, "%s%d", same ? same : "", same ? 0 : getpid() * MOST + device);
	return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &contexts[device]; return 0; }
int cuCtxSetCurrent(void *context) { current = context; return 0; }
int cuStreamCreate(void **of, unsigned flags) { *of = calloc(1, sizeof(stream)); return current && flags == 1 ? 0 : 201; }
int cuStreamQuery(void *of) { return atomic_load(&((stream *)of)->busy) ? NOT_READY : 0; }
int cuMemAlloc_v2(unsigned long long *at, size_t bytes) { *at = (unsigned long long)malloc(bytes); return current ? 0 : 201; }
int cuMemcpyHtoD_v2(unsigned long long at, const void *from, size_t bytes) { memcpy((void *)at, from, bytes); return 0; }
int cuMemcpyDtoH_v2(void *to, unsigned long long at, size_t bytes) { memcpy(to, (void *)at, bytes); return 0; }
int cuGetErrorString(int result, const char **text) { *text = result == 101 ? "invalid device ordinal" : "invalid context"; return 0; }
