package export

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/cell/listing"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/syntax"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
)

// Program is a notebook as a program.
type Program struct {
	Name     string            // of the program; its module is notebook/Name
	Files    map[string][]byte // Go files by name
	Imports  []string          // the packages that it imports, without those of the standard library's that it needs for itself
	Warnings []string          // what the program does not do, a sentence each
}

const (
	holtPath    = "github.com/holt-dl/holt"
	displayPath = holtPath + "/display"
)

// Write writes the notebook as a program of that name. Packages are those of
// the kernel; see modules.NewPackages.
//
// The error names the cell that does not compile, or says what a program cannot do
// that the notebook does.
func Write(ctx context.Context, nb *ipynb.Notebook, name string, packages check.Packages) (*Program, error) {
	w := &writer{title: moduleName(name), markdown: map[int][]string{}, names: map[string]string{}}
	w.m = newModel(identifiers(nb))
	w.imports, w.helpers = map[string]string{}, map[string]bool{}
	p := &Program{Name: w.title, Files: map[string][]byte{}}
	front := cell.New(packages)
	number := 0
	var texts []string
	for _, c := range nb.Cells {
		switch {
		case c.Type == ipynb.Markdown:
			texts = append(texts, c.Source)
			continue
		case c.Type != ipynb.Code || strings.TrimSpace(c.Source) == "" || c.Tagged("skip-execution"):
			continue
		}
		number++
		info := &cellInfo{number: number, calls: map[int]*unit{}, listing: &listing.Listing{}}
		code, asked := gonb.Questions(c.Source)
		for _, q := range asked {
			info.before = append(info.before, func() string { return "// " + q.Name + strings.Repeat("?", q.Detail+1) })
		}
		parts := gonb.Split(code)
		if parts.Magic != "" {
			_, warning := w.magic(parts)
			p.warn(number, warning)
			info.before = append(info.before, func() string {
				code, _ := w.magic(parts)
				return code
			})
		}
		for _, cmd := range parts.Commands {
			switch fields := strings.Fields(cmd.Text); fields[0] {
			case "%reset":
				front = cell.New(packages)
				w.m.reset()
			case "%rm", "%remove":
				for _, name := range fields[1:] {
					front.Remove(name)
				}
				w.m.sync(front.Scope())
			}
			_, warning := w.command(cmd)
			p.warn(number, warning)
			info.before = append(info.before, func() string {
				code, _ := w.command(cmd)
				return code
			})
		}
		if strings.TrimSpace(parts.Go) != "" {
			checked, err := front.Check(ctx, parse.Source{Name: fmt.Sprintf("cell[%d]", number), Text: parts.Go})
			var wrong *syntax.Error
			switch {
			case errors.As(err, &wrong) && c.Tagged("raises-exception"):
				p.warn(number, "it does not compile, as its tag raises-exception allows: the program leaves it out")
				continue
			case err != nil:
				return nil, fmt.Errorf("export: cell %d cannot be written as a program: %w", number, err)
			}
			info.listing = checked.Listing()
			checked.Commit(-1)
			if c.Tagged("raises-exception") {
				p.warn(number, "it may fail, as its tag raises-exception says: its error ends the program")
			}
		}
		for _, s := range info.listing.Stmts {
			info.separate = info.separate || jumps(s.Node)
		}
		info.scope = front.Scope()
		w.markdown[number] = texts
		w.places = append(w.places, number)
		texts = nil
		w.m.add(info)
	}
	w.rest = texts
	if err := w.finish(p, packages); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Program) warn(number int, sentence string) {
	if sentence != "" {
		p.Warnings = append(p.Warnings, fmt.Sprintf("cell %d: %s", number, sentence))
	}
}

