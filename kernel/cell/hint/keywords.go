package hint

import (
	"go/types"
	"regexp"
	"strings"

	"github.com/holt-dl/holt/dl/words"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// Python's arguments by name, as in nn.Conv2d(3, 16, kernel_size=3, bias=False), do
// not parse as Go. This file reads such a call from the line's text, and writes
// what is meant: dl.Conv2d{In: 3, Out: 16, Kernel: 3, NoBias: true}.
//
// The parser stops at the first =, so there is no tree and no type of anything: what the
// arguments are is known by their look alone, and what Holt has by the types of its packages.
// Answers are given for calls that end in the same line.
//
//	optim.SGD(model, lr=0.1)      dl.SGD{LR: 0.1}.For(model)
//	x.Sum(dim=1)                  x.Sum(1)
//	F.softmax(x, dim=1)           x.Softmax(1)

// The forms of Python's text that are read. They are asked of one line, and need not know all
// of Python: what they do not match is not answered.
var (
	// keyword matches a name and one = behind a bracket or a comma, and has the name as its
	// group; == is a comparison.
	keyword = regexp.MustCompile(`[(,]\s*(\w+)\s*=[^=]`)
	// callee matches the name with dots that a text ends with, before the bracket of the call.
	callee  = regexp.MustCompile(`[A-Za-z_][\w.]*$`)
	integer = regexp.MustCompile(`^-?\d+$`)
	decimal = regexp.MustCompile(`^-?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE][-+]?\d+)$`)
	quoted  = regexp.MustCompile(`^"[^"]*"$|^'[^']*'$`)
	// plain matches a name, as of a variable, which is the same in Go.
	plain = regexp.MustCompile(`^[A-Za-z_]\w*$`)
)

// argument is one of a call in Python.
type argument struct{ name, value string } // name is "" where it is given by its place

// A keywordCall is a call in Python, as its line's text has it.
type keywordCall struct {
	name string     // as it is written: nn.functional.relu
	last string     // of the name: relu
	args []argument // in their order
}

// keywordLead begins the answer to a call with arguments by name.
// What follows it is Go.
const keywordLead = "; Go has no keyword arguments: write "

// byKeyword says what is written for the first call of a line that has arguments by
// name, or returns "".
//
// What the name means is asked in this order: where it does not begin with a package of
// PyTorch's, it is a method of what stands before the dot. Of a package's names, a function
// of PyTorch's that is a method here comes first, as F.softmax(x, dim=1) is
// x.Softmax(1); then what the table says; then layers, settings and functions of Holt.
func byKeyword(names Names, line string) string {
	// The first argument by name leads to the bracket that is open there, and this to the
	// call.
	at := keyword.FindStringSubmatchIndex(line)
	if at == nil || names == nil {
		return ""
	}
	open := opening(line, at[2])
	if open < 0 {
		return ""
	}
	call := keywordCall{name: callee.FindString(line[:open]), args: splitArguments(line[open+1:])}
	// No name is before the bracket, as in (lambda: f)(x=1), or the call goes on in the next
	// line.
	if call.name == "" || call.args == nil {
		return ""
	}
	list := strings.Split(call.name, ".")
	call.last = list[len(list)-1]
	m := Method(names, call.last)
	in, isPackage := pythonPackage(list)
	// x.sum(dim=1) is of a value, whose type is not known. That it is a tensor is likely when
	// tensors have such a method.
	if !isPackage {
		if m == nil {
			return ""
		}
		return call.asMethod(strings.TrimSuffix(call.name, call.last), m, call.args)
	}
	// F.softmax(x, dim=1): the first argument, a variable, is the tensor whose method it is
	// here.
	first := call.args[0]
	if m != nil && call.isFunction() && first.name == "" && plain.MatchString(first.value) {
		if hint := call.asMethod(first.value+".", m, call.args[1:]); hint != "" {
			return hint
		}
	}
	// A layer of this name goes before the table, which may speak of the function.
	w, listed := words.Find(call.last, in.Places...)
	if listed && !w.Missing && !hasSettings(names, in, call.last) {
		return "; Go has no keyword arguments; " + w.Say("x", "")
	}
	if hint := call.inPackages(names, in, m != nil && call.isFunction()); hint != "" {
		return hint
	}
	// It is said to be missing only when no package has anything under the name.
	if listed {
		return "; Holt has no " + call.last + "; " + w.Say("x", "")
	}
	return ""
}

// pythonPackage returns the package that the name of a call in Python leads to, and whether
// it begins with one. A name alone is of any package: "from torch import nn" hides which.
//
//	[torch nn Conv2d]   what nn is in the table, true
//	[x sum]             nothing, false: x is no package of PyTorch's
//	[Conv2d]            all of them, true
//
// Of several packages in a row the last one that is known counts.
func pythonPackage(list []string) (in words.Package, ok bool) {
	if len(list) == 1 {
		return words.Package{Holt: words.Own, Places: words.Places}, true
	}
	in, ok = words.Packages[list[0]]
	for _, w := range list[:len(list)-1] {
		if pkg, known := words.Packages[w]; known {
			in = pkg
		}
	}
	return in, ok
}

// hasSettings reports whether a package has a struct of settings of this name.
//
// It is asked by the exact name, in capitals as PyTorch's classes are: nn.Conv2d has
// settings, and F.conv2d none.
func hasSettings(names Names, in words.Package, name string) bool {
	for _, pkg := range in.Holt {
		if t, ok := object(names, pkg, name).(*types.TypeName); ok && isSettings(t.Type()) {
			return true
		}
	}
	return false
}

// isFunction reports whether the name is a function's in Python, and no class's.
// Python's classes begin with a capital letter, by its style guide (PEP 8).
func (c *keywordCall) isFunction() bool { return strings.ToLower(c.last[:1]) == c.last[:1] }

// asMethod writes the call as one of a method of x, which ends with a dot; "" where its
// arguments are not the method's.
//
//	x = "x.", m = Sum, args = dim=1   →   ; Go has no keyword arguments: write x.Sum(1)
func (c *keywordCall) asMethod(x string, m *types.Func, args []argument) string {
	code, ok := methodCall(x+m.Name(), m.Signature(), args)
	if !ok {
		return ""
	}
	return keywordLead + code + aside(c.args)
}

// inPackages writes the call as what Holt's packages have under its name. Without
// structs, these are left out: nn.ReLU is a layer, and F.relu is none.
//
// The packages are tried in the order of the table; the first that has a form for the
// arguments is taken.
func (c *keywordCall) inPackages(names Names, in words.Package, withoutStructs bool) string {
	for _, pkg := range in.Holt {
		switch obj := Named(names, pkg, c.last).(type) {
		case *types.TypeName:
			if s, ok := obj.Type().Underlying().(*types.Struct); ok && !withoutStructs {
				return c.asLiteral(pkg, obj, s)
			}
		case *types.Func:
			if code, ok := methodCall(pkg+"."+obj.Name(), obj.Signature(), c.args); ok {
				return keywordLead + code + aside(c.args)
			}
		}
	}
	return ""
}

// asLiteral writes the call as a literal of settings: of a layer, or of an optimizer,
// which is then made for the model that Python's first argument names. Where an argument
// has no field, the fields are listed.
//
//	nn.Conv2d(3, 16, kernel_size=3)       dl.Conv2d{In: 3, Out: 16, Kernel: 3}
//	optim.SGD(net.parameters(), lr=0.1)   dl.SGD{LR: 0.1}.For(net)
func (c *keywordCall) asLiteral(pkg string, obj *types.TypeName, s *types.Struct) string {
	fields, left := literalOf(s, c.args)
	code := pkg + "." + obj.Name() + "{" + fields + "}"
	if hasFor(obj.Type()) {
		of := "model"
		// The model is not known where parameters are chosen or made by other code: it is then
		// "model".
		if x, _, ok := strings.Cut(c.args[0].value, ".parameters("); ok && c.args[0].name == "" && plain.MatchString(x) {
			of = x
		}
		code += ".For(" + of + ")"
	}
	// Eight at most, so that the answer stays a line.
	if all := exportedFields(s); left && len(all) > 0 {
		code += "; its fields are " + strings.Join(all[:min(len(all), 8)], ", ")
		if len(all) > 8 {
			code += ", …"
		}
	}
	return keywordLead + code
}

// aside is what there is for the argument that says how the result is: its type,
// or that an axis stays.
//
//	x.sum(dim=1, keepdim=True)   …; the axis goes away; x.Sum(1).Unsqueeze(1) keeps it
//
// dim and axis are left out: they are in the answer's code already. An argument that is False
// asks for nothing.
func aside(args []argument) string {
	for _, a := range args {
		if w, ok := words.Find(a.name, "keyword"); ok && a.name != "dim" && a.name != "axis" && a.value != "False" {
			return "; " + w.Say("x", "")
		}
	}
	return ""
}

// opening finds the bracket that is open at a place of a line, or -1.
//
// It goes backwards and skips brackets that are closed. A [ or { that is open means that the =
// is not of a call. Brackets in strings are taken for brackets.
func opening(line string, at int) int {
	depth := 0
	for i := at - 1; i >= 0; i-- {
		switch line[i] {
		case ')', ']', '}':
			depth++
		case '(', '[', '{':
			if depth == 0 {
				if line[i] != '(' {
					return -1
				}
				return i
			}
			depth--
		}
	}
	return -1
}

// splitArguments splits the arguments of a call, up to its closing bracket.
//
//	3, (2, 2), bias=False) + y   →   3   (2, 2)   bias=False
//
// It is nil where the call goes on in the next line, and also where it has no arguments.
func splitArguments(text string) (args []argument) {
	depth, from := 0, 0
	// add takes the text from the last comma on. A trailing comma, as Python allows, adds
	// nothing.
	add := func(to int) {
		part := strings.TrimSpace(text[from:to])
		from = to + 1
		if part == "" {
			return
		}
		if name, value, ok := strings.Cut(part, "="); ok && plain.MatchString(strings.TrimSpace(name)) && !strings.HasPrefix(value, "=") {
			args = append(args, argument{strings.TrimSpace(name), strings.TrimSpace(value)})
			return
		}
		args = append(args, argument{"", part})
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '[', '{':
			depth++
		case ']', '}':
			depth--
		case ')':
			if depth--; depth < 0 {
				add(i)
				return args
			}
		case ',':
			if depth == 0 {
				add(i)
			}
		}
	}
	return nil // it goes on in the next line
}

