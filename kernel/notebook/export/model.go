package export

import (
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/scope"
)

// An entity is one meaning of a name of the notebook. A name that a later cell
// gives another meaning has several, with names of their own in the program.
type entity struct {
	name     string // in the notebook
	goName   string // in the program
	cell     int    // that gave the name this meaning
	unit     *unit  // its declaration; nil for a variable
	methods  []*unit
	typ      types.Type // of a variable
	types    map[string]*entity
	observed bool    // a statement used it, itself or through others
	global   bool    // a variable that must stand at package level
	blank    bool    // a variable that is never read
	previous *entity // the meaning before, where there was one
	replaced *entity // what stands in its place, because nothing used it
}

// now follows the replacements of an entity.
func (e *entity) now() *entity {
	for e != nil && e.replaced != nil {
		e = e.replaced
	}
	return e
}

// A unit is a declaration with the meaning of the names in it.
type unit struct {
	cell    *cellInfo
	decl    cell.Decl
	names   map[string]*entity // the notebook's names that it uses
	self    []*entity          // what it declares; none for a method
	dropped bool               // another stands in its place
	// Of a method that a later cell gives another body: the bodies before, and the
	// variable that says which one is meant.
	earlier  []*unit
	switched string
	renamed  string // of a function that nothing names, what it is called in the program
}

// cellInfo is a code cell of the notebook.
type cellInfo struct {
	number   int // as In [n]
	listing  *cell.Listing
	names    map[string]*entity // what the names in its statements mean
	old      map[string]*entity // what they meant before the cell
	separate bool               // its statements are a function of their own
	before   []func() string    // write the statements that its commands became
	carried  []carry
	calls    map[int]*unit // functions that run where they stand, by offset
	main     *unit         // the cell's func main, which runs last
}

// carry is a variable that keeps its value under a type that was declared
// again.
type carry struct {
	from, to *entity
}

// model is what the cells so far mean.
type model struct {
	cells   []*cellInfo
	units   []*unit // in the order in which they are declared
	names   map[string]*entity
	all     []*entity
	taken   map[string]bool              // identifiers that a new name must not be
	given   map[string]bool              // names of the notebook that the program uses as they are
	imports map[string]map[string]string // name in the notebook → path → name in the program
	blank   map[string]bool              // import _ "path"
}

func newModel(taken map[string]bool) *model {
	return &model{names: map[string]*entity{}, taken: taken, given: map[string]bool{}, imports: map[string]map[string]string{}, blank: map[string]bool{}}
}

// free returns a name that is nothing else in the program: base, or base with
// a number.
func (m *model) free(base string) string {
	name := base
	for i := 2; m.taken[name]; i++ {
		name = base + strconv.Itoa(i)
	}
	m.taken[name] = true
	return name
}

// isType reports whether an entity is a type that a cell declares.
func (e *entity) isType() bool { return e.unit != nil && e.unit.decl.Tok == token.TYPE }

// hidden returns the type that a variable of the same name hides, or nil.
func (e *entity) hidden() *entity {
	for e != nil && e.unit == nil {
		e = e.previous
	}
	if e == nil || !e.isType() {
		return nil
	}
	return e
}

// define gives a name a new meaning, by a declaration or as a variable.
func (m *model) define(name string, number int, variable bool) *entity {
	e := &entity{name: name, cell: number, previous: m.names[name]}
	switch old := e.previous; {
	case variable && (types.Universe.Lookup(name) != nil || old != nil && old.isType()):
		e.goName = m.free(name) // what the variable hides goes on to be used
	case old != nil && old.unit != nil && !old.observed && len(old.unit.self) == 1:
		e.goName = old.goName // nothing used the old meaning
		old.replaced, old.unit.dropped = e, true
		for _, u := range old.methods {
			u.dropped = true
		}
		e.previous = old.previous
	case !m.given[name]:
		m.given[name] = true
		e.goName = name
	default:
		e.goName = m.free(name)
	}
	m.names[name] = e
	m.all = append(m.all, e)
	return e
}

