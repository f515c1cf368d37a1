package dl

import (
	"fmt"
	"strings"
)

// Shape is the length of each axis of a tensor, outermost first.
type Shape []int

// Size returns the number of elements: the product of the axes, 1 for a
// scalar.
func (s Shape) Size() int {
	size := 1
	for _, n := range s {
		size *= n
	}
	return size
}

// Equal reports whether two shapes have the same axes.
func (s Shape) Equal(other Shape) bool {
	if len(s) != len(other) {
		return false
	}
	for i, n := range s {
		if n != other[i] {
			return false
		}
	}
	return true
}

// sequences describes the shape of sequences of vectors, whose length has a
// name where it is not known, for messages.
func sequences(name string, length int, batchFirst bool) string {
	if length > 0 {
		name = fmt.Sprint(length)
	}
	if batchFirst {
		return "[N L " + name + "]"
	}
	return "[L N " + name + "]"
}

// ShapeError reports a tensor that does not fit the layer or function it was
// given to.
type ShapeError struct {
	Op   string // the layer's path and kind, or the function
	Got  Shape
	Want string // a pattern such as "[N 3 H W]"
	Fix  string // one thing to try; empty rather than a guess
}

func (e *ShapeError) Error() string {
	msg := fmt.Sprintf("dl: %s: input is %v, want %s", e.Op, e.Got, e.Want)
	if e.Fix != "" {
		msg += "; " + e.Fix
	}
	return msg
}

// during says what was being done when an error came.
func during(what string, err error) error { return &stageError{what, err} }

// stageError is an error with what was being done. It says dl once.
type stageError struct {
	what string
	err  error
}

func (e *stageError) Error() string {
	return "dl: " + e.what + ": " + strings.TrimPrefix(e.err.Error(), "dl: ")
}

func (e *stageError) Unwrap() error { return e.err }
