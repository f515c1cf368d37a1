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
//
//	x.view(-1)             ; write x.Reshape(-1)
//	loss.backward()        ; loss is settings; its value has it: value := output.Loss(loss, target)
//	x.add_(y)              ; a tensor never changes: write x = x.Add(y)

// A missing is a selector x.name that the type of x has not.
//
// It holds what is found out about it on the way, for the functions that write the answer.
type missing struct {
	f      *File
	x      ast.Expr
	name   string
	t      types.Type    // of x, behind a pointer
	call   *ast.CallExpr // of the selector; nil where it is not called
	place  string        // where the table has the methods of the type
	its    string        // what the table calls a value of it
	word   words.Word    // what the table says of the name there
	listed bool          // it says something
}

// member explains a selector x.name that the type of x has not, by what PyTorch's
// users mean by it. pointed says that Go's message names another spelling.
//
// The table comes first, then other spellings of what there is; only where nothing is
// found is it said that Holt has nothing of the kind.
//
// It is "" for types of which the table knows nothing: structs of the person's, and other
// libraries.
func (f *File) member(path []ast.Node, pointed bool) string {
	s, ok := innermost[*ast.SelectorExpr](path)
	if !ok || f.Info.Types[s.X].Type == nil {
		return ""
	}
	t, _ := spell.Deref(f.Info.Types[s.X].Type)
	m := missing{f: f, x: s.X, name: s.Sel.Name, t: t, call: calling(f, path, f.Text(s))}
	// The type decides which part of the table applies.
	if m.place, m.its = placeOf(t); m.place == "" {
		return ""
	}
	m.word, m.listed = words.Find(m.name, m.place)
	// What the table says is written for this name, and better than what can be derived.
	if m.listed && !m.word.Missing {
		return "; " + m.say(m.word)
	}
	x, args := f.Text(m.x), callArgs(m.call, 0)
	if m.place == "Tensor" && strings.HasSuffix(m.name, "_") { // x.add_(y) changes x in Python
		if fn := Method(f.Names, m.name); fn != nil && fn.Signature().Results().Len() == 1 {
			return "; a tensor never changes: write " + x + " = " + called(f, x, fn, args)
		}
	}
	// The message ends with the right spelling already, "but does have method Shape".
	if pointed {
		return ""
	}
	if n := memberLike(t, m.name); n != "" {
		if fn, ok := methodOf(t, n); ok {
			return "; write " + called(f, x, fn, args)
		}
		return "; write " + x + "." + n
	}
	// What follows is for tensors: functions of torch that take one.
	if m.place != "Tensor" {
		return m.none(true)
	}
	// PyTorch has most functions twice, torch.sum(x) and x.sum(): the table lists one of them.
	if w, ok := words.Find(m.name, "torch"); ok && !w.Missing {
		return "; " + m.say(w)
	}
	if hint := m.inDL(); hint != "" {
		return hint
	}
	if !m.listed {
		m.word, m.listed = words.Find(m.name, "torch")
	}
	return m.none(!words.Known(m.name))
}

// say writes what the table says, with x and its arguments.
//
// The table writes model.Param(…) for any model; in the cell it may be called net.
func (m *missing) say(w words.Word) string {
	x := m.f.Text(m.x)
	text := w.Say(x, numbers(m.f, callArgs(m.call, 0)))
	if m.its != "" && m.its != x {
		text = renamed(text, m.its, x)
	}
	return text
}

// inDL explains a method of tensors that is a function or a layer of package dl.
//
//	x.zeros_like()   ; it is a function: write dl.ZerosLike(x)
//
// Of a layer, the answer has its Forward with x: dl.Name{}.Forward(x).
func (m *missing) inDL() string {
	switch obj := Named(m.f.Names, "dl", m.name).(type) {
	case *types.Func:
		if args, ok := sample(m.f, obj.Name(), obj.Signature(), append([]ast.Expr{m.x}, callArgs(m.call, 0)...)); ok {
			return "; it is a function: write dl." + obj.Name() + "(" + args + ")"
		}
		return "; it is a function: dl." + obj.Name()
	case *types.TypeName:
		found, _, _ := types.LookupFieldOrMethod(obj.Type(), true, nil, "Forward")
		if forward, ok := found.(*types.Func); ok {
			args, _ := sample(m.f, "Forward", forward.Signature(), []ast.Expr{m.x})
			return "; it is a layer: write dl." + obj.Name() + "{}.Forward(" + args + ")"
		}
	}
	return ""
}

// none says that there is nothing of the kind: what the table says of that, or, where a
// slip of the hand is likely, a name that is near.
//
// slip is false where PyTorch has the name: then it was meant, and a near name would mislead.
func (m *missing) none(slip bool) string {
	if m.listed {
		return "; Holt has no " + m.name + "; " + m.say(m.word)
	}
	if n := nearMember(m.t, m.name); slip && n != "" {
		return "; did you mean " + n + "?"
	}
	// The table's line for all other names of the place.
	if w, ok := words.Find("*", m.place); ok && words.Known(m.name) {
		return "; Holt has no " + m.name + "; " + m.say(w)
	}
	return ""
}

// placeOf says where in the table the methods of a type are, and what the table
// calls a value of it.
//
// Holt's own types are known by their names; layers and data sets by their methods, so that a
// struct of the person's with a method Forward is answered as a Module. place is "" for all
// others.
func placeOf(t types.Type) (place, its string) {
	name := spell.Type(t)
	// The method set of the pointer has all methods; a pointer to an interface has none.
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
//
//	renamed("model.Names() and model.Param(…)", "model", "net") is "net.Names() and net.Param(…)"
//
// It is replaced where it stands alone before a dot and a letter. So "submodel.x",
// "dl.model.x" and the end of a sentence, "the model.", keep it.
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

// isLetter reports whether a byte can be in a name. Digits are left out: the table has none
// there.
func isLetter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// memberLike finds a method or field of a type that is spelt otherwise.
//
// An exact name is found too, but then it would not be missing.
func memberLike(t types.Type, name string) string {
	for _, n := range membersOf(t) {
		if words.Fold(n) == words.Fold(name) {
			return n
		}
	}
	return ""
}

// nearMember finds a member that is a slip of the hand away, or "".
func nearMember(t types.Type, name string) string { return near.To(name, membersOf(t)) }

// methodOf finds a method by its exact name; false where it is a field, or not there.
func methodOf(t types.Type, name string) (*types.Func, bool) {
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, nil, name)
	m, ok := obj.(*types.Func)
	return m, ok
}

// membersOf lists the methods and fields of a type that a cell can name.
//
// For a person, fields of the notebook's own structs are reachable in any case: its package is
// all cells. Of other packages, exported ones alone.
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
