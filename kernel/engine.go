package kernel

import (
	"context"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/jupyter/comm"
	"github.com/holt-dl/holt/kernel/session"
	"github.com/holt-dl/holt/kernel/session/assist"
)

// Engine runs cells; [session.Session] is one. An engine may also be an
// [Abandoner], an [Ender], a [Deferrer], an [Evaluator], an [Assistant] or a
// [CommHandler].
type Engine interface {
	// Execute runs one cell and returns nil when it succeeded. Cancelling ctx
	// interrupts the cell. The kernel calls it for one cell at a time.
	Execute(ctx context.Context, req session.Request) *session.Failure
	// IsComplete says whether code can be run as it is: status is "complete",
	// "incomplete" or "invalid", and indent what the next line starts with. It
	// may be called while a cell runs, as every method below.
	IsComplete(code string) (status, indent string)
	// Kill ends the running cell at any price.
	Kill()
	// Close ends the engine and everything it started.
	Close() error
}

// Abandoner is an [Engine] that gives up on a cell which an interrupt does not
// stop, and reports it as ended.
type Abandoner interface {
	// Abandoned reports whether the last cell was left behind so.
	Abandoned() bool
}

// Ender is an [Engine] whose displays change while no cell runs.
type Ender interface {
	// End shows in them that they will not change any more, and why, before the
	// kernel says that it shuts down.
	End(why string)
}

// Deferrer is an [Engine] that puts work off until a cell is answered.
type Deferrer interface {
	// Answered says that the reply to the last cell is out.
	Answered()
}

// Evaluator is an [Engine] that answers the user_expressions of a request.
type Evaluator interface {
	// Evaluate returns the value of an expression, req.Code, as Execute would
	// show it.
	Evaluate(ctx context.Context, req session.Request) (frame.Bundle, *session.Failure)
}

// Assistant is an [Engine] that knows what can be typed, and what it means.
// Its methods may be called while a cell runs.
type Assistant interface {
	// Warm prepares the other methods, which may take seconds.
	Warm(ctx context.Context)
	// Complete returns what can stand at a byte offset in code.
	Complete(ctx context.Context, code string, offset int) (assist.Completion, error)
	// Inspect returns what is known of the name at a byte offset in code;
	// detail is 0, or 1 for more.
	Inspect(ctx context.Context, code string, offset, detail int) (assist.Inspection, error)
}

// CommHandler is an [Engine] with widgets, or other comms: objects that a
// cell and the notebook page both know.
type CommHandler interface {
	// Comm takes a message from the notebook. Messages come one at a time, in
	// order. An open that returns false is of an unknown target, and is closed.
	Comm(m CommMessage) bool
}

// CommSender is implemented by the output that an engine is given.
type CommSender interface {
	// Comm sends a message to the notebook at once.
	Comm(m CommMessage)
}

// CommMessage is a message of a comm.
type CommMessage = comm.Message

// CommKind is what a [CommMessage] does.
type CommKind = comm.Kind

// The kinds of comm messages.
const (
	CommOpen  = comm.Open
	CommData  = comm.Data
	CommClose = comm.Close
)
