package kernel

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/session/assist"
)

// helpTimeout is how long a cell waits for help. A gopls that has just been
// started takes some seconds.
const helpTimeout = 30 * time.Second

// help answers questions as a payload of an execute_reply, which notebooks and
// consoles show as a page. What is not known is said in the cell's output.
func (s *server) help(ctx context.Context, asked []gonb.Question) []any {
	if len(asked) == 0 {
		return []any{}
	}
	ctx, cancel := context.WithTimeout(ctx, helpTimeout)
	defer cancel()
	page := map[string]string{}
	for _, q := range asked {
		found, err := s.lookUp(ctx, q)
		switch {
		case err != nil:
			slog.Debug("kernel: help", "name", q.Name, "err", err)
			s.out.Stream("stderr", []byte("holt: help on "+q.Name+": "+err.Error()+"\n"))
		case len(found) == 0:
			s.out.Stream("stderr", []byte("holt: nothing is known of "+q.Name+"\n"))
		}
		// Notebooks show one page, so that all is put on it.
		for mime, text := range found {
			if page[mime] != "" {
				page[mime] += "\n\n"
			}
			page[mime] += text
		}
	}
	if len(page) == 0 {
		return []any{}
	}
	return []any{map[string]any{"source": "page", "data": page, "start": 0}}
}

func (s *server) lookUp(ctx context.Context, q gonb.Question) (assist.Inspection, error) {
	a := s.assistant()
	if a == nil {
		return nil, errors.New("this kernel cannot explain names")
	}
	return a.Inspect(ctx, q.Name, len(q.Name), q.Detail)
}
