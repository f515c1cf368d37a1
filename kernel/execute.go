package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/jupyter/front"
	"github.com/holt-dl/holt/kernel/jupyter/history"
	"github.com/holt-dl/holt/kernel/jupyter/out"
	"github.com/holt-dl/holt/kernel/jupyter/wire"
	"github.com/holt-dl/holt/kernel/session"
)

const (
	maxQueue = 10_000 // cells that may wait
	// A second interrupt so soon after the first is an impatient double click.
	patience = 500 * time.Millisecond
	// How long after a cell failed a request may arrive that was sent before.
	inFlight = 250 * time.Millisecond
)

// cell is the cell that runs.
type cell struct {
	req         *request
	cancel      func()
	interrupted time.Time // zero until the first interrupt
	killed      bool
}

// executeContent is the content of an execute_request.
type executeContent struct {
	Code         string `json:"code"`
	Silent       bool   `json:"silent"`
	StoreHistory *bool  `json:"store_history"` // absent means true, unless silent
	AllowStdin   *bool  `json:"allow_stdin"`   // absent means true
	StopOnError  *bool  `json:"stop_on_error"` // absent means true

	Expressions map[string]string `json:"user_expressions"` // by the names that the client gives them
}

func isTrue(b *bool) bool { return b == nil || *b }

// enqueue puts a cell in the queue.
func (s *server) enqueue(req *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// "Run all" sends all cells at once. If the first fails quickly, others are
	// still on their way; they were sent before anyone could know.
	req.abort = req.abort || len(s.queue) >= maxQueue ||
		time.Since(s.failed) < inFlight && sentBefore(req.Message, s.failed)
	s.queue = append(s.queue, req)
	s.wake.Signal()
}

func sentBefore(m *wire.Message, t time.Time) bool {
	sent, err := time.Parse(time.RFC3339Nano, m.Header.Date)
	return err == nil && sent.Before(t)
}

// execute runs the cells of the queue, one after the other.
func (s *server) execute(ctx context.Context) {
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && ctx.Err() == nil {
			s.wake.Wait()
		}
		if ctx.Err() != nil {
			queue := s.queue
			s.queue = nil
			s.mu.Unlock()
			for _, req := range queue {
				s.aborted(req)
			}
			return
		}
		req := s.queue[0]
		s.queue = s.queue[1:]
		abort := req.abort
		s.mu.Unlock()
		if abort {
			s.aborted(req)
		} else {
			s.run(ctx, req)
		}
	}
}

// aborted answers a cell that is not run.
func (s *server) aborted(req *request) {
	// Without a count, as ipykernel does: notebooks would show it beside the cell.
	s.answer(req, "execute_reply", func() any { return map[string]any{"status": "aborted"} })
}

// run runs one cell and answers it.
func (s *server) run(ctx context.Context, req *request) {
	started := wire.Now()
	header := req.RawHeader
	var content executeContent
	if err := json.Unmarshal(req.Content, &content); err != nil {
		s.answer(req, "execute_reply", func() any {
			return failed("BadRequest", "kernel: execute_request: its content cannot be read: "+err.Error())
		})
		return
	}
	store := isTrue(content.StoreHistory) && !content.Silent
	life := ctx // the kernel's
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	s.mu.Lock()
	if store && content.Code != "" {
		s.count++
	}
	count := s.count
	s.running = &cell{req: req, cancel: cancel}
	s.changed = time.Now()
	running := s.running
	s.parent = header
	s.front.Status(header, "busy")
	s.mu.Unlock()

	if content.Silent {
		s.out.Begin(func(string, any) {})
	} else {
		s.front.Publish("execute_input", header, map[string]any{"code": content.Code, "execution_count": count})
		s.out.Begin(s.publisher(header))
	}
	if store && content.Code != "" {
		s.history.Add(history.Entry{Line: count, Input: content.Code})
	}
	code, asked := gonb.Questions(content.Code)
	payload := []any{}
	var fail *session.Failure
	todo := session.Request{
		Code: code, CellID: cellID(req.Message), Queued: s.queued, Count: count,
		Silent: content.Silent, AllowStdin: isTrue(content.AllowStdin),
		Input: s.inputFunc(ctx, req, isTrue(content.AllowStdin)),
	}
	if isTrue(content.AllowStdin) {
		// nbclient, which asks for no input, drops what belongs to a cell that is over.
		todo.Late = &late{s: s, parent: header, silent: content.Silent}
	}
	if content.Code != "" {
		fail = s.runEngine(ctx, func() *session.Failure { return s.engine.Execute(ctx, todo) })
	}
	values := map[string]any{}
	if fail == nil {
		payload = s.help(ctx, asked)
		values = s.evaluate(ctx, todo, content.Expressions)
	}
	s.out.Flush()

	reply := map[string]any{"status": "ok", "execution_count": count, "user_expressions": values, "payload": payload}
	if fail != nil {
		failure := failureContent(fail)
		if !content.Silent {
			s.front.Publish("error", header, failure)
		}
		reply["status"] = "error"
		for k, v := range failure {
			reply[k] = v
		}
	}
	s.mu.Lock()
	if fail != nil && isTrue(content.StopOnError) || !running.interrupted.IsZero() {
		s.abortQueue()
	}
	s.mu.Unlock()

	msg := s.front.New("execute_reply", header, reply)
	msg.Metadata, _ = json.Marshal(map[string]any{"started": started, "dependencies_met": true, "status": reply["status"]})
	s.front.Send(req.Socket, req.Request, msg)

	s.mu.Lock()
	s.running = nil
	s.changed = time.Now()
	s.front.Status(header, "idle")
	if isTrue(content.AllowStdin) { // somebody can be asked
		s.warm(life)
	}
	s.mu.Unlock()
	s.answered()
}

