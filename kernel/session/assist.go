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

// remember keeps what is declared for completion, which may be asked for while a cell runs: the
// model does not change. The text for gopls is made of it only when someone asks (declared),
// since most cells run without a question in between.
//
// The caller is open, or holds run: the world and the notebook are read here, and nowhere else
// for completion.
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

// declared is the notebook as gopls knows it, written when it is asked for. The caller holds
// mu.
//
// A model that is the same pointer is the same model, as models never change; so the text is
// written once for each cell that declares something.
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

// modOfCells turns the go.mod of the world, which is that of Holt itself, into one of a module
// that requires it: cells are no part of Holt, but may import it from the folder where the
// world has its sources.
//
//	module github.com/holt-dl/holt         module notebook
//	go 1.26                           →    go 1.26
//	require …                              require …
//	                                       require github.com/holt-dl/holt v0.0.0
//	                                       replace github.com/holt-dl/holt => DIR
func modOfCells(mod, dir string) string {
	mod = moduleLine.ReplaceAllString(mod, "module notebook")
	return mod + "\nrequire github.com/holt-dl/holt v0.0.0\n\nreplace github.com/holt-dl/holt => " + filepath.ToSlash(dir) + "\n"
}

// helper returns the notebook's gopls and what it should know; nil before the host is there,
// and until there is a gopls. It never waits: a question of the front end is better answered
// with nothing than late. Where gopls is missing, the first question has it built.
func (s *Session) helper() (*assist.Assistant, assist.Snapshot) {
	select {
	// Only after this may fields be read that open writes.
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
		// The folder goes with the session's. Gopls is not started before it is asked.
		s.assistant = assist.New(gopls, filepath.Join(s.dir, "assist"))
	}
	return s.assistant, s.declared()
}

// fetchGopls brings the gopls that is missing, on a goroutine of its own. A kernel tries it
// once, as fetching stays set; what is asked meanwhile gets an empty answer.
func (s *Session) fetchGopls() {
	slog.Info("session: gopls is built, which completion needs")
	if _, err := assist.Install(s.ctx); err != nil {
		slog.Warn("session: no completion", "err", err)
	}
}

// selected matches a name before a dot, which may be that of a package: dl in dl.Linear.
var selected = regexp.MustCompile(`\b([A-Za-z_]\w*)\.`)

// imports returns the packages that code names, name to path: those that the notebook imports,
// and those that a cell finds by itself. It goes by the text, since the code of a question is
// seldom complete enough to be parsed. A variable that has the name of a package is found too;
// the head of the files for gopls leaves out imports that a declared name hides.
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

// halves is a cell as gopls reads it: its declarations and its statements apart, as only the
// latter may stand in a function. All bytes keep their places, so that gopls' positions are
// those of the cell.
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

// pad makes the lines of text as long as those of code, which has the same number of them. A
// line that was taken out, or shortened, becomes blank:
//
//	code             text         result
//	%goflags -x      (empty)      (11 blanks)
//	x := 1           x := 1       x := 1
//
// Lines are compared by their length alone, since those of Go are the same in both.
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

// Warm waits for the host, and then lets gopls read the packages that most notebooks use, so
// that the first question is answered soon: gopls reads a package from its source when a file
// first imports it. It returns when that is done or ctx ends.
func (s *Session) Warm(ctx context.Context) {
	select {
	case <-s.ready:
		s.Complete(ctx, warmCode, len("dl."))
	case <-ctx.Done():
	}
}

// outsideGo reports whether a byte offset in code is where no Go name can be: in a command's
// line, a comment or a literal. The path of an import is none of these: gopls completes paths.
//
// It scans the code from its beginning, as only that tells a quote that opens a literal from
// one that closes it. The scanner goes on after errors, which unfinished code is full of.
func outsideGo(code string, offset int) bool {
	offset = min(offset, len(code))
	line := code[strings.LastIndexByte(code[:offset], '\n')+1 : offset]
	if isCommandLine(line) {
		return true
	}
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(code))
	s.Init(file, []byte(code), func(token.Position, string) {}, scanner.ScanComments)
	imports, grouped := false, false // in an import declaration, between its brackets
	for {
		pos, tok, lit := s.Scan()
		start := file.Offset(pos)
		// Every token that begins before the offset has been looked at.
		if tok == token.EOF || start >= offset {
			return false
		}
		end := start + len(lit)
		switch tok {
		case token.IMPORT:
			imports, grouped = true, false
		case token.LPAREN:
			grouped = imports
		case token.RPAREN:
			grouped = false
		case token.COMMENT: // its end is still the comment's, when it goes to the line's end
			if offset < end || offset == end && strings.HasPrefix(lit, "//") {
				return true
			}
		case token.STRING, token.CHAR:
			// A literal that is not closed goes to the line's end, and the cursor there is
			// still inside.
			closed := len(lit) > 1 && lit[len(lit)-1] == lit[0]
			if offset < end || offset == end && !closed {
				return !imports
			}
		// Between brackets it ends one import of several, and else the declaration.
		case token.SEMICOLON:
			imports = imports && grouped
		}
	}
}

// isCommandLine reports whether a line is a command to the kernel or the shell, looking at the
// line alone.
func isCommandLine(line string) bool {
	line = strings.TrimLeft(line, " \t")
	return strings.HasPrefix(line, "!") || strings.HasPrefix(line, "%")
}

// Complete returns the completions at a byte offset in code. It may be called while a cell
// runs, from any goroutine; questions wait for one another at the assistant. Where nothing is
// known, the result is empty and no error.
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

// Inspect returns what is known of the name at a byte offset in code, and with detail above 0
// its source. Unlike Complete it says so by an error when there is no gopls: a person who asks
// for help reads it. It may be called while a cell runs.
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
