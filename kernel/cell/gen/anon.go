package gen

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Struct types without a name
//
// Go takes an unexported field as another field in each package, so a struct
// type that is spelled in two cells, such as struct{ x, y int }, would be two
// types. Therefore each program that spells one first declares a generic alias
// for it, with a type parameter for each field:
//
//	type Ħˣs0[ˣ0, ˣ1 any] = struct { x ˣ0; y ˣ1 }
//
// and every later program writes ˣ3.Ħˣs0[int, int] where its text spells the
// struct, anywhere: in declarations, in bodies, with type parameters of its own
// or types of its functions as arguments. So the names, tags and embedded types
// of the fields decide where a struct type is at home; their types need not be
// known there. Fields are reached by generic functions of the same package.
//
// The struct of a named type, type T struct{ x, y int }, has such an alias too.
// It stays as it is written, so that its own cell reaches its fields directly,
// except where a struct without a name has the same fields, or another named type
// the same struct: it takes their alias, since values can be assigned or converted
// from one to the other. A struct without a name that comes after the named type
// takes the named type's.

// shapeKey tells shapes apart. It is empty for a struct type that no other
// program can spell, or that is the same everywhere: one without unexported
// fields of the notebook, or that embeds a type of a function or of a type
// parameter.
//
// For struct{ x, y int } it is
//
//	x "";y "";
//
// with the tags in quotes, and behind the name of an embedded field its type. A type of the
// notebook is told by the place of its declaration, since a name may be declared again.
func shapeKey(st *types.Struct) string {
	var b strings.Builder
	hides := false
	tp := &spell.Printer{
		Pkg:  func(p *types.Package) string { return p.Path() },
		Name: func(t *types.TypeName) string { return fmt.Sprint(t.Name(), "@", t.Pos()) },
		Anon: func(*types.Struct) (string, bool) { return "", false },
	}
	for i := range st.NumFields() {
		v := st.Field(i)
		if !v.Exported() {
			// Only the library itself can spell a struct with this field.
			if v.Pkg() == nil || v.Pkg().Path() != spell.Path {
				return ""
			}
			hides = true
		}
		b.WriteString(v.Name() + " ")
		if v.Embedded() {
			// An embedded type cannot be an argument of the alias: it gives the field its name. And
			// the alias, at package level, cannot name a type parameter of something else.
			if spell.Generic(v.Type()) {
				return ""
			}
			b.WriteString(tp.String(v.Type()))
		}
		b.WriteString(strconv.Quote(st.Tag(i)) + ";")
	}
	if !hides || tp.Err != nil {
		return ""
	}
	return b.String()
}

// shape finds the alias of a struct type without a name: that of an earlier
// program, or of a named type, or else one that this program declares. It is
// false for a type that needs none.
//
// What is found is noted in g.shapes for the rest of this program, and by commit for all later
// ones. An earlier program's comes first, so that the type is what it was.
func (g *generator) shape(st *types.Struct) (shape, bool) {
	key := shapeKey(st)
	if key == "" {
		return shape{}, false
	}
	for _, known := range []map[string]shape{g.code.shapes, g.shapes} {
		if sh, ok := known[key]; ok {
			return sh, true
		}
	}
	sh, ok := g.likeNamed(key, st)
	if !ok {
		sh = g.declareShape(key, st)
	}
	g.shapes[key] = sh
	return sh, true
}

// likeNamed finds the shape of the last live named type that is made of st.
//
//	cell 3    type point struct{ x, y int }
//	cell 4    p := point{1, 2}; var q struct{ x, y int } = p
//
// The struct of cell 4 has to be that of point, or the assignment is refused. A type that was
// declared again is not asked: new values are of the new one. Here the types of the fields
// count as well, unlike in a key, since two named types may differ in these alone.
func (g *generator) likeNamed(key string, st *types.Struct) (shape, bool) {
	for _, known := range [][]namedShape{g.named[key], g.code.named[key]} {
		for _, n := range slices.Backward(known) {
			// The package of the check has the object that a name means with this cell.
			live := g.in.Pkg.Scope().Lookup(n.obj.Name()) == n.obj
			if live && types.Identical(n.obj.Type().Underlying(), st) {
				return n.shape, true
			}
		}
	}
	return shape{}, false
}

// declareShape gives a struct type an alias in this program.
//
// The number is the place in g.structs, in the order of which aliases declares them.
func (g *generator) declareShape(key string, st *types.Struct) shape {
	sh, ok := g.declared[key]
	if !ok {
		sh = shape{g.in.Seq, "Ħˣs" + strconv.Itoa(len(g.structs))}
		g.declared[key] = sh
		g.structs = append(g.structs, st)
	}
	return sh
}

