//go:build cgo && unix

package pjrt

/*
#cgo linux LDFLAGS: -ldl
#include "heap.h"
#include "table.h"

typedef struct {
	size_t struct_size; void *extensions; const void *options; size_t num_options;
	void *get, *get_arg, *put, *put_arg; void *client; void *try_get, *try_get_arg;
} create_args;
typedef struct { size_t struct_size; void *extensions; void *client; } client_args;
typedef struct { size_t struct_size; void *extensions; void *client; void **devices; size_t num; } devices_args;
typedef struct { size_t struct_size; void *extensions; void *device; void *description; } description_args;
typedef struct {
	size_t struct_size; void *extensions; void *device;
	int64_t in_use, peak; bool peak_set;
	int64_t allocs; bool allocs_set;
	int64_t largest; bool largest_set;
	int64_t limit; bool limit_set;
	int64_t reserved; bool reserved_set;
	int64_t peak_reserved; bool peak_reserved_set;
	int64_t reservable; bool reservable_set;
	int64_t largest_free; bool largest_free_set;
	int64_t pool; bool pool_set;
	int64_t peak_pool; bool peak_pool_set;
} memory_args;
typedef struct {
	size_t struct_size; void *extensions; void *client; const program *program;
	const char *options; size_t options_size; void *executable;
} compile_args;
typedef struct { size_t struct_size; void *extensions; void *loaded, *executable; } executable_args;
typedef struct {
	size_t struct_size; void *extensions; void *executable;
	const char *bytes; size_t size; void *holder; void (*release)(void *holder);
} serialize_args;
typedef struct {
	size_t struct_size; void *extensions; void *client; const char *bytes; size_t size;
	void *executable; const char *options; size_t options_size;
} load_args;

static void *create(table *t, char **text) {
	initialize_args in = {sizeof in, 0};
	if (failed(t, t->call[PLUGIN_INITIALIZE](&in), text)) return 0;
	create_args c = {SIZE(create_args, try_get_arg)};
	if (failed(t, t->call[CLIENT_CREATE](&c), text)) return 0;
	return c.client;
}

static void destroy(table *t, void *client) {
	char *text = 0;
	client_args c = {SIZE(client_args, client), 0, client};
	failed(t, t->call[CLIENT_DESTROY](&c), &text);
	free(text);
}

// Copies a text of the client or a description. Returns 0 where it is the error.
static int copy_text(table *t, int place, void *of, char **text) {
	text_args a = {SIZE(text_args, size), 0, of, 0, 0};
	if (failed(t, t->call[place](&a), text)) return 0;
	*text = strndup(a.text ? a.text : "", a.text ? a.size : 0);
	return 1;
}

// The same with a device's description.
static int copy_description(table *t, int place, void *device, char **text) {
	description_args a = {SIZE(description_args, description), 0, device, 0};
	return !failed(t, t->call[DEVICE_DESCRIPTION](&a), text) && copy_text(t, place, a.description, text);
}

// Copies a text of the client, or the error.
static char *ask(table *t, int place, void *client) {
	char *text = 0;
	copy_text(t, place, client, &text);
	return text;
}

// Copies what a device says of itself, or the error.
static char *describe(table *t, void *device) {
	char *text = 0;
	copy_description(t, DESCRIPTION_TO_STRING, device, &text);
	return text;
}

static size_t devices(table *t, void *client, void ***list) {
	char *text = 0;
	devices_args a = {SIZE(devices_args, num), 0, client, 0, 0};
	if (failed(t, t->call[CLIENT_ADDRESSABLE_DEVICES](&a), &text)) { free(text); return 0; }
	*list = a.devices;
	return a.num;
}

static void *at(void **list, size_t i) { return list[i]; }

// Returns 0 where the plugin is older than the function.
static int memory(void *api, void *device, memory_args *m, char **text) {
	table *t = api;
	if (t->struct_size < offsetof(table, call) + (DEVICE_MEMORY_STATS + 1) * sizeof(void *) || !t->call[DEVICE_MEMORY_STATS]) {
		*text = strdup("the plugin does not tell");
		return 0;
	}
	memset(m, 0, sizeof *m);
	m->struct_size = SIZE(memory_args, peak_pool_set);
	m->device = device;
	return !failed(t, t->call[DEVICE_MEMORY_STATS](m), text);
}

// Go's answer to a call of PJRT_Client_Compile of a plugin that has this table;
// see intercept_cgo.go.
extern void *holtCompile(void *table, void *args);

// The function has no place for a word of ours, so that there is one for each of
// a few plugins.
enum { SLOTS = 4 };
static table *originals[SLOTS], *copies[SLOTS];
static void *compile0(void *args) { return holtCompile(originals[0], args); }
static void *compile1(void *args) { return holtCompile(originals[1], args); }
static void *compile2(void *args) { return holtCompile(originals[2], args); }
static void *compile3(void *args) { return holtCompile(originals[3], args); }
static void *(*compilers[SLOTS])(void *) = {compile0, compile1, compile2, compile3};

// Returns a copy of a table in which programs are compiled by holtCompile, or the
// table where it is such a copy; 0 where the plugin is older than what that calls.
// Calls must not overlap.
static table *intercept(table *t) {
	if (t->struct_size < offsetof(table, call) + (DESERIALIZE_AND_LOAD + 1) * sizeof(void *) || !t->call[EXECUTABLE_SERIALIZE] || !t->call[DESERIALIZE_AND_LOAD]) return 0;
	for (int i = 0; i < SLOTS; i++) {
		if (copies[i] == t || originals[i] == t) return copies[i];
		if (originals[i]) continue;
		table *copy = malloc(t->struct_size);
		if (!copy) return 0;
		memcpy(copy, t, t->struct_size);
		copy->call[CLIENT_COMPILE] = compilers[i];
		originals[i] = t;
		return copies[i] = copy;
	}
	return 0;
}

static void *compile(table *t, void *args) {
	heap_compiles();
	void *error = t->call[CLIENT_COMPILE](args);
	heap_compiled();
	return error;
}

// Serialises a loaded executable. What it gives is released by release.
static int serialize(table *t, void *loaded, serialize_args *s, void **executable, char **text) {
	executable_args e = {SIZE(executable_args, executable), 0, loaded, 0};
	if (failed(t, t->call[LOADED_GET_EXECUTABLE](&e), text)) return 0;
	*executable = e.executable;
	memset(s, 0, sizeof *s);
	s->struct_size = SIZE(serialize_args, release);
	s->executable = e.executable;
	return !failed(t, t->call[EXECUTABLE_SERIALIZE](s), text);
}

static void release(table *t, serialize_args *s, void *executable) {
	char *text = 0;
	if (s->release) s->release(s->holder);
	executable_args e = {offsetof(executable_args, executable), 0, executable};
	if (failed(t, t->call[EXECUTABLE_DESTROY](&e), &text)) free(text);
}

static void *deserialize(table *t, void *client, const void *bytes, size_t size, char **text) {
	load_args l = {SIZE(load_args, options_size), 0, client, bytes, size, 0, 0, 0};
	return failed(t, t->call[DESERIALIZE_AND_LOAD](&l), text) ? 0 : l.executable;
}

static void unload(table *t, void *loaded) {
	char *text = 0;
	executable_args e = {offsetof(executable_args, executable), 0, loaded};
	if (failed(t, t->call[LOADED_DESTROY](&e), &text)) free(text);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unsafe"
)

// text takes a text of C, which it frees.
func text(s *C.char) string {
	if s == nil {
		return ""
	}
	defer C.free(unsafe.Pointer(s))
	return C.GoString(s)
}

// Loads says whether this program can load a plugin.
const Loads = true

// Probe loads a plugin, opens its devices and closes them. It is for a process
// of its own: a plugin may end the process, or never answer.
func Probe(path string) (Report, error) {
	var r Report
	api, client, err := open(path, &r)
	if err != nil {
		return r, err
	}
	if client == nil {
		return r, nil
	}
	defer C.destroy(api, client)
	r.Platform, r.Version = text(C.ask(api, C.CLIENT_PLATFORM_NAME, client)), text(C.ask(api, C.CLIENT_PLATFORM_VERSION, client))
	var list *unsafe.Pointer
	for i := range C.devices(api, client, &list) {
		r.Devices = append(r.Devices, text(C.describe(api, C.at(list, i))))
	}
	return r, nil
}

// open loads a plugin and opens its devices. The client is nil where it opens
// none, which the report says.
func open(path string, r *Report) (api *C.table, client unsafe.Pointer, err error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var problem *C.char
	if api = C.load(name, &problem); api == nil {
		return nil, nil, fmt.Errorf("%s cannot be loaded: %s", path, text(problem))
	}
	r.Major, r.Minor = int(api.version.major), int(api.version.minor)
	client = C.create(api, &problem)
	r.Problem = text(problem)
	if client == nil && r.Problem == "" {
		r.Problem = "it gives no client"
	}
	return api, client, nil
}

// MemoryOf asks how full a device is. api is the plugin's PJRT_Api and device a
// PJRT_Device of it.
func MemoryOf(api, device unsafe.Pointer) (Memory, error) {
	if api == nil || device == nil {
		return Memory{}, errors.New("pjrt: there is no device")
	}
	var m C.memory_args
	var problem *C.char
	if C.memory(api, device, &m, &problem) == 0 {
		return Memory{}, fmt.Errorf("pjrt: memory of a device: %s", text(problem))
	}
	memory := Memory{Used: int64(m.in_use)}
	if m.limit_set {
		memory.Limit = int64(m.limit)
	}
	return memory, nil
}

// KindOf is the kind of a device, such as NVIDIA H200. api is the plugin's PJRT_Api and
// device a PJRT_Device of it.
func KindOf(api, device unsafe.Pointer) (string, error) {
	if api == nil || device == nil {
		return "", errors.New("pjrt: there is no device")
	}
	var said *C.char
	if C.copy_description((*C.table)(api), C.DESCRIPTION_KIND, device, &said) == 0 {
		return "", fmt.Errorf("pjrt: kind of a device: %s", text(said))
	}
	return text(said), nil
}

// firstMemory is how full the first device of a plugin is, for tests.
func firstMemory(path string) (m Memory, err error) {
	err = ofFirst(path, func(api, device unsafe.Pointer) error {
		m, err = MemoryOf(api, device)
		return err
	})
	return m, err
}

// firstKind is the kind of the first device of a plugin, for tests.
func firstKind(path string) (kind string, err error) {
	err = ofFirst(path, func(api, device unsafe.Pointer) error {
		kind, err = KindOf(api, device)
		return err
	})
	return kind, err
}

// ofFirst calls f with the first device of a plugin.
func ofFirst(path string, f func(api, device unsafe.Pointer) error) error {
	var r Report
	api, client, err := open(path, &r)
	if err != nil || client == nil {
		return fmt.Errorf("pjrt: %v %s", err, r.Problem)
	}
	defer C.destroy(api, client)
	var list *unsafe.Pointer
	if C.devices(api, client, &list) == 0 {
		return errors.New("pjrt: there is no device")
	}
	return f(unsafe.Pointer(api), C.at(list, 0))
}

// Intercept returns a table of functions that is the plugin's, but for the
// compiler: an executable that the cache has is loaded, and one that is compiled
// is given to it. The table is for calls with this client, and is kept for ever.
// Nil where the plugin is too old.
func Intercept(api, client unsafe.Pointer, cache Cache) unsafe.Pointer {
	if api == nil || client == nil {
		return nil
	}
	intercepting.Lock()
	defer intercepting.Unlock()
	copied := C.intercept((*C.table)(api))
	if copied != nil {
		caches.Store(client, cache)
	}
	return unsafe.Pointer(copied)
}

var (
	intercepting sync.Mutex
	caches       sync.Map // the Cache of a client
)

// compileOnce is PJRT_Client_Compile of a plugin. It returns the plugin's error.
func compileOnce(table, args unsafe.Pointer) unsafe.Pointer {
	api, a := (*C.table)(table), (*C.compile_args)(args)
	cache, ok := caches.Load(a.client)
	if !ok {
		return C.compile(api, args)
	}
	return compileWith(cache.(Cache), api, a)
}

func compileWith(cache Cache, api *C.table, a *C.compile_args) unsafe.Pointer {
	p := Compilation{
		Program: unsafe.Slice((*byte)(unsafe.Pointer(a.program.code)), int(a.program.code_size)),
		Format:  C.GoStringN(a.program.format, C.int(a.program.format_size)),
		Options: unsafe.Slice((*byte)(unsafe.Pointer(a.options)), int(a.options_size)),
	}
	executable, keep := cache.Load(p)
	if executable.Loaded == nil && len(executable.Bytes) > 0 {
		var err error
		if executable.Loaded, err = Load(unsafe.Pointer(api), a.client, executable.Bytes); err != nil {
			cache.Refused(p, err)
		}
	}
	if executable.Loaded != nil {
		a.executable = executable.Loaded
		return nil
	}
	if options := cache.Options(p); len(options) > 0 {
		own, size := a.options, a.options_size
		a.options, a.options_size = (*C.char)(C.CBytes(options)), C.size_t(len(options))
		defer func() {
			C.free(unsafe.Pointer(a.options))
			a.options, a.options_size = own, size
		}()
	}
	if err := C.compile(api, unsafe.Pointer(a)); err != nil || !keep {
		return err
	}
	var problem *C.char
	var s C.serialize_args
	var of unsafe.Pointer
	ok := C.serialize(api, a.executable, &s, &of, &problem) != 0
	if of != nil {
		defer C.release(api, &s, of)
	}
	if !ok {
		cache.Refused(p, errors.New(text(problem)))
		return nil
	}
	cache.Save(p, unsafe.Slice((*byte)(unsafe.Pointer(s.bytes)), int(s.size)))
	return nil
}

// Load makes a PJRT_LoadedExecutable of a client from bytes that a [Cache] was given.
// It is for [Cache.Load] or [Unload].
func Load(api, client unsafe.Pointer, executable []byte) (loaded unsafe.Pointer, err error) {
	var problem *C.char
	loaded = C.deserialize((*C.table)(api), client, unsafe.Pointer(unsafe.SliceData(executable)), C.size_t(len(executable)), &problem)
	if loaded == nil {
		return nil, errors.New(text(problem))
	}
	return loaded, nil
}

// Unload frees an executable that [Load] made.
func Unload(api, loaded unsafe.Pointer) { C.unload((*C.table)(api), loaded) }

// Describe is what a client says of its platform and its devices.
func Describe(api, client unsafe.Pointer) string {
	t := (*C.table)(api)
	said := []string{text(C.ask(t, C.CLIENT_PLATFORM_NAME, client)), text(C.ask(t, C.CLIENT_PLATFORM_VERSION, client))}
	var list *unsafe.Pointer
	for i := range C.devices(t, client, &list) {
		said = append(said, text(C.describe(t, C.at(list, i))))
	}
	return strings.Join(said, "\n")
}
