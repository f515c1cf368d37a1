package dl

import (
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
)

// Optimizer changes the weights by their gradients: [SGD], [Adam], [AdamW],
// [RMSprop], [Adagrad], [Adadelta], or [ParamGroups] of these. Its settings are fixed when
// training starts, but for the learning rate, which [Step.SetLR], [Run.SetLR]
// and a [Scheduler] change at no cost.
type Optimizer interface {
	// check returns an error for settings that cannot work.
	check() error
	// settings identifies everything but the rate.
	settings() string
}

// rule is an [Optimizer] that treats all of its parameters alike.
type rule interface {
	Optimizer
	// rate returns the learning rate to begin with.
	rate() float64
	// slots are the tensors that the optimizer keeps for each parameter.
	slots() []slot
	// momentum returns the share of the last step that is kept, to begin with;
	// 0 where nothing is.
	momentum() float64
	// scalars returns the numbers of step n, counted from 1, that update
	// gets. They are inputs of the compiled program.
	scalars(n int, rate, momentum float64) []float64
	// update returns a parameter's new value and its slots'.
	update(weight, gradient *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node)
}

// slot is a tensor in the shape of a parameter, such as its momentum.
type slot struct {
	name  string  // PyTorch's, in a saved training state
	start float64 // every element at first
}

// checkRanges is the check that the optimizers share: a rate above 0, nothing
// negative, shares in [0, 1).
func checkRanges(name, try string, settings any, rate float64, atLeast0, shares []float64) error {
	bad := !(rate > 0)
	for _, v := range atLeast0 {
		bad = bad || !(v >= 0)
	}
	for _, v := range shares {
		bad = bad || !(v >= 0 && v < 1)
	}
	if !bad {
		return nil
	}
	return fmt.Errorf("dl: %s: settings are %s, want LR above 0, nothing negative, and shares in [0, 1); try %s",
		name, strings.TrimPrefix(fmt.Sprintf("%+v", settings), "&"), try)
}

// fallback sets a number that is 0 to its default.
func fallback(v *float64, to float64) {
	if *v == 0 {
		*v = to
	}
}

// decayed adds the pull of a weight decay to a gradient.
func decayed(g, w *graph.Node, decay float64) *graph.Node {
	if decay == 0 {
		return g
	}
	return graph.Add(g, graph.MulScalar(w, decay))
}

// follow moves an average towards x: β·old + (1-β)·x.
func follow(old, x *graph.Node, beta float64) *graph.Node {
	return graph.Add(graph.MulScalar(old, beta), graph.MulScalar(x, 1-beta))
}
