package hint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/words"
	"github.com/holt-dl/holt/internal/near"
)

// This file answers names that PyTorch has and Holt has not, or not there: a
// function that is a method here, a name of another package, another spelling, or
// something that is missing, with the way round. What dl says for a name of
// PyTorch is in package dl/words; the rest follows from the types of Holt's
// packages, so the kernel knows no function of dl by heart.

// packageName explains a name of a package: the words of torch.nn.Linear.
//
// Words behind the package are tried from the last one on, so that of torch.cuda.is_available
// it is is_available that is explained, and where nothing is known of that, cuda.
func (f *File) packageName(path []ast.Node, chain []string) string {
	// The last word of all is left out: it is what is looked for, even where a package has its
	// name.
	at := -1 // the last word that is a package
	var in words.Package
	for i, w := range chain[:len(chain)-1] {
		if pkg, ok := words.Packages[w]; ok {
			at, in = i, pkg
		}
	}
	if at < 0 {
		return ""
	}
	typed := strings.Join(chain, ".")
	call := calling(f, path, typed)
	for i := len(chain) - 1; i > at; i-- {
		if hint := f.nameIn(in, strings.Join(chain[:i+1], "."), chain[i], call); hint != "" {
			return "; " + hint
		}
	}
	return ""
}

// nameIn explains name, typed as typed, of a package.
//
// It tries, from what is certain to what is likely:
//
//	settings of the very name      nn.Conv2d         nn.Conv2d is dl.Conv2d here
//	the table, where it has text   plt.plot          write display.Plot(…)
//	a name that is spelt otherwise np.zeros          np.zeros is dl.Zeros here: dl.Zeros(3)
//	a method of tensors            F.softmax(x, 1)   it is a method of tensors: write x.Softmax(1)
//	another of Holt's packages     nn.CIFAR10        nn.CIFAR10 is vision.CIFAR10 here
//	the table, for other places than the package's
//	the table's word that there is none, and the way round
//	a slip of the hand             dl.Liner          did you mean dl.Linear?
//	the table's word for all such names
//
// typed is the whole of the name as it stands in the cell, and call the call of it, or nil.
// The answer has no semicolon yet.
func (f *File) nameIn(in words.Package, typed, name string, call *ast.CallExpr) string {
	// dl.Foo is a name of Holt's that does not exist; nn.Foo may well exist, elsewhere.
	foreign := !slices.Contains(in.Holt, strings.TrimSuffix(typed, "."+name)) // of PyTorch, not of Holt
	x, args := firstArgument(f, call)
	for _, pkg := range in.Holt { // nn.Conv2d is a layer, though there is a word for F.conv2d
		if t, ok := object(f.Names, pkg, name).(*types.TypeName); ok && foreign && isSettings(t.Type()) {
			return f.isHere(typed, pkg, t, call)
		}
	}
	m := Method(f.Names, name)
	// Only functions of torch have tensors for their first argument.
	if !slices.Contains(in.Places, "torch") {
		m = nil
	}
	w, listed := words.Find(name, in.Places...)
	// F.relu and nn.ReLU fold to one name, and are two: the table's line is for that which it
	// spells.
	if listed && !w.Missing && (m == nil || w.Spells(name)) {
		return w.Say(x, args)
	}
	if pkg, obj := f.spelledOtherwise(in, name, foreign, m != nil); obj != nil {
		return f.isHere(typed, pkg, obj, call)
	}
	if m != nil {
		return "it is a method of tensors: write " + called(f, x, m, callArgs(call, 1))
	}
	if !listed {
		// The person has the name right and the package wrong.
		for _, pkg := range words.Own {
			if obj := Named(f.Names, pkg, name); obj != nil && !slices.Contains(in.Holt, pkg) {
				return f.isHere(typed, pkg, obj, call)
			}
		}
		w, listed = words.Find(name, words.Places...)
		if listed && !w.Missing {
			return w.Say(x, args)
		}
	}
	return f.isMissing(in, w, listed, typed, name, foreign, call)
}

// spelledOtherwise finds a name of a package but for capital letters and the like, and the
// package of Holt's that has it. Where tensors have a method of the name as well, F.relu is the
// method and nn.ReLU the layer.
func (f *File) spelledOtherwise(in words.Package, name string, foreign, isMethod bool) (pkg string, obj types.Object) {
	for _, pkg := range in.Holt {
		obj := Named(f.Names, pkg, name)
		if _, isType := obj.(*types.TypeName); isType && isMethod && !token.IsExported(name) {
			continue
		}
		// dl.Zeros itself is there: the error is another one.
		if obj != nil && (foreign || obj.Name() != name) {
			return pkg, obj
		}
	}
	return "", nil
}