// literalOf writes the arguments of a call as fields; left says that some have none.
//
// Arguments without a name are the fields in their order, as far as they fit: dl orders the
// fields of a layer as PyTorch orders its arguments. An argument whose value is not understood
// is left out.
func literalOf(s *types.Struct, args []argument) (text string, left bool) {
	var fields []*types.Var
	for v := range s.Fields() {
		if v.Exported() && !v.Embedded() {
			fields = append(fields, v)
		}
	}
	var list []string
	place := 0
	for _, a := range args {
		var field *types.Var
		no := false
		switch {
		case a.name != "":
			field, no = fieldFor(fields, a.name)
		case place < len(fields):
			field = fields[place]
			place++
		}
		if field == nil {
			// What the table explains, such as device=, needs no field here.
			_, known := words.Find(a.name, "keyword")
			left = left || !known
			continue
		}
		value, ok := goValue(a.value, field.Type())
		// goValue takes any name for a value of any type: a variable in the place of a number
		// is a guess, and the first argument of a scheduler or an optimizer is one.
		if _, basic := field.Type().Underlying().(*types.Basic); basic && a.name == "" && plain.MatchString(a.value) {
			ok = false // an optimizer, of a scheduler
		}
		if !ok {
			// For an optimizer, what follows the parameters starts with the first field. For
			// others an argument that does not fit means that the order is another one, so
			// that no later argument without a name is given a field.
			if a.name == "" { // a model's parameters, before the settings; else they stand for something else
				if place = 0; len(list) > 0 || fields[0].Name() != "LR" {
					place = len(fields)
				}
			}
			left = left || a.name != "" && a.value != "None"
			continue
		}
		// bias=True is what NoBias's zero value means; bias=False is NoBias: true.
		if no {
			if value != "false" {
				continue
			}
			value = "true"
		}
		list = append(list, field.Name()+": "+value)
	}
	return strings.Join(list, ", "), left
}

