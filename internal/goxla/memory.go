package goxla

import (
	"reflect"
	"unsafe"

	"github.com/gomlx/go-xla/compute/xla"
	xlapjrt "github.com/gomlx/go-xla/pjrt"

	"github.com/holt-dl/holt/internal/pjrt"
)

// deviceMemory says how much of a device's memory this process uses, and how
// much it may take, in bytes. Go-xla v0.4.4 does not bind PJRT's function for it
// and keeps its handles to itself, so that they are read from its fields; where
// those have other names the answer is not known.
func deviceMemory(b any, device int) (used, limit int64, ok bool) {
	m, err := pjrt.MemoryOf(handles(b, device))
	return m.Used, m.Limit, err == nil && m.Limit > 0
}

// deviceKind is the kind of a device, such as NVIDIA H200, in the same way.
func deviceKind(b any, device int) (kind string, ok bool) {
	kind, err := pjrt.KindOf(handles(b, device))
	return kind, err == nil && kind != ""
}

// handles are PJRT's own of a backend's plugin and of one of its devices; nil where they are
// not known.
func handles(b any, device int) (api, of unsafe.Pointer) {
	x, isXLA := b.(*xla.Backend)
	if !isXLA {
		return nil, nil
	}
	client := (*xlapjrt.Client)(pointer(x, "client"))
	api = pointer((*xlapjrt.Plugin)(pointer(x, "plugin")), "api")
	if client == nil || api == nil {
		return nil, nil
	}
	devices := client.AddressableDevices()
	if device < 0 || device >= len(devices) {
		return nil, nil
	}
	return api, pointer(devices[device], "cDevice")
}

// pointer returns the pointer in a field of a struct, or in a field of what that
// field points to, and so on; nil where there is none of that name.
func pointer(of any, fields ...string) unsafe.Pointer {
	v := reflect.ValueOf(of)
	for _, field := range fields {
		if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return nil
		}
		v = v.Elem().FieldByName(field)
	}
	if v.Kind() != reflect.Pointer {
		return nil
	}
	return v.UnsafePointer()
}
