// Package goxla gives dl what go-xla v0.4.4 has and shows to no caller: how full a
// device's memory is, executables as bytes, custom calls, programs for CUDA without it. It reads fields and calls
// a method that go-xla keeps to itself; where those have other names, dl does
// without. What imports it is linked with go-xla, so that cells cannot.
package goxla

import (
	"errors"
	"fmt"
	"sync"
	_ "unsafe" // for go:linkname

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/go-xla/compute/xla"
	xlapjrt "github.com/gomlx/go-xla/pjrt"
	"github.com/gomlx/go-xla/stablehlo"

	"github.com/holt-dl/holt/internal/ahead"
	"github.com/holt-dl/holt/internal/calls"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/pjrt"
)

// Install sets dl's hooks.
func Install() {
	hooks.Set(func(h *hooks.Hooks) {
		h.DeviceMemory, h.DeviceKind = deviceMemory, deviceKind
		h.OpenCPU = openCPU
		h.Opened = keepExecutables
		h.KnownPlugin = knownPlugin
		h.CustomCall = callOut
		h.Calls = knowsCalls
		h.HoldMemory = pjrt.HoldMemory
		h.CUDAWriter = cudaWriter
		h.CompileAhead = ahead.Compile
		h.NCCL = openNCCL
	})
}

// openCPU opens so many devices of the processor; what opens go-xla's backends by a text
// takes no such number.
func openCPU(plugin string, devices int) (any, error) {
	return xla.NewWithOptions(plugin, xlapjrt.NamedValuesMap{"cpu_device_count": int64(devices)})
}

// customCall writes a stablehlo.custom_call. Go-xla calls it for cuDNN alone
// (compute/xla/ops.go).
//
//go:linkname customCall github.com/gomlx/go-xla/compute/xla.(*Function).customCall
func customCall(f *xla.Function, target, config string, operandLayouts [][]int, outputs []shapes.Shape, outputLayouts [][]int, operands ...compute.Value) ([]compute.Value, error)

// callOut writes a custom call that gives float32 numbers of some shapes. ok is false
// where the function is not go-xla's.
func callOut(function any, target, config string, dims [][]int, operands []any) (results []any, ok bool, err error) {
	f, ok := function.(*xla.Function)
	if !ok {
		return nil, false, nil
	}
	values := make([]compute.Value, len(operands))
	for i, x := range operands {
		values[i] = x
	}
	var outputs []shapes.Shape
	for _, d := range dims {
		outputs = append(outputs, shapes.Make(dtypes.Float32, d...))
	}
	out, err := customCall(f, target, config, nil, outputs, nil, values...)
	if err == nil && calls.Has(target) {
		err = typed(f, target)
	}
	if err != nil {
		return nil, true, err
	}
	for _, v := range out {
		results = append(results, v)
	}
	return results, true, nil
}

// typed makes the call that was written last one of XLA's interface for functions of
// others, which go-xla does not write.
func typed(f *xla.Function, target string) error {
	fn := (*stablehlo.Function)(pointer(f, "fn"))
	if fn == nil || len(fn.Statements) == 0 {
		return errors.New("goxla: go-xla's function has no statements")
	}
	attributes := fn.Statements[len(fn.Statements)-1].Attributes
	if attributes["call_target_name"] != target {
		return fmt.Errorf("goxla: the last statement calls %v, want %s", attributes["call_target_name"], target)
	}
	attributes["api_version"] = int32(4) // API_VERSION_TYPED_FFI
	return nil
}

// answers has what was asked once about each of some things.
type answers struct{ sync.Map }

func (a *answers) to(thing any, ask func() bool) bool {
	once, _ := a.LoadOrStore(thing, sync.OnceValue(ask))
	return once.(func() bool)()
}

// callsKnown says of a backend whether its plugin knows the calls of package calls.
var callsKnown answers

func knowsCalls(b any) bool {
	x, isXLA := b.(*xla.Backend)
	if !isXLA {
		return false
	}
	return callsKnown.to(x, func() bool {
		api := pointer((*xlapjrt.Plugin)(pointer(x, "plugin")), "api")
		return api != nil && calls.Register(api)
	})
}