// add takes a checked cell in.
func (m *model) add(c *cellInfo) {
	c.old = map[string]*entity{}
	for name, e := range m.names {
		c.old[name] = e
	}
	l := c.listing
	changed := map[*entity]bool{} // meanings that were used and have another now
	for _, path := range l.Blank {
		m.blank[path] = true
	}
	var own []*unit
	for i := range l.Decls {
		d := l.Decls[i]
		u := &unit{cell: c, decl: d}
		own = append(own, u)
		m.units = append(m.units, u)
		switch {
		case d.Recv != "":
			m.method(u, changed)
			continue
		case d.Tok == token.FUNC && (d.Names[0] == "main" || scope.IsInit(d.Names[0])):
			if d.Names[0] == "main" {
				u.renamed, c.main = m.free("mainOfCell"+strconv.Itoa(c.number)), u
			} else {
				u.renamed = m.free("initOfCell" + strconv.Itoa(c.number))
				c.calls[d.Start] = u
			}
			continue
		}
		for _, name := range d.Names {
			if name == "_" {
				continue
			}
			old := m.names[name]
			e := m.define(name, c.number, false)
			e.unit = u
			u.self = append(u.self, e)
			if old != nil && old.replaced != e {
				changed[old] = true
			}
		}
	}
	for _, v := range l.Vars {
		old := m.names[v.Name]
		e := m.define(v.Name, c.number, true)
		e.typ = v.Type
		if old != nil && old.replaced != e && !old.isType() {
			changed[old] = true
		}
	}
	own = append(own, m.inherit(c)...)
	for name := range l.Dropped {
		if e := m.names[name]; e != nil && e.cell != c.number {
			delete(m.names, name)
		}
	}
	moved := map[string]cell.Var{}
	for _, v := range l.Moved {
		moved[v.Name] = v
	}
	m.revive(c, changed)
	m.spread(c, changed, moved)
	for _, u := range own {
		m.resolve(u)
	}
	for _, e := range m.all {
		if e.typ != nil && e.types == nil { // the meaning of the types that it names
			e.types = m.snapshot()
			for name, now := range e.types {
				if t := now.hidden(); t != nil {
					e.types[name] = t
				}
			}
		}
	}
	c.names = m.snapshot()
	for _, s := range l.Stmts {
		for _, use := range s.Uses {
			m.observe(c.meaning(use))
		}
	}
	for _, u := range own {
		if u.renamed != "" {
			m.observeUnit(u)
		}
	}
	m.cells = append(m.cells, c)
}

// meaning is what a name in the cell's statements stands for; nil for an
// import.
func (c *cellInfo) meaning(u cell.Use) *entity {
	switch {
	case u.Path != "":
		return nil
	case u.Type:
		return c.old[u.Name].hidden()
	case u.Old:
		return c.old[u.Name]
	}
	return c.names[u.Name].now()
}

func (m *model) snapshot() map[string]*entity {
	s := make(map[string]*entity, len(m.names))
	for name, e := range m.names {
		s[name] = e
	}
	return s
}

// resolve notes what the names in a declaration mean now.
func (m *model) resolve(u *unit) {
	u.names = map[string]*entity{}
	for _, use := range u.decl.Uses {
		if use.Path == "" {
			u.names[use.Name] = m.names[use.Name]
		}
	}
}

// method adds a method to its type, or gives one another body.
func (m *model) method(u *unit, changed map[*entity]bool) {
	e := m.names[u.decl.Recv]
	if e == nil {
		return
	}
	at := -1
	for i, old := range e.methods {
		if old.decl.Names[0] == u.decl.Names[0] {
			at = i
		}
	}
	switch {
	case at < 0:
		e.methods = append(e.methods, u)
	case !e.observed:
		e.methods[at].dropped = true
		e.methods[at] = u
	case e.methods[at].decl.Sig != u.decl.Sig || u.decl.Generic:
		m.renew(e, u.cell, changed)
		e = m.names[u.decl.Recv]
		e.methods[at].dropped = true
		e.methods[at] = u
	default:
		old := e.methods[at]
		old.dropped = true
		u.earlier = append(append(u.earlier, old.earlier...), old)
		if u.switched = old.switched; u.switched == "" {
			u.switched = m.free("bodyOf" + upper(u.decl.Recv) + upper(u.decl.Names[0]))
		}
		e.methods[at] = u
	}
}

// inherit gives a type that the cell declares again the methods that it had,
// but for those that the cell declares too.
func (m *model) inherit(c *cellInfo) (units []*unit) {
	for _, d := range c.listing.Decls {
		for _, name := range d.Names {
			e, old := m.names[name], c.old[name]
			if d.Tok != token.TYPE || old == nil || e == nil {
				continue
			}
			for _, method := range old.methods {
				name := method.decl.Names[0]
				again := *method
				again.dropped, again.earlier, again.switched = false, nil, ""
				if c.listing.Dropped[e.name+"."+name] || slices.ContainsFunc(e.methods, func(u *unit) bool { return u.decl.Names[0] == name }) {
					continue
				}
				e.methods = append(e.methods, &again)
				units = append(units, &again)
			}
		}
	}
	m.units = append(m.units, units...)
	return units
}

