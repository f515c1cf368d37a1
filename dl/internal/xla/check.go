package xla

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/internal/hooks"
)

// checkedOneDNN is whether the forms of oneDNN's calls gave XLA's own numbers.
var checkedOneDNN = map[compute.Backend]func() bool{}
var checkingOneDNN sync.Mutex

// oneDNNChecked checks once whether oneDNN's calls give what XLA's own program gives.
func oneDNNChecked(on *Device) bool {
	checkingOneDNN.Lock()
	check := checkedOneDNN[on.Backend]
	if check == nil {
		check = sync.OnceValue(func() bool {
			if !hooks.Get().KnownPlugin(on.Backend) {
				return false
			}
			err := checkCalls(on, withCalls)
			if err != nil {
				hooks.Notice(fmt.Sprintf("oneDNN is not used, and networks run as XLA compiles them by itself: %v", err))
			}
			return err == nil
		})
		checkedOneDNN[on.Backend] = check
	}
	checkingOneDNN.Unlock()
	return check()
}

// checkCalls compares the calls that a form of a program can have with XLA's own program:
// convolutions with stride, dilation, padding that is cut away, zeros between pixels, turned
// filters, of three axes; products of matrices that lie either way, large and small, and with axes
// taken together; images whose channels move to the end or to the front; sums in parts; and
// attention and recurrences with their gradients.
func checkCalls(on *Device, how form) error {
	var inputs []*Array
	random := rand.New(rand.NewPCG(1, 2))
	own := 0   // calls of package calls, of attention and recurrences
	small := 0 // of small products and transpositions, which an unoptimised program has not
	build := func(g *graph.Graph, called bool) (out []*graph.Node) {
		first := len(inputs) == 0
		n := 0
		input := func(dims ...int) *graph.Node {
			if first {
				values := make([]float32, product(dims))
				for i := range values {
					values[i] = float32(random.NormFloat64())
				}
				inputs = append(inputs, NewArray(dtypes.Float32, dims, values))
			}
			n++
			return Parameter(g, dtypes.Float32, dims)
		}
		x, w := input(2, 9, 10, 5), input(6, 5, 3, 2)
		filters := func(in, out int) graph.ConvolveAxesConfig {
			return graph.ConvolveAxesConfig{InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3, KernelInputChannels: in, KernelOutputChannels: out,
				KernelSpatial: []int{2, 3}, OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3}
		}
		conv := func(x, w *graph.Node, axes graph.ConvolveAxesConfig, strides []int, padding [][2]int, spread, dilations []int) {
			out = append(out, graph.ConvGeneral(x, w, axes, strides, padding, spread, dilations, 1, 1))
		}
		one := []int{1, 1}
		conv(x, w, filters(1, 0), one, [][2]int{{1, 1}, {0, 2}}, nil, one)
		conv(x, w, filters(1, 0), []int{2, 3}, [][2]int{{0, 1}, {1, 0}}, nil, one)
		conv(x, w, filters(1, 0), one, [][2]int{{2, 2}, {1, 1}}, nil, []int{2, 3})
		conv(x, input(5, 7, 3, 3), filters(0, 1), one, [][2]int{{1, 2}, {2, 0}}, []int{2, 3}, one)
		conv(x, input(5, 7, 3, 3), filters(0, 1), one, [][2]int{{-1, 2}, {2, -2}}, []int{2, 1}, []int{1, 2})
		pictures := graph.ConvolveAxesConfig{InputBatch: 4, InputChannels: 0, InputSpatial: []int{1, 2, 3}, KernelInputChannels: 0, KernelOutputChannels: 4,
			KernelSpatial: []int{1, 2, 3}, OutputBatch: 0, OutputChannels: 1, OutputSpatial: []int{3, 4, 2}}
		x3 := graph.Reshape(x, 2, 9, 10, 5, 1)
		conv(x3, input(2, 9, 10, 1, 6), pictures, []int{1, 1, 1}, [][2]int{{1, 1}, {1, 1}, {}}, nil, []int{1, 1, 1})
		conv(x3, input(2, 4, 3, 1, 6), pictures, []int{1, 2, 1}, [][2]int{{1, -1}, {0, 1}, {}}, nil, []int{2, 3, 1})
		conv(input(2, 6, 7, mostChannels+8, 1), input(2, 6, 7, 1, 16), pictures, []int{1, 1, 1}, [][2]int{{1, 1}, {1, 1}, {}}, nil, []int{1, 1, 1})
		for side := 1; side <= 2; side++ {
			conv(input(3, side, side, 20), input(9, 20, 3, 3), filters(1, 0), one, [][2]int{{1, 1}, {1, 1}}, nil, one)
			conv(input(3, side, side, 9), input(9, 20, 3, 3), filters(0, 1), one, [][2]int{{1, 1}, {1, 1}}, nil, one)
		}
		turned := graph.Reverse(input(9, 7, 3, 3), 2, 3)
		conv(input(2, 2, 2, 9), turned, filters(0, 1), one, [][2]int{{1, 1}, {1, 1}}, nil, one)
		conv(input(2, 5, 6, 9), turned, filters(0, 1), one, [][2]int{{1, 1}, {2, 2}}, []int{2, 2}, one)

		const big = 256
		a, b := input(big, big), input(big, big)
		for _, axes := range [][2]int{{1, 0}, {1, 1}, {0, 0}, {0, 1}} {
			out = append(out, graph.DotGeneral(a, axes[:1], nil, b, axes[1:], nil))
		}
		c, d := input(16, 16, big), input(16, 16, big)
		out = append(out, graph.DotGeneral(c, []int{2}, nil, b, []int{1}, nil), graph.DotGeneral(c, []int{0, 1}, nil, d, []int{0, 1}, nil))
		out = append(out, graph.ReduceSum(c, 0, 1))

		if hasCalls(on.Backend) {
			const m, n, k = 21, 37, 40
			b := input(k, n)
			out = append(out, graph.DotGeneral(input(m, k), []int{1}, nil, b, []int{0}, nil), graph.DotGeneral(input(k, m), []int{0}, nil, b, []int{0}, nil),
				graph.DotGeneral(input(m, k), []int{1}, nil, input(n, k), []int{1}, nil))
			images := input(3, 20, 17, 18)
			out = append(out, graph.TransposeAllAxes(images, 0, 2, 3, 1), graph.TransposeAllAxes(images, 0, 3, 1, 2))
			small = 5

			x, v := input(2, 20, 6, 16), input(2, 20, 2, 16)
			for _, causal := range []bool{false, true} {
				out = append(out, selfAttention(x, v, causal, called)...)
			}
			own = 4
			for _, mark := range []float64{lstmMark, gruMark} {
				for _, backward := range []bool{false, true} {
					r := recurrenceCheck{mark, backward}
					const steps, sequences, hidden = 3, 11, 16
					s := sizesOf(mark)
					out = append(out, r.results(input(steps, sequences, s.width*hidden), input(s.width*hidden, hidden),
						input(s.states*sequences*hidden+s.biases*s.width*hidden), input(steps+s.states, sequences, hidden), called)...)
					own += 2
				}
			}
		}
		return out
	}
	run := func(how form) ([]*Array, error) {
		p, calls, err := compileGraph(context.Background(), on, nil, nil, "check of oneDNN", how,
			func(g *graph.Graph) []*graph.Node { return build(g, how != asXLA) })
		if err != nil {
			return nil, err
		}
		want := 20 + own + small
		if how == unoptimised {
			want -= small
		}
		if how != asXLA && calls != want {
			return nil, fmt.Errorf("%d calls were written, want %d", calls, want)
		}
		return p.Run(inputs)
	}
	plain, err := run(asXLA)
	if err != nil {
		return err
	}
	called, err := run(how)
	if err != nil {
		return err
	}
	for i := range plain {
		if err := near(plain[i], called[i]); err != nil {
			return fmt.Errorf("form %d: %w", i, err)
		}
	}
	return nil
}

