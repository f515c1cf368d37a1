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

var (
	keyword = regexp.MustCompile(`[(,]\s*(\w+)\s*=[^=]`)
	callee  = regexp.MustCompile(`[A-Za-z_][\w.]*$`)
	integer = regexp.MustCompile(`^-?\d+$`)
	decimal = regexp.MustCompile(`^-?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE][-+]?\d+)$`)
	quoted  = regexp.MustCompile(`^"[^"]*"$|^'[^']*'$`)
	plain   = regexp.MustCompile(`^[A-Za-z_]\w*$`)
)

// argument is one of a call in Python.
type argument struct{ name, value string } // name is "" where it is given by its place

// A keywordCall is a call in Python, as its line's text has it.
type keywordCall struct {
	name string // as it is written: nn.functional.relu
	last string // of the name: relu
	args []argument
}

// keywordLead begins the answer to a call with arguments by name.
const keywordLead = "; Go has no keyword arguments: write "

// byKeyword says what is written for the first call of a line that has arguments by
// name, or returns "".
//
// What the name means is asked in this order: where it does not begin with a package of
// PyTorch's, it is a method of what stands before the dot. Of a package's names, a function
// of PyTorch's that is a method here comes first, as F.softmax(x, dim=1) is
// x.Softmax(1); then what the table says; then layers, settings and functions of Holt.
func byKeyword(names Names, line string) string {
	at := keyword.FindStringSubmatchIndex(line)
	if at == nil || names == nil {
		return ""
	}
	open := opening(line, at[2])
	if open < 0 {
		return ""
	}
	call := keywordCall{name: callee.FindString(line[:open]), args: splitArguments(line[open+1:])}
	if call.name == "" || call.args == nil {
		return ""
	}
	list := strings.Split(call.name, ".")
	call.last = list[len(list)-1]
	m := Method(names, call.last)
	in, isPackage := pythonPackage(list)
	if !isPackage {
		if m == nil {
			return ""
		}
		return call.asMethod(strings.TrimSuffix(call.name, call.last), m, call.args)
	}
	first := call.args[0]
	if m != nil && call.isFunction() && first.name == "" && plain.MatchString(first.value) {
		if hint := call.asMethod(first.value+".", m, call.args[1:]); hint != "" {
			return hint
		}
	}
	w, listed := words.Find(call.last, in.Places...)
	if listed && !w.Missing && !hasSettings(names, in, call.last) {
		return "; Go has no keyword arguments; " + w.Say("x", "")
	}
	if hint := call.inPackages(names, in, m != nil && call.isFunction()); hint != "" {
		return hint
	}
	if listed {
		return "; Holt has no " + call.last + "; " + w.Say("x", "")
	}
	return ""
}

// pythonPackage returns the package that the name of a call in Python leads to, and whether
// it begins with one. A name alone is of any package: "from torch import nn" hides which.
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
func hasSettings(names Names, in words.Package, name string) bool {
	for _, pkg := range in.Holt {
		if t, ok := object(names, pkg, name).(*types.TypeName); ok && isSettings(t.Type()) {
			return true
		}
	}
	return false
}

// isFunction reports whether the name is a function's in Python, and no class's.
func (c *keywordCall) isFunction() bool { return strings.ToLower(c.last[:1]) == c.last[:1] }

// asMethod writes the call as one of a method of x, which ends with a dot; "" where its
// arguments are not the method's.
func (c *keywordCall) asMethod(x string, m *types.Func, args []argument) string {
	code, ok := methodCall(x+m.Name(), m.Signature(), args)
	if !ok {
		return ""
	}
	return keywordLead + code + aside(c.args)
}

// inPackages writes the call as what Holt's packages have under its name. Without
// structs, these are left out: nn.ReLU is a layer, and F.relu is none.
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
func (c *keywordCall) asLiteral(pkg string, obj *types.TypeName, s *types.Struct) string {
	fields, left := literalOf(s, c.args)
	code := pkg + "." + obj.Name() + "{" + fields + "}"
	if hasFor(obj.Type()) {
		of := "model"
		if x, _, ok := strings.Cut(c.args[0].value, ".parameters("); ok && c.args[0].name == "" && plain.MatchString(x) {
			of = x
		}
		code += ".For(" + of + ")"
	}
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
func aside(args []argument) string {
	for _, a := range args {
		if w, ok := words.Find(a.name, "keyword"); ok && a.name != "dim" && a.name != "axis" && a.value != "False" {
			return "; " + w.Say("x", "")
		}
	}
	return ""
}

// opening finds the bracket that is open at a place of a line, or -1.
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
func splitArguments(text string) (args []argument) {
	depth, from := 0, 0
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
			_, known := words.Find(a.name, "keyword")
			left = left || !known
			continue
		}
		value, ok := goValue(a.value, field.Type())
		if _, basic := field.Type().Underlying().(*types.Basic); basic && a.name == "" && plain.MatchString(a.value) {
			ok = false // an optimizer, of a scheduler
		}
		if !ok {
			if a.name == "" { // a model's parameters, before the settings; else they stand for something else
				if place = 0; len(list) > 0 || fields[0].Name() != "LR" {
					place = len(fields)
				}
			}
			left = left || a.name != "" && a.value != "None"
			continue
		}
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
func methodCall(name string, sig *types.Signature, args []argument) (string, bool) {
	var list []string
	for _, a := range args {
		if a.name != "" {
			if w, ok := words.Find(a.name, "keyword"); ok && a.name != "dim" && a.name != "axis" && w.Text != "" {
				continue
			}
		}
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