// fieldFor finds the field for PyTorch's name of an argument; no says that it means
// the opposite, as NoBias does of bias.
//
//	kernel_size    Kernel     the field's name begins PyTorch's
//	out_features   Out        the same
//	lr             LR         but for capitals
//	bias           NoBias     the opposite
//	dim            Axis       another word
//
// Exact names come first. Of several that are alike in part, the longest wins, as it has most
// in common. field is nil where there is none.
func fieldFor(fields []*types.Var, name string) (field *types.Var, no bool) {
	flat := words.Fold(name)
	if flat == "dim" {
		flat = "axis"
	}
	for _, v := range fields {
		switch words.Fold(v.Name()) {
		case flat:
			return v, false
		case "no" + flat:
			return v, true
		}
	}
	var best *types.Var
	for _, v := range fields {
		f := words.Fold(v.Name())
		if !strings.HasPrefix(f, "no") && (strings.HasPrefix(flat, f) || strings.HasSuffix(flat, f) || len(flat) > 2 && strings.HasPrefix(f, flat)) && (best == nil || len(f) > len(best.Name())) {
			best = v
		}
	}
	return best, false
}

// goValue writes a value of Python's as one of a type.
//
//	True         bool        true
//	0.5          float64     0.5
//	0.5          int         not ok: the field means something else
//	'mean'       string      "mean"
//	(2, 3)       dl.Shape    dl.Shape{2, 3}
//	n            any type    n: a variable, whose type is not known
//	None         any type    not ok: the zero value says that
func goValue(value string, t types.Type) (string, bool) {
	b, _ := t.Underlying().(*types.Basic)
	info := types.BasicInfo(0)
	if b != nil {
		info = b.Info()
	}
	switch {
	case value == "True" || value == "False":
		return strings.ToLower(value), info&types.IsBoolean != 0
	case value == "None":
		return "", false
	// A whole number is also a constant for a float, and a decimal one is none for an int.
	case integer.MatchString(value):
		return value, info&types.IsNumeric != 0
	case decimal.MatchString(value):
		return value, info&types.IsFloat != 0
	case quoted.MatchString(value):
		return `"` + value[1:len(value)-1] + `"`, info&types.IsString != 0
	case plain.MatchString(value):
		return value, true
	}
	if slice, ok := t.Underlying().(*types.Slice); ok && len(value) > 2 && (value[0] == '[' || value[0] == '(') {
		var list []string
		for part := range strings.SplitSeq(strings.Trim(value, "[]() "), ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			one, ok := goValue(part, slice.Elem())
			if !ok {
				return "", false
			}
			list = append(list, one)
		}
		return spell.Type(t) + "{" + strings.Join(list, ", ") + "}", true
	}
	return "", false
}