// revive gives what no longer compiled and is back a meaning of its own from this
// cell on.
func (m *model) revive(c *cellInfo, changed map[*entity]bool) {
	last := func(name string, is func(*entity) bool) *entity {
		for i := len(m.all) - 1; i >= 0; i-- {
			if e := m.all[i]; e.name == name && e.unit != nil && is(e) {
				return e
			}
		}
		return nil
	}
	var back []*entity
	for _, name := range c.listing.Revived {
		recv, method, isMethod := strings.Cut(name, ".")
		if !isMethod {
			if e := last(name, func(*entity) bool { return true }); e != nil {
				m.names[name] = e
				back = append(back, e)
			}
			continue
		}
		var u *unit
		last(recv, func(e *entity) bool {
			for _, own := range e.methods {
				if own.decl.Names[0] == method {
					u = own
				}
			}
			return u != nil
		})
		e := m.names[recv]
		if u == nil || e == nil {
			continue
		}
		if e.cell != c.number {
			m.renew(e, c, changed)
			e = m.names[recv]
		}
		again := *u
		again.dropped, again.earlier, again.switched = false, nil, ""
		e.methods = append(e.methods, &again)
		m.units = append(m.units, &again)
		m.resolve(&again)
	}
	for _, e := range back {
		if m.names[e.name] == e { // not yet with others of its group
			m.renew(e, c, changed)
		}
	}
	for _, e := range back { // now that all have their new meanings
		now := m.names[e.name]
		for _, u := range append(slices.Clone(now.methods), now.unit) {
			m.resolve(u)
		}
	}
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// spread gives every declaration that mentions a changed meaning a meaning of
// its own from this cell on.
func (m *model) spread(c *cellInfo, changed map[*entity]bool, moved map[string]cell.Var) {
	for again := true; again; {
		again = false
		for _, e := range m.current() {
			if e.unit == nil || changed[e] || e.cell == c.number {
				continue
			}
			if !e.mentions(changed) {
				continue
			}
			if !e.observed {
				m.resolve(e.unit) // it means the new one when it is first used
				for _, u := range e.methods {
					m.resolve(u)
				}
				continue
			}
			again = true
			m.renew(e, c, changed)
		}
	}
	for _, e := range m.current() {
		v, ok := moved[e.name]
		if !ok || e.typ == nil || e.cell == c.number || !named(e, changed) {
			continue
		}
		to := m.define(e.name, c.number, false)
		to.typ = v.Type
		c.carried = append(c.carried, carry{e, to})
	}
}

// renew declares an entity again, with the names in it as they are now.
func (m *model) renew(e *entity, c *cellInfo, changed map[*entity]bool) {
	copied := *e.unit
	u := &copied
	u.self = nil
	m.units = append(m.units, u)
	for _, old := range e.unit.self {
		if m.names[old.name] != old {
			continue
		}
		changed[old] = true
		n := m.define(old.name, c.number, old.unit == nil)
		n.unit = u
		u.self = append(u.self, n)
		for _, method := range old.methods {
			if c.listing.Dropped[old.name+"."+method.decl.Names[0]] {
				continue
			}
			again := *method
			again.earlier, again.switched = nil, ""
			n.methods = append(n.methods, &again)
			m.units = append(m.units, &again)
		}
	}
	m.resolve(u)
	for _, old := range e.unit.self {
		if now := m.names[old.name]; now == nil || now.unit != u {
			u.names[old.name] = &entity{name: old.name, goName: "_"} // of a group, declared elsewhere by now
		}
	}
	for _, n := range u.self {
		for _, method := range n.methods {
			m.resolve(method)
		}
	}
}

// current lists the live meanings in the order in which they were given.
func (m *model) current() []*entity {
	var list []*entity
	for _, e := range m.all {
		if m.names[e.name] == e {
			list = append(list, e)
		}
	}
	return list
}

// mentions reports whether a declaration, or a method of it, uses one of the
// entities.
func (e *entity) mentions(set map[*entity]bool) bool {
	for _, u := range append([]*unit{e.unit}, e.methods...) {
		for _, used := range u.names {
			if !slices.Contains(e.unit.self, used) && (set[used] || set[used.now()]) {
				return true
			}
		}
	}
	return false
}

// named reports whether a variable's type names one of the entities.
func named(e *entity, set map[*entity]bool) bool {
	found := false
	cell.TypeString(e.typ, func(*types.Package) string { return "" }, func(t *types.TypeName) string {
		found = found || set[e.types[t.Name()]]
		return t.Name()
	})
	return found
}

// observe marks what a statement uses, also through functions.
func (m *model) observe(e *entity) {
	if e = e.now(); e == nil || e.observed {
		return
	}
	e.observed = true
	if e.unit != nil {
		m.observeUnit(e.unit)
		for _, other := range e.unit.self {
			m.observe(other)
		}
	}
	for _, u := range e.methods {
		m.observeUnit(u)
	}
	if e.typ != nil {
		cell.TypeString(e.typ, func(*types.Package) string { return "" }, func(t *types.TypeName) string {
			if used := e.types[t.Name()]; used != nil {
				m.observe(used)
			}
			return t.Name()
		})
	}
}

func (m *model) observeUnit(u *unit) {
	for _, used := range u.names {
		m.observe(used)
	}
}
