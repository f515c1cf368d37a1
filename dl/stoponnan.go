package dl

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// stopOnNaN is what StopOnNaN was called with.
var stopOnNaN atomic.Bool

// StopOnNaN has training fail where a loss or a gradient is NaN or infinite, with
// an error that names the operation and the layer, or the parameter, where that
// begins, as torch.autograd.set_detect_anomaly does: [Tensor.Backward] and
// [Optim.Step] at once and in compiled functions, training steps and runs. What
// fails changes nothing: the weights are as before it.
//
// [Options].StopOnNaN does so for the steps of one training. A step that is looked
// at costs little more; where the error is from is found when there is one. Where
// nothing is looked at, nothing is paid.
func StopOnNaN(on bool) { stopOnNaN.Store(on) }

// finiteCheck is a value of a program that must be finite when it has run.
type finiteCheck struct {
	t    *Tensor
	name string // "loss", or "gradient of fc1.weight"
}

// mustBeFinite notes that a value must be finite, where that is asked for.
func (r *recording) mustBeFinite(x *Tensor, name string) {
	if !r.stopOnNaN || !x.dtype.IsFloat() {
		return
	}
	x = r.of(x)
	for _, c := range r.finite {
		if c.t.id == x.id {
			return
		}
	}
	r.finite = append(r.finite, finiteCheck{x, name})
}

// gradientMustBeFinite notes so for the gradient of a tensor.
func (r *recording) gradientMustBeFinite(of, gradient *Tensor) {
	if r.stopOnNaN {
		r.mustBeFinite(gradient, "gradient of "+of.title())
	}
}

// title names a parameter, or another tensor that has a gradient, in messages.
func (t *Tensor) title() string {
	switch {
	case t.v != nil && t.v.name != "":
		return t.v.name
	case t.v != nil && t.v.trained:
		return fmt.Sprintf("a parameter %v", t.shape)
	}
	return fmt.Sprintf("a tensor %v", t.shape)
}

// What a tensor's numbers are: the worst of them.
type soundness int

const (
	allFinite soundness = iota
	someInfinite
	someNaN
)

func (s soundness) String() string { return [...]string{"finite", "infinite", "NaN"}[s] }

// soundnessOf writes what the numbers of x are.
func soundnessOf(x *graph.Node) *graph.Node {
	if x.Shape().Size() == 0 {
		return graph.Scalar(x.Graph(), Float32, 0)
	}
	x = graph.ConvertDType(x, Float32)
	some := func(which *graph.Node) *graph.Node { return graph.ReduceAllMax(graph.ConvertDType(which, Float32)) }
	inf := graph.BroadcastToDims(graph.Scalar(x.Graph(), Float32, math.Inf(1)), x.Shape().Dimensions...)
	return graph.Max(some(graph.Equal(graph.Abs(x), inf)), graph.MulScalar(some(graph.NotEqual(x, x)), float64(someNaN)))
}

// soundnesses records what the values that must be finite are, as a vector.
func (r *recording) soundnesses() *Tensor {
	xs := make([]*Tensor, len(r.finite))
	for i, c := range r.finite {
		xs[i] = c.t
	}
	outs, _ := do(opKey{name: "soundness"}, nil, func(_ *trace, in []*node) []*node {
		all := make([]*graph.Node, len(in))
		for i, x := range in {
			all[i] = soundnessOf(x.either())
		}
		return []*node{in[0].With(graph.Stack(all, 0))}
	}, xs, nil, nil)
	return outs[0]
}

// unsound returns an error where a value that must be finite is not, with where
// that comes from. The inputs are those of the program that has run.
func (r *recording) unsound(ctx context.Context, found, inputs []*Tensor) error {
	if len(found) == 0 {
		return nil
	}
	for i, v := range found[0].Float32s() {
		if v == 0 {
			continue
		}
		c := r.finite[i]
		msg := fmt.Sprintf("the %s is %v", c.name, soundness(v))
		if why := r.origin(ctx, c, inputs); why != "" {
			msg += ": " + why
		}
		return fmt.Errorf("dl: %s; nothing was changed", msg)
	}
	return nil
}