// selfAttention returns the output for x [N L 3·H D] and the gradient of x, where that for the
// output is v, by calls or by what XLA makes of it.
func selfAttention(x, v *graph.Node, causal, called bool) []*graph.Node {
	if called {
		call := func(v *graph.Node) *graph.Node {
			y, _ := graph.BackendFusedScaledDotProductAttention(x, x, v, compute.AttentionAxesLayoutBSHD,
				&compute.ScaledDotProductAttentionConfig{Scale: -1, Causal: causal})
			return y
		}
		return []*graph.Node{call(x), call(v)}
	}
	d := x.Shape().Dimensions
	length, heads := d[1], d[2]/3
	part := func(i int) *graph.Node {
		return graph.TransposeAllAxes(graph.SliceAxis(x, 2, graph.AxisRange(i*heads, (i+1)*heads)), 0, 2, 1, 3)
	}
	scores := graph.MulScalar(graph.DotGeneral(part(0), []int{3}, []int{0, 1}, part(1), []int{3}, []int{0, 1}), 1/math.Sqrt(float64(d[3])))
	if causal {
		own := graph.BroadcastToDims(graph.Reshape(graph.ShapedLowerTriangular(x.Graph(), length, length, 0), 1, 1, length, length), scores.Shape().Dimensions...)
		scores = graph.Where(own, scores, graph.BroadcastToDims(graph.Infinity(x.Graph(), dtypes.Float32, -1), scores.Shape().Dimensions...))
	}
	y := graph.DotGeneral(graph.Softmax(scores, 3), []int{3}, []int{0, 1}, part(2), []int{2}, []int{0, 1})
	y = graph.TransposeAllAxes(y, 0, 2, 1, 3)
	return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, v)), x)[0]}
}

