package cell

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strings"
)

// Source is the text of a cell, with its commands already taken out (their
// lines left blank, so that line numbers stay).
type Source struct {
	Name string // how errors and traces name it, such as cell[5]
	Text string
}

// check is one run of [Notebook.Check].
type check struct {
	nb     *Notebook
	ctx    context.Context
	src    Source
	seq    int
	text   []byte
	chunks []chunk

	imports  map[string]string // live imports and those of this cell
	imported map[string]bool   // names that this cell imports
	blank    []string          // import _ "path"
	dots     map[string]bool   // import . "path", live ones and those of this cell

	own       []*unit         // what this cell declares, and changes
	ownNames  map[string]bool // the package-level names among them
	unchanged [][2]int        // ranges of declarations that are as before
	hasMain   bool

	top  []*topStmt // the statements, in order
	vars map[string]types.Type

	changed map[string]bool    // names that mean something else from now on
	rehome  map[string]*entity // declared again in the new package from their source
	rebody  map[*unit]*unit    // functions and methods compiled alone: unit → the live one it replaces
	moved   map[string]*entity // variables whose type was declared again
	fresh   map[string]bool    // variables that this cell defines with a new type
	dropped map[string]string  // live names that no longer compile: why

	fixErr  map[int]int // top statements whose error is taken: index → number of the variable
	notices []string
}

// A topStmt is a statement at the top level of a cell.
type topStmt struct {
	start, end int      // in the cell's text
	defs       []string // the variables that it defines
	sets       []string // the variables that it gives a new value
	last       bool     // it is the cell's last line
	hide       bool     // it ends with a semicolon: its value is not shown
	value      bool     // a call of a builtin or a conversion, which Go refuses as a statement
}

// Check parses and checks a cell. The error is an [*Error] unless ctx ended.
func (nb *Notebook) Check(ctx context.Context, src Source) (*Program, error) {
	c := &check{
		nb: nb, ctx: ctx, src: src, seq: nb.seq + 1, text: []byte(src.Text),
		imports: maps.Clone(nb.imports), imported: map[string]bool{}, dots: maps.Clone(nb.dots),
		ownNames: map[string]bool{}, changed: map[string]bool{}, rehome: map[string]*entity{},
		rebody: map[*unit]*unit{}, moved: map[string]*entity{}, fresh: map[string]bool{},
		dropped: map[string]string{}, fixErr: map[int]int{}, vars: map[string]types.Type{},
	}
	return c.run()
}

// Rebuild returns a program that declares everything again, for a new host
// process. Variables keep their types and are lost.
func (nb *Notebook) Rebuild(ctx context.Context) (*Program, error) {
	c := &check{
		nb: nb, ctx: ctx, src: Source{Name: "cell[0]"}, seq: nb.seq + 1,
		imports: maps.Clone(nb.imports), imported: map[string]bool{}, dots: maps.Clone(nb.dots),
		ownNames: map[string]bool{}, changed: map[string]bool{}, rehome: map[string]*entity{},
		rebody: map[*unit]*unit{}, moved: map[string]*entity{}, fresh: map[string]bool{},
		dropped: map[string]string{}, fixErr: map[int]int{}, vars: map[string]types.Type{},
	}
	for name, e := range nb.names {
		c.changed[name] = true
		if e.kind == kVar {
			c.moved[name] = e
		} else {
			c.rehome[name] = e
		}
	}
	return c.run()
}

func (c *check) run() (*Program, error) {
	c.chunks, _ = split(c.text)
	if err := parseChunks(c.src.Name, c.text, c.chunks); err != nil {
		return nil, err
	}
	if err := c.collect(); err != nil {
		return nil, err
	}
	c.decide()
	if err := c.findImports(); err != nil {
		return nil, err
	}
	for {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		c.spread()
		first, err := c.infer()
		if err != nil {
			return nil, err
		}
		c.spread()
		p := c.pass(passFinal, first)
		again, err := c.settle(p)
		if err != nil {
			return nil, err
		}
		if again {
			continue
		}
		if err := c.refuseLost(p); err != nil {
			return nil, err
		}
		return c.generate(p)
	}
}

