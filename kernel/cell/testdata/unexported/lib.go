// Package unexported is a library whose results have types that it does not
// export.
package unexported

import "fmt"

// Graph is what machines run.
type Graph struct {
	Name  string
	Index index // a field whose type is not exported
	Hooks map[key]*hook
}

type index struct{ N int }

type key string

type hook struct{ Calls int }

// Call calls a hook.
func (h *hook) Call() int { h.Calls++; return h.Calls }

// On adds a hook.
func (g *Graph) On(name string) *hook {
	if g.Hooks == nil {
		g.Hooks = map[key]*hook{}
	}
	h := &hook{}
	g.Hooks[key(name)] = h
	return h
}

type option func(*tape)

// Fast makes a machine fast.
func Fast() option { return func(t *tape) { t.Speed = 9 } }

type tape struct {
	Speed int
	g     *Graph
	runs  int
}

// NewTape makes a machine.
func NewTape(g *Graph, opts ...option) *tape {
	t := &tape{Speed: 1, g: g}
	for _, o := range opts {
		o(t)
	}
	return t
}

// Run runs the machine.
func (t *tape) Run() error {
	t.runs++
	if t.g == nil {
		return fmt.Errorf("no graph")
	}
	return nil
}

// Runs is how often it ran.
func (t *tape) Runs() int { return t.runs }

// Several are results of several types, and an error.
func Several() ([]tape, map[string]*tape, state, error) {
	return []tape{{Speed: 2}, {Speed: 3}}, map[string]*tape{"a": {Speed: 4}}, On, nil
}

type state int

// On and Off are constants of a type that is not exported.
const (
	Off state = iota
	On
)

func (s state) String() string { return [...]string{"off", "on"}[s] }

type runner interface{ Run() error }

// Runner returns an interface type that is not exported.
func Runner() runner { return NewTape(&Graph{}) }

type builder struct{ steps []string }

type product struct{ Steps []string }

// Build begins a chain of calls.
func Build() *builder { return &builder{} }

// Step adds a step.
func (b *builder) Step(s string) *builder { b.steps = append(b.steps, s); return b }

// Done ends the chain.
func (b builder) Done() product { return product{b.steps} }

type box[T any] struct{ V T }

// Get is what is in the box.
func (b *box[T]) Get() T { return b.V }

// Wrap puts a value into a box.
func Wrap[T any](v T) *box[T] { return &box[T]{v} }

// Default is a variable of a type that is not exported.
var Default = tape{Speed: 5}

// Pair is generic, and its argument need not be exported.
type Pair[A, B any] struct {
	First  A
	Second B
}

// Both makes a pair.
func Both() Pair[*tape, int] { return Pair[*tape, int]{NewTape(nil), 7} }