// finish writes the files, and checks that they compile.
func (w *writer) finish(p *Program, packages check.Packages) error {
	for range 5 {
		main, err := w.program()
		if err != nil {
			return err
		}
		usesHolt := false
		for path := range w.imports {
			usesHolt = usesHolt || path == holtPath || strings.HasPrefix(path, holtPath+"/")
		}
		if w.usesDL() && !w.dl {
			w.dl = true
			continue
		}
		p.Files["main.go"] = main
		delete(p.Files, "support.go")
		delete(p.Files, "backend.go")
		if text, err := w.support(usesHolt); err != nil {
			return err
		} else if text != nil {
			p.Files["support.go"] = text
		}
		if w.dl {
			if p.Files["backend.go"], err = w.backend(); err != nil {
				return err
			}
		}
		again, err := w.check(p, packages)
		if err != nil {
			return err
		}
		if !again {
			return nil
		}
	}
	return errors.New("export: the program does not come to rest; please report the notebook")
}

func (w *writer) usesDL() bool {
	for path := range w.imports {
		if path == holtPath+"/dl" || strings.HasPrefix(path, holtPath+"/dl/") || strings.HasPrefix(path, "github.com/gomlx/") {
			return true
		}
	}
	return false
}

var unused = regexp.MustCompile(`^declared and not used: (.*)$`)

// check compiles the program in its head, all but the bodies and imports of backend.go. Variables
// that are never read are found here, and what imports them is written again.
func (w *writer) check(p *Program, packages check.Packages) (again bool, err error) {
	fset := token.NewFileSet()
	var files []*ast.File
	all := map[string]bool{}
	var imports []string
	for name, text := range p.Files {
		f, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			return false, fmt.Errorf("export: %w", err)
		}
		for _, s := range f.Imports {
			all[strings.Trim(s.Path.Value, `"`)] = true
		}
		if name == "backend.go" {
			f.Imports, f.Decls = nil, withoutBodies(f.Decls)
		}
		for _, s := range f.Imports {
			imports = append(imports, strings.Trim(s.Path.Value, `"`))
		}
		files = append(files, f)
	}
	p.Imports = slices.Sorted(maps.Keys(all))
	slices.Sort(imports)
	if err := packages.Add(context.Background(), slices.Compact(imports)); err != nil {
		return false, err
	}
	var errs []string
	conf := types.Config{
		Importer: packages,
		Error: func(err error) {
			e := err.(types.Error)
			if m := unused.FindStringSubmatch(e.Msg); m != nil {
				for _, entity := range w.m.all {
					if entity.goName == m[1] && !entity.blank {
						entity.blank, again = true, true
						return
					}
				}
			}
			if !strings.HasPrefix(e.Msg, "\t") {
				errs = append(errs, fmt.Sprintf("%s: %s", fset.Position(e.Pos), e.Msg))
			}
		},
	}
	conf.Check("main", fset, files, nil)
	if len(errs) > 0 && !again {
		return false, fmt.Errorf("export: the notebook runs, but its program does not compile: %s; give what has two meanings two names", strings.Join(errs, "; "))
	}
	return again, nil
}

// withoutBodies returns the functions of a file without their bodies, and without the imports
// that only these need.
func withoutBodies(decls []ast.Decl) []ast.Decl {
	var funcs []ast.Decl
	for _, d := range decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			f.Body = nil
			funcs = append(funcs, f)
		}
	}
	return funcs
}

// identifiers are the names that cells use for anything, and those of the
// language.
func identifiers(nb *ipynb.Notebook) map[string]bool {
	taken := map[string]bool{}
	for _, name := range types.Universe.Names() {
		taken[name] = true
	}
	for _, c := range nb.Cells {
		if c.Type != ipynb.Code {
			continue
		}
		var s scanner.Scanner
		file := token.NewFileSet().AddFile("", -1, len(c.Source))
		s.Init(file, []byte(c.Source), nil, 0)
		for {
			_, tok, lit := s.Scan()
			if tok == token.EOF {
				break
			}
			if tok == token.IDENT {
				taken[lit] = true
			}
		}
	}
	return taken
}

// moduleName makes the name of a module of any text.
func moduleName(name string) string {
	name = strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			return unicode.ToLower(r)
		case r == '-' || r == '_' || r == '.':
			return r
		}
		return '-'
	}, name), "-._")
	if name == "" || name == "main" {
		return "notebook"
	}
	return name
}
