package session

import (
	"context"
	"go/scanner"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/session/assist"
	"github.com/holt-dl/holt/kernel/session/modules"
)

// remember keeps what is declared for completion, which may be asked for while
// a cell runs: the model does not change.
func (s *Session) remember() {
	mod, sum := s.snapshot.Mod, s.snapshot.Sum
	if file := s.world.Modfile(); file != s.modfile { // other modules than when it was last read
		s.modfile = file
		if text, err := os.ReadFile(file); err == nil {
			mod = modOfCells(string(text), s.world.Dir())
		}
		if text, err := os.ReadFile(strings.TrimSuffix(file, ".mod") + ".sum"); err == nil {
			sum = string(text)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshot.Mod, s.snapshot.Sum = mod, sum
	s.known = s.nb.Scope()
}

// declared is the notebook as gopls knows it, written when it is asked for. The caller
// holds mu.
func (s *Session) declared() assist.Snapshot {
	if s.known != nil && s.written != s.known {
		// Cells find Holt's own packages without an import.
		var found []string
		for _, path := range modules.Own {
			if s.world.InHost(path) {
				found = append(found, path)
			}
		}
		s.written = s.known
		s.snapshot.Decls = cell.Declarations(s.known, found...)
		s.snapshot.Declared = map[string]bool{}
		for _, name := range s.known.Names() {
			s.snapshot.Declared[name] = true
		}
	}
	return s.snapshot
}

var moduleLine = regexp.MustCompile(`(?m)^module .*$`)

// modOfCells turns the go.mod of the world, which is that of Holt itself, into
// one of a module that requires it.
func modOfCells(mod, dir string) string {
	mod = moduleLine.ReplaceAllString(mod, "module notebook")
	return mod + "\nrequire github.com/holt-dl/holt v0.0.0\n\nreplace github.com/holt-dl/holt => " + filepath.ToSlash(dir) + "\n"
}

// helper returns the notebook's gopls and what it should know; nil before the
// host is there, and until there is a gopls.
func (s *Session) helper() (*assist.Assistant, assist.Snapshot) {
	select {
	case <-s.ready:
	default:
		return nil, assist.Snapshot{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.assistant == nil {
		gopls, err := assist.Find()
		if err != nil {
			if !s.fetching {
				s.fetching = true
				go s.fetchGopls()
			}
			return nil, assist.Snapshot{}
		}
		s.assistant = assist.New(gopls, filepath.Join(s.dir, "assist"))
	}
	return s.assistant, s.declared()
}

// fetchGopls brings the gopls that is missing. A kernel tries it once; what is
// asked meanwhile gets an empty answer.
func (s *Session) fetchGopls() {
	slog.Info("session: gopls is built, which completion needs")
	if _, err := assist.Install(s.ctx); err != nil {
		slog.Warn("session: no completion", "err", err)
	}
}

var selected = regexp.MustCompile(`\b([A-Za-z_]\w*)\.`)

// imports returns the packages that code names, name to path: those that the
// notebook imports, and those that a cell finds by itself.
func (s *Session) imports(code string) map[string]string {
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	var live map[string]string
	if known != nil {
		live = known.Imports()
	}
	found := map[string]string{}
	for _, m := range selected.FindAllStringSubmatch(code, -1) {
		name := m[1]
		path := live[name]
		if path == "" {
			path = s.packages.Found(name)
		}
		if path != "" {
			found[name] = path
		}
	}
	return found
}

// halves is a cell as gopls reads it.
func (s *Session) halves(code string) assist.Cell {
	parts := gonb.Split(code)
	if len(parts.Go) < len(code) {
		// Commands are blank lines there: give every byte its place again.
		parts.Go = pad(code, parts.Go)
	}
	parsed := parse.Parse(parse.Source{Text: parts.Go})
	decls, stmts := parsed.Halves()
	c := assist.Cell{Decls: decls, Stmts: stmts, Imports: s.imports(code), Declared: map[string]bool{}}
	for _, d := range parsed.Decls {
		for _, name := range scope.Declares(d) {
			if name.Recv == "" {
				c.Declared[name.Name.Name] = true
			}
		}
	}
	return c
}

// pad makes the lines of text as long as those of code.
func pad(code, text string) string {
	var b strings.Builder
	lines := strings.SplitAfter(text, "\n")
	for i, line := range strings.SplitAfter(code, "\n") {
		if i < len(lines) && len(lines[i]) == len(line) {
			b.WriteString(line)
			continue
		}
		body := strings.TrimSuffix(line, "\n")
		b.WriteString(strings.Repeat(" ", len(body)) + line[len(body):])
	}
	return b.String()
}

// warmCode names the packages that most notebooks use.
const warmCode = "dl.\nvision.\nboard.\ndisplay.\nfmt.\nstrings.\ntime.\nmath.\nos.\nslices.\nerrors.\n"

// Warm waits for the host, and then lets gopls read the packages that most
// notebooks use, so that the first question is answered soon.
func (s *Session) Warm(ctx context.Context) {
	select {
	case <-s.ready:
		s.Complete(ctx, warmCode, len("dl."))
	case <-ctx.Done():
	}
}

// outsideGo reports whether a byte offset in code is where no Go name can be:
// in a command's line, a comment or a literal. The path of an import is none.
func outsideGo(code string, offset int) bool {
	offset = min(offset, len(code))
	line := code[strings.LastIndexByte(code[:offset], '\n')+1 : offset]
	if isCommandLine(line) {
		return true
	}
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(code))
	s.Init(file, []byte(code), func(token.Position, string) {}, scanner.ScanComments)
	imports := false
	for {
		pos, tok, lit := s.Scan()
		start := file.Offset(pos)
		if tok == token.EOF || start >= offset {
			return false
		}
		end := start + len(lit)
		switch tok {
		case token.IMPORT:
			imports = true
		case token.COMMENT: // its end is still the comment's, when it goes to the line's end
			if offset < end || offset == end && strings.HasPrefix(lit, "//") {
				return true
			}
		case token.STRING, token.CHAR:
			closed := len(lit) > 1 && lit[len(lit)-1] == lit[0]
			if offset < end || offset == end && !closed {
				return !imports
			}
		case token.SEMICOLON:
			imports = imports && lit != ";" && strings.Contains(code[:start], "(")
		}
	}
}

// isCommandLine reports whether a line is a command to the kernel or the shell.
func isCommandLine(line string) bool {
	line = strings.TrimLeft(line, " \t")
	return strings.HasPrefix(line, "!") || strings.HasPrefix(line, "%")
}

// Complete returns the completions at a byte offset in code. It may be called
// while a cell runs.
func (s *Session) Complete(ctx context.Context, code string, offset int) (assist.Completion, error) {
	if c, ok := completeCommand(code, offset); ok {
		return c, nil
	}
	a, snap := s.helper()
	if a == nil || outsideGo(code, offset) {
		return assist.Completion{Start: offset, End: offset}, nil
	}
	return a.Complete(ctx, snap, s.halves(code), offset)
}

// Inspect returns what is known of the name at a byte offset in code, and with
// detail above 0 its source.
func (s *Session) Inspect(ctx context.Context, code string, offset, detail int) (assist.Inspection, error) {
	if text, ok := explainCommand(code, offset); ok {
		return text, nil
	}
	a, snap := s.helper()
	if a == nil {
		return nil, assist.ErrNoGopls
	}
	return a.Inspect(ctx, snap, s.halves(code), offset, detail)
}
