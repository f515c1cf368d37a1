package kernel

import (
	"context"
	"encoding/json"
	"log/slog"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/jupyter/history"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
	"github.com/holt-dl/holt/kernel/jupyter/wire"
	"github.com/holt-dl/holt/kernel/session/assist"
)

// info is the content of kernel_info_reply.
func (s *server) info() any {
	version := strings.TrimPrefix(runtime.Version(), "go")
	return map[string]any{
		"status":                 "ok",
		"protocol_version":       wire.Version,
		"implementation":         "holt",
		"implementation_version": s.opt.Version,
		"language_info":          spec.LanguageInfo(),
		"banner":                 "holt " + s.opt.Version + ": Go " + version + " with deep learning; what a cell makes stays alive. Type %help.",
		"debugger":               false,
		"supported_features":     []string{},
		"help_links": []map[string]string{
			{"text": "Go", "url": "https://go.dev/doc/"},
			{"text": "Go packages", "url": "https://pkg.go.dev/"},
			{"text": "GoMLX", "url": "https://github.com/gomlx/gomlx"},
		},
	}
}

// Time limits on the engine's answers, after which a client gets an empty one.
const (
	completeTimeout   = 5 * time.Second
	isCompleteTimeout = time.Second // what jupyter console waits
)

// assistant returns the engine as an assistant, nil where it is not one or
// not there yet.
func (s *server) assistant() Assistant {
	select {
	case <-s.ready:
		a, _ := s.engine.(Assistant)
		return a
	default:
		return nil
	}
}

// steady is for how long no cell begins or ends before completion is prepared: gopls reads
// packages for seconds, which the cells of a notebook that is run from its top would wait for.
const steady = 3 * time.Second

// warm prepares completion, once cells pause. It is called when a person is seen to be there,
// and not for notebooks that run in batch, which never ask. A question that comes before is
// answered as soon as it can be.
func (s *server) warm(ctx context.Context) {
	s.warmed.Do(func() {
		go func() {
			defer func() {
				if r := recover(); r != nil {
					logPanic(r) // completion is no reason to end the kernel
				}
			}()
			select {
			case <-s.ready:
			case <-ctx.Done():
				return
			}
			for wait := steady; wait > 0; {
				select {
				case <-time.After(wait):
				case <-ctx.Done():
					return
				}
				s.mu.Lock()
				wait = steady - time.Since(s.changed)
				s.mu.Unlock()
			}
			if a := s.assistant(); a != nil {
				a.Warm(ctx)
			}
		}()
	})
}

func (s *server) complete(ctx context.Context, req *request) any {
	var content struct {
		Code   string `json:"code"`
		Cursor *int   `json:"cursor_pos"`
	}
	json.Unmarshal(req.Content, &content)
	offset := byteOffset(content.Code, content.Cursor)
	c := assist.Completion{Start: offset, End: offset}
	if a := s.assistant(); a != nil {
		ctx, cancel := context.WithTimeout(ctx, completeTimeout)
		defer cancel()
		found, err := a.Complete(ctx, content.Code, offset)
		if err != nil {
			slog.Debug("kernel: complete", "err", err)
		} else {
			c = found
		}
	}
	start, end := runes(content.Code, c.Start), runes(content.Code, c.End)
	matches, types := []string{}, []map[string]any{}
	for _, m := range c.Matches {
		matches = append(matches, m.Text)
		types = append(types, map[string]any{"text": m.Text, "type": m.Type, "signature": m.Signature, "start": start, "end": end})
	}
	return map[string]any{
		"status": "ok", "matches": matches, "cursor_start": start, "cursor_end": end,
		"metadata": map[string]any{"_jupyter_types_experimental": types},
	}
}

func (s *server) inspect(ctx context.Context, req *request) any {
	var content struct {
		Code   string `json:"code"`
		Cursor *int   `json:"cursor_pos"`
		Detail int    `json:"detail_level"`
	}
	json.Unmarshal(req.Content, &content)
	found := assist.Inspection{}
	if a := s.assistant(); a != nil {
		ctx, cancel := context.WithTimeout(ctx, completeTimeout)
		defer cancel()
		i, err := a.Inspect(ctx, content.Code, byteOffset(content.Code, content.Cursor), content.Detail)
		if err != nil {
			slog.Debug("kernel: inspect", "err", err)
		} else if i != nil {
			found = i
		}
	}
	return map[string]any{"status": "ok", "found": len(found) > 0, "data": found, "metadata": map[string]any{}}
}

func (s *server) isComplete(ctx context.Context, req *request) any {
	var content struct {
		Code string `json:"code"`
	}
	json.Unmarshal(req.Content, &content)
	select {
	case <-s.ready:
	case <-time.After(isCompleteTimeout):
		return map[string]any{"status": "unknown"}
	}
	if s.engine == nil {
		return map[string]any{"status": "unknown"}
	}
	code, _ := gonb.Questions(content.Code)
	status, indent := s.engine.IsComplete(code)
	reply := map[string]any{"status": status}
	if status == "incomplete" {
		reply["indent"] = indent
	}
	return reply
}

func (s *server) searchHistory(ctx context.Context, req *request) any {
	s.warm(ctx) // notebooks and consoles ask as they open
	var q history.Query
	if err := json.Unmarshal(req.Content, &q); err != nil {
		return failed("BadRequest", "kernel: history_request: its content cannot be read: "+err.Error())
	}
	found := [][3]any{}
	for _, e := range s.history.Find(q) {
		var input any = e.Input
		if q.Output {
			input = [2]any{e.Input, nil} // outputs are not kept
		}
		found = append(found, [3]any{e.Session, e.Line, input})
	}
	return map[string]any{"status": "ok", "history": found}
}

// byteOffset converts a cursor in code points, as the protocol has it since
// 5.2, to bytes. An absent cursor is the end.
func byteOffset(code string, cursor *int) int {
	if cursor == nil {
		return len(code)
	}
	n := 0
	for i := range code {
		if n >= *cursor {
			return i
		}
		n++
	}
	return len(code)
}

// runes converts a byte offset to code points.
func runes(code string, offset int) int {
	return utf8.RuneCountInString(code[:min(max(offset, 0), len(code))])
}
