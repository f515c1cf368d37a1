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

// byKeyword says what is written for the first call of a line that has arguments by
// name, or returns "".
func byKeyword(names Names, line string) string {
	at := keyword.FindStringSubmatchIndex(line)
	if at == nil || names == nil {
		return ""
	}
	open := opening(line, at[2])
	if open < 0 {
		return ""
	}
	name := callee.FindString(line[:open])
	args := splitArguments(line[open+1:])
	if name == "" || args == nil {
		return ""
	}
	const lead = "; Go has no keyword arguments: write "
	list := strings.Split(name, ".")
	last := list[len(list)-1]
	in, isPackage := words.Packages[list[0]]
	for _, w := range list[:len(list)-1] {
		if pkg, ok := words.Packages[w]; ok {
			in = pkg
		}
	}
	if len(list) == 1 {
		in, isPackage = words.Package{Holt: words.Own, Places: words.Places}, true
	}
	if !isPackage {
		m := Method(names, last)
		if m == nil {
			return ""
		}
		code, ok := methodCall(strings.TrimSuffix(name, last)+m.Name(), m.Signature(), args)
		if !ok {
			return ""
		}
		return lead + code + aside(args)
	}
	m := Method(names, last)
	if m != nil && strings.ToLower(last[:1]) == last[:1] && args[0].name == "" && plain.MatchString(args[0].value) {
		if code, ok := methodCall(args[0].value+"."+m.Name(), m.Signature(), args[1:]); ok {
			return lead + code + aside(args)
		}
	}
	settings := false
	for _, pkg := range in.Holt {
		t, ok := object(names, pkg, last).(*types.TypeName)
		settings = settings || ok && isSettings(t.Type())
	}
	if w, ok := words.Find(last, in.Places...); ok && !w.Missing && !settings {
		return "; Go has no keyword arguments; " + w.Say("x", "")
	}
	for _, pkg := range in.Holt {
		switch obj := Named(names, pkg, last).(type) {
		case *types.TypeName:
			s, isStruct := obj.Type().Underlying().(*types.Struct)
			if !isStruct || m != nil && strings.ToLower(last[:1]) == last[:1] {
				continue
			}
			fields, left := literalOf(s, args)
			code := pkg + "." + obj.Name() + "{" + fields + "}"
			if hasFor(obj.Type()) {
				of := "model"
				if x, _, ok := strings.Cut(args[0].value, ".parameters("); ok && args[0].name == "" && plain.MatchString(x) {
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
			return lead + code
		case *types.Func:
			if code, ok := methodCall(pkg+"."+obj.Name(), obj.Signature(), args); ok {
				return lead + code + aside(args)
			}
		}
	}
	if w, ok := words.Find(last, in.Places...); ok {
		return "; Holt has no " + last + "; " + w.Say("x", "")
	}
	return ""
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