// findShapes looks at every struct type that the program's files spell, those of
// named types first.
//
// Those of named types come first, wherever they stand, since a struct without a name takes a
// named type's alias, and not the other way round. Structs that no text spells, such as the
// type of a variable of an earlier cell, are found when they are printed.
func (g *generator) findShapes() {
	var unnamed []*types.Struct
	for _, f := range g.in.Files {
		if f.Kind == syntax.CgoFile || f.Kind == syntax.VarFile {
			continue
		}
		names := map[ast.Expr]*ast.Ident{}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				// type A = struct{ x int } declares no type of its own: its struct has no name.
				if !n.Assign.IsValid() {
					names[ast.Unparen(n.Type)] = n.Name
				}
			case *ast.StructType:
				st, ok := g.in.Info.Types[n].Type.(*types.Struct)
				if !ok {
					break
				}
				if obj, ok := g.in.Info.Defs[names[n]].(*types.TypeName); ok {
					g.nameShape(obj, st)
				} else {
					unnamed = append(unnamed, st)
				}
			}
			return true
		})
	}
	for _, st := range unnamed {
		if sh, ok := g.shape(st); ok {
			g.setShape(st, sh)
		}
	}
}

// nameShape finds or declares the alias of the struct of a named type.
//
// A type that is declared in a function gets no alias for its own sake: no other program can
// name it. It takes one that its struct has already.
func (g *generator) nameShape(obj *types.TypeName, st *types.Struct) {
	key := shapeKey(st)
	if key == "" {
		return
	}
	// It asks for structs without a name before other named types, as shape does.
	sh, ok := g.code.shapes[key]
	if !ok {
		sh, ok = g.likeNamed(key, st)
	}
	if !ok && spell.PackageLevel(obj) {
		sh, ok = g.declareShape(key, st), true
	}
	if ok {
		g.setShape(st, sh)
		g.named[key] = append(g.named[key], namedShape{sh, obj})
	}
}

// setShape notes for each field of a struct the alias that declares it. Fields are objects,
// which a type shares with those that are made of it, as B does in "type B A".
func (g *generator) setShape(st *types.Struct, sh shape) {
	for v := range st.Fields() {
		g.shaped[v] = sh
	}
}

// shapeOf returns the shape that declares the field v of t, if one does.
//
// An instance of a generic type has fields of its own, which lead to those of the declaration
// by Origin.
func (g *generator) shapeOf(t types.Type, v *types.Var) (shape, bool) {
	for _, known := range []map[*types.Var]shape{g.shaped, g.code.shaped} {
		if sh, ok := known[v.Origin()]; ok {
			return sh, true
		}
	}
	// A struct that no file spells: the type of an expression.
	if st, ok := types.Unalias(t).(*types.Struct); ok {
		return g.shape(st)
	}
	return shape{}, false
}

// structType writes the alias of a struct type that is at home in another
// program. The types of its fields stay as the cell writes them.
//
// It runs after the fields were visited: what they have become is rendered with the edits that
// were made inside them, and those edits are dropped with the text that is replaced.
//
//	struct{ p point; n int }    ˣ5.Ħˣs0[ˣ3.Ħpoint, int]
func (r *rewriter) structType(n *ast.StructType) {
	sh, ok := r.foreignShape(n)
	if !ok {
		return
	}
	var args []string
	for _, fl := range n.Fields.List {
		start, end := r.f.Offsets(fl.Type)
		text, _ := r.ed.Render(start, end)
		// x, y int are two arguments; an embedded field is none, since it is in the alias.
		for range fl.Names {
			args = append(args, text)
		}
	}
	list := strings.Join(args, ", ")
	if list != "" {
		list = "[" + list + "]"
	}
	// Line breaks stand behind the dot, where they end no statement.
	start, end := r.f.Offsets(n)
	// Types of several lines keep their own breaks; the others are put in before the name.
	breaks := max(0, strings.Count(r.f.Body[start:end], "\n")-strings.Count(list, "\n"))
	r.ed.Replace(start, end, r.from(sh.home)+strings.Repeat("\n", breaks)+sh.name+list)
}

