package assist

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Snapshot is a notebook as it is after its last cell. It must not be changed after it was
// passed on, as questions may still be answered from it when the next cell has run.
type Snapshot struct {
	// Mod and Sum are the go.mod and go.sum that cells are compiled with.
	Mod, Sum string
	// Decls is a Go file of package main with everything that is declared:
	// imports, types, functions, constants, and variables with their types. A
	// package that is imported and not used is no harm.
	Decls string
	// Declared holds the names of Decls, imports aside.
	Declared map[string]bool
}

// Cell is a cell's Go text, cut as [Assistant] needs it. Decls and Stmts are as long as the
// cell, and have blanks where the other has text:
//
//	the cell       Decls          Stmts
//	x := 1                        x := 1
//	func f() {}    func f() {}
//	f()                           f()
type Cell struct {
	Decls, Stmts string
	Imports      map[string]string // the packages that the cell names: name to path
	Declared     map[string]bool   // the names that Decls declares at package level
}

// Completion is what can replace the bytes of a cell from Start to End, as Jupyter's
// complete_reply says it. Where there are no matches, both are the offset of the question.
type Completion struct {
	Start, End int // byte offsets
	Matches    []Match
}

// Match is one completion.
type Match struct {
	Text      string
	Type      string // "function", "variable", "type", …; empty where unknown
	Signature string // of a function, such as "func(x int) error"
}

// Inspection is what is known of a name, by MIME type: text/plain for consoles, text/markdown
// for JupyterLab. It is empty where nothing is known.
type Inspection map[string]string

const (
	// How long gopls may take to answer its first request.
	startTimeout = 30 * time.Second
	patience     = 10 * time.Second // between two starts of a gopls that ends
)

// settings are gopls' own (https://go.dev/gopls/settings).
var settings = map[string]any{
	"completeUnimported":     true,
	"usePlaceholders":        false,
	"hoverKind":              "FullDocumentation",
	"linksInHover":           false,
	"diagnosticsTrigger":     "Save", // they are not shown, and take time
	"staticcheck":            false,
	"analyses":               map[string]bool{},
	"semanticTokens":         false,
	"vulncheck":              "Off",
	"completionBudget":       "200ms",
	"symbolScope":            "workspace",
	"templateExtensions":     []string{},
	"verboseOutput":          false,
	"renameMovesSubpackages": false,
}

// Assistant answers from one gopls, which it starts when it is first asked. Its methods may be
// called by several goroutines; questions wait for one another, since each first puts its own
// cell into the three files.
type Assistant struct {
	program string
	dir     string // the folder that gopls works in

	mu sync.Mutex
	// nil until the first question, and after gopls ended.
	server  *rpc
	started time.Time
	// The protocol wants a number for each change of a file, which must rise; one count for all
	// files does.
	version int
	imports map[string]string // of every cell so far, name to path
	open    map[string]string // what gopls was told, by file name
	mod     string            // the go.mod and go.sum on disk
}

// New returns an assistant that runs a gopls in a folder of its own, which is made where it is
// not there. Nothing is started yet.
func New(gopls, dir string) *Assistant {
	return &Assistant{program: gopls, dir: dir, imports: map[string]string{}, open: map[string]string{}}
}

// Close ends gopls. It waits for a question that is being answered. A question after it would
// start another.
func (a *Assistant) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil {
		a.server.close()
		a.server = nil
	}
	return nil
}

