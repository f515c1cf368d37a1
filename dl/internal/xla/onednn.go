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
// compiled function begin with XLA's own program, compiled without optimisation in half
// of the time, which is on disk after the first time, and have one with calls from their
// [quickFrom]th run on, compiled in the background since their [quickBegins]th, both
// counted from 0. Other runs have XLA's own. What decides is
// the number of the run in its training, which a checkpoint keeps, or among the model's
// predictions, and neither the time nor what else ran before: a training that is
// repeated or resumed has the same bits.

const (
	quickBegins = 3
	quickFrom   = 10
)

// OneDNNEnv is the variable that is 0 where oneDNN is never to be called, and 1 where
// it is called from the first run on.
const OneDNNEnv = "HOLT_ONEDNN"

// oneDNNFrom is lower.OneDNNFrom, for products.
const oneDNNFrom = 1 << 24

// oneDNN is the main function of a program in which calls of oneDNN replace
// convolutions and products.
type oneDNN struct {
	compute.Function
	builder compute.Builder
	on      compute.Backend
	calls   int
	loops   bool // there are calls where XLA's own program has a loop
}

// OneDNN reports whether convolutions are to be written for oneDNN, and whether their
// filters' gradients are, too.
func (b once) OneDNN() (calls, gradients bool) {
	calls = b.closures.oneDNN
	return calls, calls && (avx512() || hasCalls(b.Backend))
}

// Calls reports whether attention and recurrences are to be written for package calls, which
// the functions of a loop are not.
func (b once) Calls() bool {
	return b.closures.oneDNN && len(b.closures.inside) == 0 && hasCalls(b.Backend)
}

// hasCalls reports whether a program may have the calls of package calls.
func hasCalls(on compute.Backend) bool {
	f := hooks.Get().Calls
	return f != nil && f(on)
}