// collect finds what the cell imports, declares and runs.
func (c *check) collect() error {
	imports, err := c.parse(c.src.Name, c.part(func(ch chunk) bool { return ch.tok == token.IMPORT }, nil), "", "")
	if err != nil {
		return err
	}
	for _, s := range imports.ast.Imports {
		if err := c.addImport(imports, s); err != nil {
			return err
		}
	}
	f, err := c.parse(c.src.Name, c.declText(nil), "", "")
	if err != nil {
		return err
	}
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			switch d.Tok {
			case token.TYPE:
				for _, s := range d.Specs {
					s := s.(*ast.TypeSpec)
					start, end := f.span(s)
					if !d.Lparen.IsValid() {
						start, end = f.span(d)
					}
					text := string(c.text[start:end])
					if d.Lparen.IsValid() {
						text = "type " + text
					}
					c.add(&unit{names: []string{s.Name.Name}, kind: kType, text: text, generic: s.TypeParams != nil}, start, end)
				}
			case token.CONST:
				u := &unit{kind: kConst}
				for _, s := range d.Specs {
					for _, n := range s.(*ast.ValueSpec).Names {
						u.names = append(u.names, n.Name)
					}
				}
				start, end := f.span(d)
				u.text = string(c.text[start:end])
				c.add(u, start, end)
			}
		case *ast.FuncDecl:
			start, end := f.span(d)
			u := &unit{names: []string{d.Name.Name}, kind: kFunc, text: string(c.text[start:end]), generic: d.Type.TypeParams != nil}
			if d.Recv != nil && len(d.Recv.List) > 0 {
				u.recv, u.generic = receiver(d.Recv.List[0].Type)
				rs, re := f.span(d.Recv.List[0].Type)
				u.sig = string(c.text[rs:re]) + " "
			}
			ts, _ := f.span(d.Type.Params)
			_, te := f.span(d.Type)
			u.sig += strings.Join(strings.Fields(string(c.text[ts:te])), " ")
			if d.Recv == nil && d.Name.Name == "main" {
				c.hasMain = true
			}
			c.add(u, start, end)
		}
	}
	s, err := c.parse(c.src.Name, c.stmtText(nil), runHead, runTail)
	if err != nil {
		return err
	}
	for _, st := range s.ast.Decls[0].(*ast.FuncDecl).Body.List {
		if _, ok := st.(*ast.EmptyStmt); ok {
			continue
		}
		start, end := s.span(st)
		t := &topStmt{start: start, end: end}
		switch st := st.(type) {
		case *ast.AssignStmt:
			for _, l := range st.Lhs {
				id, ok := l.(*ast.Ident)
				switch {
				case !ok || id.Name == "_":
				case st.Tok == token.DEFINE:
					t.defs = append(t.defs, id.Name)
				case st.Tok == token.ASSIGN:
					t.sets = append(t.sets, id.Name)
				}
			}
		case *ast.DeclStmt:
			if d, ok := st.Decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
				for _, sp := range d.Specs {
					for _, id := range sp.(*ast.ValueSpec).Names {
						if id.Name != "_" {
							t.defs = append(t.defs, id.Name)
						}
					}
				}
			}
		}
		c.top = append(c.top, t)
	}
	if n := len(c.chunks); n > 0 && len(c.top) > 0 {
		last, t := c.chunks[n-1], c.top[len(c.top)-1]
		t.last = !last.isDecl() && t.end > last.start && last.tok != token.VAR
		t.hide = last.semi
	}
	return nil
}

// receiver returns the name of a receiver's type, and whether it is generic.
func receiver(x ast.Expr) (name string, generic bool) {
	for {
		switch t := x.(type) {
		case *ast.StarExpr:
			x = t.X
		case *ast.ParenExpr:
			x = t.X
		case *ast.IndexExpr:
			x, generic = t.X, true
		case *ast.IndexListExpr:
			x, generic = t.X, true
		case *ast.Ident:
			return t.Name, generic
		default:
			return "", generic
		}
	}
}