// Complete returns the completions at a byte offset of a cell, best first. Cancelling ctx ends
// the question, and gopls is told.
func (a *Assistant) Complete(ctx context.Context, s Snapshot, c Cell, offset int) (Completion, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, err := a.place(ctx, s, c, offset)
	if err != nil {
		return Completion{}, err
	}
	// The list of the protocol's CompletionList, as far as it is used. Gopls answers with one,
	// and not with the bare array that the protocol allows too.
	var list struct {
		Items []item `json:"items"`
	}
	if err := a.server.call(ctx, "textDocument/completion", at.params(), &list); err != nil {
		return Completion{}, err
	}
	// The protocol leaves the order to the client: by sortText.
	slices.SortStableFunc(list.Items, func(x, y item) int { return strings.Compare(x.SortText, y.SortText) })
	// Jupyter replaces the name up to the cursor, whatever edit gopls had in mind, so the
	// beginning of that name is looked for here.
	text := at.text
	start := at.offset
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(text[:start])
		if !isName(r) {
			break
		}
		start -= n
	}
	// The distance of the cursor from the name's beginning is the same in the cell and in
	// gopls' file.
	found := Completion{Start: offset - (at.offset - start), End: offset}
	// The same name may come twice, from the notebook and from a package that gopls would
	// import.
	seen := map[string]bool{}
	for _, it := range list.Items {
		m := it.match()
		// Only what replaces the name under the cursor can be told to Jupyter.
		if m.Text == "" || seen[m.Text] || !hasPrefixFold(m.Text, text[start:at.offset]) || strings.HasPrefix(m.Text, ours) {
			continue
		}
		seen[m.Text] = true
		found.Matches = append(found.Matches, m)
	}
	return found, nil
}

// Inspect returns what is known of the name at, or just before, a byte offset of a cell: its
// declaration and documentation, and with detail above 0 its source. Detail is that of
// Jupyter's inspect_request, where a name with two question marks asks for 1.
func (a *Assistant) Inspect(ctx context.Context, s Snapshot, c Cell, offset, detail int) (Inspection, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	offset = nameAt(c, offset)
	at, err := a.place(ctx, s, c, offset)
	if err != nil {
		return nil, err
	}
	// A pointer, as the answer is null where nothing is known of the place.
	var hover *struct {
		Contents struct {
			Value string `json:"value"`
		} `json:"contents"`
	}
	if err := a.server.call(ctx, "textDocument/hover", at.params(), &hover); err != nil {
		return nil, err
	}
	if hover == nil || strings.TrimSpace(hover.Contents.Value) == "" {
		return Inspection{}, nil
	}
	markdown := hover.Contents.Value
	// Behind a rule, which separates the two in JupyterLab.
	if detail > 0 {
		if source := a.definition(ctx, at); source != "" {
			markdown += "\n\n---\n\n```go\n" + source + "\n```\n"
		}
	}
	return Inspection{"text/markdown": markdown, "text/plain": plain(markdown)}, nil
}

// ensure starts gopls where it does not run, or where the modules changed. The caller holds mu.
//
// Gopls is started anew for other modules: it would notice that go.mod changed, but load all
// packages again as well, and answer from the old ones meanwhile. One that ends again and again
// is started every ten seconds at most; in between questions fail at once.
func (a *Assistant) ensure(ctx context.Context, s Snapshot) error {
	mod := s.Mod + "\x00" + s.Sum
	if _, err := os.Stat(filepath.Join(a.dir, "go.mod")); err != nil {
		a.mod = "" // a cleaner of temporary folders was here
	}
	if a.server != nil && (a.server.ended() || a.mod != mod) {
		a.server.close()
		a.server = nil
		// That it is started anew for this is no failure, and need not wait.
		if a.mod != mod {
			a.started = time.Time{}
		}
	}
	if a.server != nil {
		return nil
	}
	if time.Since(a.started) < patience {
		return errEnded
	}
	a.started = time.Now()
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return fmt.Errorf("assist: %w", err)
	}
	// The files in memory are told to each gopls anew (open), and these are on disk before it
	// looks.
	for name, text := range map[string]string{"go.mod": s.Mod, "go.sum": s.Sum} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("assist: %w", err)
		}
	}
	// A new gopls knows no file and has no version of any.
	a.mod, a.open, a.version = mod, map[string]string{}, 0
	// Gopls runs go list. It must neither look for modules in the network, which hangs a
	// question, nor complain of requirements that the go.mod lacks, nor find the person's
	// go.work.
	server, err := dial(a.program, []string{"serve"}, []string{"GOFLAGS=-mod=mod", "GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off"}, a.dir)
	if err != nil {
		return err
	}
	// The first answer comes when gopls has started; loading packages goes on after it.
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := a.initialize(ctx, server); err != nil {
		server.close()
		return err
	}
	a.server = server
	return nil
}