// isMissing explains a name that Holt does not have, by the table's line for it, which is w
// where listed, by a name that is near, or by the line for all such names.
func (f *File) isMissing(in words.Package, w words.Word, listed bool, typed, name string, foreign bool, call *ast.CallExpr) string {
	x, args := firstArgument(f, call)
	// Of Holt's own package, "Holt has no dl.Foo" would say it twice.
	short := name
	if foreign {
		short = typed
	}
	if listed {
		return "Holt has no " + short + "; " + w.Say(x, args)
	}
	// A name that PyTorch has is no slip.
	if n := nearName(f.Names, in.Holt, name); n != "" && !words.Known(name) {
		return "did you mean " + n + "?"
	}
	// First the line for all losses or layers, which says how one writes one's own.
	for _, kind := range []string{kindOf(name), "*"} {
		if rest, ok := words.Find(kind, in.Places...); ok && (foreign || words.Known(name)) {
			return "Holt has no " + short + "; " + rest.Say(x, args)
		}
	}
	return ""
}

// kindOf is the entry for names that have none of their own.
//
// By PyTorch's habits of naming: a loss ends in Loss, and other classes are layers for the
// most part.
func kindOf(name string) string {
	switch {
	case strings.HasSuffix(name, "Loss"):
		return "*loss"
	case token.IsExported(name):
		return "*layer"
	}
	return "*"
}

// nearName is the name of some packages that is a little different, or "".
//
// It has its package before it: dl.Linear.
func nearName(names Names, pkgs []string, name string) string {
	for _, pkg := range pkgs {
		if n := near.To(name, exported(names, pkg)); n != "" {
			return pkg + "." + n
		}
	}
	return ""
}

// isHere says where a name of PyTorch is, and how it is written.
//
//	torch.nn.Linear(3, 4)   torch.nn.Linear is dl.Linear here: dl.Linear{In: 3, Out: 4}
//	nn.Linear{}             nn.Linear is dl.Linear here
//	nn.MSELoss()            nn.MSELoss is dl.MSELoss here; output.Loss(dl.MSELoss{}, target) …
//
// The code is left out where the arguments do not fit, because an example with other numbers
// than those of the person would mislead.
func (f *File) isHere(typed, pkg string, obj types.Object, call *ast.CallExpr) string {
	name := pkg + "." + obj.Name()
	code := name
	switch obj := obj.(type) {
	case *types.Func:
		args, ok := sample(f, obj.Name(), obj.Signature(), callArgs(call, 0))
		if !ok {
			return typed + " is " + name + " here"
		}
		code += "(" + args + ")"
	case *types.TypeName:
		s, isStruct := obj.Type().Underlying().(*types.Struct)
		if !isStruct {
			return typed + " is " + name + " here"
		}
		// A loss is not called: it is given to Loss.
		if terms, _, _ := types.LookupFieldOrMethod(obj.Type(), true, nil, "Terms"); terms != nil {
			return typed + " is " + name + " here; output.Loss(" + name + "{}, target) is its value"
		}
		if code += fieldsOf(f, s, call); hasFor(obj.Type()) {
			code += ".For(" + trained(f, call) + ")"
		} else if !strings.HasSuffix(code, "}") {
			return typed + " is " + name + " here"
		}
	default:
		return typed + " is " + name + " here"
	}
	return typed + " is " + name + " here: " + code
}

// chain is the words of the selector that begins with the innermost name of path,
// such as torch.nn.Linear, without what a call in it is followed by.
//
//	torch.nn.Linear(3, 4).weight, at torch   →   [torch nn Linear]
//
// path ends at its first word, and selectors that begin there are around it. The walk ends at
// the call.
func chain(path []ast.Node) []string {
	var list []string
	for i := len(path) - 1; i >= 0; i-- {
		switch n := path[i].(type) {
		case *ast.Ident:
			list = []string{n.Name}
		case *ast.SelectorExpr:
			if len(list) == 0 || n.Pos() != path[len(path)-1].Pos() {
				return list
			}
			list = append(list, n.Sel.Name)
		default:
			return list
		}
	}
	return list
}

// alone explains a name that stands alone, for a person who is used to from torch
// import nn. A name before a dot may be a package.
//
//	len(x), Linear(3, 4), DataLoader{}, relu(x)
//
// A name before a dot is asked for as a word of Python only, since package names are explained
// elsewhere.
func (f *File) alone(path []ast.Node, name string, isBase bool) string {
	call := calling(f, path, name)
	x, args := firstArgument(f, call)
	// By its exact spelling: Image of PIL is not the variable image.
	if w, ok := words.Find(name, "python"); ok && slices.Contains(w.Names, name) {
		return "; " + w.Say(x, args)
	}
	if isBase {
		return ""
	}
	for _, pkg := range words.Own {
		// A class of PyTorch's that a package of Holt's has.
		if !token.IsExported(name) || !slices.Contains(exported(f.Names, pkg), name) {
			continue
		}
		if _, code, ok := strings.Cut(f.isHere(name, pkg, object(f.Names, pkg, name), call), " here: "); ok {
			return "; write " + code
		}
		return "; write " + pkg + "." + name
	}
	// relu alone may be anything; relu(…), of a name that PyTorch has, is its function.
	if call == nil || !words.Known(name) {
		return ""
	}
	if hint := f.nameIn(words.Package{Holt: []string{"dl"}, Places: words.Places}, name, name, call); hint != "" {
		return "; " + hint
	}
	return ""
}
