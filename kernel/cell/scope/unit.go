package scope

import (
	"maps"
	"strings"
)

// Unnamed reports whether the unit is a function that no other code can call: it runs
// with its cell, and declares nothing. Such a unit is never part of a model: where its cell
// runs again, it runs again.
func (u *Unit) Unnamed() bool {
	return u.Recv == "" && u.Kind == Func && (IsInit(u.Names[0]) || u.Names[0] == "_" || u.Names[0] == "main")
}

// IsInit reports whether a function is run where it stands, as Go's init and GoNB's
// init_x are. To Go alone an init_x is an ordinary function.
func IsInit(name string) bool { return name == "init" || strings.HasPrefix(name, "init_") }

// FullName is the first name that a unit declares, or T.m: the name by which a unit that no
// longer compiles is kept and spoken of. It is "_" where the unit declares no other, as in
// const _ = 1 << x.
func (u *Unit) FullName() string {
	if u.Recv != "" {
		return u.Recv + "." + u.Names[0]
	}
	for _, n := range u.Names {
		if n != "_" {
			return n
		}
	}
	return "_"
}

// RestsOn returns the names that a declaration mentions: of the notebook, and of its
// methods as T.m. The map is the caller's own.
func (u *Unit) RestsOn() map[string]bool {
	all := map[string]bool{}
	for _, names := range []map[string]bool{u.Signature, u.Body, u.Calls} {
		maps.Copy(all, names)
	}
	return all
}

// renamed is the unit after a type that it declares or mentions was given another
// name; u itself where nothing in it changes. The text stays as it was written.
func (u *Unit) renamed(from, to string) *Unit {
	declares := u.Kind == Type && u.Names[0] == from
	if !declares && u.Recv != from && !u.Signature[from] && !u.Body[from] {
		return u
	}
	v := *u
	if declares {
		v.Names = []string{to}
	}
	if u.Recv == from {
		v.Recv = to
	}
	for _, names := range []*map[string]bool{&v.Signature, &v.Body} {
		if (*names)[from] {
			*names = maps.Clone(*names)
			delete(*names, from)
			(*names)[to] = true
		}
	}
	return &v
}

// Import writes the import with its comment, behind the line of the package clause:
// one line lower than in the cell. A //line directive would become a part of the
// comment. So the empty lines before it put the C code where the cell has it, and who reads
// the C compiler's messages takes one line off.
func (p *Preamble) Import() string {
	return strings.Repeat("\n", p.Line-1) + p.Text + "\nimport \"C\"\n"
}

// File names the Go file that holds the C code of a cell. The C compiler names it in
// errors, and the build takes the line and the name back to the cell's.
func (p *Preamble) File() string { return p.Cell + ".go" }