// initialize is the handshake of the protocol. It says as little as possible of what the client
// can do, so that gopls answers in the plainest form: markdown, and completions as text to put
// in, without places to fill.
func (a *Assistant) initialize(ctx context.Context, server *rpc) error {
	root := fileURI(a.dir)
	err := server.call(ctx, "initialize", map[string]any{
		"processId":             os.Getpid(),
		"rootUri":               root,
		"workspaceFolders":      []map[string]any{{"uri": root, "name": "notebook"}},
		"initializationOptions": settings,
		"capabilities": map[string]any{
			"workspace": map[string]any{"configuration": true},
			"textDocument": map[string]any{
				"hover":      map[string]any{"contentFormat": []string{"markdown"}},
				"completion": map[string]any{"completionItem": map[string]any{"snippetSupport": false}},
			},
		},
	}, nil)
	if err != nil {
		return err
	}
	return server.notify("initialized", map[string]any{})
}

// tell opens a file in gopls' memory, or changes it, unless gopls has that text already: a
// change makes it check the package again. The caller holds mu. The text is sent whole, which
// the protocol allows.
func (a *Assistant) tell(name, text string) error {
	old, opened := a.open[name]
	if opened && old == text {
		return nil
	}
	a.open[name] = text
	a.version++
	if !opened {
		return a.server.notify("textDocument/didOpen", map[string]any{
			"textDocument": map[string]any{"uri": a.uri(name), "languageId": "go", "version": a.version, "text": text},
		})
	}
	return a.server.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": a.uri(name), "version": a.version},
		"contentChanges": []map[string]any{{"text": text}},
	})
}

// uri names a file in the assistant's folder, as the protocol wants it.
func (a *Assistant) uri(name string) string { return fileURI(filepath.Join(a.dir, name)) }

// fileURI is a path as a URI, with blanks and the like escaped.
func fileURI(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

// item is a CompletionItem of the protocol, as far as it is used. What is to be inserted stands
// in textEdit, else in insertText, else in label.
type item struct {
	Label    string `json:"label"`
	Kind     int    `json:"kind"`
	Detail   string `json:"detail"`
	SortText string `json:"sortText"`
	Insert   string `json:"insertText"`
	TextEdit *struct {
		NewText string `json:"newText"`
	} `json:"textEdit"`
}

// kinds names what JupyterLab has icons for, by CompletionItemKind.
var kinds = map[int]string{
	2: "function", 3: "function", 4: "function", 5: "field", 6: "variable", 7: "class", 8: "interface",
	9: "module", 10: "property", 14: "keyword", 21: "constant", 22: "class", 25: "class",
}

// match is an item as a completion: with the text that is to be inserted, which the label need
// not be.
func (it item) match() Match {
	m := Match{Text: it.Label, Type: kinds[it.Kind], Signature: it.Detail}
	// The most exact of the three counts, so it comes last.
	if it.Insert != "" {
		m.Text = it.Insert
	}
	if it.TextEdit != nil {
		m.Text = it.TextEdit.NewText
	}
	return m
}

// hasPrefixFold is strings.HasPrefix without regard to case, as gopls matches. It compares
// bytes of the same number; names whose cases differ in length are not found.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// plain is markdown as a console shows it: without fences, rules and escapes. It knows what
// gopls writes, not all of markdown.
func plain(markdown string) string {
	var b strings.Builder
	code := false
	for line := range strings.Lines(markdown) {
		// The fences go, and what is between them stays as it is: code has backslashes of its
		// own.
		if strings.HasPrefix(line, "```") {
			code = !code
			continue
		}
		if !code {
			if line == "---\n" {
				continue
			}
			line = unescape(line)
		}
		if line != "\n" || !strings.HasSuffix(b.String(), "\n\n") { // where a rule stood
			b.WriteString(line)
		}
	}
	return strings.TrimSpace(b.String())
}

// unescape takes off the backslashes that markdown needs before punctuation.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
