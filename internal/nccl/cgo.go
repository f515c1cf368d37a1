//go:build cgo && unix

package nccl

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Types of nccl.h and cuda.h. Handles are pointers, and results are ints.
typedef struct { char bytes[128]; } unique_id;
// The head of ncclConfig_t, as of NCCL 2.14. Later fields have their defaults then.
typedef struct { size_t size; unsigned magic, version; int blocking, unset; } config;

enum {
	SUCCESS = 0, IN_PROGRESS = 7,   // ncclResult_t
	FLOAT32 = 7, SUM = 0,           // ncclDataType_t, ncclRedOp_t
	NOT_READY = 600, NON_BLOCKING = 1, // CUresult, CUstream_flags
};

typedef struct {
	int (*get_version)(int *);
	int (*get_unique_id)(unique_id *);
	int (*init)(void **comm, int size, unique_id id, int rank, config *);
	int (*abort)(void *comm);
	int (*async_error)(void *comm, int *result);
	const char *(*error_string)(int);
	const char *(*last_error)(void *comm);
	int (*group_start)(void);
	int (*group_end)(void);
	int (*all_reduce)(const void *, void *, size_t, int type, int op, void *comm, void *stream);
	int (*reduce)(const void *, void *, size_t, int type, int op, int root, void *comm, void *stream);
	int (*broadcast)(const void *, void *, size_t, int type, int root, void *comm, void *stream);
	int (*reduce_scatter)(const void *, void *, size_t, int type, int op, void *comm, void *stream);
	int (*all_gather)(const void *, void *, size_t, int type, void *comm, void *stream);

	int (*cu_init)(unsigned);
	int (*cu_device)(int *device, int ordinal);
	int (*cu_uuid)(char *uuid, int device);
	int (*cu_retain)(void **context, int device);
	int (*cu_current)(void *context);
	int (*cu_stream)(void **stream, unsigned flags);
	int (*cu_query)(void *stream);
	int (*cu_error)(int, const char **text);
	int (*cu_alloc)(unsigned long long *at, size_t);
	int (*cu_to)(unsigned long long at, const void *, size_t);
	int (*cu_from)(void *, unsigned long long at, size_t);
} libraries;

static const char *problem(void) {
	const char *text = dlerror();
	return text ? text : "it cannot be loaded";
}

// Looks up a function, and notes the first that is missing.
static void *find(void *library, const char *name, const char **missing) {
	void *f = dlsym(library, name);
	if (!f && !*missing) *missing = name;
	return f;
}

static void *loaded(const char *name) { return dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD); }
static void *load(const char *path, const char **text) {
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) *text = problem();
	return library;
}

static libraries *find_all(void *nccl, void *cuda, const char **missing) {
	libraries *l = calloc(1, sizeof *l);
	if (!l) { *missing = "no memory"; return 0; }
#define NCCL(field, name) *(void **)&l->field = find(nccl, name, missing)
	NCCL(get_version, "ncclGetVersion");
	NCCL(get_unique_id, "ncclGetUniqueId");
	NCCL(init, "ncclCommInitRankConfig");
	NCCL(abort, "ncclCommAbort");
	NCCL(async_error, "ncclCommGetAsyncError");
	NCCL(error_string, "ncclGetErrorString");
	NCCL(last_error, "ncclGetLastError");
	NCCL(group_start, "ncclGroupStart");
	NCCL(group_end, "ncclGroupEnd");
	NCCL(all_reduce, "ncclAllReduce");
	NCCL(reduce, "ncclReduce");
	NCCL(broadcast, "ncclBroadcast");
	NCCL(reduce_scatter, "ncclReduceScatter");
	NCCL(all_gather, "ncclAllGather");
#define CUDA(field, name) *(void **)&l->field = find(cuda, name, missing)
	CUDA(cu_init, "cuInit");
	CUDA(cu_device, "cuDeviceGet");
	CUDA(cu_uuid, "cuDeviceGetUuid_v2");
	CUDA(cu_retain, "cuDevicePrimaryCtxRetain");
	CUDA(cu_current, "cuCtxSetCurrent");
	CUDA(cu_stream, "cuStreamCreate");
	CUDA(cu_query, "cuStreamQuery");
	CUDA(cu_error, "cuGetErrorString");
	CUDA(cu_alloc, "cuMemAlloc_v2");
	CUDA(cu_to, "cuMemcpyHtoD_v2");
	CUDA(cu_from, "cuMemcpyDtoH_v2");
	if (*missing) { free(l); return 0; }
	return l;
}