// recurrenceCheck is an LSTM or a GRU by its mark.
type recurrenceCheck struct {
	mark     float64
	backward bool
}

// results returns the states and the gradients for the gates, for what the hidden state gives
// them, and for the states and biases in one list, where that for the states is v, by calls or
// by what XLA makes of it. The operands are those of [oneDNN.recurrence].
func (r recurrenceCheck) results(gates, matrix, rest, v *graph.Node, called bool) []*graph.Node {
	s, d, hidden := sizesOf(r.mark), gates.Shape().Dimensions, matrix.Shape().Dimensions[1]
	cut := s.states * d[1] * hidden
	if called {
		all, _ := graph.BackendFusedScaledDotProductAttention(gates, matrix, rest, compute.AttentionAxesLayoutBSHD,
			&compute.ScaledDotProductAttentionConfig{Scale: r.mark, Causal: r.backward})
		by := graph.VJPRegistration[graph.NodeTypeFusedScaledDotProductAttention](all.Inputs()[0], []*graph.Node{v}, all.Shape())
		sums := graph.Reshape(graph.SliceAxis(by[2], 0, graph.AxisRangeToEnd(cut)), -1, s.biases*d[2])
		return []*graph.Node{all, by[0], by[1], graph.Concatenate([]*graph.Node{graph.SliceAxis(by[2], 0, graph.AxisRange(0, cut)), graph.ReduceSum(sums, 0)}, 0)}
	}
	given := graph.ZerosLike(gates)
	part := func(x *graph.Node, i, n int) *graph.Node {
		size := x.Shape().Dimensions[x.Rank()-1] / n
		return graph.SliceAxis(x, -1, graph.AxisRange(i*size, (i+1)*size))
	}
	at := func(x *graph.Node, i int) *graph.Node {
		return graph.Reshape(graph.SliceAxis(x, 0, graph.AxisElem(i)), x.Shape().Dimensions[1:]...)
	}
	states := graph.Reshape(graph.SliceAxis(rest, 0, graph.AxisRange(0, cut)), s.states, d[1], hidden)
	biases := graph.Reshape(graph.SliceAxis(rest, 0, graph.AxisRangeToEnd(cut)), s.biases, 1, d[2])
	h, c := at(states, 0), at(states, s.states-1)
	hs := make([]*graph.Node, d[0])
	for i := range hs {
		if r.backward {
			i = len(hs) - 1 - i
		}
		a := graph.Add(at(gates, i), at(biases, 0))
		b := graph.Add(graph.DotGeneral(h, []int{1}, nil, matrix, []int{1}, nil), at(given, i))
		if s.biases > 1 {
			b = graph.Add(b, at(biases, 1))
		}
		sum := func(gate int) *graph.Node { return graph.Add(part(a, gate, s.width), part(b, gate, s.width)) }
		if r.mark == gruMark {
			reset, update := graph.Sigmoid(sum(0)), graph.Sigmoid(sum(1))
			fresh := graph.Tanh(graph.Add(part(a, 2, 3), graph.Mul(reset, part(b, 2, 3))))
			h = graph.Add(graph.Mul(graph.OneMinus(update), fresh), graph.Mul(update, h))
		} else {
			c = graph.Add(graph.Mul(graph.Sigmoid(sum(1)), c), graph.Mul(graph.Sigmoid(sum(0)), graph.Tanh(sum(2))))
			h = graph.Mul(graph.Sigmoid(sum(3)), graph.Tanh(c))
		}
		hs[i] = h
	}
	hs = append(hs, h)
	if s.states > 1 {
		hs = append(hs, c)
	}
	all := graph.Stack(hs, 0)
	return append([]*graph.Node{all}, graph.Gradient(graph.ReduceAllSum(graph.Mul(all, v)), gates, given, rest)...)
}

// near returns an error where two arrays differ by more than rounding brings about.
func near(a, b *Array) error {
	x, err := a.Flat()
	if err != nil {
		return err
	}
	y, err := b.Flat()
	if err != nil {
		return err
	}
	p, q := x.([]float32), y.([]float32)
	if len(p) != len(q) {
		return fmt.Errorf("there are %d numbers, want %d", len(q), len(p))
	}
	most := 0.0
	for _, v := range p {
		most = max(most, math.Abs(float64(v)))
	}
	for i := range p {
		if d := math.Abs(float64(p[i] - q[i])); !(d <= 1e-5*most) {
			return fmt.Errorf("number %d is %v, want %v", i, q[i], p[i])
		}
	}
	return nil
}
