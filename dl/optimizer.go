package dl

import "github.com/gomlx/gomlx/core/graph"

// Optimizer changes the weights by their gradients: [SGD] or [Adam]. Its
// settings are fixed when training starts, but for the learning rate, which
// [Step.SetLR] and [Run.SetLR] change at no cost.
type Optimizer interface {
	// check returns an error for settings that cannot work.
	check() error
	// rate returns the learning rate to begin with.
	rate() float64
	// slots returns how many tensors of its own the optimizer keeps for each
	// parameter. They start at 0.
	slots() int
	// scalars returns the numbers of step n, counted from 1, that update
	// gets. They are inputs of the compiled program.
	scalars(n int, rate float64) []float64
	// update returns a parameter's new value and its slots'.
	update(weight, gradient *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node)
	// settings identifies everything but the rate.
	settings() string
}