func (c *check) add(u *unit, start, end int) {
	u.cell = c.src.Name
	u.line = 1 + strings.Count(string(c.text[:start]), "\n")
	if u.recv == "" && u.kind == kFunc && (u.names[0] == "init" || strings.HasPrefix(u.names[0], "init_") || u.names[0] == "_" || u.names[0] == "main") {
		c.own = append(c.own, u)
		return
	}
	if old := c.live(u); old != nil && old.text == u.text && c.sameImports(old) {
		c.unchanged = append(c.unchanged, [2]int{start, end})
		return
	}
	c.own = append(c.own, u)
	if u.recv == "" {
		for _, n := range u.names {
			c.ownNames[n] = true
		}
	}
}

// live returns the unit that u would replace, or nil.
func (c *check) live(u *unit) *unit {
	if u.recv != "" {
		if e := c.nb.names[u.recv]; e != nil && e.kind == kType {
			return e.methods[u.names[0]]
		}
		return nil
	}
	var old *unit
	for _, n := range u.names {
		if n == "_" {
			continue
		}
		e := c.nb.names[n]
		if e == nil || e.unit == nil || e.kind != u.kind || old != nil && e.unit != old {
			return nil
		}
		old = e.unit
	}
	return old
}

func (c *check) sameImports(u *unit) bool {
	for name, path := range u.imports {
		if c.imports[name] != path {
			return false
		}
	}
	return true
}

// decide sorts the cell's own declarations into those that replace a body and
// those that change what a name means.
func (c *check) decide() {
	for _, u := range c.own {
		if u.recv != "" {
			if c.ownNames[u.recv] {
				continue
			}
			e := c.nb.names[u.recv]
			if e == nil || e.kind != kType {
				continue // the checker explains it
			}
			if old := e.methods[u.names[0]]; old != nil && old.sig == u.sig && !e.unit.generic {
				c.rebody[u] = old
			} else {
				c.changed[u.recv] = true
				c.rehome[u.recv] = e
			}
			continue
		}
		if old := c.live(u); old != nil && u.kind == kFunc && old.sig == u.sig && !u.generic && !old.generic {
			c.rebody[u] = old
			continue
		}
		for _, n := range u.names {
			if c.nb.names[n] != nil {
				c.changed[n] = true
			}
		}
	}
}

