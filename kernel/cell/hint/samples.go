package hint

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/words"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// This file writes calls of Holt's functions for answers, from their types and from
// the arguments that a person gave to the function of PyTorch.
//
//	torch.zeros(2, 3)       dl.Zeros(2, 3)                 the arguments fit, and are kept
//	x.stack(y)              dl.Stack([]*dl.Tensor{x, y})   a sample, of words.Samples
//	optim.SGD(p)            dl.SGD{LR: 0.01}.For(p)
//
// A person can copy the answer into the cell and change a number. Where no sample is known,
// the name alone is given.

// hasFor reports whether a type is an optimizer's settings.
//
// dl.Adam{…}.For(model) is what torch.optim.Adam(model.parameters(), …) is.
func hasFor(t types.Type) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, "For")
	_, ok := obj.(*types.Func)
	return ok
}

// trained is the model of an optimizer's first argument: model for
// model.parameters().
//
// It is "model" where the argument is written otherwise.
func trained(f *File, call *ast.CallExpr) string {
	if call == nil || len(call.Args) == 0 {
		return "model"
	}
	switch x := call.Args[0].(type) {
	case *ast.Ident:
		return f.Text(x)
	case *ast.CallExpr:
		if s, ok := x.Fun.(*ast.SelectorExpr); ok {
			return f.Text(s.X)
		}
	}
	return "model"
}

// fieldsOf writes the fields of a struct that a call's arguments stand for, in
// PyTorch's order, which is that of the fields: {In: 3, Out: 32}. It returns ""
// where they do not fit.
//
// The order is the same since dl declares the fields of a layer in the order of PyTorch's
// arguments.
func fieldsOf(f *File, s *types.Struct, call *ast.CallExpr) string {
	var fields []*types.Var
	for v := range s.Fields() {
		if v.Exported() && !v.Embedded() {
			fields = append(fields, v)
		}
	}
	args := callArgs(call, 0)
	// More arguments than fields: they cannot stand for them.
	if len(args) > len(fields) {
		return ""
	}
	var list []string
	for i, a := range args {
		if !fits(f, a, fields[i].Type()) {
			// The first alone may be something else: an optimizer has the parameters there.
			if i > 0 {
				return ""
			}
			break // an optimizer's parameters
		}
		list = append(list, fields[i].Name()+": "+f.Text(a))
	}
	if len(args) == 0 && len(fields) > 0 || len(list) == 0 && len(args) > 0 {
		// Of optimizers and the like, which are nothing without a rate.
		if len(fields) > 0 && fields[0].Name() == "LR" {
			return "{LR: 0.01}"
		}
		return ""
	}
	return "{" + strings.Join(list, ", ") + "}"
}

// fits reports whether an argument is a value of a type.
//
//	3     an int or a float, as a constant in Go is
//	0.5   a float
//	x     what is assignable, when x has a type
//
// An argument whose type go/types could not find fits nothing.
func fits(f *File, a ast.Expr, t types.Type) bool {
	// Constants are asked by their kind and not by AssignableTo, which looks at an untyped
	// constant's type and not at its value.
	tv := f.Info.Types[a]
	if tv.Type == nil || tv.Type == types.Typ[types.Invalid] {
		return false
	}
	if tv.Value != nil {
		b, ok := t.Underlying().(*types.Basic)
		if !ok {
			return false
		}
		switch tv.Value.Kind() {
		case constant.Int:
			return b.Info()&types.IsNumeric != 0
		case constant.Float:
			return b.Info()&types.IsFloat != 0
		case constant.Bool:
			return b.Info()&types.IsBoolean != 0
		}
		return false
	}
	return types.AssignableTo(tv.Type, t)
}

// called writes the call of a method.
//
// m is a method of the value whose text is x. Without a sample for some argument it is x.Name
// alone.
func called(f *File, x string, m *types.Func, args []ast.Expr) string {
	list, ok := sample(f, m.Name(), m.Signature(), args)
	if !ok {
		return x + "." + m.Name()
	}
	return x + "." + m.Name() + "(" + list + ")"
}

// sample writes the arguments of a function: those that were given, where they
// fit, else such as would do. It is false where it knows none.
//
// name is the function's, by which the table knows the usual axis. Of a variadic function, all
// that fit are written.
func sample(f *File, name string, sig *types.Signature, args []ast.Expr) (string, bool) {
	var list []string
	// Counts samples of tensors, so that a second one gets another name.
	tensors := 0
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		t := v.Type()
		last := sig.Variadic() && i == sig.Params().Len()-1
		if last {
			t = t.(*types.Slice).Elem()
		}
		if len(args) > i && fits(f, args[i], t) {
			list = append(list, f.Text(args[i]))
			for j := i + 1; last && j < len(args) && fits(f, args[j], t); j++ {
				list = append(list, f.Text(args[j]))
			}
			continue
		}
		one := value(name, v.Name(), t, &tensors)
		switch {
		// No axes means all of them, for most functions; a shape needs some numbers: 2, 3.
		case !last || one == "":
		case v.Name() == "axes" || len(args) > i:
			one = ""
		case spell.Type(t) == "int":
			one = "2, 3"
		}
		if one == "" {
			if last {
				break
			}
			return "", false
		}
		list = append(list, one)
	}
	return strings.Join(list, ", "), true
}

