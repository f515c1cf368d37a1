// Package goxla gives dl what go-xla v0.4.4 has and shows to no caller: how full a
// device's memory is, executables as bytes, custom calls. It reads fields and calls
// a method that go-xla keeps to itself; where those have other names, dl does
// without. What imports it is linked with go-xla, so that cells cannot.
package goxla

import (
	_ "unsafe" // for go:linkname

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/go-xla/compute/xla"

	"github.com/holt-dl/holt/internal/hooks"
)

// Install sets dl's hooks.
func Install() {
	hooks.Set(func(h *hooks.Hooks) {
		h.DeviceMemory = deviceMemory
		h.Opened = keepExecutables
		h.KnownPlugin = knownPlugin
		h.CustomCall = callOut
	})
}

// customCall writes a stablehlo.custom_call. Go-xla calls it for cuDNN alone
// (compute/xla/ops.go).
//
//go:linkname customCall github.com/gomlx/go-xla/compute/xla.(*Function).customCall
func customCall(f *xla.Function, target, config string, operandLayouts [][]int, outputs []shapes.Shape, outputLayouts [][]int, operands ...compute.Value) ([]compute.Value, error)

// callOut writes a custom call that gives float32 numbers of a shape. ok is false
// where the function is not go-xla's.
func callOut(function any, target, config string, dims []int, operands []any) (result any, ok bool, err error) {
	f, ok := function.(*xla.Function)
	if !ok {
		return nil, false, nil
	}
	values := make([]compute.Value, len(operands))
	for i, x := range operands {
		values[i] = x
	}
	out, err := customCall(f, target, config, nil, []shapes.Shape{shapes.Make(dtypes.Float32, dims...)}, nil, values...)
	if err != nil {
		return nil, true, err
	}
	return out[0], true, nil
}
