package gen

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// embedded keeps the name of an embedded unexported type of another program,
// by a local alias, since the type's name is the field's.
//
//	type circle struct{ point }    stays, and support.go has
//	type point = ˣ3.Ħpoint
//
// Written as ˣ3.Ħpoint, the field would be called Ħpoint.
func (r *rewriter) embedded(x ast.Expr) {
	if s, ok := x.(*ast.StarExpr); ok {
		x = s.X
	}
	switch t := x.(type) { // of a generic type, only the name
	case *ast.IndexExpr:
		x = t.X
	case *ast.IndexListExpr:
		x = t.X
	}
	id, ok := x.(*ast.Ident)
	if !ok {
		return
	}
	obj, ok := r.g.in.Info.Uses[id].(*types.TypeName)
	if !ok || obj.Exported() || !r.g.in.PackageLevel(obj) || r.g.home(obj) == r.g.in.Seq {
		return
	}
	r.skip[id] = true
	r.g.localAlias[id.Name] = obj
}

// conversion bridges two struct types, or pointers to them, that are alike but
// for the packages of their unexported fields: Go's own conversion refuses them.
//
//	B(a)    ˣconvert[B](a)
//
// The check sees one package and has allowed the conversion: the two have the same memory,
// so that ˣconvert reads the one as the other.
func (r *rewriter) conversion(call *ast.CallExpr) {
	info := r.g.in.Info
	if v := info.Types[call].Value; v != nil && r.isOffsetof(call) {
		// The value is known to the check, and is a constant, as the call is one.
		// Of a field of another program's type there is no selector here.
		start, end := r.f.Offsets(call)
		r.ed.Replace(start, end, "uintptr("+v.ExactString()+")"+r.breaks(call.Pos(), call.End()))
		return
	}
	if len(call.Args) != 1 || !info.Types[call.Fun].IsType() {
		return
	}
	if r.sameFields(info.Types[call.Fun].Type, info.Types[call.Args[0]].Type) { // the most of them
		return
	}
	r.ed.Insert(r.off(call.Fun.Pos()), "ˣconvert[")
	r.ed.Insert(r.off(call.Fun.End()), "]")
	r.g.converts = true
}

// isOffsetof reports whether a call is of unsafe.Offsetof, on an unexported field.
func (r *rewriter) isOffsetof(call *ast.CallExpr) bool {
	fun, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || fun.Sel.Name != "Offsetof" || len(call.Args) != 1 {
		return false
	}
	b, ok := r.g.in.Info.Uses[fun.Sel].(*types.Builtin)
	field, ok2 := ast.Unparen(call.Args[0]).(*ast.SelectorExpr)
	return ok && ok2 && b.Name() == "Offsetof" && !field.Sel.IsExported()
}

// sameFields reports whether Go's own conversion sees two types, one of which
// converts to the other in the notebook, as this package does.
//
// It is true for all conversions that have nothing to do with structs: they are as Go has
// them.
func (r *rewriter) sameFields(to, from types.Type) bool {
	// Go compares the fields of both types all the way down, also behind pointers: an
	// unexported field is the same only if one package declares it.
	same := true
	var compare func(a, b types.Type)
	compare = func(a, b types.Type) {
		if types.Identical(a, b) {
			return
		}
		// Go converts a pointer where what it points to has the same underlying type.
		if p, ok := a.Underlying().(*types.Pointer); ok {
			if q, ok := b.Underlying().(*types.Pointer); ok {
				compare(p.Elem(), q.Elem())
			}
			return
		}
		s, ok := a.Underlying().(*types.Struct)
		t, ok2 := b.Underlying().(*types.Struct)
		if !ok || !ok2 || s.NumFields() != t.NumFields() {
			return
		}
		for i := range s.NumFields() {
			v, w := s.Field(i), t.Field(i)
			if !v.Exported() && r.fieldHome(a, v) != r.fieldHome(b, w) {
				same = false
			}
			compare(v.Type(), w.Type())
		}
	}
	if from != nil {
		compare(to, from)
	}
	return same
}

// fieldHome is where an unexported field is declared: for one of the notebook, a
// program's number.
//
// For a field of a library it is the library's [types.Package].
func (r *rewriter) fieldHome(t types.Type, v *types.Var) any {
	if v.Pkg() != nil && v.Pkg().Path() != spell.Path {
		return v.Pkg()
	}
	return r.g.fieldHome(t, v)
}

// foreignField reports whether a field is unexported and declared by the
// package of another program.
//
// t is the type in which the field stands: a struct without a name may have its home
// elsewhere than the place where it is spelled.
func (r *rewriter) foreignField(t types.Type, v *types.Var) bool {
	return !v.Exported() && v.Pkg() != nil && v.Pkg().Path() == spell.Path && r.g.fieldHome(t, v) != r.g.in.Seq
}