// origin says where a value that is not finite comes from, "" where that is
// nowhere in the program.
func (r *recording) origin(ctx context.Context, c finiteCheck, inputs []*Tensor) string {
	s := &search{recording: r, inputs: inputs[:len(r.inputs)], made: map[int32]*recorded{}, input: map[int32]int{}}
	for i := range r.list {
		n := &r.list[i]
		for k := range n.outputs() {
			s.made[n.out+int32(k)] = n
		}
	}
	for i, in := range r.inputs {
		s.input[in.id] = i
	}
	var err error
	if s.found, err = s.run(ctx, len(r.list), -1); err != nil {
		return ""
	}
	return s.from(ctx, c.t.id)
}

// search looks for where the first number that is not finite comes from, in the
// values that a program computes on its way.
type search struct {
	*recording
	inputs []*Tensor           // values of the program's inputs
	found  map[int32]soundness // of the values
	made   map[int32]*recorded // what made them
	input  map[int32]int       // which inputs they are

	reached []bool // values that the gradients' value depends on
}

// run computes the first n operations and returns what their values are, or what
// the gradients of value y for them are.
func (s *search) run(ctx context.Context, n int, y int32) (map[int32]soundness, error) {
	var ids []int32
	p, err := xla.Compile(ctx, s.on, s.share, nil, "search for NaN", false, nil, func(g *graph.Graph) []*graph.Node {
		w := s.writing(g, make([]bool, len(s.numbers)))
		w.write(s.list[:n])
		ids = nil
		var values []*node
		for id, v := range w.nodes {
			if v != nil && v.DType().IsFloat() && (y < 0 || s.dependsOn(y, int32(id))) {
				ids, values = append(ids, int32(id)), append(values, v)
			}
		}
		if y >= 0 {
			values = differentiateNodes(w.nodes[y], values)
		}
		all := make([]*graph.Node, len(values))
		for i, v := range values {
			all[i] = soundnessOf(v.either())
		}
		return []*graph.Node{graph.Stack(all, 0)}
	})
	if err != nil {
		return nil, err
	}
	s.place(p)
	out, err := runProgram(p, s.inputs)
	if err != nil {
		return nil, err
	}
	found := map[int32]soundness{}
	for i, v := range out[0].Float32s() {
		found[ids[i]] = soundness(v)
	}
	return found, nil
}

// dependsOn reports whether a gradient goes from value y to another.
func (s *search) dependsOn(y, on int32) bool {
	if s.reached == nil {
		s.reached = make([]bool, s.values)
		s.reached[y] = true
		for i := len(s.list) - 1; i >= 0; i-- {
			n := s.list[i]
			used := false
			for k := range n.outputs() {
				used = used || s.reached[int(n.out)+k]
			}
			if used && !n.stop && (n.op == nil || n.op.name != "detach") {
				for _, id := range n.in {
					s.reached[id] = true
				}
			}
		}
	}
	return s.reached[on]
}

// from says where the value that is not finite comes from.
func (s *search) from(ctx context.Context, id int32) string {
	var first *recorded // what made NaN of numbers that were none
	for {
		n := s.made[id]
		switch {
		case n == nil:
			i, ok := s.input[id]
			if !ok {
				return ""
			}
			return s.fromInput(i, id)
		case n.gradient && s.found[n.in[0]] == allFinite:
			return s.fromGradient(ctx, n)
		}
		next, worst := id, allFinite
		for _, in := range n.in {
			if s.found[in] > worst && !(n.gradient && in != n.in[0]) {
				next, worst = in, s.found[in]
			}
		}
		if worst == allFinite {
			return s.fromOperation(first, n)
		}
		if first == nil && s.found[id] == someNaN && worst == someInfinite {
			first = n
		}
		id = next
	}
}

func (s *search) fromInput(i int, id int32) string {
	t := s.recording.inputs[i].t
	if t.v != nil && t.v.trained {
		return fmt.Sprintf("parameter %s is %v already", t.title(), s.found[id])
	}
	for _, l := range s.stands {
		if l.id == id && l.t.v != nil {
			return fmt.Sprintf("parameter %s is %v already", l.t.title(), s.found[id])
		}
	}
	return fmt.Sprintf("the input %v of the program is %v already; look at the data", t.shape, s.found[id])
}

