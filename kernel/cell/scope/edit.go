package scope

import (
	"go/types"
	"maps"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// An Edit makes a model of another one, which stays as it is. It is for one goroutine.
//
// The maps are copied when it begins. Versions and units are shared with the old model, which
// other goroutines may read, so every method that changes one puts a changed copy in its place.
type Edit struct {
	m        *Model     // the one that is made; nothing else has it before [Edit.Model]
	released []*Version // see [Edit.Released]
}

// Edit begins a model that is like m. It costs a copy of the maps, one entry a live name,
// and nothing for the history behind them.
func (m *Model) Edit() *Edit {
	return &Edit{m: &Model{last: m.last, names: maps.Clone(m.names), imports: maps.Clone(m.imports), dots: maps.Clone(m.dots),
		hidden: maps.Clone(m.hidden), broken: maps.Clone(m.broken), gone: maps.Clone(m.gone)}}
}

// Model returns the model as it was made. The edit must not be used any more.
func (e *Edit) Model() *Model { return e.m }

// Released lists the variables that nothing can reach any more. Their packages stay loaded for
// as long as the process lives, and with them what the variables hold, so the next program
// sets them to zero.
func (e *Edit) Released() []*Version { return e.released }

// release has a variable released that its name no longer means. One that pointers may lead to
// keeps its value, as in Go.
func (e *Edit) release(v *Version) {
	if v.Kind == Var && !v.Held {
		e.released = append(e.released, v)
	}
}

// Lookup returns what a name means so far, or nil.
func (e *Edit) Lookup(name string) *Version { return e.m.names[name] }

// Define gives v.Name a new meaning. Number and Previous are set here. A variable that
// it replaces is released, where nothing else reaches it.
func (e *Edit) Define(v Version) {
	old := e.m.names[v.Name]
	if old != nil {
		e.release(old)
	}
	e.m.last++
	v.Number, v.Previous = e.m.last, old
	e.m.names[v.Name] = &v
}

// Again gives a name a meaning that is made of the one it has: compiled again, or with
// another body. No variable is released: one whose type was declared again stays where it is,
// or the program sets it to zero itself. A name that means nothing is left alone.
func (e *Edit) Again(name string, change func(*Version)) {
	if old := e.m.names[name]; old != nil {
		v := *old
		e.m.last++
		v.Number, v.Previous = e.m.last, old
		change(&v)
		e.m.names[name] = &v
	}
}

// Update changes what is known of a name whose meaning stays, such as whether its value is
// there. It makes no new version: the number and what came before stay. A name that means
// nothing is left alone.
func (e *Edit) Update(name string, change func(*Version)) {
	if old := e.m.names[name]; old != nil {
		v := *old
		change(&v)
		e.m.names[name] = &v
	}
}

// SetMethod gives a type a method, or takes it away where u is nil. What is no type is
// left alone. The type stays the same version: whether a new method makes a new type is the
// check's to say, and the caller's to write down by [Edit.Define] or [Edit.Again].
func (e *Edit) SetMethod(recv, name string, u *Unit) {
	if v := e.m.names[recv]; v == nil || v.Kind != Type {
		return
	}
	e.Update(recv, func(v *Version) {
		if v.Methods = maps.Clone(v.Methods); v.Methods == nil {
			v.Methods = map[string]*Unit{}
		}
		if v.Methods[name] = u; u == nil {
			delete(v.Methods, name)
		}
	})
}

// Restore makes a version live that was dropped, with its own number and history. What it
// rests on has changed since, so the caller gives it its new object by [Edit.Again].
func (e *Edit) Restore(v *Version) { e.m.names[v.Name] = v }

// Drop takes a name away. A variable is released. What other declarations compiled with the
// name goes on to work: their packages import the one that holds it.
func (e *Edit) Drop(name string) {
	if v := e.m.names[name]; v != nil {
		e.release(v)
	}
	delete(e.m.names, name)
}

// Import adds imports, name → path, and dot imports by path. A name that was imported means
// the new package; units keep the paths that they were compiled with.
func (e *Edit) Import(imports map[string]string, dots map[string]bool) {
	maps.Copy(e.m.imports, imports)
	maps.Copy(e.m.dots, dots)
}

// DropImport takes an import away. A later cell that names the package has it guessed again.
func (e *Edit) DropImport(name string) { delete(e.m.imports, name) }

// Break keeps the source of what no longer compiles, by name or as T.m.
func (e *Edit) Break(name string, b *Broken) { e.m.broken[name] = b }

// Mend forgets what did not compile, by name or as T.m.
func (e *Edit) Mend(name string) { delete(e.m.broken, name) }

// SetGone says why a name is gone. With an empty reason it is not.
func (e *Edit) SetGone(name, why string) {
	if e.m.gone[name] = why; why == "" {
		delete(e.m.gone, name)
	}
}

// Hide gives a type another name, since its own is a variable's from now on. It comes before
// the [Edit.Define] of the variable, which would take the name from the type.
func (e *Edit) Hide(name string) { e.rename(name, spell.TypeMark+name) }

// Reveal gives a hidden type its name back, where nothing else has it: once the variable was
// removed by %rm, or when the type is declared again.
func (e *Edit) Reveal(name string) {
	if e.m.names[spell.TypeMark+name] != nil && e.m.names[name] == nil {
		e.rename(spell.TypeMark+name, name)
	}
}

// SetHidden says that a type was compiled again under another name than the one by which the
// model knows it, which is name: the object is called ˣtype_user, and is still user here.
func (e *Edit) SetHidden(t *types.TypeName, name string) { e.m.hidden[t] = name }

// rename gives a type another name, in all declarations that mention it.
func (e *Edit) rename(from, to string) {
	// The version itself. Its object keeps the name it was made with, so the other one is noted
	// beside it, unless the new name is the object's own.
	e.Update(from, func(v *Version) {
		v.Name = to
		t := v.Obj.(*types.TypeName)
		delete(e.m.hidden, t)
		if t.Name() != to {
			e.m.hidden[t] = to
		}
	})
	e.m.names[to] = e.m.names[from]
	delete(e.m.names, from)
	// What mentions it, the type's own methods among that. The text of a unit stays as it was
	// written; check.Spelled puts the longer names in when the text is needed.
	units := map[*Unit]*Unit{} // each is copied once: a group of constants stays one, by pointer
	renamed := func(u *Unit) *Unit {
		if units[u] == nil {
			units[u] = u.renamed(from, to)
		}
		return units[u]
	}
	for name, v := range e.m.names {
		next := *v
		if v.Unit != nil {
			next.Unit = renamed(v.Unit)
		}
		var methods map[string]*Unit
		for m, u := range v.Methods {
			if r := renamed(u); r != u {
				if methods == nil {
					methods = maps.Clone(v.Methods)
				}
				methods[m] = r
			}
		}
		if methods != nil {
			next.Methods = methods
		}
		if methods != nil || next.Unit != v.Unit {
			e.m.names[name] = &next
		}
	}
}
