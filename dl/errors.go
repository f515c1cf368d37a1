package dl

import (
	"fmt"
	"strings"
)

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
