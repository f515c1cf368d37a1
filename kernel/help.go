package kernel

import (
	"context"
	"errors"
	"go/scanner"
	"go/token"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/holt-dl/holt/kernel/assist"
	"github.com/holt-dl/holt/kernel/gonb"
)

// helpTimeout is how long a cell waits for help. A gopls that has just been
// started takes some seconds.
const helpTimeout = 30 * time.Second

// question is a line of a cell that asks what a name is, as in IPython:
// fmt.Println? or ?fmt.Println, with two question marks for the source, too.
type question struct {
	name   string
	detail int // as an inspect_request has it
}

var asks = regexp.MustCompile(`^(\?{0,2})\s*([\pL_][\pL\pN_]*(?:\.[\pL_][\pL\pN_]*)*)(?:\(\))?\s*(\?{0,2})$`)

// splitHelp takes the questions out of a cell, whose other lines keep their
// numbers.
func splitHelp(code string) (rest string, asked []question) {
	if !strings.Contains(code, "?") {
		return code, nil
	}
	parts := gonb.Split(code)
	marked := illegal(parts.Go)
	if parts.Magic != "" || len(marked) == 0 {
		return code, nil
	}
	lines := strings.Split(code, "\n")
	for i, line := range lines {
		if !marked[i+1] {
			continue
		}
		m := asks.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue // and the compiler says what it thinks of it
		}
		q := question{name: m[2]}
		if m[1] == "??" || m[3] == "??" {
			q.detail = 1
		}
		asked = append(asked, q)
		lines[i] = ""
	}
	return strings.Join(lines, "\n"), asked
}

// illegal returns the lines of Go text with a question mark outside strings
// and comments, which Go has no use for.
func illegal(text string) map[int]bool {
	lines := map[int]bool{}
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, 0)
	for {
		pos, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return lines
		case tok == token.ILLEGAL && lit == "?":
			lines[file.Line(pos)] = true
		}
	}
}

// help answers questions as a payload of an execute_reply, which notebooks and
// consoles show as a page. What is not known is said in the cell's output.
func (s *server) help(ctx context.Context, asked []question) []any {
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
			slog.Debug("kernel: help", "name", q.name, "err", err)
			s.out.Stream("stderr", []byte("holt: help on "+q.name+": "+err.Error()+"\n"))
		case len(found) == 0:
			s.out.Stream("stderr", []byte("holt: nothing is known of "+q.name+"\n"))
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

func (s *server) lookUp(ctx context.Context, q question) (assist.Inspection, error) {
	a := s.assistant()
	if a == nil {
		return nil, errors.New("this kernel cannot explain names")
	}
	return a.Inspect(ctx, q.name, len(q.name), q.detail)
}