static int get_version(libraries *l, int *version) { return l->get_version(version); }
static int new_id(libraries *l, void *id) { return l->get_unique_id(id); }
static int init(libraries *l, void **comm, int size, const void *id, int rank) {
	unique_id u;
	memcpy(&u, id, sizeof u);
	config c = {sizeof c, 0xcafebeef, 21400, 0, INT_MIN};
	return l->init(comm, size, u, rank, &c);
}
static int give_up(libraries *l, void *comm) { return l->abort(comm); }
static int state(libraries *l, void *comm) {
	int result = SUCCESS, failed = l->async_error(comm, &result);
	return failed ? failed : result;
}
static const char *error_string(libraries *l, int result) { return l->error_string(result); }
static const char *last_error(libraries *l, void *comm) { return l->last_error(comm); }
static int group_start(libraries *l) { return l->group_start(); }
static int group_end(libraries *l) { return l->group_end(); }
static int all_reduce(libraries *l, void *at, size_t n, void *comm, void *stream) {
	return l->all_reduce(at, at, n, FLOAT32, SUM, comm, stream);
}
static int reduce(libraries *l, void *at, size_t n, int root, void *comm, void *stream) {
	return l->reduce(at, at, n, FLOAT32, SUM, root, comm, stream);
}
static int broadcast(libraries *l, void *at, size_t n, int root, void *comm, void *stream) {
	return l->broadcast(at, at, n, FLOAT32, root, comm, stream);
}
static int reduce_scatter(libraries *l, void *at, void *own, size_t each, void *comm, void *stream) {
	return l->reduce_scatter(at, own, each, FLOAT32, SUM, comm, stream);
}
static int all_gather(libraries *l, void *own, void *at, size_t each, void *comm, void *stream) {
	return l->all_gather(own, at, each, FLOAT32, comm, stream);
}
static int cu_init(libraries *l) { return l->cu_init(0); }
static int cu_device(libraries *l, int *device, int ordinal) { return l->cu_device(device, ordinal); }
static int cu_uuid(libraries *l, char *uuid, int device) { return l->cu_uuid(uuid, device); }
static int cu_retain(libraries *l, void **context, int device) { return l->cu_retain(context, device); }
static int cu_current(libraries *l, void *context) { return l->cu_current(context); }
static int cu_stream(libraries *l, void **stream) { return l->cu_stream(stream, NON_BLOCKING); }
static int cu_query(libraries *l, void *stream) { return l->cu_query(stream); }
static int cu_put(libraries *l, const void *x, size_t bytes, void **at) {
	unsigned long long p = 0;
	int result = l->cu_alloc(&p, bytes);
	*at = (void *)p;
	return result ? result : l->cu_to(p, x, bytes);
}
static int cu_read(libraries *l, const void *at, size_t bytes, void *x) { return l->cu_from(x, (unsigned long long)at, bytes); }
static const char *cu_error(libraries *l, int result) {
	const char *text = 0;
	return l->cu_error(result, &text) || !text ? "unknown error" : text;
}
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
	"unsafe"

	"github.com/holt-dl/holt/internal/collective"
)

// Libraries are NCCL and CUDA's driver, loaded.
type Libraries struct {
	c       *C.libraries
	version int
}