// accessor opens a call of the function that gives a field of t: its address, where name is
// [spell.FieldAddr], or its value, where it is [spell.FieldValue].
//
// Accessors are generic, and take every type that is made of the struct: also B of "type B A".
// Two parentheses are open at its end, which access and composite close.
//
//	ˣ3.ĦˣF_Ħˣs0ˣ_x((       a struct with a shape
//	ˣ3.ĦˣF_boxˣ_n((        a struct without a shape: see own
//	ˣ3.ĦˣV_Ħˣs0ˣ_x((       its value, of an operand without an address
func (r *rewriter) accessor(name func(owner, field string) string, t types.Type, v *types.Var) string {
	sh, ok := r.g.shapeOf(t, v)
	owner := sh.name
	if !ok {
		owner = r.g.owner(t, v)
	}
	return r.from(r.g.fieldHome(t, v)) + name(owner, v.Name()) + "(("
}

// access returns what to write before and after x to select the field that the
// indices lead to; ok is false when Go's own selector does.
//
// The way may lead through embedded structs, of which each may be another program's, so
// that it is gone step by step. A field of a value that has an address is reached by its
// address, since x.f = 1 must change x and not a copy; of one that has none, such as the
// result of a call, an accessor returns the value.
//
//	p.x        (*ˣ3.ĦˣF_Ħˣs0ˣ_x((&Ħp)))
//	q.x        (*ˣ3.ĦˣF_Ħˣs0ˣ_x((Ħq)))       q is a pointer
//	f().x      ˣ3.ĦˣV_Ħˣs0ˣ_x((Ħf()))
func (r *rewriter) access(x ast.Expr, sel *types.Selection) (before, after string, ok bool) {
	t, ptr := spell.Deref(sel.Recv())
	tv := r.g.in.Info.Types[x]
	addr := ptr || tv.Addressable()
	// Index leads through each embedded field to the last. After each step, t is the type of
	// what is reached, ptr says that it is a pointer, and addr that it can be assigned to.
	for _, i := range sel.Index() {
		st, isStruct := types.Unalias(t).Underlying().(*types.Struct)
		if !isStruct {
			return "", "", false
		}
		v := st.Field(i)
		switch {
		case !r.foreignField(t, v):
			after += "." + v.Name()
		case ptr:
			before, after = "(*"+r.accessor(spell.FieldAddr, t, v)+before, after+")))"
			ok, addr = true, true
		case addr:
			before, after = "(*"+r.accessor(spell.FieldAddr, t, v)+"&"+before, after+")))"
			ok = true
		default:
			before, after = r.accessor(spell.FieldValue, t, v)+before, after+"))"
			ok = true
		}
		t, ptr = spell.Deref(v.Type())
		addr = addr || ptr
	}
	return before, after, ok
}

// selector writes what stands before x in x.f, where f is a field that Go cannot reach from
// here, and leaves the name f to selectorEnd.
func (r *rewriter) selector(n *ast.SelectorExpr) {
	sel := r.g.in.Info.Selections[n]
	if sel == nil {
		r.skip[n.Sel] = true // pkg.Name
		return
	}
	if sel.Kind() != types.FieldVal {
		return
	}
	before, _, ok := r.access(n.X, sel)
	if !ok {
		return
	}
	r.skip[n.Sel] = true
	r.ed.Insert(r.off(n.X.Pos()), before)
}

// selectorEnd replaces .f, from the end of x on, by what closes the call.
func (r *rewriter) selectorEnd(n *ast.SelectorExpr) {
	if !r.skip[n.Sel] {
		return
	}
	sel := r.g.in.Info.Selections[n]
	if sel == nil {
		return
	}
	_, after, _ := r.access(n.X, sel)
	r.ed.Replace(r.off(n.X.End()), r.off(n.Sel.End()), after+r.breaks(n.X.End(), n.Sel.End()))
}

// foreignFields returns the struct type of a literal that sets unexported
// fields of another program's type, or nil.
//
// Such a literal cannot be written: a field that is not exported may be named, and a literal
// without names may set it, in its own package only. A literal without elements is fine.
func (r *rewriter) foreignFields(lit *ast.CompositeLit) *types.Struct {
	tv, ok := r.g.in.Info.Types[lit]
	if !ok || len(lit.Elts) == 0 {
		return nil
	}
	t, _ := spell.Deref(core(tv.Type))
	st, ok := types.Unalias(t).Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	for i, e := range lit.Elts {
		if v := r.field(st, i, e); v != nil && r.foreignField(t, v) {
			return st
		}
	}
	return nil
}

// isParam reports whether a type is a type parameter.
func isParam(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.TypeParam)
	return ok
}

// core returns what a type parameter stands for, where its constraint names one
// type, and other types as they are.
//
// A literal T{x: 1} is allowed where all types of T's constraint have one underlying type. Of
// a constraint with several terms it returns the parameter itself, whose literals stay.
//
//	[T point]    [T interface{ point }]    [T ~struct{ x int }]
func core(t types.Type) types.Type {
	p, ok := types.Unalias(t).(*types.TypeParam)
	if !ok {
		return t
	}
	for c := p.Constraint(); ; {
		switch u := c.(type) {
		case *types.Interface:
			if u.NumEmbeddeds() != 1 {
				return t
			}
			c = u.EmbeddedType(0)
		case *types.Union:
			if u.Len() != 1 {
				return t
			}
			return u.Term(0).Type()
		default:
			if !types.IsInterface(c) {
				return c
			}
			c = c.Underlying()
		}
	}
}

