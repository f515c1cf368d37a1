package xla

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/holt-dl/holt/internal/hooks"
)

// XLA's plugin for the processor has oneDNN in it, and executes custom calls of it,
// though its own compiler never writes one. For convolutions and products of
// matrices they take half the time. The calls are inner names of one plugin, so that
// they are written only for one that Holt's tests ran with, after each form has
// given XLA's own numbers in this process.
//
// A program with such a call cannot be kept on disk, and takes as long to compile as
// XLA's own. So a training, an evaluation, a model's predictions for a shape or a
// compiled function begin with an unoptimised program, which is compiled in two fifths of the
// time and is on disk after the first time. Its convolutions are calls of package calls, which
// a program on disk may have: they take no longer in a program without optimisation, and leave
// less of it to compile and to load. From the [quickFrom]th run on there is one with calls of
// oneDNN, compiled in the background since the [quickBegins]th, both counted from 0. Other
// runs have XLA's own. What decides is the number of the run in its training, which a
// checkpoint keeps, or among the model's predictions, and neither the time nor what else ran
// before: a training that is repeated or resumed has the same bits.

const (
	quickBegins = 3
	quickFrom   = 10
)

// OneDNNEnv is the variable that is 0 where oneDNN is never to be called, and 1 where
// it is called from the first run on.
const OneDNNEnv = "HOLT_ONEDNN"

// oneDNNFrom is lower.OneDNNFrom, for products.
const oneDNNFrom = 1 << 24

// oneDNN is the main function of a program in which calls of oneDNN and of package calls
// replace convolutions and products.
type oneDNN struct {
	compute.Function
	builder compute.Builder
	on      compute.Backend
	own     bool // convolutions are calls of package calls, and products none, as in an unoptimised program
	calls   int  // that there are, or that oneDNN's form has
	loops   bool // there are calls where XLA's own program has a loop

	turned map[compute.Value]compute.Value // what filters were before they were turned by half a turn
}

// OneDNN reports whether convolutions are to be written for oneDNN, and whether their
// filters' gradients are, too.
func (b once) OneDNN() (calls, gradients bool) {
	calls = b.closures.calling()
	return calls, calls && (avx512() || hasCalls(b.Backend))
}

var avx512 = sync.OnceValue(func() bool {
	text, err := os.ReadFile("/proc/cpuinfo")
	return err == nil && strings.Contains(string(text), " avx512f")
})

// mayCallOneDNN reports whether programs of a device may have calls of oneDNN, where
// its plugin has them.
func (on *Device) mayCallOneDNN() bool {
	h := hooks.Get()
	return on.Kind == "cpu" && h.CustomCall != nil && h.KnownPlugin != nil && os.Getenv(OneDNNEnv) != "0"
}

// callsOneDNN reports whether a device has calls of oneDNN that give XLA's own
// numbers, which is checked first.
func (on *Device) callsOneDNN() bool { return on.mayCallOneDNN() && oneDNNChecked(on) }

// call writes a call of oneDNN, or of package calls, that gives float32 numbers of a
// shape.
func (f *oneDNN) call(target string, config any, dims []int, operands ...compute.Value) (compute.Value, error) {
	results, err := f.callFor([][]int{dims}, target, config, operands...)
	if err != nil {
		return nil, err
	}
	return results[0], nil
}

// callFor writes a call that gives numbers of several shapes.
func (f *oneDNN) callFor(dims [][]int, target string, config any, operands ...compute.Value) (results []compute.Value, err error) {
	var text []byte
	if config != nil {
		if text, err = json.Marshal(config); err != nil {
			return nil, err
		}
	}
	all := make([]any, len(operands))
	for i, x := range operands {
		all[i] = x
	}
	out, ok, err := hooks.Get().CustomCall(f.Function, target, string(text), dims, all)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("dl: %T has no calls of oneDNN", f.Function)
	}
	f.calls++
	for _, v := range out {
		results = append(results, v.(compute.Value))
	}
	return results, nil
}

// The configuration of a convolution, as XLA's OneDnnConvolutionConfig has it. Axes
// and sizes are plain numbers.
type convConfig struct {
	Conv struct {
		Dims   int `json:"dims"`
		Groups int `json:"feature_groups"`
		Input  struct {
			Data axesConfig `json:"data"`
		} `json:"input"`
		Kernel struct {
			Filter filterConfig `json:"filter"`
		} `json:"kernel"`
		Output struct {
			Data axesConfig `json:"data"`
		} `json:"output"`
		Window struct {
			Left      []int `json:"pad_left"`
			Right     []int `json:"pad_right"`
			Strides   []int `json:"strides"`
			Dilations []int `json:"window_dilations"`
		} `json:"window"`
	} `json:"onednn_conv_config"`
}