// Open loads NCCL's library and that of CUDA's driver: the one that XLA's plugin has loaded
// already, else the first of some files that is there, else the system's. They stay until the
// process ends.
func Open(files []string) (*Libraries, error) {
	var text *C.char
	load := func(path string) unsafe.Pointer {
		name := C.CString(path)
		defer C.free(unsafe.Pointer(name))
		return C.load(name, &text)
	}
	name := C.CString(library)
	defer C.free(unsafe.Pointer(name))
	nccl := C.loaded(name)
	for _, file := range files {
		if _, err := os.Stat(file); nccl == nil && err == nil {
			if nccl = load(file); nccl == nil {
				return nil, fmt.Errorf("nccl: %s", C.GoString(text))
			}
		}
	}
	if nccl == nil {
		nccl = load(library)
	}
	if nccl == nil {
		return nil, fmt.Errorf("nccl: %s is not installed, which holt backend install cuda brings", library)
	}
	cuda := load(driver)
	if cuda == nil {
		return nil, fmt.Errorf("nccl: NVIDIA's driver is not here: %s", C.GoString(text))
	}
	l := &Libraries{c: C.find_all(nccl, cuda, &text)}
	if l.c == nil {
		return nil, fmt.Errorf("nccl: %s and %s have no %s", library, driver, C.GoString(text))
	}
	var v C.int
	if err := l.check("its version", C.get_version(l.c, &v)); err != nil {
		return nil, err
	}
	if l.version = int(v); l.version < least {
		return nil, fmt.Errorf("nccl: NCCL is %s, want %s or newer", version(l.version), version(least))
	}
	return l, l.checkCUDA("begin", C.cu_init(l.c))
}

// Version is that of NCCL, such as 2.32.3.
func (l *Libraries) Version() string { return version(l.version) }

// begun reports whether NCCL does what it was called for, or has done it.
func begun(result C.int) bool { return result == C.SUCCESS || result == C.IN_PROGRESS }

// check returns the error of a result of NCCL.
func (l *Libraries) check(what string, result C.int) error {
	if begun(result) {
		return nil
	}
	text := C.GoString(C.error_string(l.c, result))
	if last := C.GoString(C.last_error(l.c, nil)); last != "" {
		text += ": " + last
	}
	return fmt.Errorf("nccl: %s: %s", what, text)
}

// checkCUDA returns the error of a result of CUDA's driver.
func (l *Libraries) checkCUDA(what string, result C.int) error {
	if result == 0 {
		return nil
	}
	return fmt.Errorf("nccl: CUDA's driver: %s: %s", what, C.GoString(C.cu_error(l.c, result)))
}

// UUID names a GPU, by CUDA's number of it, in a way that no other has.
func (l *Libraries) UUID(gpu int) (string, error) {
	var device C.int
	if err := l.checkCUDA(fmt.Sprintf("GPU %d", gpu), C.cu_device(l.c, &device, C.int(gpu))); err != nil {
		return "", err
	}
	var uuid [16]byte
	err := l.checkCUDA(fmt.Sprintf("UUID of GPU %d", gpu), C.cu_uuid(l.c, (*C.char)(unsafe.Pointer(&uuid)), device))
	return fmt.Sprintf("%x", uuid), err
}

// NewID makes what the processes of a communicator find each other by. One of them makes it, and
// gives it to the others.
func (l *Libraries) NewID() (id ID, err error) {
	err = l.check("a number for the job", C.new_id(l.c, unsafe.Pointer(&id)))
	return id, err
}

// Group is the communicators of this process's GPUs: each GPU has one with that of the same place
// in all other processes, and where this process has several, one with them.
type Group struct {
	l     *Libraries
	at    Place
	calls chan func()   // done one after the other by a thread that has CUDA's contexts
	over  chan struct{} // closed when there is no such thread any more
	gpus  []gpu
	wrong error // why the communicators are no longer used
}