// spread finds what must be compiled again because of what changed.
func (c *check) spread() {
	hits := func(names map[string]bool) bool {
		for n := range names {
			if c.changed[n] {
				return true
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		for name, e := range c.nb.names {
			if c.ownNames[name] || c.rehome[name] != nil || c.moved[name] != nil || c.fresh[name] || c.dropped[name] != "" {
				continue
			}
			redo := false
			switch e.kind {
			case kVar:
				notebookTypes(e.obj.Type(), func(t *types.TypeName) { redo = redo || c.changed[t.Name()] })
				if redo {
					c.moved[name] = e
				}
			case kConst:
				notebookTypes(e.obj.Type(), func(t *types.TypeName) { redo = redo || c.changed[t.Name()] })
			case kType:
				redo = hits(e.unit.iface)
				for _, m := range e.methods {
					redo = redo || hits(m.iface) || e.unit.generic && hits(m.body)
				}
			case kFunc:
				redo = hits(e.unit.iface) || e.unit.generic && hits(e.unit.body)
			}
			if !redo {
				continue
			}
			again = true
			c.changed[name] = true
			if e.kind != kVar {
				c.rehome[name] = e
				if e.kind == kConst {
					for _, n := range e.unit.names {
						if o := c.nb.names[n]; o != nil && o.unit == e.unit && !c.ownNames[n] {
							c.rehome[n], c.changed[n] = o, true
						}
					}
				}
			}
		}
		// A function whose type was declared again in this cell, or which is
		// itself declared again, is no longer a matter of its body alone.
		for u, old := range c.rebody {
			if u.recv != "" && (c.rehome[u.recv] != nil || c.ownNames[u.recv]) {
				delete(c.rebody, u)
			} else if u.recv == "" && !slices.Contains(c.own, u) && c.rehome[u.names[0]] != nil {
				delete(c.rebody, u)
			} else if hits(old.iface) && u.recv == "" && !c.changed[u.names[0]] {
				delete(c.rebody, u)
				c.changed[u.names[0]] = true
				if !slices.Contains(c.own, u) {
					c.rehome[u.names[0]] = c.nb.names[u.names[0]]
				}
				again = true
			}
		}
	}
	// Bodies that mention what changed.
	for name, e := range c.nb.names {
		if c.dropped[name] != "" || c.rehome[name] != nil || c.ownNames[name] && e.kind != kFunc {
			continue
		}
		switch e.kind {
		case kFunc:
			if !c.ownNames[name] && !e.unit.generic && hits(e.unit.body) {
				c.rebody[e.unit] = e.unit
			}
		case kType:
			if e.unit.generic {
				continue
			}
			for _, m := range e.methods {
				if hits(m.body) && !c.ownMethod(name, m.names[0]) {
					c.rebody[m] = m
				}
			}
		}
	}
}

func (c *check) ownMethod(recv, name string) bool {
	for _, u := range c.own {
		if u.recv == recv && u.names[0] == name {
			return true
		}
	}
	return false
}

// settle looks at the errors of the last pass. Those in the cell end it. A
// function of an earlier cell that no longer compiles is dropped with a notice,
// and the check is made again.
func (c *check) settle(p *passed) (again bool, err error) {
	var mine []Diagnostic
	for _, d := range p.errs {
		if d.file.unit == nil || slices.Contains(c.own, d.file.unit) {
			mine = append(mine, d.Diagnostic)
		}
	}
	if len(mine) > 0 {
		return false, &Error{Diagnostics: trim(mine)}
	}
	for _, d := range p.errs {
		u := d.file.unit
		name := u.names[0]
		if u.recv != "" {
			name = u.recv + "." + name
		}
		if c.dropped[name] != "" {
			continue
		}
		c.dropped[name] = d.Msg
		c.notices = append(c.notices, fmt.Sprintf("%s (%s) no longer compiles and is gone: %s; change it and run its cell again", name, u.cell, d.Msg))
		again = true
		for _, n := range u.names {
			if u.recv == "" {
				c.changed[n] = true
				delete(c.rehome, n)
			}
		}
		for r := range c.rebody {
			if r == u {
				delete(c.rebody, r)
			}
		}
	}
	return again, nil
}

// refuseLost refuses a cell that uses a value which ended with an earlier
// host process, itself or through a function.
func (c *check) refuseLost(p *passed) error {
	var diags []Diagnostic
	seen := map[string]bool{}
	var lostIn func(name string, visited map[string]bool) *entity
	lostIn = func(name string, visited map[string]bool) *entity {
		e := c.nb.names[name]
		if e == nil || visited[name] || c.ownNames[name] || c.vars[name] != nil {
			return nil
		}
		visited[name] = true
		if e.lost != "" {
			return e
		}
		if e.unit != nil {
			for _, dep := range sortedKeys(e.unit.body) {
				if l := lostIn(dep, visited); l != nil {
					return l
				}
			}
		}
		for _, m := range e.methods {
			for _, dep := range sortedKeys(m.body) {
				if l := lostIn(dep, visited); l != nil {
					return l
				}
			}
		}
		return nil
	}
	set := map[string]bool{} // made anew by a top-level assignment
	for _, t := range c.top {
		for _, name := range t.sets {
			set[name] = true
		}
	}
	for _, f := range p.files {
		if f.unit != nil || f.kind == varFile {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || seen[id.Name] || set[id.Name] {
				return true
			}
			obj := p.info.Uses[id]
			if obj == nil || obj.Pkg() == nil || obj.Pkg().Path() != notebookPath || obj.Parent() == nil || c.nb.names[id.Name] == nil {
				return true
			}
			if _, isType := obj.(*types.TypeName); isType {
				return true
			}
			if local := obj.Parent() != obj.Pkg().Scope(); local {
				return true
			}
			if l := lostIn(id.Name, map[string]bool{}); l != nil {
				seen[id.Name] = true
				msg := fmt.Sprintf("the value of %s is gone: %s; run %s again to make it", l.name, l.lost, l.cell)
				if l.name != id.Name {
					msg = fmt.Sprintf("%s uses %s, whose value is gone: %s; run %s again to make it", id.Name, l.name, l.lost, l.cell)
				}
				d := f.diagnose(id.Pos(), msg)
				diags = append(diags, d)
			}
			return true
		})
	}
	if len(diags) > 0 {
		return &Error{Diagnostics: trim(diags)}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// trim sorts diagnostics by place, drops repeats, and keeps the first ten.
func trim(ds []Diagnostic) []Diagnostic {
	sort.SliceStable(ds, func(i, j int) bool {
		if ds[i].Line != ds[j].Line {
			return ds[i].Line < ds[j].Line
		}
		return ds[i].Col < ds[j].Col
	})
	ds = slices.CompactFunc(ds, func(a, b Diagnostic) bool { return a.Line == b.Line && a.Msg == b.Msg })
	if len(ds) > 10 {
		more := len(ds) - 10
		ds = append(ds[:10:10], Diagnostic{Cell: ds[0].Cell, Msg: fmt.Sprintf("and %d more errors", more)})
	}
	return ds
}

// findImports resolves the cell's imports, and finds the packages that it
// names without importing them.
func (c *check) findImports() error {
	var need []string
	for name := range c.imported {
		need = append(need, c.imports[name])
	}
	need = append(need, c.blank...)
	need = append(need, sortedKeys(c.dots)...)
	sort.Strings(need)
	if len(need) > 0 {
		if err := c.nb.pk.Add(c.ctx, need); err != nil {
			return c.importError(err)
		}
	}
	// The name of an import without one is known only now.
	for name, path := range maps.Clone(c.imports) {
		if !strings.HasPrefix(name, "?") {
			continue
		}
		delete(c.imports, name)
		p, err := c.nb.pk.Import(path)
		if err != nil {
			return c.importError(err)
		}
		c.imports[p.Name()] = path
		delete(c.imported, name)
		c.imported[p.Name()] = true
	}
	bases := map[string][]string{}
	for _, f := range []struct {
		text       rendered
		head, tail string
	}{
		{c.declText(nil), "", ""}, {c.stmtText(nil), runHead, runTail},
	} {
		parsed, err := c.parse(c.src.Name, f.text, f.head, f.tail)
		if err != nil {
			return err
		}
		for name, sels := range selectorBases(parsed.ast) {
			bases[name] = append(bases[name], sels...)
		}
	}
	defs := map[string]bool{}
	for _, t := range c.top {
		for _, d := range t.defs {
			defs[d] = true
		}
	}
	var guessed []string
	for _, name := range sortedKeys(bases) {
		if c.imports[name] != "" || c.nb.names[name] != nil || c.ownNames[name] || defs[name] || types.Universe.Lookup(name) != nil {
			continue
		}
		if path, ok := c.nb.pk.Guess(name, bases[name]); ok {
			c.imports[name] = path
			guessed = append(guessed, path)
		}
	}
	if len(guessed) > 0 {
		if err := c.nb.pk.Add(c.ctx, guessed); err != nil {
			return c.importError(err)
		}
	}
	return nil
}

func (c *check) importError(err error) error {
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return &Error{Diagnostics: []Diagnostic{{Cell: c.src.Name, Msg: err.Error()}}}
}
