//go:build cgo && unix

package pjrt

/*
#cgo linux LDFLAGS: -ldl
#include "table.h"

typedef void *(*make_error)(int code, const char *text, size_t size);
typedef struct {
	size_t struct_size; void *extensions; const char *key; size_t key_size; int ms;
	make_error *error; void *user; char *value; size_t size; void (*release)(char *value);
} get_args;
typedef struct {
	size_t struct_size; void *extensions; const char *key; size_t key_size;
	make_error *error; void *user; char *value; size_t size; void (*release)(char *value);
} try_get_args;
typedef struct {
	size_t struct_size; void *extensions; const char *key; size_t key_size; const char *value; size_t size;
	make_error *error; void *user;
} put_args;
typedef struct {
	size_t struct_size; void *extensions; const char *name; size_t name_size; int kind;
	union { const char *text; int64_t number; float real; bool truth; } value;
	size_t value_size;
} option;
typedef struct {
	size_t struct_size; void *extensions; const option *options; size_t num_options;
	void *(*get)(get_args *), *get_user; void *(*put)(put_args *), *put_user;
	void *client; void *(*try_get)(try_get_args *), *try_get_user;
} job_create_args;
typedef struct { size_t struct_size; void *extensions; void *client; } job_client_args;
typedef struct { size_t struct_size; void *extensions; void *of; void **devices; size_t num; } list_args;
typedef struct { size_t struct_size; void *extensions; void *device; void *description; } job_description_args;
typedef struct { size_t struct_size; void *extensions; void *of; int number; } number_args;
typedef struct { size_t struct_size; void *extensions; void *device; bool here; } here_args;
typedef struct {
	size_t struct_size; void *extensions; void *client; const program *program;
	const char *options; size_t options_size; void *executable;
} job_compile_args;
typedef struct { size_t struct_size; void *extensions; void *loaded, *executable; } of_loaded_args;
typedef struct { size_t struct_size; void *extensions; void *executable; size_t num; } outputs_args;
typedef struct { size_t struct_size; void *extensions; void *of; } one_args;
typedef struct {
	size_t struct_size; void *extensions; void *client; const void *data; int type;
	const int64_t *dims; size_t num_dims; const int64_t *strides; size_t num_strides; int semantics;
	void *device, *memory, *layout, *done, *buffer;
} from_host_args;
typedef struct {
	size_t struct_size; void *extensions; void **send, **receive; size_t num_send, num_receive; int launch;
	const int64_t *kept; size_t num_kept; void *context; const char *location;
	size_t num_tasks; int *tasks; int64_t *incarnations; void *slices;
} run_options;
typedef struct {
	size_t struct_size; void *extensions; void *loaded; run_options *options;
	void *const *const *arguments; size_t num_devices, num_arguments; void **const *outputs;
	void **done; void *device;
} run_args;
typedef struct { size_t struct_size; void *extensions; void *buffer; int type; } buffer_type_args;
typedef struct { size_t struct_size; void *extensions; void *buffer; const int64_t *dims; size_t num; } dims_args;
typedef struct { size_t struct_size; void *extensions; void *buffer, *layout, *to; size_t size; void *done; } to_host_args;

enum { TEXT_OPTION = 0, NUMBER_OPTION = 1, REAL_OPTION = 3, TRUTH_OPTION = 4, F32 = 11 };

extern int holtGet(uintptr_t keys, char *key, size_t n, int ms, int now, char **value, size_t *size, char **problem);
extern int holtPut(uintptr_t keys, char *key, size_t n, char *value, size_t size, char **problem);

static void free_value(char *value) { free(value); }

// Makes an error of the plugin, whose text it copies.
static void *key_error(make_error *make, int code, char *problem) {
	if (!code) return 0;
	void *error = (*make)(code, problem, strlen(problem));
	free(problem);
	return error;
}

static void *key_get(get_args *a) {
	char *problem = 0;
	a->release = free_value;
	int code = holtGet((uintptr_t)a->user, (char *)a->key, a->key_size, a->ms, 0, &a->value, &a->size, &problem);
	return key_error(a->error, code, problem);
}

static void *key_try_get(try_get_args *a) {
	char *problem = 0;
	a->release = free_value;
	int code = holtGet((uintptr_t)a->user, (char *)a->key, a->key_size, 0, 1, &a->value, &a->size, &problem);
	return key_error(a->error, code, problem);
}

static void *key_put(put_args *a) {
	char *problem = 0;
	int code = holtPut((uintptr_t)a->user, (char *)a->key, a->key_size, (char *)a->value, a->size, &problem);
	return key_error(a->error, code, problem);
}

static void *job_create(table *t, const option *options, size_t n, uintptr_t keys, char **text) {
	initialize_args in = {sizeof in, 0};
	if (failed(t, t->call[PLUGIN_INITIALIZE](&in), text)) return 0;
	void *user = (void *)keys;
	job_create_args c = {SIZE(job_create_args, try_get_user), 0, options, n, key_get, user, key_put, user, 0, key_try_get, user};
	if (failed(t, t->call[CLIENT_CREATE](&c), text)) return 0;
	if (!c.client) *text = strdup("it gives no client");
	return c.client;
}

static void job_destroy(table *t, void *client) {
	char *text = 0;
	job_client_args c = {SIZE(job_client_args, client), 0, client};
	if (failed(t, t->call[CLIENT_DESTROY](&c), &text)) free(text);
}

// Lists the devices of a client or an executable.
static int list(table *t, int place, void *of, void ***devices, size_t *n, char **text) {
	list_args a = {SIZE(list_args, num), 0, of, 0, 0};
	if (failed(t, t->call[place](&a), text)) return 0;
	*devices = a.devices;
	*n = a.num;
	return 1;
}

static void *nth(void **devices, size_t i) { return devices[i]; }

static int tell(table *t, void *device, int *id, int *process, bool *here, char **said, char **text) {
	job_description_args d = {SIZE(job_description_args, description), 0, device, 0};
	if (failed(t, t->call[DEVICE_DESCRIPTION](&d), text)) return 0;
	number_args i = {SIZE(number_args, number), 0, d.description, 0}, p = i;
	here_args h = {SIZE(here_args, here), 0, device, false};
	text_args s = {SIZE(text_args, size), 0, d.description, 0, 0};
	if (failed(t, t->call[DESCRIPTION_ID](&i), text) || failed(t, t->call[DESCRIPTION_PROCESS](&p), text) ||
	    failed(t, t->call[DEVICE_ADDRESSABLE](&h), text) || failed(t, t->call[DESCRIPTION_TO_STRING](&s), text)) return 0;
	*id = i.number; *process = p.number; *here = h.here;
	*said = strndup(s.text ? s.text : "", s.text ? s.size : 0);
	return 1;
}

static void *job_compile(table *t, void *client, const char *code, size_t size, const char *options, size_t options_size, size_t *outputs, char **text) {
	program p = {SIZE(program, format_size), 0, code, size, "mlir", 4};
	job_compile_args c = {SIZE(job_compile_args, executable), 0, client, &p, options, options_size, 0};
	if (failed(t, t->call[CLIENT_COMPILE](&c), text)) return 0;
	of_loaded_args e = {SIZE(of_loaded_args, executable), 0, c.executable, 0};
	int ok = !failed(t, t->call[LOADED_GET_EXECUTABLE](&e), text);
	if (ok) {
		outputs_args o = {SIZE(outputs_args, num), 0, e.executable, 0};
		ok = !failed(t, t->call[EXECUTABLE_OUTPUTS](&o), text);
		*outputs = o.num;
		char *other = 0;
		one_args d = {SIZE(one_args, of), 0, e.executable};
		if (failed(t, t->call[EXECUTABLE_DESTROY](&d), &other)) free(other);
	}
	if (ok) return c.executable;
	char *other = 0;
	one_args d = {SIZE(one_args, of), 0, c.executable};
	if (failed(t, t->call[LOADED_DESTROY](&d), &other)) free(other);
	return 0;
}

// Destroys what the function at a place does.
static void end(table *t, int place, void *of) {
	char *text = 0;
	one_args a = {SIZE(one_args, of), 0, of};
	if (of && failed(t, t->call[place](&a), &text)) free(text);
}

// Waits for an event, which it destroys.
static int await(table *t, void *event, char **text) {
	one_args a = {SIZE(one_args, of), 0, event};
	int ok = !failed(t, t->call[EVENT_AWAIT](&a), text);
	end(t, EVENT_DESTROY, event);
	return ok;
}

static void *to_device(table *t, void *client, void *device, const void *data, const int64_t *dims, size_t n, char **text) {
	// The plugin has copied the numbers when it returns.
	from_host_args a = {SIZE(from_host_args, buffer), 0, client, data, F32, dims, n, 0, 0, 0, device, 0, 0, 0, 0};
	if (failed(t, t->call[BUFFER_FROM_HOST](&a), text)) return 0;
	end(t, EVENT_DESTROY, a.done);
	return a.buffer;
}

// Runs a program on so many devices, whose inputs lie together, and so do the outputs; and waits
// for its end.
static int run(table *t, void *loaded, void **inputs, size_t num_inputs, void **outputs, size_t num_outputs, size_t devices, char **text) {
	void ***in = calloc(devices, sizeof *in), ***out = calloc(devices, sizeof *out), **done = calloc(devices, sizeof *done);
	int ok = in && out && done;
	if (!ok) *text = strdup("no memory is left");
	for (size_t d = 0; ok && d < devices; d++) {
		in[d] = inputs + d * num_inputs;
		out[d] = outputs + d * num_outputs;
	}
	run_options o = {SIZE(run_options, slices)};
	run_args a = {SIZE(run_args, device), 0, loaded, &o, (void *const *const *)in, devices, num_inputs, (void **const *)out, done, 0};
	ok = ok && !failed(t, t->call[EXECUTE](&a), text);
	for (size_t d = 0; done && d < devices; d++) {
		char *other = 0;
		if (!done[d] || await(t, done[d], &other)) continue;
		if (ok) *text = other; else free(other);
		ok = 0;
	}
	free(in); free(out); free(done);
	return ok;
}

static int shape(table *t, void *buffer, const int64_t **dims, size_t *n, char **text) {
	buffer_type_args k = {SIZE(buffer_type_args, type), 0, buffer, 0};
	dims_args d = {SIZE(dims_args, num), 0, buffer, 0, 0};
	if (failed(t, t->call[BUFFER_TYPE](&k), text) || failed(t, t->call[BUFFER_DIMENSIONS](&d), text)) return 0;
	if (k.type != F32) { *text = strdup("a result is not of float32"); return 0; }
	*dims = d.dims;
	*n = d.num;
	return 1;
}

static int to_host(table *t, void *buffer, void *to, size_t size, char **text) {
	to_host_args a = {SIZE(to_host_args, done), 0, buffer, 0, to, size, 0};
	return !failed(t, t->call[BUFFER_TO_HOST](&a), text) && (!a.done || await(t, a.done, text));
}
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/cgo"
	"slices"
	"sync"
	"time"
	"unsafe"
)

// Client is a plugin's devices of all processes of a job, of which this process runs programs on
// its own. It takes what go-xla's client leaves out: callbacks for keys, and devices that are not
// here. XLA's CPU plugin takes no callbacks, so that each of its clients is alone.
type Client struct {
	api     *C.table
	client  unsafe.Pointer
	keys    cgo.Handle
	devices []Device
	place   map[int]unsafe.Pointer // a device by its ID
	ids     map[unsafe.Pointer]int
	end     context.CancelCauseFunc
	running sync.WaitGroup
}

// callbacks are what a client's callbacks use.
type callbacks struct {
	ctx  context.Context // of the client's life
	keys Keys
}

// NewClient loads a plugin and opens its devices for a job; all processes of it must. Options are
// the plugin's, such as "memory_fraction": a string, int64, float32 or bool. Where a process is
// lost meanwhile, the error is that of the job's Keys, which names it. The end of ctx ends waits
// for keys until NewClient returns.
func NewClient(ctx context.Context, path string, job Job, options map[string]any) (*Client, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var problem *C.char
	api := C.load(name, &problem)
	if api == nil {
		return nil, fmt.Errorf("%s cannot be loaded: %s", path, text(problem))
	}
	all := map[string]any{"node_id": int64(job.Rank), "num_nodes": int64(job.Size)}
	maps.Copy(all, options)
	list, release, err := optionList(all)
	defer release()
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { end(context.Cause(ctx)) })
	c := &Client{api: api, keys: cgo.NewHandle(&callbacks{life, job.Keys}), end: end}
	c.client = C.job_create(api, unsafe.SliceData(list), C.size_t(len(list)), C.uintptr_t(c.keys), &problem)
	stop()
	if c.client == nil {
		end(nil)
		return nil, errors.New(text(problem)) // the handle stays: a thread of the plugin may still ask
	}
	if err := c.list(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// optionList is options as PJRT_NamedValues in C's memory.
func optionList(options map[string]any) (list []C.option, release func(), err error) {
	var texts []unsafe.Pointer
	release = func() {
		for _, p := range texts {
			C.free(p)
		}
	}
	words := func(s string) *C.char {
		p := C.CString(s)
		texts = append(texts, unsafe.Pointer(p))
		return p
	}
	at := (*C.option)(C.calloc(C.size_t(len(options)), C.sizeof_option))
	texts = append(texts, unsafe.Pointer(at))
	list = unsafe.Slice(at, len(options))
	for i, name := range slices.Sorted(maps.Keys(options)) {
		o := &list[i]
		o.struct_size, o.name, o.name_size, o.value_size = C.sizeof_option, words(name), C.size_t(len(name)), 1
		value := unsafe.Pointer(&o.value)
		switch v := options[name].(type) {
		case string:
			o.kind, o.value_size = C.TEXT_OPTION, C.size_t(len(v))
			*(**C.char)(value) = words(v)
		case int64:
			o.kind, *(*int64)(value) = C.NUMBER_OPTION, v
		case float32:
			o.kind, *(*float32)(value) = C.REAL_OPTION, v
		case bool:
			o.kind, *(*bool)(value) = C.TRUTH_OPTION, v
		default:
			return nil, release, fmt.Errorf("pjrt: option %s is a %T, want a string, int64, float32 or bool", name, v)
		}
	}
	return list, release, nil
}

// list notes the devices of all processes.
func (c *Client) list() error {
	var devices *unsafe.Pointer
	var n C.size_t
	var problem *C.char
	if C.list(c.api, C.CLIENT_DEVICES, c.client, &devices, &n, &problem) == 0 {
		return errors.New(text(problem))
	}
	c.place, c.ids = map[int]unsafe.Pointer{}, map[unsafe.Pointer]int{}
	for i := range n {
		var id, process C.int
		var here C.bool
		var said *C.char
		p := C.nth(devices, i)
		if C.tell(c.api, p, &id, &process, &here, &said, &problem) == 0 {
			return errors.New(text(problem))
		}
		c.devices = append(c.devices, Device{int(id), int(process), bool(here), text(said)})
		c.place[int(id)], c.ids[p] = p, int(id)
	}
	return nil
}

// Devices are those of all processes.
func (c *Client) Devices() []Device { return c.devices }

// Close gives back the devices, once programs that no caller waits for have ended: a program that
// waits for a process which is lost may have no end. The client is no longer used.
func (c *Client) Close() {
	c.end(errors.New("the client was closed"))
	go func() {
		c.running.Wait()
		C.job_destroy(c.api, c.client)
		c.keys.Delete()
	}()
}

// Program is a compiled program for devices of a job.
type Program struct {
	client  *Client
	loaded  unsafe.Pointer
	outputs int
	devices []int // of this process
}

// Compile compiles a program in StableHLO. All processes compile the same one for the same devices,
// of which this process has some.
func (c *Client) Compile(mlir []byte, a Assignment) (*Program, error) {
	if a.Replicas < 1 || a.Partitions < 1 || len(a.Devices) != a.Replicas*a.Partitions {
		return nil, fmt.Errorf("pjrt: %d replicas of %d partitions on %d devices, want a device for each", a.Replicas, a.Partitions, len(a.Devices))
	}
	options := compileOptions(a)
	e := &Program{client: c}
	var outputs, n C.size_t
	var problem *C.char
	e.loaded = C.job_compile(c.api, c.client, (*C.char)(unsafe.Pointer(unsafe.SliceData(mlir))), C.size_t(len(mlir)),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(options))), C.size_t(len(options)), &outputs, &problem)
	if e.loaded == nil {
		return nil, errors.New(text(problem))
	}
	e.outputs = int(outputs)
	var devices *unsafe.Pointer
	if C.list(c.api, C.LOADED_DEVICES, e.loaded, &devices, &n, &problem) == 0 {
		e.Close()
		return nil, errors.New(text(problem))
	}
	for i := range n {
		e.devices = append(e.devices, c.ids[C.nth(devices, i)])
	}
	return e, nil
}

// Devices are the IDs of this process's devices that run the program, in the order of Run.
func (e *Program) Devices() []int { return e.devices }

// Close frees the program, which does not run.
func (e *Program) Close() { C.end(e.client.api, C.LOADED_DESTROY, e.loaded) }

// Run runs the program on this process's devices, with inputs for each of them, and returns what
// each gives. All processes run it. Where ctx ends before, it returns ctx's cause: the program may
// wait for a process that is lost, and then holds its memory until it ends.
func (e *Program) Run(ctx context.Context, inputs [][]Array) ([][]Array, error) {
	if len(inputs) != len(e.devices) {
		return nil, fmt.Errorf("pjrt: inputs for %d devices, want %d", len(inputs), len(e.devices))
	}
	for _, of := range inputs {
		if len(of) != len(inputs[0]) {
			return nil, fmt.Errorf("pjrt: %d inputs for a device, and %d for the first", len(of), len(inputs[0]))
		}
	}
	type result struct {
		outputs [][]Array
		err     error
	}
	done := make(chan result, 1)
	e.client.running.Go(func() {
		outputs, err := e.run(inputs)
		done <- result{outputs, err}
	})
	select {
	case r := <-done:
		return r.outputs, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (e *Program) run(inputs [][]Array) (outputs [][]Array, err error) {
	api := e.client.api
	var problem *C.char
	buffers := func(n int) ([]unsafe.Pointer, func()) {
		at := (*unsafe.Pointer)(C.calloc(C.size_t(max(1, n)), C.size_t(unsafe.Sizeof(uintptr(0)))))
		all := unsafe.Slice(at, n)
		return all, func() {
			for _, b := range all {
				C.end(api, C.BUFFER_DESTROY, b)
			}
			C.free(unsafe.Pointer(at))
		}
	}
	each := 0
	if len(inputs) > 0 {
		each = len(inputs[0])
	}
	in, free := buffers(len(e.devices) * each)
	defer free()
	out, freeOut := buffers(len(e.devices) * e.outputs)
	defer freeOut()
	for d, of := range inputs {
		for i, a := range of {
			size := int64(1)
			for _, n := range a.Dims {
				size *= n
			}
			if size != int64(len(a.Values)) {
				return nil, fmt.Errorf("pjrt: %d numbers of shape %v", len(a.Values), a.Dims)
			}
			b := C.to_device(api, e.client.client, e.client.place[e.devices[d]], unsafe.Pointer(unsafe.SliceData(a.Values)),
				(*C.int64_t)(unsafe.SliceData(a.Dims)), C.size_t(len(a.Dims)), &problem)
			if b == nil {
				return nil, errors.New(text(problem))
			}
			in[d*each+i] = b
		}
	}
	if C.run(api, e.loaded, unsafe.SliceData(in), C.size_t(each), unsafe.SliceData(out), C.size_t(e.outputs), C.size_t(len(e.devices)), &problem) == 0 {
		return nil, errors.New(text(problem))
	}
	for d := range e.devices {
		var of []Array
		for _, b := range out[d*e.outputs : (d+1)*e.outputs] {
			a, err := read(api, b)
			if err != nil {
				return nil, err
			}
			of = append(of, a)
		}
		outputs = append(outputs, of)
	}
	return outputs, nil
}

// read copies a result from its device.
func read(api *C.table, buffer unsafe.Pointer) (Array, error) {
	var dims *C.int64_t
	var n C.size_t
	var problem *C.char
	if C.shape(api, buffer, &dims, &n, &problem) == 0 {
		return Array{}, errors.New(text(problem))
	}
	a := Array{}
	size := 1
	for _, d := range unsafe.Slice(dims, int(n)) {
		a.Dims = append(a.Dims, int64(d))
		size *= int(d)
	}
	a.Values = make([]float32, size)
	if C.to_host(api, buffer, unsafe.Pointer(unsafe.SliceData(a.Values)), C.size_t(4*size), &problem) == 0 {
		return Array{}, errors.New(text(problem))
	}
	return a, nil
}

// Codes of PJRT_Error_Code.
const (
	cancelled        = 1
	deadlineExceeded = 4
	notFound         = 5
	unavailable      = 14
)

// errNoKey is the error of a key that no process has put.
var errNoKey = errors.New("no process has put this key")

// getKey is PJRT_KeyValueGetCallback, and PJRT_KeyValueTryGetCallback where it is to be now.
func getKey(handle uintptr, key string, ms int, now bool) ([]byte, error) {
	c := cgo.Handle(handle).Value().(*callbacks)
	if now {
		value, found, err := c.keys.TryGet(c.ctx, key)
		if err == nil && !found {
			err = fmt.Errorf("key %q: %w", key, errNoKey)
		}
		return value, err
	}
	limit := time.Duration(ms) * time.Millisecond
	ctx, cancel := context.WithTimeoutCause(c.ctx, limit, fmt.Errorf("no process has put it within %v: %w", limit, context.DeadlineExceeded))
	defer cancel()
	return c.keys.Get(ctx, key)
}

// putKey is PJRT_KeyValuePutCallback.
func putKey(handle uintptr, key string, value []byte) error {
	return cgo.Handle(handle).Value().(*callbacks).keys.Put(key, value)
}

// answerKey gives a value, or an error and its code, to C, which frees both.
func answerKey(v []byte, err error, value, size, problem unsafe.Pointer) int {
	if err == nil {
		if value != nil {
			*(**C.char)(value), *(*C.size_t)(size) = (*C.char)(C.CBytes(append(v, 0))), C.size_t(len(v))
		}
		return 0
	}
	*(**C.char)(problem) = C.CString(err.Error())
	switch {
	case errors.Is(err, errNoKey):
		return notFound
	case errors.Is(err, context.DeadlineExceeded):
		return deadlineExceeded
	case errors.Is(err, context.Canceled):
		return cancelled
	}
	return unavailable
}
