package session

import (
	"context"
	"fmt"
	"go/parser"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/session/report"
)

// Evaluate returns the value of a Go expression, req.Code, as the notebook would show it; the
// bundle is empty for a call without results. What the expression prints is shown as a cell's
// output is.
//
// It is for the user_expressions of an execute_request. The expression is a program that no
// cell holds: it is in no log of cells, and its name is taken out of messages, which would mean
// nothing to a person.
func (s *Session) Evaluate(ctx context.Context, req Request) (frame.Bundle, *Failure) {
	s.run.Lock()
	defer s.run.Unlock()
	// framed puts the value here instead of showing it, for as long as s.value points to it.
	var value frame.Bundle
	s.mu.Lock()
	s.req, s.value = req, &value
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.value = nil
		s.mu.Unlock()
	}()
	if f := s.await(ctx); f != nil {
		return value, f
	}
	// For messages of the check; the name is used for other programs too, whose text is
	// another.
	s.sources[report.InternalCell] = req.Code
	defer delete(s.sources, report.InternalCell)
	err := s.evaluate(ctx, req.Code)
	f := s.sources.Failure(err)
	if f != nil {
		f.Value = strings.ReplaceAll(f.Value, report.InternalCell+":", "")
		for i, line := range f.Traceback {
			f.Traceback[i] = strings.ReplaceAll(line, report.InternalCell+":", "")
		}
	}
	return value, f
}

// evaluate refuses what is no expression before anything runs: Go's statements would be a
// cell's.
func (s *Session) evaluate(ctx context.Context, code string) error {
	if _, err := parser.ParseExpr(code); err != nil {
		return fmt.Errorf("%q is no Go expression: %w", code, err)
	}
	if err := s.restartHost(ctx); err != nil {
		return err
	}
	return s.runCell(ctx, parse.Source{Name: report.InternalCell, Text: code})
}

// takeValue takes the value of an expression that is evaluated, and reports whether it was one.
// It is called by the goroutine that reads from the host.
func (s *Session) takeValue(m frame.Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.value == nil || m.Kind != frame.KindResult || m.Bundle == nil {
		return false
	}
	*s.value = *m.Bundle
	return true
}
