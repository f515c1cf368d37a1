//go:build cgo && unix

package pjrt

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// The head of PJRT_Api, and the places of its functions.
typedef struct {
	size_t struct_size;
	void *extensions;
	struct { size_t struct_size; void *extensions; int major, minor; } version;
	void *(*call[])(void *args);
} table;

enum {
	ERROR_DESTROY = 0, ERROR_MESSAGE = 1, PLUGIN_INITIALIZE = 3, CLIENT_CREATE = 10, CLIENT_DESTROY = 11, CLIENT_PLATFORM_NAME = 12,
	CLIENT_PLATFORM_VERSION = 14, CLIENT_ADDRESSABLE_DEVICES = 16, DESCRIPTION_TO_STRING = 28, DEVICE_DESCRIPTION = 29, DEVICE_MEMORY_STATS = 34,
};

typedef struct { size_t struct_size; void *extensions; void *error; } error_args;
typedef struct { size_t struct_size; void *extensions; void *error; const char *text; size_t size; } message_args;
typedef struct { size_t struct_size; void *extensions; } initialize_args;
typedef struct {
	size_t struct_size; void *extensions; const void *options; size_t num_options;
	void *get, *get_arg, *put, *put_arg; void *client; void *try_get, *try_get_arg;
} create_args;
typedef struct { size_t struct_size; void *extensions; void *client; } client_args;
typedef struct { size_t struct_size; void *extensions; void *of; const char *text; size_t size; } text_args;
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

// Sizes are those of the interface: up to the end of the last field.
#define SIZE(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

// Copies the text of an error, which it frees, and returns whether there was one.
static int failed(table *t, void *error, char **text) {
	if (!error) return 0;
	message_args m = {SIZE(message_args, size), 0, error, 0, 0};
	t->call[ERROR_MESSAGE](&m);
	*text = strndup(m.text ? m.text : "", m.text ? m.size : 0);
	error_args d = {SIZE(error_args, error), 0, error};
	t->call[ERROR_DESTROY](&d);
	return 1;
}

static table *load(const char *path, char **text) {
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) { *text = strdup(dlerror()); return 0; }
	table *(*get)(void) = (table *(*)(void))dlsym(library, "GetPjrtApi");
	if (!get) { *text = strdup("it has no function GetPjrtApi, as a PJRT plugin has"); return 0; }
	table *t = get();
	if (!t) *text = strdup("GetPjrtApi gives nothing");
	return t;
}

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

// Copies a text of the client or a description, or the error.
static char *ask(table *t, int place, void *of) {
	char *text = 0;
	text_args a = {SIZE(text_args, size), 0, of, 0, 0};
	if (failed(t, t->call[place](&a), &text)) return text;
	return strndup(a.text ? a.text : "", a.text ? a.size : 0);
}

static size_t devices(table *t, void *client, void ***list) {
	char *text = 0;
	devices_args a = {SIZE(devices_args, num), 0, client, 0, 0};
	if (failed(t, t->call[CLIENT_ADDRESSABLE_DEVICES](&a), &text)) { free(text); return 0; }
	*list = a.devices;
	return a.num;
}

static char *describe(table *t, void **list, size_t i) {
	char *text = 0;
	description_args a = {SIZE(description_args, description), 0, list[i], 0};
	if (failed(t, t->call[DEVICE_DESCRIPTION](&a), &text)) return text;
	return ask(t, DESCRIPTION_TO_STRING, a.description);
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
*/
import "C"

import (
	"errors"
	"fmt"
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
		r.Devices = append(r.Devices, text(C.describe(api, list, i)))
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

// firstMemory is how full the first device of a plugin is, for tests.
func firstMemory(path string) (Memory, error) {
	var r Report
	api, client, err := open(path, &r)
	if err != nil || client == nil {
		return Memory{}, fmt.Errorf("pjrt: %v %s", err, r.Problem)
	}
	defer C.destroy(api, client)
	var list *unsafe.Pointer
	if C.devices(api, client, &list) == 0 {
		return Memory{}, errors.New("pjrt: there is no device")
	}
	return MemoryOf(unsafe.Pointer(api), C.at(list, 0))
}