// gpu is one of the process's. It is in C's memory: NCCL may write a communicator's handle later.
type gpu struct {
	context, stream unsafe.Pointer
	across, within  unsafe.Pointer // communicators
}

// Join makes this process's communicators, for which all processes must call it. It has an ID for
// each of the process's GPUs, which are given by CUDA's numbers of them. The end of ctx ends the
// wait for the others.
func (l *Libraries) Join(ctx context.Context, at Place, gpus []int, ids []ID) (*Group, error) {
	if len(gpus) == 0 || len(gpus) != len(ids) {
		return nil, fmt.Errorf("nccl: %d numbers for the job and %d GPUs, want one for each", len(ids), len(gpus))
	}
	memory := C.calloc(C.size_t(len(gpus)), C.size_t(unsafe.Sizeof(gpu{})))
	g := &Group{l: l, at: at, calls: make(chan func()), over: make(chan struct{}), gpus: unsafe.Slice((*gpu)(memory), len(gpus))}
	go func() {
		runtime.LockOSThread() // which ends with the goroutine, so that no other gets its contexts
		for {
			select {
			case f := <-g.calls:
				f()
			case <-g.over:
				return
			}
		}
	}()
	err := g.do(ctx, func() error { return g.join(ctx, gpus, ids) }, func() {})
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Group) join(ctx context.Context, gpus []int, ids []ID) error {
	for i, n := range gpus {
		var device C.int
		d := &g.gpus[i]
		for _, result := range []func() C.int{
			func() C.int { return C.cu_device(g.l.c, &device, C.int(n)) },
			func() C.int { return C.cu_retain(g.l.c, &d.context, device) }, // XLA's context
			func() C.int { return C.cu_current(g.l.c, d.context) },
			func() C.int { return C.cu_stream(g.l.c, &d.stream) },
		} {
			if err := g.l.checkCUDA(fmt.Sprintf("GPU %d", n), result()); err != nil {
				return err
			}
		}
	}
	err := g.together(ctx, "find the other processes", func(i int, d *gpu) C.int {
		return C.init(g.l.c, &d.across, C.int(g.at.Size), unsafe.Pointer(&ids[i]), C.int(g.at.Rank))
	})
	if err != nil || len(gpus) == 1 {
		return err
	}
	own, err := g.l.NewID()
	if err != nil {
		return err
	}
	return g.together(ctx, "join this process's GPUs", func(i int, d *gpu) C.int {
		return C.init(g.l.c, &d.within, C.int(len(gpus)), unsafe.Pointer(&own), C.int(i))
	})
}

// Times of a group.
const (
	shortest = 10 * time.Microsecond // between looks at what a GPU does
	longest  = time.Millisecond
	aborting = 5 * time.Second // that a call which is given up is waited for
)

// do has the group's thread do f, and then release what it uses. It returns when that is done, and
// some seconds after the end of ctx in any case: f then goes on until NCCL lets it.
func (g *Group) do(ctx context.Context, f func() error, release func()) error {
	done := make(chan error, 1)
	late := make(chan struct{})
	defer context.AfterFunc(ctx, func() { time.AfterFunc(aborting, func() { close(late) }) })()
	call := func() {
		err := f()
		release()
		done <- err
	}
	select {
	case g.calls <- call:
	case <-g.over:
		release()
		return errClosed
	case <-late:
		release()
		return context.Cause(ctx)
	}
	select {
	case err := <-done:
		return err
	case <-late:
		return context.Cause(ctx)
	}
}

// together calls NCCL for each GPU, and waits until the GPUs have done it. After an error, and
// after the end of ctx, the communicators are given up.
func (g *Group) together(ctx context.Context, what string, call func(i int, d *gpu) C.int) error {
	if g.wrong != nil {
		return g.wrong
	}
	err := g.l.check(what, C.group_start(g.l.c))
	for i := range g.gpus {
		d := &g.gpus[i]
		if err == nil {
			err = g.l.checkCUDA(what, C.cu_current(g.l.c, d.context))
		}
		if err == nil {
			err = g.l.check(what, call(i, d))
		}
	}
	if e := g.l.check(what, C.group_end(g.l.c)); err == nil {
		err = e
	}
	if err == nil {
		err = g.wait(ctx, what)
	}
	if err != nil {
		g.giveUp(err)
	}
	return err
}

