package export

import (
	"go/types"
	"maps"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/holt-dl/holt/kernel/cell/listing"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// What a name of the notebook means after each cell is read from the kernel's
// [scope.Model]: which declaration it is, the names that this rests on, the methods of
// a type, what no longer compiles and what is back. A program has one scope where a
// notebook has one after every cell, so that what is left to do here is to give each
// meaning a name of its own:
//
//   - A meaning that a statement used keeps its name, and what mentions it keeps it. A
//     later one gets a number, and so does all that mentions it from then on.
//   - A meaning that no statement used is not written when its name gets another one.
//   - A version of a type or function that was only compiled again stays the same one
//     in the program, and a type that gets one more method does, too.

// An entity is what a name means from a cell on, in the program.
type entity struct {
	name     string // in the notebook, as the model has it
	goName   string // in the program
	cell     *cellInfo
	version  *scope.Version // the last that is this entity
	decl     *unit          // nil for a variable
	methods  []*unit        // of a type
	types    map[*types.TypeName]*entity
	observed bool // a statement used it, itself or through others
	live     bool // it is what the name means now
	global   bool // a variable that must stand at package level
	blank    bool // a variable that is never read
	again    bool // the name meant something else before
}

// A unit is a declaration, or a method, with what the names in it mean.
type unit struct {
	cell  *cellInfo // from which it holds
	text  string    // of the cell that declares it
	decl  listing.Decl
	names map[string]*entity // the notebook's names in it
	self  []*entity          // what it declares; of a method, the type
	// Of a method that a later cell gives another body: the bodies before, and the
	// variable that says which one is meant.
	earlier  []*unit
	switched string
	renamed  string // of a function that nothing names, what it is called in the program
}

// cellInfo is a code cell of the notebook.
type cellInfo struct {
	number   int // as In [n]
	listing  *listing.Listing
	scope    *scope.Model       // what names mean after it
	names    map[string]*entity // what the names in its statements mean
	old      map[string]*entity // what they meant before the cell
	separate bool               // its statements are a function of their own
	before   []func() string    // write the statements that its commands became
	carried  []carry
	calls    map[int]*unit // functions that run where they stand, by offset
	main     *unit         // the cell's func main, which runs last
}

// carry is a variable that goes on under a type that was declared again.
type carry struct {
	from, to *entity
}

// source says which declaration of which cell a unit of the model is. A unit of which a
// name was changed is a copy, which has these in common with the one before.
type source struct {
	cell string
	line int
	text string
}

func sourceOf(u *scope.Unit) source { return source{u.Cell, u.Line, u.Text} }

// model is what the cells so far mean.
type model struct {
	cells    []*cellInfo
	units    []*unit // in the order in which they are declared
	names    map[string]*entity
	versions map[int]*entity // by the numbers of the model's versions
	sources  map[source]*unit
	all      []*entity
	taken    map[string]bool // identifiers that a new name must not be
	given    map[string]bool // names of the notebook that the program uses as they are
	blank    map[string]bool // import _ "path"
}

func newModel(taken map[string]bool) *model {
	m := &model{taken: taken, given: map[string]bool{}, blank: map[string]bool{}}
	m.reset()
	return m
}

// reset forgets what names mean: the notebook's model begins again.
func (m *model) reset() {
	for _, e := range m.names {
		e.live = false
	}
	m.names, m.versions, m.sources = map[string]*entity{}, map[int]*entity{}, map[source]*unit{}
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

// isWritten reports whether the program declares an entity.
func (e *entity) isWritten() bool { return e.observed || e.live }

// isWritten reports whether the program has a declaration, or a method, as it is.
func (u *unit) isWritten() bool {
	if u.decl.Recv == "" {
		return len(u.self) == 0 || slices.ContainsFunc(u.self, (*entity).isWritten)
	}
	return u.self[0].isWritten() && slices.Contains(u.self[0].methods, u)
}

// A step takes one cell into the model.
type step struct {
	*model
	c     *cellInfo
	fresh []*unit // what this cell gave a meaning
}

// add takes a checked cell in.
func (m *model) add(c *cellInfo) {
	s := &step{model: m, c: c}
	c.old = maps.Clone(m.names)
	for _, st := range c.listing.Stmts {
		for _, use := range st.Uses {
			if use.Old { // before its name has another meaning
				m.observe(c.old[use.Name])
			}
		}
	}
	for _, path := range c.listing.Blank {
		m.blank[path] = true
	}
	s.readDecls()
	m.sync(c.scope)
	for _, v := range c.listing.Vars {
		delete(m.names, v) // a new one, whatever the name meant
	}
	s.define()
	s.followChanges()
	s.resolve()
	c.names = maps.Clone(m.names)
	for _, st := range c.listing.Stmts {
		for _, use := range st.Uses {
			m.observe(c.meaning(use))
		}
	}
	m.units = append(m.units, s.fresh...)
	m.cells = append(m.cells, c)
}

// meaning is what a name in the cell's statements stands for; nil for an import.
func (c *cellInfo) meaning(u listing.Use) *entity {
	switch {
	case u.Path != "":
		return nil
	case u.Type:
		return c.names[spell.TypeMark+u.Name]
	case u.Old:
		return c.old[u.Name]
	}
	return c.names[u.Name]
}

// sync has names mean what they do in a model, as far as that is known here.
func (m *model) sync(now *scope.Model) {
	m.names = map[string]*entity{}
	for name, v := range now.All() {
		if e := m.entityOf(v); e != nil {
			m.names[name], m.versions[v.Number] = e, e
		}
	}
}

// entityOf returns the entity that a version is, or nil where it is another thing than what
// its name meant before. A version that is a known one compiled again is that one.
func (m *model) entityOf(v *scope.Version) *entity {
	for p := v; p != nil && p.Kind == v.Kind; p = p.Previous {
		if v.Unit != nil && sourceOf(p.Unit) != sourceOf(v.Unit) {
			return nil
		}
		if e := m.versions[p.Number]; e != nil {
			return e
		}
	}
	return nil
}

// readDecls notes where the cell's declarations are. Those that declare no name are in
// no model: they are written as they are.
func (s *step) readDecls() {
	for _, d := range s.c.listing.Decls {
		u := &unit{cell: s.c, text: s.c.listing.Text, decl: d}
		s.sources[sourceOf(d.Unit)] = u
		switch {
		case !d.Unit.Unnamed():
			if d.Recv != "" || slices.ContainsFunc(d.Names, func(n string) bool { return n != "_" }) {
				continue
			}
		case d.Names[0] == "main":
			u.renamed, s.c.main = s.free("mainOfCell"+strconv.Itoa(s.c.number)), u
		case d.Names[0] != "_":
			u.renamed = s.free("initOfCell" + strconv.Itoa(s.c.number))
			s.c.calls[d.Start] = u
		}
		s.fresh = append(s.fresh, u)
	}
}

// unit makes a unit of a declaration, which holds from this cell on.
func (s *step) unit(u *scope.Unit) *unit {
	from := s.sources[sourceOf(u)]
	made := &unit{cell: s.c, text: from.text, decl: from.decl}
	s.fresh = append(s.fresh, made)
	return made
}

// define makes entities of the names that the cell gave another meaning: its own
// declarations in their order, what is back, and variables.
func (s *step) define() {
	var own []string
	for _, d := range s.c.listing.Decls {
		own = append(own, d.Names...)
	}
	for _, name := range append(own, s.c.scope.Names()...) {
		v := s.c.scope.Lookup(name)
		switch {
		case v == nil || s.names[name] != nil:
		case v.Unit != nil:
			s.declare(v.Unit)
		default:
			s.entity(v)
		}
	}
}

// declare makes entities of all that a unit of the model declares, a group of constants
// or one name, with the methods of a type.
func (s *step) declare(of *scope.Unit) {
	u := s.unit(of)
	for _, name := range of.Names {
		if v := s.c.scope.Lookup(name); v != nil && v.Unit == of {
			e := s.entity(v)
			e.decl = u
			u.self = append(u.self, e)
		}
	}
	for _, e := range u.self {
		s.methods(e)
	}
}

// entity gives a name another meaning. What mentions the one before goes on to mean
// that, if a statement used it.
func (s *step) entity(v *scope.Version) *entity {
	e := &entity{name: v.Name, cell: s.c, version: v}
	old := s.names[v.Name]
	if old == nil {
		old = s.c.old[v.Name]
	}
	plain := spell.Written(v.Name)
	switch {
	case v.Kind == scope.Var && (spell.OfGo(plain) || old != nil && old.version.Kind == scope.Type):
		e.goName = s.free(plain) // what the variable hides goes on to be used
	case old != nil && old.decl != nil && !old.observed && len(old.decl.self) == 1:
		e.goName, e.again = old.goName, old.again
	case !s.given[plain]:
		s.given[plain] = true
		e.goName = plain
	default:
		e.goName, e.again = s.free(plain), true
	}
	s.names[v.Name], s.versions[v.Number] = e, e
	s.all = append(s.all, e)
	return e
}

// followChanges gives everything that mentions a name with another meaning, and that a
// statement used, a meaning of its own from this cell on.
func (s *step) followChanges() {
	for more := true; more; {
		more = false
		for _, e := range s.current() {
			switch now := s.c.scope.Lookup(e.name); {
			case e.cell == s.c || !e.observed || s.names[e.name] != e: // new, or not yet used, or one of a group
			case e.decl == nil && s.isOfNewType(e, now):
				more = true
				s.c.carried = append(s.c.carried, carry{e, s.entity(now)})
			case e.decl != nil && s.isChanged(e, now):
				more = true
				s.declare(now.Unit)
			}
		}
	}
	for _, e := range s.current() {
		if e.version.Kind == scope.Type && e.cell != s.c {
			s.methods(e)
		}
	}
}

// isOfNewType reports whether the type of a variable is made of other types now.
func (s *step) isOfNewType(e *entity, now *scope.Version) bool {
	former := slices.Collect(maps.Values(e.types))
	for _, t := range s.typesOf(now) {
		if !slices.Contains(former, t) {
			return true
		}
	}
	return false
}

// typesOf finds the notebook's types in the type of a variable.
func (s *step) typesOf(v *scope.Version) map[*types.TypeName]*entity {
	found := map[*types.TypeName]*entity{}
	spell.NotebookTypes(v.Obj.Type(), func(t *types.TypeName) { found[t] = s.names[s.c.scope.TypeName(t)] })
	return found
}

// isChanged reports whether a declaration mentions a name that has another meaning now,
// or a type has other methods than one type can have.
func (s *step) isChanged(e *entity, now *scope.Version) bool {
	if s.hits(e.decl, now.Unit.RestsOn()) {
		return true
	}
	for _, u := range e.methods {
		m := now.Methods[u.decl.Names[0]]
		if m == nil || m.Sig != u.decl.Sig || s.hits(u, m.Signature) || m.Generic && s.isAnother(u, m) {
			return true
		}
	}
	return false
}

// isAnother reports whether a method has another body now, or one that mentions a name
// with another meaning.
func (s *step) isAnother(u *unit, now *scope.Unit) bool {
	return sourceOf(u.decl.Unit) != sourceOf(now) || s.hits(u, now.RestsOn())
}

// hits reports whether one of the names that a unit mentions has another meaning now.
func (s *step) hits(u *unit, names map[string]bool) bool {
	for name := range names {
		if now := s.names[name]; now != nil && now != u.names[spell.Written(name)] {
			return true
		}
	}
	return false
}

// methods gives a type the methods that it has in the model. Where a statement may have
// called one that has another body now, the program has both.
func (s *step) methods(e *entity) {
	now := s.c.scope.Lookup(e.name).Methods
	e.methods = slices.DeleteFunc(e.methods, func(u *unit) bool { return now[u.decl.Names[0]] == nil })
	for _, name := range slices.Sorted(maps.Keys(now)) {
		at := slices.IndexFunc(e.methods, func(u *unit) bool { return u.decl.Names[0] == name })
		if at >= 0 && !s.isAnother(e.methods[at], now[name]) {
			continue
		}
		u := s.unit(now[name])
		u.self = []*entity{e}
		if at < 0 {
			e.methods = append(e.methods, u)
			continue
		}
		if old := e.methods[at]; e.observed {
			u.earlier = append(slices.Clone(old.earlier), old)
			if u.switched = old.switched; u.switched == "" {
				u.switched = s.free("bodyOf" + upper(e.name) + upper(name))
			}
		}
		e.methods[at] = u
	}
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// resolve notes what names mean from this cell on, in what is new and in what no
// statement has used yet.
func (s *step) resolve() {
	for _, e := range s.all {
		e.live = false
	}
	for name, e := range s.names {
		e.live, e.name, e.version = true, name, s.c.scope.Lookup(name)
		if e.decl == nil {
			e.types = s.typesOf(e.version)
			continue
		}
		if e.cell == s.c || !e.observed {
			s.mentions(e.decl, e.version.Unit)
		}
		for _, u := range e.methods {
			if u.cell == s.c || !e.observed {
				s.mentions(u, e.version.Methods[u.decl.Names[0]])
			}
		}
	}
	for _, u := range s.fresh {
		if len(u.self) == 0 {
			s.mentions(u, u.decl.Unit)
		}
	}
	for _, u := range s.fresh { // what runs with the cell, and new methods of what was used
		if len(u.self) == 0 || u.decl.Recv != "" && u.self[0].observed {
			s.observeUnit(u)
		}
	}
	start := func(u *unit) int { // the cell's own declarations in their order, before others
		if own := s.sources[sourceOf(u.decl.Unit)]; own != nil && own.cell == s.c {
			return u.decl.Start
		}
		return len(s.c.listing.Text)
	}
	slices.SortStableFunc(s.fresh, func(a, b *unit) int { return start(a) - start(b) })
}

// mentions notes what the names in a unit mean.
func (s *step) mentions(u *unit, of *scope.Unit) {
	u.names = map[string]*entity{}
	for name := range of.RestsOn() {
		if e := s.names[name]; e != nil {
			u.names[spell.Written(name)] = e
		}
	}
	if of.Kind == scope.Const {
		for _, name := range of.Names { // of a group, some are declared elsewhere by now
			u.names[name] = &entity{goName: "_"}
		}
	}
	for _, e := range u.self {
		u.names[spell.Written(e.name)] = e
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

// observe marks what a statement uses, also through functions.
func (m *model) observe(e *entity) {
	if e == nil || e.observed {
		return
	}
	e.observed = true
	if e.decl != nil {
		m.observeUnit(e.decl)
		for _, other := range e.decl.self {
			m.observe(other)
		}
	}
	for _, u := range e.methods {
		m.observeUnit(u)
	}
	for _, t := range e.types {
		m.observe(t)
	}
}

func (m *model) observeUnit(u *unit) {
	for _, used := range u.names {
		m.observe(used)
	}
}