// value is a value for a parameter of a function, as one could write it.
//
//	axis of stack           0, from the table; -1 for functions that it does not list
//	classes                 1000
//	*dl.Tensor              y, then z, then w
//	float64                 0.5
//	a struct                its literal without fields
//
// It is "" where nothing would do, such as for a string, whose content matters.
func value(fun, name string, t types.Type, tensors *int) string {
	switch name {
	case "axis":
		if w, ok := words.Find(fun, "axis"); ok {
			return w.Text
		}
		return "-1"
	case "classes":
		return "1000"
	}
	if list := words.Samples[spell.Type(t)]; list != nil {
		if len(list) > 1 {
			*tensors++
		}
		// The last one again, when there are more tensors than names.
		return list[max(0, min(*tensors, len(list))-1)]
	}
	if spell.Type(t) == "any" {
		return "model"
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsInteger != 0:
			return "1"
		case u.Info()&types.IsFloat != 0:
			return "0.5"
		case u.Info()&types.IsString != 0:
			return ""
		case u.Info()&types.IsBoolean != 0:
			return "true"
		}
	case *types.Struct:
		return spell.Type(t) + "{}"
	}
	return ""
}

// firstArgument is the first argument of a call where that is a tensor, else x,
// and the others where they are whole numbers.
//
//	F.softmax(y, 1)   y, "1"      when y is a tensor
//	F.softmax()       x, ""
func firstArgument(f *File, call *ast.CallExpr) (x, args string) {
	x = "x"
	all := callArgs(call, 0)
	if len(all) > 0 && f.Info.Types[all[0]].Type != nil {
		if t, pointer := spell.Deref(f.Info.Types[all[0]].Type); pointer && isTensor(t) {
			x, all = f.Text(all[0]), all[1:]
		}
	}
	return x, numbers(f, all)
}

// isTensor reports whether a type is that of a tensor; a cell has pointers to it.
func isTensor(t types.Type) bool { return words.Types[spell.Type(t)].Place == "Tensor" }

// numbers writes arguments that are all whole numbers, else "".
//
// They are what $(2, 3) in the table stands for. With any other argument the table's own are
// shown.
func numbers(f *File, all []ast.Expr) string {
	var list []string
	for _, a := range all {
		if !fits(f, a, types.Typ[types.Int]) {
			return ""
		}
		list = append(list, f.Text(a))
	}
	return strings.Join(list, ", ")
}

// callArgs are the arguments of a call from one on; none where there is no call.
//
//	callArgs of F.softmax(x, 1), from 1, are [1]
func callArgs(call *ast.CallExpr, from int) []ast.Expr {
	if call == nil || len(call.Args) < from {
		return nil
	}
	return call.Args[from:]
}

// otherwise explains an argument of a function of Holt's that is no value of the
// parameter's type: dl.Zeros(x) is dl.ZerosLike(x), of others the parameters are
// listed.
//
// It is asked when nothing else has explained that the types differ. Only Holt's functions are
// listed, as their parameters have names that were chosen to be read.
func (f *File) otherwise(path []ast.Node) string {
	call, ok := innermost[*ast.CallExpr](path)
	if !ok {
		return ""
	}
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	obj := f.Info.Uses[s.Sel]
	if obj == nil || obj.Pkg() == nil || !slices.Contains(words.Own, obj.Pkg().Name()) {
		return ""
	}
	// dl.Zeros takes a shape, and dl.ZerosLike a tensor, whose shape it takes.
	if like, ok := Named(f.Names, obj.Pkg().Name(), obj.Name()+"Like").(*types.Func); ok && len(call.Args) > 0 && fits(f, call.Args[0], like.Signature().Params().At(0).Type()) {
		if args, ok := sample(f, like.Name(), like.Signature(), call.Args); ok {
			return "; write " + obj.Pkg().Name() + "." + like.Name() + "(" + args + ")"
		}
	}
	return arguments(f, call)
}

// arguments lists what a function takes, where its parameters have names.
//
//	f(1), of func f(a, b int) int   →   ; its arguments are (a int, b int)
func arguments(f *File, call *ast.CallExpr) string {
	t := f.Info.Types[call.Fun].Type
	if t == nil {
		return ""
	}
	sig, ok := t.Underlying().(*types.Signature)
	if !ok {
		return ""
	}
	var list []string
	for v := range sig.Params().Variables() {
		// Types alone are in Go's message already.
		if v.Name() == "" {
			return ""
		}
		typ := spell.Type(v.Type())
		if len(list) == sig.Params().Len()-1 && sig.Variadic() {
			typ = "..." + strings.TrimPrefix(typ, "[]")
		}
		list = append(list, v.Name()+" "+typ)
	}
	return "; its arguments are (" + strings.Join(list, ", ") + ")"
}

// exportedFields lists the fields that a literal can set. Embedded ones are left out: their
// names are types.
func exportedFields(s *types.Struct) (names []string) {
	for v := range s.Fields() {
		if v.Exported() && !v.Embedded() {
			names = append(names, v.Name())
		}
	}
	return names
}
