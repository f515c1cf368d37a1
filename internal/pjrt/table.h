// What all that calls PJRT's C interface here has in common: the table of functions,
// their places in it, and errors.
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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
	ERROR_DESTROY = 0, ERROR_MESSAGE = 1, PLUGIN_INITIALIZE = 3, EVENT_DESTROY = 5, EVENT_AWAIT = 8, CLIENT_CREATE = 10, CLIENT_DESTROY = 11, CLIENT_PLATFORM_NAME = 12,
	CLIENT_PLATFORM_VERSION = 14, CLIENT_DEVICES = 15, CLIENT_ADDRESSABLE_DEVICES = 16, CLIENT_COMPILE = 20, BUFFER_FROM_HOST = 22,
	DESCRIPTION_ID = 23, DESCRIPTION_PROCESS = 24, DESCRIPTION_KIND = 26, DESCRIPTION_TO_STRING = 28, DEVICE_DESCRIPTION = 29,
	DEVICE_ADDRESSABLE = 30, DEVICE_HARDWARE_ID = 31, DEVICE_MEMORY_STATS = 34, EXECUTABLE_DESTROY = 40, EXECUTABLE_OUTPUTS = 44, EXECUTABLE_COST_ANALYSIS = 46,
	EXECUTABLE_OPTIMIZED_PROGRAM = 48, EXECUTABLE_SERIALIZE = 49, LOADED_DESTROY = 50, LOADED_GET_EXECUTABLE = 51, LOADED_DEVICES = 52, EXECUTE = 55,
	DESERIALIZE_AND_LOAD = 56, BUFFER_DESTROY = 58, BUFFER_TYPE = 59, BUFFER_DIMENSIONS = 60, BUFFER_TO_HOST = 70,
	BUFFER_READY = 72, BUFFER_HOLD = 74, BUFFER_LET_GO = 75, BUFFER_DATA = 76,
	TOPOLOGY_CREATE = 82, TOPOLOGY_DESTROY = 83, COMPILE = 89, EXECUTABLE_MEMORY_STATS = 96,
};

typedef struct { size_t struct_size; void *extensions; void *error; } error_args;
typedef struct { size_t struct_size; void *extensions; void *error; const char *text; size_t size; } message_args;
typedef struct { size_t struct_size; void *extensions; } initialize_args;
typedef struct { size_t struct_size; void *extensions; void *of; const char *text; size_t size; } text_args;
typedef struct { size_t struct_size; void *extensions; const char *code; size_t code_size; const char *format; size_t format_size; } program;

// Sizes are those of the interface: up to the end of the last field.
#define SIZE(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

// Copies the text of an error, which it frees, and returns whether there was one.
static inline int failed(table *t, void *error, char **text) {
	if (!error) return 0;
	message_args m = {SIZE(message_args, size), 0, error, 0, 0};
	t->call[ERROR_MESSAGE](&m);
	*text = strndup(m.text ? m.text : "", m.text ? m.size : 0);
	error_args d = {SIZE(error_args, error), 0, error};
	t->call[ERROR_DESTROY](&d);
	return 1;
}

static inline table *load(const char *path, char **text) {
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) { *text = strdup(dlerror()); return 0; }
	table *(*get)(void) = (table *(*)(void))dlsym(library, "GetPjrtApi");
	if (!get) { *text = strdup("it has no function GetPjrtApi, as a PJRT plugin has"); return 0; }
	table *t = get();
	if (!t) *text = strdup("GetPjrtApi gives nothing");
	return t;
}
