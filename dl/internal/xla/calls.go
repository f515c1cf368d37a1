package xla

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/holt-dl/holt/internal/hooks"
)

// The calls of package calls are written and checked with those of oneDNN, and under the same
// conditions. In an unoptimised program they are not checked first, which would take longer than
// its run; a test compares them with XLA's own numbers.

// Calls reports whether attention and recurrences are to be written for package calls, which
// the functions of a loop are not.
func (b once) Calls() bool {
	return b.closures.calling() && len(b.closures.inside) == 0 && hasCalls(b.Backend)
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
	kernel, turned := f.filters(kernel)
	numbers, err := f.Function.Constant([]int32{one(first), one(turned)}, 2)
	if err != nil {
		return nil, err
	}
	return f.call("holt_tiny_convolution", nil, []int{in[0], in[1], in[2], out}, x, kernel, numbers)
}

// one is 1 where a setting of a call is true, and 0 where it is not.
func one(setting bool) int32 {
	if setting {
		return 1
	}
	return 0
}

// convolution writes the call of package calls for any convolution that package lower writes for
// oneDNN, but for filters' gradients.
func (f *oneDNN) convolution(x, kernel compute.Value, in, filter []int, axes compute.ConvolveAxesConfig, strides []int, padding [][2]int, spread, dilations []int) (compute.Value, error) {
	if spread == nil {
		spread = []int{1, 1}
	}
	dims := []int{in[0], 0, 0, filter[axes.KernelOutputChannels]}
	var numbers []int32
	for _, pair := range [][]int{strides, spread, dilations, {padding[0][0], padding[1][0]}} {
		numbers = append(numbers, int32(pair[0]), int32(pair[1]))
	}
	for i := range 2 {
		room := (in[1+i]-1)*spread[i] + padding[i][0] + padding[i][1] - dilations[i]*(filter[2+i]-1)
		dims[1+i] = room/strides[i] + 1
	}
	kernel, turned := f.filters(kernel)
	numbers = append(numbers, one(axes.KernelInputChannels == 0), one(turned))
	all, err := f.Function.Constant(numbers, len(numbers))
	if err != nil {
		return nil, err
	}
	return f.call("holt_convolution", nil, dims, x, kernel, all)
}

// Reverse implements compute.Function. Package calls reads filters [O I K K] in turned order, and
// needs none that were turned before.
func (f *oneDNN) Reverse(x compute.Value, axes ...int) (compute.Value, error) {
	y, err := f.Function.Reverse(x, axes...)
	if err == nil && slices.Equal(axes, []int{2, 3}) {
		if f.turned == nil {
			f.turned = map[compute.Value]compute.Value{}
		}
		f.turned[y] = x
	}
	return y, err
}

// filters returns what filters were before they were turned by half a turn, and whether they were.
func (f *oneDNN) filters(kernel compute.Value) (before compute.Value, turned bool) {
	if before, turned = f.turned[kernel]; turned {
		return before, true
	}
	return kernel, false
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

// leastProduct and leastTransposed are from how many operations and numbers on a product and a
// transposition are calls of package calls.
const (
	leastProduct    = 1 << 14
	leastTransposed = 1 << 14
)

// smallProduct reports whether a product [m n] that sums over k is one for package calls if it is
// not for oneDNN. XLA takes twice as long for one of a few million operations: it copies a matrix
// into panels first, and wakes other threads twice.
func smallProduct(m, n, k int) bool { return m >= 8 && n >= 8 && 2*m*n*k >= leastProduct }

// product writes the call of package calls for the product [m n] of two matrices. first is whether
// the sum goes over the first axis of x, and last whether it goes over the last one of y.
func (f *oneDNN) product(x compute.Value, first bool, y compute.Value, last bool, m, n int) (compute.Value, error) {
	numbers, err := f.Function.Constant([]int32{one(first), one(last)}, 2)
	if err != nil {
		return nil, err
	}
	return f.call("holt_product", nil, []int{m, n}, x, y, numbers)
}

// Transpose implements compute.Function. Images [N C H W] become [N H W C] or the other way round
// by a call of package calls: XLA makes one loop of it and of what it stands next to, a pooling for
// example, which then reads number by number what lies far apart.
func (f *oneDNN) Transpose(x compute.Value, permutation ...int) (compute.Value, error) {
	s, err := f.builder.OpShape(x)
	if err != nil {
		return nil, err
	}
	d := s.Dimensions
	toLast := slices.Equal(permutation, []int{0, 2, 3, 1})
	if f.own || s.DType != dtypes.Float32 || s.Size() < leastTransposed || !toLast && !slices.Equal(permutation, []int{0, 3, 1, 2}) || !hasCalls(f.on) {
		return f.Function.Transpose(x, permutation...)
	}
	n, rows, columns := d[0], d[1]*d[2], d[3]
	dims := []int{n, d[3], d[1], d[2]}
	if toLast {
		rows, columns = d[1], d[2]*d[3]
		dims = []int{n, d[2], d[3], d[1]}
	}
	if rows == 1 || columns == 1 {
		return f.Function.Reshape(x, dims...)
	}
	if x, err = f.Function.Reshape(x, n, rows, columns); err != nil {
		return nil, err
	}
	if x, err = f.call("holt_transpose", nil, []int{n, columns, rows}, x); err != nil {
		return nil, err
	}
	return f.Function.Reshape(x, dims...)
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