// methodCall writes a call with the arguments in their order, without their names.
//
// Names are dropped, and the order is kept: Go's parameters stand in the order in which
// PyTorch documents them. Parameters for which there is no argument get one that would do.
func methodCall(name string, sig *types.Signature, args []argument) (string, bool) {
	var list []string
	for _, a := range args {
		if a.name != "" {
			// dtype=, keepdim= and the like are no parameters here: aside says what is done
			// instead.
			if w, ok := words.Find(a.name, "keyword"); ok && a.name != "dim" && a.name != "axis" && w.Text != "" {
				continue
			}
		}
		// A variadic parameter takes all that are left.
		i := min(len(list), sig.Params().Len()-1)
		if i < 0 {
			return "", false
		}
		t := sig.Params().At(i).Type()
		if sig.Variadic() && i == sig.Params().Len()-1 {
			t = t.(*types.Slice).Elem()
		} else if len(list) >= sig.Params().Len() {
			return "", false
		}
		value, ok := goValue(a.value, t)
		if !ok {
			return "", false
		}
		list = append(list, value)
	}
	want := sig.Params().Len()
	if sig.Variadic() {
		want--
	}
	// The variadic one may have no argument.
	for tensors := 0; len(list) < want; {
		v := sig.Params().At(len(list))
		one := value(name[strings.LastIndexByte(name, '.')+1:], v.Name(), v.Type(), &tensors)
		if one == "" {
			return "", false
		}
		list = append(list, one)
	}
	return name + "(" + strings.Join(list, ", ") + ")", true
}