// mostChannels is up to how many channels the filters' gradient is that of package
// calls where the processor has AVX-512, but for pictures of at most two rows. Without, it
// always is: there, oneDNN takes longer than XLA.
const mostChannels = 64

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
	if in.Rank() == 5 && axes.InputBatch == 4 && (!avx512() || in.Dimensions[3] <= mostChannels || in.Dimensions[1] <= 2) && hasCalls(f.on) {
		return f.filtersGradient(x, kernel, in, filter, strides, padding, dilations)
	}
	if tinyPictures(in, filter, axes, strides, padding, spread, dilations) && hasCalls(f.on) {
		return f.tinyConvolution(x, kernel, in.Dimensions, filter.Dimensions[axes.KernelOutputChannels], axes.KernelInputChannels == 0)
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

// tinyPictures reports whether a convolution is one of pictures of one point or of 2×2 by
// filters of 3×3 with a padding of 1, which package calls computes in a seventh of oneDNN's
// time: oneDNN multiplies with all points of the filters, of which most lie outside.
func tinyPictures(in, filter shapes.Shape, axes compute.ConvolveAxesConfig, strides []int, padding [][2]int, spread, dilations []int) bool {
	if in.Rank() != 4 || axes.InputBatch != 0 || axes.InputChannels != 3 || axes.OutputBatch != 0 || axes.OutputChannels != 3 ||
		axes.KernelInputChannels > 1 || axes.KernelOutputChannels > 1 {
		return false
	}
	side := in.Dimensions[1]
	fits := side <= 2 && in.Dimensions[2] == side
	for i := range 2 {
		fits = fits && filter.Dimensions[2+i] == 3 && strides[i] == 1 && padding[i] == [2]int{1, 1} &&
			(spread == nil || spread[i] == 1) && (dilations == nil || dilations[i] == 1)
	}
	return fits
}

// tinyConvolution writes the call of package calls for a convolution of which [tinyPictures] is
// true, to out channels. first is whether the sum goes over the filters' first axis.
func (f *oneDNN) tinyConvolution(x, kernel compute.Value, in []int, out int, first bool) (compute.Value, error) {
	number, err := f.Function.Constant([]int32{one(first)}, 1)
	if err != nil {
		return nil, err
	}
	return f.call("holt_tiny_convolution", nil, []int{in[0], in[1], in[2], out}, x, kernel, number)
}

// one is 1 where a setting of a call is true, and 0 where it is not.
func one(setting bool) int32 {
	if setting {
		return 1
	}
	return 0
}

// filtersGradient writes the call of package calls for the gradient that is a
// convolution of x [N H W I 1] with v [N h w 1 O]: [1 O I K K]. What the gradient's
// convolution moves by is the dilation of the one whose filters they are, and the other
// way round.
func (f *oneDNN) filtersGradient(x, v compute.Value, in, places shapes.Shape, dilation []int, padding [][2]int, stride []int) (compute.Value, error) {
	size, at := in.Dimensions, places.Dimensions
	dims := []int{at[4], size[3], 0, 0}
	numbers := []int32{int32(stride[0]), int32(stride[1]), int32(dilation[0]), int32(dilation[1]), int32(padding[0][0]), int32(padding[1][0])}
	for i := range 2 {
		room := size[1+i] + padding[i][0] + padding[i][1] - stride[i]*(at[1+i]-1) - 1
		dims[2+i] = room/dilation[i] + 1
	}
	x, err := f.Function.Reshape(x, size[:4]...)
	if err != nil {
		return nil, err
	}
	if v, err = f.Function.Reshape(v, at[0], at[1], at[2], at[4]); err != nil {
		return nil, err
	}
	window, err := f.Function.Constant(numbers, len(numbers))
	if err != nil {
		return nil, err
	}
	y, err := f.call("holt_filters_gradient", nil, dims, x, v, window)
	if err != nil {
		return nil, err
	}
	return f.Function.Reshape(y, append([]int{1}, dims...)...)
}

// What a negative scale of attention marks, in package lower as well.
const (
	selfAttentionMark = -1
	lstmMark          = -2
	gruMark           = -3
)

// FusedScaledDotProductAttention implements compute.Function. GoMLX has no node for any call;
// a negative scale is package lower's mark of self-attention whose queries, keys and values
// stand in one [N L 3·H D], or of its gradient where the third operand, [N L H D], is that of
// the output; or of a recurrence, of which [oneDNN.recurrence] has the operands.
func (f *oneDNN) FusedScaledDotProductAttention(x, same, v compute.Value, axes compute.AttentionAxesLayout, options *compute.ScaledDotProductAttentionConfig) (compute.Value, []compute.Value, error) {
	if options == nil || options.Scale >= 0 {
		return f.Function.FusedScaledDotProductAttention(x, same, v, axes, options)
	}
	if options.Scale != selfAttentionMark {
		return f.recurrence(x, same, v, options)
	}
	in, err := f.builder.OpShape(x)
	if err != nil {
		return nil, nil, err
	}
	other, err := f.builder.OpShape(v)
	if err != nil {
		return nil, nil, err
	}
	number, err := f.Function.Constant([]int32{one(options.Causal)}, 1)
	if err != nil {
		return nil, nil, err
	}
	dims, operands := in.Dimensions, []compute.Value{x, v, number}
	if other.Equal(in) {
		dims, operands = slices.Clone(dims), []compute.Value{x, number}
		dims[2] /= 3
	}
	y, err := f.call("holt_attention", nil, dims, operands...)
	return y, nil, err
}

// recurrentSizes are what package calls knows of a recurrence: its gates and what its gradient
// needs, in multiples of the hidden state, and how many states and biases there are.
type recurrentSizes struct {
	cell                         int32
	width, keeps, states, biases int
	steps, sequences, hidden     int
}

// sizesOf returns the sizes that a mark gives.
func sizesOf(mark float64) recurrentSizes {
	if mark == gruMark {
		return recurrentSizes{cell: 1, width: 3, keeps: 4, states: 1, biases: 2}
	}
	return recurrentSizes{cell: 0, width: 4, keeps: 5, states: 2, biases: 1}
}

// sequencesOfSum is how many sequences package calls sums the biases' gradients over.
const sequencesOfSum = 8

// recurrence writes the call of an LSTM or a GRU, where causal is whether it begins with the
// last place: of what the input gives the gates [L N W·H], the hidden state's matrix [W·H H]
// and the states at first [S N H] with biases [B W·H] after them in one list. It gives the
// hidden states after each place and then the states at the end, [L+S N H], and what its
// gradient needs.
func (f *oneDNN) recurrence(gates, matrix, rest compute.Value, options *compute.ScaledDotProductAttentionConfig) (compute.Value, []compute.Value, error) {
	s, number, err := f.recurrent(gates, matrix, options)
	if err != nil {
		return nil, nil, err
	}
	out, err := f.callFor([][]int{{s.steps + s.states, s.sequences, s.hidden}, {s.steps, s.sequences, s.keeps * s.hidden}}, "holt_recurrence", nil,
		gates, matrix, rest, number)
	if err != nil {
		return nil, nil, err
	}
	f.loops = true
	return out[0], out[1:], nil
}

// FusedScaledDotProductAttentionVJP implements compute.Function: for a recurrence it writes the
// call of the gradients for the gates, for what the hidden state gives them, and for the list
// of states and biases, the biases' as [U B W·H], one for every few sequences.
func (f *oneDNN) FusedScaledDotProductAttentionVJP(gates, matrix, rest compute.Value, axes compute.AttentionAxesLayout, options *compute.ScaledDotProductAttentionConfig,
	states compute.Value, kept []compute.Value, v compute.Value) (forGates, forHidden, forRest compute.Value, err error) {
	if options == nil || options.Scale >= 0 {
		return f.Function.FusedScaledDotProductAttentionVJP(gates, matrix, rest, axes, options, states, kept, v)
	}
	s, number, err := f.recurrent(gates, matrix, options)
	if err != nil {
		return nil, nil, nil, err
	}
	units := (s.sequences + sequencesOfSum - 1) / sequencesOfSum
	given := []int{s.steps, s.sequences, s.width * s.hidden}
	dims := [][]int{{s.states*s.sequences*s.hidden + units*s.biases*s.width*s.hidden}, given}
	if s.cell == 1 {
		dims = append(dims, given)
	}
	out, err := f.callFor(dims, "holt_recurrence_gradient", nil, kept[0], matrix, rest, states, v, number)
	if err != nil {
		return nil, nil, nil, err
	}
	return out[1], out[len(out)-1], out[0], nil
}

// recurrent returns the sizes of a recurrence, and the numbers that its calls take.
func (f *oneDNN) recurrent(gates, matrix compute.Value, options *compute.ScaledDotProductAttentionConfig) (s recurrentSizes, numbers compute.Value, err error) {
	in, err := f.builder.OpShape(gates)
	if err != nil {
		return s, nil, err
	}
	hidden, err := f.builder.OpShape(matrix)
	if err != nil {
		return s, nil, err
	}
	s = sizesOf(options.Scale)
	s.steps, s.sequences, s.hidden = in.Dimensions[0], in.Dimensions[1], hidden.Dimensions[1]
	numbers, err = f.Function.Constant([]int32{s.cell, one(options.Causal)}, 2)
	return s, numbers, err
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
	if !okX || !okY || 2*m*n*inner < oneDNNFrom {
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
	var c matmulConfig
	c.Matmul.TransposeA, c.Matmul.TransposeB = firstX, !firstY
	z, err := f.call("__onednn$matmul", c, []int{m, n}, x, y)
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
	if !leading || s.DType != dtypes.Float32 || rows%parts != 0 || s.Size() < 1<<16 || s.Dimensions[last] < 10 {
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
