package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
	"github.com/holt-dl/holt/kernel/session"
	"github.com/holt-dl/holt/kernel/session/assist"
)

// Engine runs cells; [session.Session] is one.
type Engine interface {
	// Execute runs one cell and returns nil when it succeeded. A request without
	// code waits until the engine is ready. Cancelling ctx interrupts the cell.
	Execute(ctx context.Context, req session.Request) *session.Failure
	// Pending counts the displays that may still change though no cell runs.
	Pending(ctx context.Context) int
}

// Options are the settings of a run; the zero value works.
type Options struct {
	AllowErrors bool          // go on after a cell that fails
	Timeout     time.Duration // for each cell, and for what the cells leave behind; 0 for none
	Progress    *Progress     // nil shows nothing
	// Save is called after each cell, so that nothing is lost when the machine
	// is. Its error ends the run. Nil saves nothing.
	Save func() error
}

// CellError is the failure that ended a run.
type CellError struct {
	Number, Total int // of the code cells that are run, from 1
	Cell          *ipynb.Cell
	Failure       *session.Failure
	cause         error // why the cell was interrupted
}

// Error says which cell failed and how, in one line.
func (e *CellError) Error() string {
	return fmt.Sprintf("cell %d of %d failed: %s: %s", e.Number, e.Total, e.Failure.Name, first(e.Failure.Value))
}

// Unwrap returns [context.Canceled] where the run was interrupted, and
// [context.DeadlineExceeded] where the cell's time was over.
func (e *CellError) Unwrap() error { return e.cause }

// Run runs the code cells of a notebook and keeps in it what they show. Outputs
// that were there before are removed first, but for those of cells that are
// not run: cells without code or with the tag skip-execution. After the last
// cell it waits until live displays have their last state: a training that a
// cell started and shows goes on to its end.
//
// Open starts the engine, which shows its output to what it is given. The
// error is a [*CellError] when a cell failed, or the run was interrupted
// through ctx; the notebook then holds all that was shown until then.
func Run(ctx context.Context, nb *ipynb.Notebook, open func(session.Output) (Engine, error), opt Options) error {
	var cells []*ipynb.Cell
	for _, c := range nb.Cells {
		if c.Type == ipynb.Code && strings.TrimSpace(c.Source) != "" && !c.Tagged("skip-execution") {
			c.Outputs, c.Count = nil, 0
			cells = append(cells, c)
		}
	}
	if nb.Metadata == nil {
		nb.Metadata = map[string]any{}
	}
	nb.Metadata["language_info"] = spec.LanguageInfo()
	r := newRecorder(opt.Progress)
	engine, err := open(r)
	if err != nil {
		return err
	}
	if len(cells) > 0 {
		opt.Progress.wait("starting")
		if f := engine.Execute(ctx, session.Request{}); f != nil {
			opt.Progress.end(false)
			return &CellError{Number: 1, Total: len(cells), Cell: cells[0], Failure: f, cause: ctx.Err()}
		}
	}
	for i, c := range cells {
		if err := runCell(ctx, engine, r, c, i+1, len(cells), opt); err != nil {
			return err
		}
	}
	waited := settle(ctx, engine, r, opt)
	if opt.Save != nil {
		if err := opt.Save(); err != nil {
			return err
		}
	}
	return waited
}

// settle waits for the last state of displays that change without a cell, such
// as the plot of a training that the notebook leaves behind.
func settle(ctx context.Context, engine Engine, r *recorder, opt Options) error {
	const often = 100 * time.Millisecond
	waitCtx, cancel := ctx, func() {}
	if opt.Timeout > 0 {
		waitCtx, cancel = context.WithTimeout(ctx, opt.Timeout)
	}
	defer cancel()
	if engine.Pending(waitCtx) > 0 {
		opt.Progress.note("after the last cell: what is shown live goes on, such as a training")
		for engine.Pending(waitCtx) > 0 && waitCtx.Err() == nil {
			select {
			case <-waitCtx.Done():
			case <-time.After(often):
			}
		}
		opt.Progress.end(waitCtx.Err() != nil)
	}
	r.settle(waitCtx)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("batch: interrupted after the last cell, while a live display still changed: %w", ctx.Err())
	case waitCtx.Err() != nil:
		return fmt.Errorf("batch: a live display still changed %v after the last cell, want its last state; give it more time with --timeout: %w",
			opt.Timeout, waitCtx.Err())
	}
	return nil
}