// foreignShape returns the shape of a struct type that is spelled here and at
// home in another program.
//
// All fields of a struct have the same shape, so that the first will do.
func (r *rewriter) foreignShape(n *ast.StructType) (shape, bool) {
	st, ok := r.g.in.Info.Types[n].Type.(*types.Struct)
	if !ok || st.NumFields() == 0 {
		return shape{}, false
	}
	sh, ok := r.g.shaped[st.Field(0)]
	return sh, ok && sh.home != r.g.in.Seq
}

// anonymous writes a struct type without a name by its alias; ok is false for
// one that is spelled out.
//
// It does for a type what structType does for text. A struct at home in this program is spelled
// out: it is the same type as its alias.
func (g *generator) anonymous(tp *spell.Printer, from func(home int) string, st *types.Struct) (text string, ok bool) {
	sh, ok := g.shape(st)
	if !ok || sh.home == g.in.Seq {
		return "", false
	}
	var args []string
	for v := range st.Fields() {
		if !v.Embedded() {
			args = append(args, tp.String(v.Type()))
		}
	}
	text = from(sh.home) + sh.name
	if len(args) > 0 {
		text += "[" + strings.Join(args, ", ") + "]"
	}
	return text, true
}

// aliases declares the struct types that are at home in this program, with the
// functions that reach their unexported fields in values of them and of types
// that are made of them.
//
// For struct{ x int } there are, on a line each:
//
//	type Ħˣs0[ˣ0 any] = struct { x ˣ0 }
//	func ĦˣF_Ħˣs0ˣ_x[ˣS ~Ħˣs0[ˣ0], ˣ0 any](ˣv *ˣS) *ˣ0 {
//		return &(*Ħˣs0[ˣ0])(ˣunsafe.Pointer(ˣv)).x }
//	func ĦˣV_Ħˣs0ˣ_x[ˣS ~Ħˣs0[ˣ0], ˣ0 any](ˣv ˣS) ˣ0 {
//		return (*Ħˣs0[ˣ0])(ˣunsafe.Pointer(&ˣv)).x }
//
// ˣS is the struct or any type made of it, and Go infers ˣ0 from it. The pointer is converted by
// way of unsafe, since Go gives a value of a type parameter no fields, and converts no pointer
// to one (spec, "Selectors" and "Conversions").
func (g *generator) aliases(b *strings.Builder, tp *spell.Printer, use map[string]string) {
	for i := 0; i < len(g.structs); i++ { // printing one may find more
		st := g.structs[i]
		name := "Ħˣs" + strconv.Itoa(i)
		// A field's type becomes a parameter of the alias, unless the field is embedded.
		var params, fields, typs []string
		for j := range st.NumFields() {
			v := st.Field(j)
			field, typ := v.Name()+" ", ""
			if v.Embedded() {
				var e strings.Builder
				tp.Embedded(&e, v.Type())
				field, typ = "", e.String()
			} else {
				typ = "ˣ" + strconv.Itoa(len(params))
				params = append(params, typ)
			}
			field += typ
			if tag := st.Tag(j); tag != "" {
				field += " " + strconv.Quote(tag)
			}
			fields, typs = append(fields, field), append(typs, typ)
		}
		list, args := "", ""
		// Go has no empty list of type parameters: a struct of embedded fields has a plain alias.
		if len(params) > 0 {
			args = strings.Join(params, ", ")
			list, args = ", "+args+" any", "["+args+"]"
			fmt.Fprintf(b, "type %s[%s] = struct { %s }\n", name, list[2:], strings.Join(fields, "; "))
		} else {
			fmt.Fprintf(b, "type %s = struct { %s }\n", name, strings.Join(fields, "; "))
		}
		use["ˣunsafe"] = "unsafe"
		for j := range st.NumFields() {
			v := st.Field(j)
			if v.Exported() || v.Name() == "_" {
				continue
			}
			writeAccessors(b, name, v.Name(), name+args, list, typs[j])
		}
	}
}

// writeAccessors writes the two functions that reach an unexported field of a struct, whose
// text is typ, in values of all types that are made of it. Params are the type parameters in it,
// each with a comma before it.
func writeAccessors(b *strings.Builder, owner, field, typ, params, result string) {
	fmt.Fprintf(b, "func %s[ˣS ~%s%s](ˣv *ˣS) *%s { return &(*%s)(ˣunsafe.Pointer(ˣv)).%s }\n",
		spell.FieldAddr(owner, field), typ, params, result, typ, field)
	fmt.Fprintf(b, "func %s[ˣS ~%s%s](ˣv ˣS) %s { return (*%s)(ˣunsafe.Pointer(&ˣv)).%s }\n",
		spell.FieldValue(owner, field), typ, params, result, typ, field)
}