// wait waits until NCCL has begun what it was called for, and the GPUs have done it.
func (g *Group) wait(ctx context.Context, what string) error {
	begin := time.Now()
	for {
		busy := false
		for _, d := range g.gpus {
			for _, c := range []unsafe.Pointer{d.across, d.within} {
				if c == nil {
					continue
				}
				state := C.state(g.l.c, c)
				busy = busy || state == C.IN_PROGRESS
				if err := g.l.check(what, state); err != nil {
					return err
				}
			}
		}
		for _, d := range g.gpus {
			if busy {
				break // the stream does not have it yet
			}
			if err := g.l.checkCUDA(what, C.cu_current(g.l.c, d.context)); err != nil {
				return err
			}
			if result := C.cu_query(g.l.c, d.stream); result == C.NOT_READY {
				busy = true
			} else if err := g.l.checkCUDA(what, result); err != nil {
				return err
			}
		}
		if !busy {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		time.Sleep(min(max(time.Since(begin)/16, shortest), longest))
	}
}

// giveUp ends the communicators, and what they do on the GPUs.
func (g *Group) giveUp(why error) {
	if g.wrong != nil {
		return
	}
	g.wrong = why
	for i := range g.gpus {
		d := &g.gpus[i]
		for _, c := range []*unsafe.Pointer{&d.within, &d.across} {
			if *c != nil {
				C.give_up(g.l.c, *c) // its error is that of why
				*c = nil
			}
		}
	}
}

// Close gives back the communicators. What other processes wait for with this one, they give up by
// themselves.
func (g *Group) Close() {
	go func() { // NCCL may take its time
		select {
		case g.calls <- func() { g.giveUp(errClosed); close(g.over) }:
		case <-g.over:
		}
	}()
}

var errClosed = errors.New("nccl: the group was closed")

// Put copies numbers to new memory of the i-th GPU, which is there until the process ends.
func (g *Group) Put(ctx context.Context, i int, x []float32) (at unsafe.Pointer, err error) {
	err = g.copy(ctx, i, func() C.int {
		return C.cu_put(g.l.c, unsafe.Pointer(unsafe.SliceData(x)), C.size_t(max(4*len(x), 4)), &at)
	})
	return at, err
}

// Read copies numbers from memory of the i-th GPU.
func (g *Group) Read(ctx context.Context, i int, at unsafe.Pointer, x []float32) error {
	return g.copy(ctx, i, func() C.int {
		return C.cu_read(g.l.c, at, C.size_t(4*len(x)), unsafe.Pointer(unsafe.SliceData(x)))
	})
}

func (g *Group) copy(ctx context.Context, i int, f func() C.int) error {
	return g.do(ctx, func() error {
		err := g.l.checkCUDA("copy", C.cu_current(g.l.c, g.gpus[i].context))
		if err == nil {
			err = g.l.checkCUDA("copy", f())
		}
		return err
	}, func() {})
}

// AllReduce adds up arrays over all processes, in place: all have the same bits afterwards. All
// processes call it in the same order, and with arrays of the same lengths. The end of ctx ends the
// wait for them, and the communicators with it; so does an error. The arrays are released when no
// GPU works with them any more.
func (g *Group) AllReduce(ctx context.Context, release func(), arrays ...Array) error {
	return g.do(ctx, func() error {
		n := len(g.gpus)
		err := g.together(ctx, "add up", func(i int, d *gpu) C.int {
			return each(arrays, func(a Array) C.int {
				from, to := 0, a.N
				if a.Same { // each GPU adds up a piece of it
					from, to = collective.Piece(a.N, i, n)
				}
				return C.all_reduce(g.l.c, a.number(i, from), C.size_t(to-from), d.across, d.stream)
			})
		})
		if err != nil || n == 1 {
			return err
		}
		// The pieces come from one GPU each, so that all copies have the same bits.
		return g.together(ctx, "bring sums together", func(i int, d *gpu) C.int {
			return each(arrays, func(a Array) C.int {
				if !a.Same {
					return C.SUCCESS
				}
				return g.gather(a, i, Place{i, n}, d.within, d.stream)
			})
		})
	}, release)
}

// ReduceScatter is [Group.AllReduce], of which each process gets its [collective.Piece] of the sums
// alone: the other numbers of an array are worth nothing afterwards. It is for one GPU.
func (g *Group) ReduceScatter(ctx context.Context, release func(), arrays ...Array) error {
	if err := g.one(); err != nil {
		release()
		return err
	}
	return g.do(ctx, func() error {
		return g.together(ctx, "add up to pieces", func(i int, d *gpu) C.int {
			return each(arrays, func(a Array) C.int {
				from, to := collective.Piece(a.N, g.at.Rank, g.at.Size)
				if a.N%g.at.Size == 0 {
					return C.reduce_scatter(g.l.c, a.number(i, 0), a.number(i, from), C.size_t(to-from), d.across, d.stream)
				}
				return pieces(a.N, g.at.Size, func(root, from, to int) C.int {
					return C.reduce(g.l.c, a.number(i, from), C.size_t(to-from), C.int(root), d.across, d.stream)
				})
			})
		})
	}, release)
}

// AllGather brings arrays together, in place, of which each process has its [collective.Piece]. It
// is for one GPU.
func (g *Group) AllGather(ctx context.Context, release func(), arrays ...Array) error {
	if err := g.one(); err != nil {
		release()
		return err
	}
	return g.do(ctx, func() error {
		return g.together(ctx, "bring pieces together", func(i int, d *gpu) C.int {
			return each(arrays, func(a Array) C.int { return g.gather(a, i, g.at, d.across, d.stream) })
		})
	}, release)
}

func (g *Group) one() error {
	if n := len(g.gpus); n != 1 {
		return fmt.Errorf("nccl: pieces of processes with %d GPUs each, want one", n)
	}
	return nil
}

// gather brings an array together on the i-th GPU, which is at a place of a communicator. NCCL's
// function for it takes pieces of one length; of others, each is sent by its own.
func (g *Group) gather(a Array, i int, at Place, comm, stream unsafe.Pointer) C.int {
	from, to := collective.Piece(a.N, at.Rank, at.Size)
	if a.N%at.Size == 0 {
		return C.all_gather(g.l.c, a.number(i, from), a.number(i, 0), C.size_t(to-from), comm, stream)
	}
	return pieces(a.N, at.Size, func(root, from, to int) C.int {
		return C.broadcast(g.l.c, a.number(i, from), C.size_t(to-from), C.int(root), comm, stream)
	})
}

// number is the address of a number on the i-th GPU.
func (a Array) number(i, at int) unsafe.Pointer { return unsafe.Add(a.At[i], 4*at) }

// each calls f with all arrays, until one fails.
func each(arrays []Array, f func(a Array) C.int) C.int {
	for _, a := range arrays {
		if a.N == 0 {
			continue
		}
		if result := f(a); !begun(result) {
			return result
		}
	}
	return C.SUCCESS
}

// pieces calls f with each process's piece of n numbers, until one fails.
func pieces(n, processes int, f func(root, from, to int) C.int) C.int {
	for root := range processes {
		from, to := collective.Piece(n, root, processes)
		if from == to {
			continue
		}
		if result := f(root, from, to); !begun(result) {
			return result
		}
	}
	return C.SUCCESS
}
