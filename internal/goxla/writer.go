package goxla

import (
	"reflect"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	xlapjrt "github.com/gomlx/go-xla/pjrt"
)

// mostDevices is for how many GPUs, on however many hosts, a program is written at most.
const mostDevices = 1024

// cudaWriter returns a backend that writes programs as go-xla does for CUDA, without a
// plugin and devices. Go-xla v0.4.4 asks the plugin's name what to write (pjrt/plugins.go,
// IsCUDA) and keeps it to itself, as it keeps the number of devices. It is nil where
// go-xla's fields have other names. It must not run anything.
func cudaWriter(tf32 bool) any {
	plugin, b := &xlapjrt.Plugin{}, &xla.Backend{DotGeneralUseTF32: tf32}
	name, ok := field[string](plugin, "name")
	devices, ok2 := field[int](b, "numDevices")
	of, ok3 := field[*xlapjrt.Plugin](b, "plugin")
	can, ok4 := field[compute.Capabilities](b, "capabilities")
	if !ok || !ok2 || !ok3 || !ok4 {
		return nil
	}
	*name, *devices, *of, *can = "cuda", mostDevices, plugin, xla.Capabilities.Clone()
	can.Operations[compute.OpTypeFusedScaledDotProductAttention] = true
	can.Operations[compute.OpTypeFusedScaledDotProductAttentionVJP] = true
	return b
}

// field returns a field of the struct that of points to, false where there is none of
// that name and type.
func field[T any](of any, name string) (*T, bool) {
	f := reflect.ValueOf(of).Elem().FieldByName(name)
	if !f.IsValid() || f.Type() != reflect.TypeFor[T]() {
		return nil, false
	}
	return (*T)(f.Addr().UnsafePointer()), true
}