func (s *search) fromOperation(first, n *recorded) string {
	what := s.found[n.out]
	for k := range n.outputs() {
		what = max(what, s.found[n.out+int32(k)])
	}
	msg := fmt.Sprintf("%s is the first that gives %v", n.title(), what)
	if what == someInfinite {
		msg = fmt.Sprintf("%s is the first that gives infinite numbers", n.title())
	}
	if first != nil {
		msg += fmt.Sprintf(", of which %s makes NaN", first.title())
	}
	if try := remedies[n.name()]; try != "" {
		msg += "; " + try
	}
	return msg
}

// fromGradient says which operation's derivative is the first that is not finite.
func (s *search) fromGradient(ctx context.Context, n *recorded) string {
	at := 0
	for i := range s.list {
		if &s.list[i] == n {
			at = i
		}
	}
	found, err := s.run(ctx, at, n.in[0])
	if err != nil {
		return ""
	}
	for i := at - 1; i >= 0; i-- {
		op := &s.list[i]
		sound, made := true, allFinite
		for k := range op.outputs() {
			sound = sound && found[op.out+int32(k)] == allFinite
		}
		for _, in := range op.in {
			made = max(made, found[in])
		}
		if !sound || made == allFinite {
			continue
		}
		msg := fmt.Sprintf("the derivative of %s is the first that is %v", op.title(), made)
		if try := derivatives[op.name()]; try != "" {
			msg += "; " + try
		}
		return msg
	}
	return ""
}

// remedies are what to try where an operation gives numbers that are not finite.
var remedies = map[string]string{
	"Log":        "it is for numbers above 0: try x.Clamp(1e-8, 1) for shares, or LogSoftmax",
	"Sqrt":       "it is for numbers of at least 0",
	"Div":        "look for a division by 0",
	"Reciprocal": "look for a division by 0",
	"Exp":        "it is too large for float32 above 88: try LogSumExp or Softmax, or a smaller learning rate",
}

// derivatives are what to try where the derivative of an operation is not finite.
var derivatives = map[string]string{
	"Log":        "it is infinite at 0: try x.Shift(1e-8).Log()",
	"Sqrt":       "it is infinite at 0: try x.Shift(1e-8).Sqrt()",
	"Div":        "look for a division by nearly 0",
	"Reciprocal": "look for a division by nearly 0",
}

// name returns the operation's name: that of its method or type.
func (n *recorded) name() string {
	switch {
	case n.gradient:
		return "the gradient"
	case n.op == nil:
		return "CustomGrad"
	}
	switch n.op.name {
	case "layer", "function", "loss":
		return kindOf(n.op.key.settings)
	}
	return methodName(n.op.name)
}

// title is the name with the layer where it runs.
func (n *recorded) title() string {
	switch {
	case n.op != nil && n.op.name == "layer":
		return place{path: n.op.key.path}.label(n.name())
	case n.inside != "":
		return n.name() + " in " + n.inside
	}
	return n.name()
}

// kindOf returns the type's name of what an operation was made with.
func kindOf(settings any) string {
	v := reflect.ValueOf(settings)
	for v.IsValid() {
		switch v.Kind() {
		case reflect.Interface:
			v = v.Elem()
			continue
		case reflect.Array:
			v = v.Index(0)
			continue
		case reflect.String: // see settings
			name, _, _ := strings.Cut(v.String(), "{")
			return name[strings.LastIndexByte(name, '.')+1:]
		case reflect.Struct:
			if name := typeText(v.Type()); name != "" {
				return name
			}
			v = v.Field(0)
			continue
		}
		break
	}
	return "an operation"
}

// methodName returns the name of the method that an operation is made by.
func methodName(op string) string {
	methodNames.Do(func() {
		methodNames.by = map[string]string{}
		for m := range tensorType.Methods() {
			methodNames.by[strings.ToLower(m.Name)] = m.Name
		}
	})
	if name := methodNames.by[strings.ToLower(op)]; name != "" {
		return name
	}
	return op
}

var methodNames struct {
	sync.Once
	by map[string]string // by the name in lower case
}