type axesConfig struct {
	Batch   int   `json:"batch_dim"`
	Feature int   `json:"feature_dim"`
	Spatial []int `json:"spatial_dims"`
}

type filterConfig struct {
	In      int   `json:"input_feature_dim"`
	Out     int   `json:"output_feature_dim"`
	Spatial []int `json:"spatial_dims"`
}

// ConvGeneral implements compute.Function. What package lower writes for oneDNN has
// other axes than filters [K K I O], which all other convolutions have.
func (f *oneDNN) ConvGeneral(x, kernel compute.Value, axes compute.ConvolveAxesConfig, strides []int, padding [][2]int,
	spread, dilations []int, groups, batchGroups int) (compute.Value, error) {
	in, err := f.builder.OpShape(x)
	if err != nil {
		return nil, err
	}
	filter, err := f.builder.OpShape(kernel)
	if err != nil {
		return nil, err
	}
	if in.DType != dtypes.Float32 || filter.DType != dtypes.Float32 || groups > 1 || batchGroups > 1 || axes.KernelSpatial[0] == 0 {
		return f.Function.ConvGeneral(x, kernel, axes, strides, padding, spread, dilations, groups, batchGroups)
	}
	if in.Rank() == 5 && axes.InputBatch == 4 && (f.own || !avx512() || in.Dimensions[3] <= mostChannels || in.Dimensions[1] <= 2) && hasCalls(f.on) {
		return f.filtersGradient(x, kernel, in, filter, strides, padding, dilations)
	}
	if tinyPictures(in, filter, axes, strides, padding, spread, dilations) && hasCalls(f.on) {
		return f.tinyConvolution(x, kernel, in.Dimensions, filter.Dimensions[axes.KernelOutputChannels], axes.KernelInputChannels == 0)
	}
	if f.own {
		return f.convolution(x, kernel, in.Dimensions, filter.Dimensions, axes, strides, padding, spread, dilations)
	}
	// OneDNN knows neither zeros between pixels nor negative padding.
	padding, spread = slices.Clone(padding), slices.Clone(spread)
	before := make([]compute.PadAxis, in.Rank())
	pads := false
	for i, axis := range axes.InputSpatial {
		p := &before[axis]
		p.Start, p.End = min(0, padding[i][0]), min(0, padding[i][1])
		if spread != nil {
			p.Interior = spread[i] - 1
		}
		pads = pads || *p != compute.PadAxis{}
		padding[i] = [2]int{max(0, padding[i][0]), max(0, padding[i][1])}
	}
	if pads {
		zero, err := f.Function.Constant([]float32{0})
		if err != nil {
			return nil, err
		}
		if x, err = f.Function.Pad(x, zero, before...); err != nil {
			return nil, err
		}
		if in, err = f.builder.OpShape(x); err != nil {
			return nil, err
		}
	}
	var c convConfig
	c.Conv.Dims, c.Conv.Groups = in.Rank(), 1
	c.Conv.Input.Data = axesConfig{axes.InputBatch, axes.InputChannels, axes.InputSpatial}
	c.Conv.Kernel.Filter = filterConfig{axes.KernelInputChannels, axes.KernelOutputChannels, axes.KernelSpatial}
	c.Conv.Output.Data = axesConfig{axes.OutputBatch, axes.OutputChannels, axes.OutputSpatial}
	w := &c.Conv.Window
	w.Strides, w.Dilations = strides, dilations
	dims := make([]int, in.Rank())
	dims[axes.OutputBatch], dims[axes.OutputChannels] = in.Dimensions[axes.InputBatch], filter.Dimensions[axes.KernelOutputChannels]
	for i, axis := range axes.OutputSpatial {
		w.Left, w.Right = append(w.Left, padding[i][0]), append(w.Right, padding[i][1])
		room := in.Dimensions[axes.InputSpatial[i]] + padding[i][0] + padding[i][1] - dilations[i]*(filter.Dimensions[axes.KernelSpatial[i]]-1) - 1
		dims[axis] = room/strides[i] + 1
	}
	return f.call("__onednn$convolution", c, dims, x, kernel)
}

// The configuration of a product, as XLA's OneDnnMatMulConfig has it.
type matmulConfig struct {
	Matmul struct {
		TransposeA bool `json:"transpose_a"`
		TransposeB bool `json:"transpose_b"`
	} `json:"onednn_matmul_config"`
}

