//go:build cgo && unix

package pjrt

/*
#cgo linux LDFLAGS: -ldl
#include "table.h"

typedef struct {
	size_t struct_size; void *extensions; const char *name; size_t name_size; int kind;
	union { const char *text; int64_t number; } value;
	size_t value_size;
} named;

enum { TEXT = 0 };

typedef struct {
	size_t struct_size; void *extensions; const char *name; size_t name_size;
	const named *options; size_t num_options; void *topology;
} topology_args;
typedef struct { size_t struct_size; void *extensions; void *topology; } topology_destroy_args;
typedef struct {
	size_t struct_size; void *extensions; void *topology; const program *program;
	const char *options; size_t options_size; void *client; void *executable;
} target_compile_args;
typedef struct { size_t struct_size; void *extensions; void *executable; } destroy_args;
typedef struct { size_t struct_size; void *extensions; void *executable; program *program; } optimized_args;
typedef struct {
	size_t struct_size; void *extensions; void *executable;
	int64_t code, arguments, outputs, aliases, temporary;
	int64_t host[5];
	int64_t peak;
	int64_t more[16]; // room for what later versions tell
} stats_args;

static named option(const char *name, const char *text) {
	named n = {SIZE(named, value_size), 0, name, strlen(name), TEXT, {.text = text}, strlen(text)};
	return n;
}

static void *target(table *t, const char *config, const char *shape, char **text) {
	if (t->struct_size < offsetof(table, call) + (EXECUTABLE_MEMORY_STATS + 1) * sizeof(void *) || !t->call[TOPOLOGY_CREATE] || !t->call[COMPILE]) {
		*text = strdup("the plugin is too old to compile for a device that is not there");
		return 0;
	}
	initialize_args in = {sizeof in, 0};
	if (failed(t, t->call[PLUGIN_INITIALIZE](&in), text)) return 0;
	named options[2] = {option("target_config", config), option("topology", shape)};
	topology_args a = {SIZE(topology_args, topology), 0, "", 0, options, 2, 0};
	if (failed(t, t->call[TOPOLOGY_CREATE](&a), text)) return 0;
	return a.topology;
}

static void end_target(table *t, void *topology) {
	char *text = 0;
	topology_destroy_args a = {SIZE(topology_destroy_args, topology), 0, topology};
	if (failed(t, t->call[TOPOLOGY_DESTROY](&a), &text)) free(text);
}

static void *compile_for(table *t, void *topology, const char *code, size_t size, const char *options, size_t options_size, char **text) {
	program p = {SIZE(program, format_size), 0, code, size, "mlir", 4};
	target_compile_args a = {SIZE(target_compile_args, executable), 0, topology, &p, options, options_size, 0, 0};
	if (failed(t, t->call[COMPILE](&a), text)) return 0;
	return a.executable;
}

static void end_executable(table *t, void *executable) {
	char *text = 0;
	destroy_args a = {SIZE(destroy_args, executable), 0, executable};
	if (failed(t, t->call[EXECUTABLE_DESTROY](&a), &text)) free(text);
}

static int stats(table *t, void *executable, stats_args *s, char **text) {
	memset(s, 0, sizeof *s);
	s->struct_size = SIZE(stats_args, more);
	s->executable = executable;
	return !failed(t, t->call[EXECUTABLE_MEMORY_STATS](s), text);
}

// Copies what the compiler made of the program, an HloModuleProto.
static int optimized(table *t, void *executable, char **bytes, size_t *size, char **text) {
	program p = {SIZE(program, format_size), 0, 0, 0, 0, 0};
	optimized_args a = {SIZE(optimized_args, program), 0, executable, &p};
	if (failed(t, t->call[EXECUTABLE_OPTIMIZED_PROGRAM](&a), text)) return 0;
	char *to = malloc(p.code_size + 1);
	if (!to) { *text = strdup("no memory is left"); return 0; }
	p.code = to;
	if (failed(t, t->call[EXECUTABLE_OPTIMIZED_PROGRAM](&a), text)) { free(to); return 0; }
	*bytes = to;
	*size = p.code_size;
	return 1;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Target is devices of a plugin that need not be there.
type Target struct {
	api      *C.table
	topology unsafe.Pointer
	hosts    int
	perHost  int
}

// DescribeTarget loads a plugin and describes to it, in the text of XLA's GpuTargetConfigProto,
// the device to compile for, of which each of so many hosts has perHost. It is for a process of its
// own: a plugin may end the process.
func DescribeTarget(path, config string, hosts, perHost int) (*Target, error) {
	// Slices, hosts of a slice, and devices of a host: the devices of a slice reach each other's
	// memory, by NVLink say, and hosts do not.
	name, shape, described := C.CString(path), C.CString(fmt.Sprintf("%dx1x%d", hosts, perHost)), C.CString(config)
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(shape))
	defer C.free(unsafe.Pointer(described))
	var problem *C.char
	api := C.load(name, &problem)
	if api == nil {
		return nil, fmt.Errorf("%s cannot be loaded: %s", path, text(problem))
	}
	topology := C.target(api, described, shape, &problem)
	if topology == nil {
		return nil, errors.New(text(problem))
	}
	return &Target{api, topology, hosts, perHost}, nil
}

// Close gives back what the target took. The plugin stays loaded.
func (t *Target) Close() { C.end_target(t.api, t.topology) }

// Compile compiles a program in StableHLO for all devices of the target, and says what it
// would take.
func (t *Target) Compile(mlir []byte) (c Cost, err error) {
	n := t.hosts * t.perHost
	assignment := Assignment{Replicas: 1, Partitions: n}
	for d := range n {
		assignment.Devices = append(assignment.Devices, d) // those of a host come one after the other
	}
	options := compileOptions(assignment)
	var problem *C.char
	e := C.compile_for(t.api, t.topology, (*C.char)(unsafe.Pointer(unsafe.SliceData(mlir))), C.size_t(len(mlir)),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(options))), C.size_t(len(options)), &problem)
	if e == nil {
		return c, errors.New(text(problem))
	}
	defer C.end_executable(t.api, e)
	var s C.stats_args
	var bytes *C.char
	var size C.size_t
	if C.stats(t.api, e, &s, &problem) == 0 || C.optimized(t.api, e, &bytes, &size, &problem) == 0 {
		return c, fmt.Errorf("compiled, but the compiler does not tell its cost: %s", text(problem))
	}
	defer C.free(unsafe.Pointer(bytes))
	c = Cost{Code: int64(s.code), Arguments: int64(s.arguments), Outputs: int64(s.outputs),
		Aliases: int64(s.aliases), Temporary: int64(s.temporary), Peak: int64(s.peak)}
	hlo := unsafe.Slice((*byte)(unsafe.Pointer(bytes)), int(size))
	c.Calls, c.Collectives = libraryCalls(hlo), collectives(hlo, n, t.perHost)
	return c, nil
}