// field returns the field that element i of a literal sets.
func (r *rewriter) field(st *types.Struct, i int, e ast.Expr) *types.Var {
	if kv, ok := e.(*ast.KeyValueExpr); ok {
		id, ok := kv.Key.(*ast.Ident)
		if !ok {
			return nil
		}
		for j := range st.NumFields() {
			if st.Field(j).Name() == id.Name {
				return st.Field(j)
			}
		}
		return nil
	}
	if i < st.NumFields() {
		return st.Field(i)
	}
	return nil
}

// composite turns a literal that sets another program's unexported fields into
// a function literal that sets them one by one. In c7, of the type point of c3:
//
//	point{x: 1, y: 2}
//	func() ˣ3.Ħpoint { var ˣv ˣ3.Ħpoint; *ˣ3.ĦˣF_Ħˣs0ˣ_x((&ˣv)) = 1; … return ˣv }()
//
// Elements stay where they stand, in their order and on their lines; only what is between
// them is written anew, here what comes before each, and in compositeEnd what comes after.
//
// A literal behind & or for a *point, as in []*point{{x: 1}}, returns a pointer. One of a type
// parameter is made of its core type and then converted, since a type parameter has no
// fields.
func (r *rewriter) composite(lit *ast.CompositeLit) {
	st := r.foreignFields(lit)
	if st == nil {
		return
	}
	whole := r.g.in.Info.Types[lit].Type
	t, ptr := spell.Deref(core(whole))
	tp := r.g.printer(r.use)
	typ := tp.String(t)
	open := "func("
	if r.hoistRecover(lit) {
		open += "ˣrecovered any"
	}
	if open += ") "; ptr || r.asPtr[lit] {
		open += "*"
	}
	open += typ + " { var ˣv " + typ + "; "
	if r.asPtr[lit], r.asParam[lit] = ptr || r.asPtr[lit], isParam(whole); r.asParam[lit] {
		of := tp.String(whole)
		if r.asPtr[lit] && !ptr {
			of = "*" + of
		}
		open = "ˣconvert[" + of + "](" + open
		r.g.converts = true
	}
	r.ed.Replace(r.off(lit.Pos()), r.off(lit.Lbrace)+1, open+r.breaks(lit.Pos(), lit.Lbrace))
	for i, e := range lit.Elts {
		v := r.field(st, i, e)
		set := "ˣv." + v.Name() + " = "
		if r.foreignField(t, v) {
			set = "*" + r.accessor(spell.FieldAddr, t, v) + "&ˣv)) = "
		}
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			r.skip[kv.Key] = true
			r.ed.Replace(r.off(kv.Pos()), r.off(kv.Value.Pos()), set+r.breaks(kv.Pos(), kv.Value.Pos()))
		} else {
			r.ed.Insert(r.off(e.Pos()), set)
		}
	}
}

// compositeEnd writes what comes after the elements of such a literal: a semicolon in the
// place of each comma, and the end of the function literal.
//
// The breaks between elements stay, and a comment may hold a comma of its own: hence the
// search.
func (r *rewriter) compositeEnd(lit *ast.CompositeLit) {
	if r.foreignFields(lit) == nil {
		return
	}
	for i, e := range lit.Elts {
		limit := r.off(lit.Rbrace)
		if i+1 < len(lit.Elts) {
			limit = r.off(lit.Elts[i+1].Pos())
		}
		at := r.off(e.End())
		if comma := r.comma(at, limit); comma >= 0 {
			r.ed.Replace(comma, comma+1, ";")
		} else {
			r.ed.Insert(at, ";")
		}
	}
	end := " return ˣv }("
	if r.asPtr[lit] {
		end = " return &ˣv }("
	}
	if r.hoisted[lit] {
		end += r.rt("Recovered") + "(recover())"
	}
	if end += ")"; r.asParam[lit] {
		end += ")"
	}
	r.ed.Replace(r.off(lit.Rbrace), r.off(lit.Rbrace)+1, end)
}

// comma finds the comma in body[from:to], outside comments.
//
// It is -1 where there is none: behind the last element, on the line of the brace.
func (r *rewriter) comma(from, to int) int {
	for i := from; i < to; i++ {
		switch rest := r.f.Body[i:to]; {
		case rest[0] == ',':
			return i
		case strings.HasPrefix(rest, "//"):
			if j := strings.IndexByte(rest, '\n'); j >= 0 {
				i += j
			}
		case strings.HasPrefix(rest, "/*"):
			if j := strings.Index(rest, "*/"); j >= 0 {
				i += j + 1
			}
		}
	}
	return -1
}