// DotGeneral implements compute.Function. A product that is one of two matrices,
// when axes are taken together, is oneDNN's where it is large enough: XLA would move
// all numbers before it multiplies over two axes.
func (f *oneDNN) DotGeneral(x compute.Value, sumX, batchX []int, y compute.Value, sumY, batchY []int, config compute.DotGeneralConfig) (compute.Value, error) {
	theirs := func() (compute.Value, error) {
		return f.Function.DotGeneral(x, sumX, batchX, y, sumY, batchY, config)
	}
	a, err := f.builder.OpShape(x)
	if err != nil {
		return nil, err
	}
	b, err := f.builder.OpShape(y)
	if err != nil {
		return nil, err
	}
	plain := func(d dtypes.DType) bool { return d == dtypes.InvalidDType || d == dtypes.Float32 }
	if a.DType != dtypes.Float32 || b.DType != dtypes.Float32 || len(batchX)+len(batchY) > 0 || !plain(config.AccumulatorDType) || !plain(config.OutputDType) {
		return theirs()
	}
	inner, outerX, firstX, okX := matrix(a, sumX)
	_, outerY, firstY, okY := matrix(b, sumY)
	m, n := product(outerX), product(outerY)
	large := 2*m*n*inner >= oneDNNFrom
	if !okX || !okY || !large && (f.own || !smallProduct(m, n, inner) || firstX && !firstY || !hasCalls(f.on)) {
		return theirs()
	}
	if f.own {
		f.calls++
		return theirs()
	}
	flat := func(v compute.Value, s shapes.Shape, outer int, first bool) (compute.Value, error) {
		dims := []int{outer, inner}
		if first {
			dims = []int{inner, outer}
		}
		if slices.Equal(s.Dimensions, dims) {
			return v, nil
		}
		return f.Function.Reshape(v, dims...)
	}
	if x, err = flat(x, a, m, firstX); err != nil {
		return nil, err
	}
	if y, err = flat(y, b, n, firstY); err != nil {
		return nil, err
	}
	var z compute.Value
	if large {
		var c matmulConfig
		c.Matmul.TransposeA, c.Matmul.TransposeB = firstX, !firstY
		z, err = f.call("__onednn$matmul", c, []int{m, n}, x, y)
	} else {
		z, err = f.product(x, firstX, y, !firstY, m, n)
	}
	if dims := slices.Concat(outerX, outerY); err == nil && len(dims) != 2 {
		return f.Function.Reshape(z, dims...)
	}
	return z, err
}

// matrix reports whether the axes that a product sums over are the first or the last
// ones of an operand, in their order: then it is a matrix of inner by outer numbers,
// or the other way round.
func matrix(s shapes.Shape, sum []int) (inner int, outer []int, first, ok bool) {
	n, all := len(sum), s.Dimensions
	if n == 0 || n == len(all) {
		return 0, nil, false, false
	}
	from := sum[0]
	for i, axis := range sum {
		if axis != from+i {
			return 0, nil, false, false
		}
	}
	switch from {
	case 0:
		return product(all[:n]), all[n:], true, true
	case len(all) - n:
		return product(all[from:]), all[:from], false, true
	}
	return 0, nil, false, false
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// parts is into how many parts a long sum is cut.
const parts = 8

// ReduceSum implements compute.Function. A sum over all axes but the last, which is
// the gradient of a bias, is one of a few parts first, which XLA adds as fast as it
// reads them; down the columns it is several times as slow.
func (f *oneDNN) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	s, err := f.builder.OpShape(x)
	if err != nil {
		return nil, err
	}
	last := s.Rank() - 1
	rows := 0
	if last > 0 {
		rows = product(s.Dimensions[:last])
	}
	leading := len(axes) == last
	for i := range axes {
		leading = leading && axes[i] == i
	}
	if f.own || !leading || s.DType != dtypes.Float32 || rows%parts != 0 || s.Size() < 1<<16 || s.Dimensions[last] < 10 {
		return f.Function.ReduceSum(x, axes...)
	}
	n, c := rows/parts, s.Dimensions[last]
	if x, err = f.Function.Reshape(x, parts, n, c); err != nil {
		return nil, err
	}
	var sum compute.Value
	for i := range parts {
		part, err := f.Function.Slice(x, []int{i, 0, 0}, []int{i + 1, n, c}, []int{1, 1, 1})
		if err == nil && sum != nil {
			part, err = f.Function.Add(sum, part)
		}
		if err != nil {
			return nil, err
		}
		sum = part
	}
	if sum, err = f.Function.Reshape(sum, n, c); err != nil {
		return nil, err
	}
	return f.Function.ReduceSum(sum, 0)
}
