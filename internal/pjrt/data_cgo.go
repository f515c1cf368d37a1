//go:build cgo && unix

package pjrt

/*
#include "table.h"

typedef struct { size_t struct_size; void *extensions; void *device; int number; } hardware_args;
typedef struct { size_t struct_size; void *extensions; void *buffer; void *out; } of_buffer_args;
typedef struct { size_t struct_size; void *extensions; void *of; } event_args;
typedef struct { size_t struct_size; void *extensions; void *buffer; } holding_args;

static int has(table *t, int place) {
	return t->struct_size >= offsetof(table, call) + (place + 1) * sizeof(void *) && t->call[place];
}

static int hardware(table *t, void *device, int *number, char **text) {
	hardware_args a = {SIZE(hardware_args, number), 0, device, -1};
	if (failed(t, t->call[DEVICE_HARDWARE_ID](&a), text)) return 0;
	*number = a.number;
	return 1;
}

// Waits until a buffer has its values, and keeps its memory where it is.
static void *hold(table *t, void *buffer, char **text) {
	if (!has(t, BUFFER_DATA)) { *text = strdup("the plugin does not tell"); return 0; }
	of_buffer_args r = {SIZE(of_buffer_args, out), 0, buffer, 0};
	if (failed(t, t->call[BUFFER_READY](&r), text)) return 0;
	event_args e = {SIZE(event_args, of), 0, r.out};
	int ok = !failed(t, t->call[EVENT_AWAIT](&e), text);
	char *other = 0;
	if (failed(t, t->call[EVENT_DESTROY](&e), &other)) free(other);
	if (!ok) return 0;
	holding_args h = {SIZE(holding_args, buffer), 0, buffer};
	if (failed(t, t->call[BUFFER_HOLD](&h), text)) return 0;
	of_buffer_args d = {SIZE(of_buffer_args, out), 0, buffer, 0};
	if (!failed(t, t->call[BUFFER_DATA](&d), text)) {
		if (d.out) return d.out;
		*text = strdup("it has no memory");
	}
	if (failed(t, t->call[BUFFER_LET_GO](&h), &other)) free(other);
	return 0;
}

static void let_go(table *t, void *buffer) {
	char *text = 0;
	holding_args h = {SIZE(holding_args, buffer), 0, buffer};
	if (failed(t, t->call[BUFFER_LET_GO](&h), &text)) free(text);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// HardwareOf is CUDA's number of a device. api is the plugin's PJRT_Api and device a PJRT_Device of
// it.
func HardwareOf(api, device unsafe.Pointer) (int, error) {
	if api == nil || device == nil {
		return 0, errors.New("pjrt: there is no device")
	}
	var number C.int
	var problem *C.char
	if C.hardware((*C.table)(api), device, &number, &problem) == 0 {
		return 0, fmt.Errorf("pjrt: number of a device: %s", text(problem))
	}
	if number < 0 {
		return 0, errors.New("pjrt: number of a device: it has none")
	}
	return int(number), nil
}

// DataOf waits until a buffer has its values, and returns where they are on its device: until
// release is called, the plugin neither moves nor frees them. api is the plugin's PJRT_Api and
// buffer a PJRT_Buffer of it.
func DataOf(api, buffer unsafe.Pointer) (at unsafe.Pointer, release func(), err error) {
	if api == nil || buffer == nil {
		return nil, nil, errors.New("pjrt: there is no buffer")
	}
	t := (*C.table)(api)
	var problem *C.char
	if at = C.hold(t, buffer, &problem); at == nil {
		return nil, nil, fmt.Errorf("pjrt: memory of a buffer: %s", text(problem))
	}
	return at, func() { C.let_go(t, buffer) }, nil
}