// runCell runs one cell and saves the notebook.
func runCell(ctx context.Context, engine Engine, r *recorder, c *ipynb.Cell, number, total int, opt Options) error {
	cellCtx, cancel := ctx, func() {}
	if opt.Timeout > 0 {
		cellCtx, cancel = context.WithTimeout(ctx, opt.Timeout)
	}
	defer cancel()
	opt.Progress.begin(number, total, c.Source)
	times := map[string]any{"iopub.status.busy": now(), "iopub.execute_input": now()}
	c.Count = number
	r.begin(c)
	code, asked := gonb.Questions(c.Source)
	var fail *session.Failure
	if strings.TrimSpace(code) != "" {
		fail = engine.Execute(cellCtx, session.Request{Code: code, CellID: c.ID, Count: number, Late: &lateOutput{r: r, cell: c}})
	}
	if fail == nil {
		answer(cellCtx, engine, r, asked)
	}
	if fail != nil && ctx.Err() == nil && errors.Is(cellCtx.Err(), context.DeadlineExceeded) {
		fail = timedOut(fail, opt.Timeout)
	}
	r.end(fail)
	if e, ok := engine.(interface{ Answered() }); ok { // as kernel.Deferrer
		e.Answered()
	}
	times["shell.execute_reply"], times["iopub.status.idle"] = now(), now()
	setTimes(c, times)
	allowed := opt.AllowErrors || c.Tagged("raises-exception")
	opt.Progress.end(fail != nil)
	if opt.Save != nil {
		if err := opt.Save(); err != nil {
			return err
		}
	}
	if fail != nil && (!allowed || ctx.Err() != nil) {
		return &CellError{Number: number, Total: total, Cell: c, Failure: fail, cause: cellCtx.Err()}
	}
	return ctx.Err()
}

// answer writes what is known of the names that a cell asks about, as in fmt.Println?,
// where a notebook shows a page.
func answer(ctx context.Context, engine Engine, out *recorder, asked []gonb.Question) {
	for _, q := range asked {
		helper, ok := engine.(interface {
			Inspect(ctx context.Context, code string, offset, detail int) (assist.Inspection, error)
		})
		if !ok {
			out.Stream("stderr", []byte("holt: help on "+q.Name+": this kernel cannot explain names\n"))
			continue
		}
		found, err := helper.Inspect(ctx, q.Name, len(q.Name), q.Detail)
		switch text := found["text/plain"]; {
		case err != nil:
			out.Stream("stderr", []byte("holt: help on "+q.Name+": "+err.Error()+"\n"))
		case text == "":
			out.Stream("stderr", []byte("holt: nothing is known of "+q.Name+"\n"))
		default:
			out.Stream("stdout", []byte(strings.TrimRight(text, "\n")+"\n"))
		}
	}
}

// timedOut is the failure of a cell whose time was over, in place of the
// interrupt that ended it.
func timedOut(f *session.Failure, limit time.Duration) *session.Failure {
	value := fmt.Sprintf("the cell ran longer than %v and was interrupted; give it more time with --timeout", limit)
	trace := []string{"Timeout: " + value}
	if len(f.Traceback) > 1 {
		trace = append(trace, f.Traceback[1:]...)
	}
	return &session.Failure{Name: "Timeout", Value: value, Traceback: trace}
}

// now is the time as nbclient writes it.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z") }

// setTimes puts the times of a run in the cell's metadata, where JupyterLab
// looks for them.
func setTimes(c *ipynb.Cell, times map[string]any) {
	if c.Metadata == nil {
		c.Metadata = map[string]any{}
	}
	c.Metadata["execution"] = times
}

func first(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