// answered tells the engine that a cell is answered.
func (s *server) answered() {
	select {
	case <-s.ready:
		if d, ok := s.engine.(Deferrer); ok {
			d.Answered()
		}
	default:
	}
}

func failureContent(f *session.Failure) map[string]any {
	return map[string]any{"ename": f.Name, "evalue": f.Value, "traceback": lines(f.Traceback)}
}

// evaluate answers the user_expressions of a request, each by its name. One that
// fails fails alone.
func (s *server) evaluate(ctx context.Context, req session.Request, expressions map[string]string) map[string]any {
	values := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(expressions)) {
		req.Code = expressions[name]
		var value frame.Bundle
		fail := s.runEngine(ctx, func() (f *session.Failure) {
			e, ok := s.engine.(Evaluator)
			if !ok {
				return failure("Unsupported", "this engine evaluates no expressions")
			}
			value, f = e.Evaluate(ctx, req)
			return f
		})
		if fail != nil {
			content := failureContent(fail)
			content["status"] = "error"
			values[name] = content
			continue
		}
		_, content := out.Content(frame.Message{Kind: frame.KindDisplay, Bundle: &value}, 0)
		values[name] = map[string]any{"status": "ok", "data": content["data"], "metadata": content["metadata"]}
	}
	return values
}

// runEngine waits for the engine and calls f, which uses it.
func (s *server) runEngine(ctx context.Context, f func() *session.Failure) (fail *session.Failure) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return failure("Interrupted", "the cell was interrupted before it began")
	}
	if s.openErr != nil {
		return failure("StartError", s.openErr.Error())
	}
	defer func() {
		if r := recover(); r != nil {
			logPanic(r)
			fail = failure("InternalError", "this is a bug in holt; the kernel's log says more")
		}
	}()
	return f()
}

func failure(name, value string) *session.Failure {
	return &session.Failure{Name: name, Value: value, Traceback: []string{name + ": " + value}}
}

// abortQueue gives up the cells that wait. The caller holds mu.
func (s *server) abortQueue() {
	s.failed = time.Now()
	for _, req := range s.queue {
		req.abort = true
	}
}

// interrupt stops the running cell and gives up those behind it. A second
// interrupt of the same cell ends the engine's process, also when the cell was
// meanwhile reported as one that could not be stopped.
func (s *server) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.running
	now := time.Now()
	switch {
	case c == nil:
		select {
		case <-s.ready:
			if a, ok := s.engine.(Abandoner); ok && a.Abandoned() {
				slog.Info("kernel: second interrupt of a cell that was left behind, the host is ended")
				go s.engine.Kill()
			}
		default:
		}
	case c.interrupted.IsZero():
		c.interrupted = now
		c.cancel()
		s.abortQueue()
	case now.Sub(c.interrupted) > patience && !c.killed:
		c.killed = true
		select {
		case <-s.ready:
			if s.engine != nil {
				slog.Info("kernel: second interrupt, the host is ended")
				go s.engine.Kill()
			}
		default:
		}
	}
}

// cellID is JupyterLab's name of the cell that a request runs.
func cellID(m *wire.Message) string {
	var meta struct {
		CellID string `json:"cellId"`
	}
	json.Unmarshal(m.Metadata, &meta)
	return meta.CellID
}

// queued reports whether the cell that JupyterLab names so waits to be run.
func (s *server) queued(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.queue, func(req *request) bool {
		return !req.abort && req.Header.Type == "execute_request" && cellID(req.Message) == id
	})
}

func lines(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

var errNoInput = errors.New("kernel: input: this client cannot be asked for input; run the cell in a notebook or console, or give the value in code")

// inputFunc returns the function by which a cell asks for a line, nil where
// its client does not want to be asked.
func (s *server) inputFunc(ctx context.Context, req *request, allowed bool) func(string, bool) (string, error) {
	if !allowed {
		return nil
	}
	return func(prompt string, password bool) (string, error) {
		msg := s.front.New("input_request", req.RawHeader, map[string]any{"prompt": prompt, "password": password})
		s.mu.Lock()
		if s.asking != "" {
			s.mu.Unlock()
			return "", errors.New("kernel: input: another goroutine is waiting for input; ask one question at a time")
		}
		s.asking = msg.Header.ID
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			s.asking = ""
			s.mu.Unlock()
		}()
		s.out.Flush() // what was printed stands above the question
		if err := s.front.Send(s.front.Stdin, req.Request, msg); err != nil {
			return "", errNoInput
		}
		select {
		case line := <-s.input:
			return line, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// readInput takes answers to input requests.
func (s *server) readInput(ctx context.Context) {
	s.front.Read(ctx, s.front.Stdin, "stdin", func(msg front.Request) {
		var content struct {
			Value string `json:"value"`
		}
		if msg.Header.Type != "input_reply" || json.Unmarshal(msg.Content, &content) != nil {
			slog.Debug("kernel: unknown message on stdin", "type", msg.Header.Type)
			return
		}
		if !s.expects(msg.Message) {
			return
		}
		select {
		case s.input <- content.Value:
		case <-time.After(time.Second): // the cell was interrupted just now
		}
	})
}

// expects reports whether an answer is to the question that waits, and not to
// one of a cell that was interrupted. Not all clients say what they answer.
func (s *server) expects(answer *wire.Message) bool {
	var parent wire.Header
	json.Unmarshal(answer.Parent, &parent)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asking != "" && (parent.ID == "" || parent.ID == s.asking)
}
