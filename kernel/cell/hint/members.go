package hint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/words"
	"github.com/holt-dl/holt/internal/near"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// This file answers methods that PyTorch's objects have and Holt's have not.

// member explains a selector x.name that the type of x has not, by what PyTorch's
// users mean by it. pointed says that Go's message names another spelling.
func (f *File) member(path []ast.Node, pointed bool) string {
	s, ok := innermost[*ast.SelectorExpr](path)
	if !ok || f.Info.Types[s.X].Type == nil {
		return ""
	}
	t, _ := spell.Deref(f.Info.Types[s.X].Type)
	place, its := placeOf(t)
	if place == "" {
		return ""
	}
	name := s.Sel.Name
	x := f.Text(s.X)
	call := calling(f, path, f.Text(s))
	say := func(w words.Word) string {
		text := w.Say(x, numbers(f, callArgs(call, 0)))
		if its != "" && its != x {
			text = renamed(text, its, x)
		}
		return text
	}
	w, listed := words.Find(name, place)
	if listed && !w.Missing {
		return "; " + say(w)
	}
	if place == "Tensor" && strings.HasSuffix(name, "_") {
		if m := Method(f.Names, name); m != nil && m.Signature().Results().Len() == 1 {
			return "; a tensor never changes: write " + x + " = " + called(f, x, m, callArgs(call, 0))
		}
	}
	if pointed {
		return ""
	}
	if n := memberLike(t, name); n != "" {
		if m, ok := methodOf(t, n); ok {
			return "; write " + called(f, x, m, callArgs(call, 0))
		}
		return "; write " + x + "." + n
	}
	if place != "Tensor" {
		if listed {
			return "; Holt has no " + name + "; " + say(w)
		}
		if n := nearMember(t, name); n != "" {
			return "; did you mean " + n + "?"
		}
		if w, ok := words.Find("*", place); ok && words.Known(name) {
			return "; Holt has no " + name + "; " + say(w)
		}
		return ""
	}
	if w, ok := words.Find(name, "torch"); ok && !w.Missing {
		return "; " + say(w)
	}
	switch obj := Named(f.Names, "dl", name).(type) {
	case *types.Func:
		if args, ok := sample(f, obj.Name(), obj.Signature(), append([]ast.Expr{s.X}, callArgs(call, 0)...)); ok {
			return "; it is a function: write dl." + obj.Name() + "(" + args + ")"
		}
		return "; it is a function: dl." + obj.Name()
	case *types.TypeName:
		found, _, _ := types.LookupFieldOrMethod(obj.Type(), true, nil, "Forward")
		if forward, ok := found.(*types.Func); ok {
			args, _ := sample(f, "Forward", forward.Signature(), []ast.Expr{s.X})
			return "; it is a layer: write dl." + obj.Name() + "{}.Forward(" + args + ")"
		}
	}
	if !listed {
		w, listed = words.Find(name, "torch")
	}
	if listed {
		return "; Holt has no " + name + "; " + say(w)
	}
	if n := nearMember(t, name); n != "" && !words.Known(name) {
		return "; did you mean " + n + "?"
	}
	if w, ok := words.Find("*", place); ok && words.Known(name) {
		return "; Holt has no " + name + "; " + say(w)
	}
	return ""
}

// placeOf says where in the table the methods of a type are, and what the table
// calls a value of it.
func placeOf(t types.Type) (place, its string) {
	name := spell.Type(t)
	ptr := t
	if !types.IsInterface(t) {
		ptr = types.NewPointer(t)
	}
	has := func(methods ...string) bool {
		for _, m := range methods {
			if obj, _, _ := types.LookupFieldOrMethod(ptr, true, nil, m); obj == nil {
				return false
			}
		}
		return true
	}
	if t, ok := words.Types[name]; ok {
		return t.Place, t.Name
	}
	if b, ok := t.Underlying().(*types.Basic); ok {
		switch {
		case b.Info()&types.IsBoolean != 0:
			return "bool", ""
		case b.Info()&types.IsNumeric != 0:
			return "number", ""
		}
		return "", ""
	}
	kind := words.Kind(name, has)
	return kind.Place, kind.Name
}

// renamed puts the name that a cell has in place of the table's.
func renamed(text, from, to string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		before := i > 0 && (isLetter(text[i-1]) || text[i-1] == '"' || text[i-1] == '.')
		if rest, ok := strings.CutPrefix(text[i:], from+"."); ok && !before && rest != "" && isLetter(rest[0]) {
			b.WriteString(to)
			i += len(from)
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String()
}

func isLetter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// memberLike finds a method or field of a type that is spelt otherwise.
func memberLike(t types.Type, name string) string {
	for _, n := range membersOf(t) {
		if words.Fold(n) == words.Fold(name) {
			return n
		}
	}
	return ""
}

func nearMember(t types.Type, name string) string { return near.To(name, membersOf(t)) }

func methodOf(t types.Type, name string) (*types.Func, bool) {
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, nil, name)
	m, ok := obj.(*types.Func)
	return m, ok
}

// membersOf lists the methods and fields of a type that a cell can name.
func membersOf(t types.Type) []string {
	var names []string
	ptr := t
	if _, ok := t.Underlying().(*types.Pointer); !ok && !types.IsInterface(t) {
		ptr = types.NewPointer(t)
	}
	for m := range types.NewMethodSet(ptr).Methods() {
		names = append(names, m.Obj().Name())
	}
	if st, ok := t.Underlying().(*types.Struct); ok {
		for v := range st.Fields() {
			names = append(names, v.Name())
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return !token.IsExported(n) && !spell.FromNotebook(t) })
}
