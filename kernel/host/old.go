package host

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"unsafe"

	"github.com/holt-dl/holt/kernel/host/rt"
)

// maxVisits bounds the search for old values in one variable, which takes some milliseconds
// then. A variable that leads to more, such as a data set, is searched as far as that.
const maxVisits = 200_000

// oldValues names the variables whose interfaces still hold values of types that were declared
// again: an assertion or a type switch finds another type there than the one that the
// notebook's text says.
//
//	cell 1    type T struct{ n int };  var x any = T{1}
//	cell 2    type T struct{ n, m int }
//	cell 3    _, ok := x.(T)            // false: x holds a notebook/c1.T
//
// A variable of type T itself is no trouble: its type is written in the notebook, and the check
// carries its value over or says that it cannot. It is the hook Old of package rt, called when
// the program that declares T again has run, and only prints: what to do is for the person to
// decide.
func oldValues(types []string, holders []rt.Holder) {
	old := map[string]bool{}
	for _, t := range types {
		old[t] = true
	}
	// A goroutine of another cell may write to a map, and reading it then would
	// end the process. The calling cell is one of those that run.
	quiet := len(labelled()) <= 1
	for _, h := range holders {
		// Each variable has a budget of its own, so that a large one does not hide the next.
		s := search{old: old, maps: quiet, seen: map[visit]bool{}, left: maxVisits}
		s.value(reflect.ValueOf(h.Ptr).Elem())
		if s.found == "" {
			continue
		}
		// The person knows the type without the cell's package.
		name := s.found[strings.LastIndexByte(s.found, '.')+1:]
		fmt.Fprintf(os.Stderr, "holt: %s (%s) still holds a value of the earlier type %s, which is not the new one to a type switch or an assertion: run %s again to make it anew\n",
			h.Name, h.Cell, name, h.Cell)
	}
}

// assertion matches what the runtime says of an assertion to another type of the
// same name: "interface conversion: interface {} is c1.T, not c4.T".
var assertion = regexp.MustCompile(`^interface conversion: .* is (\*?)(c[0-9]+)\.([^ ,]+), not \*?(c[0-9]+)\.([^ ,]+)`)

// explainOld says what two types of one name in a failed assertion mean: Go's words are "is
// c1.T, not c4.T", which are one name to the person. Other texts stay as they are, and so does
// one about different names.
func explainOld(text string) string {
	m := assertion.FindStringSubmatch(text)
	if m == nil || m[2] == m[4] || m[3] != m[5] {
		return text
	}
	return fmt.Sprintf("%s; the value was made before %s was declared again: run the cell again that made it", text, m[3])
}

// visit is a place that was looked at. The type belongs to it: a struct and its first field
// have one address.
type visit struct {
	ptr unsafe.Pointer
	typ reflect.Type
}

// search looks through what a variable holds, for the first old type. It reads values that
// goroutines may be changing; it calls none of their methods. The fields are the names of old
// types, whether maps may be read, what was looked at, how many values may still be, and the
// result, which is "" until there is one.
type search struct {
	old   map[string]bool
	maps  bool // maps may be read
	seen  map[visit]bool
	left  int
	found string // the first type that is old
}

// value searches v. Values inside of a library's own types are not read, as they may be in use.
//
// Only interfaces can hold an old type in secret, so whatever cannot lead to one is passed over
// by its type: a slice of a million floats costs one step. Channels and functions cannot be
// looked into.
func (s *search) value(v reflect.Value) {
	if s.left--; s.left < 0 || s.found != "" || foreign(v.Type()) {
		return
	}
	switch v.Kind() {
	// The dynamic type may be old itself, be made of an old one ([]T), or lead on.
	case reflect.Interface:
		if !v.IsNil() {
			if s.typ(v.Elem().Type(), map[reflect.Type]bool{}); s.found == "" {
				s.value(v.Elem())
			}
		}
	case reflect.Pointer:
		at := visit{v.UnsafePointer(), v.Type()}
		if v.IsNil() || s.seen[at] || !holdsInterface(v.Type().Elem(), nil) {
			return
		}
		s.seen[at] = true
		s.value(v.Elem())
	case reflect.Slice, reflect.Array:
		if !holdsInterface(v.Type().Elem(), nil) {
			return
		}
		if v.Kind() == reflect.Slice {
			at := visit{v.UnsafePointer(), v.Type()}
			if v.Len() == 0 || s.seen[at] {
				return
			}
			s.seen[at] = true
		}
		for i := range v.Len() {
			s.value(v.Index(i))
		}
	case reflect.Map:
		if !s.maps || !holdsInterface(v.Type(), nil) {
			return
		}
		for it := v.MapRange(); it.Next(); {
			s.value(it.Key())
			s.value(it.Value())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			s.value(v.Field(i))
		}
	}
}

// typ looks for an old type in t, which is the type of a value: T, *T, []T, map[string]T and so
// on, but not the fields of another named type, which is old itself where its fields are. An
// instance of a generic type counts by the name before its bracket.
func (s *search) typ(t reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] || s.found != "" {
		return
	}
	seen[t] = true
	if t.Name() != "" {
		name, _, _ := strings.Cut(t.Name(), "[")
		if full := t.PkgPath() + "." + name; s.old[full] {
			s.found = full
		}
		return
	}
	switch t.Kind() {
	case reflect.Map:
		s.typ(t.Key(), seen)
		s.typ(t.Elem(), seen)
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
		s.typ(t.Elem(), seen)
	}
}

// foreign reports whether t is a named type of a library. Packages of cells are those below
// notebook/. An interface is none, wherever it is declared: what it holds may be a cell's.
func foreign(t reflect.Type) bool {
	return t.PkgPath() != "" && !strings.HasPrefix(t.PkgPath(), "notebook/") && t.Kind() != reflect.Interface
}

// holdsInterface reports whether a value of type t can lead to an interface. Seen holds the
// types that are being looked at, which ends recursive ones; nil begins.
func holdsInterface(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || foreign(t) {
		return false
	}
	if seen == nil {
		seen = map[reflect.Type]bool{}
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return holdsInterface(t.Elem(), seen)
	case reflect.Map:
		return holdsInterface(t.Key(), seen) || holdsInterface(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsInterface(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}
