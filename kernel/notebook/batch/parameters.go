package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
)

// Parameter is a value that a run gives to a variable of the notebook.
type Parameter struct {
	Name, Value string
}

// ParseParameter reads name=value.
func ParseParameter(text string) (Parameter, error) {
	name, value, ok := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	switch {
	case !ok:
		return Parameter{}, fmt.Errorf("-p %s: it has no value, want name=value, such as -p lr=0.1", text)
	case !token.IsIdentifier(name) || name == "_":
		return Parameter{}, fmt.Errorf("-p %s: %q cannot name a variable of Go, want letters, digits and _", text, name)
	}
	return Parameter{name, value}, nil
}

// Inject sets parameters, as papermill does: a new cell with the tag
// injected-parameters comes after the cell with the tag parameters, or first in the
// notebook where none has it. It takes the place of one from an earlier run.
//
// A value is an integer, a float, true, false, a list or map in JSON or as a
// literal of Go, or else a string. A variable that the cell with the tag declares keeps
// its type, so that lr=1 gives a float64 where lr was 0.1, and
// name=7 a string where name was one.
//
// Notices are sentences about parameters that the notebook does not declare.
func Inject(nb *ipynb.Notebook, params []Parameter) (notices []string) {
	if len(params) == 0 {
		return nil
	}
	tagged := func(tag string) int {
		return slices.IndexFunc(nb.Cells, func(c *ipynb.Cell) bool { return c.Tagged(tag) })
	}
	at := tagged("parameters")
	declared := map[string]declaration{}
	if at < 0 {
		notices = append(notices, "no cell has the tag parameters: the values are set in a new first cell")
	} else {
		declared = declarations(nb.Cells[at].Source)
	}
	var source strings.Builder
	source.WriteString("// Parameters")
	// As with papermill, the last value that is given for a name counts.
	last := map[string]int{}
	for i, p := range params {
		last[p.Name] = i
	}
	for i, p := range params {
		if last[p.Name] != i {
			continue
		}
		d, known := declared[p.Name]
		if !known && at >= 0 {
			notices = append(notices, fmt.Sprintf("the cell with the tag parameters does not declare %s", p.Name))
		}
		source.WriteString("\n" + d.set(p.Name, value(p.Value, d)))
	}
	c := &ipynb.Cell{
		Type: ipynb.Code, Source: source.String(),
		Metadata: map[string]any{"tags": []any{"injected-parameters"}},
	}
	if nb.Minor >= 5 {
		c.ID = ipynb.NewID()
	}
	if old := tagged("injected-parameters"); old >= 0 {
		nb.Cells[old] = c
	} else {
		nb.Cells = slices.Insert(nb.Cells, at+1, c)
	}
	return notices
}

// declaration is how the tagged cell declares a parameter.
type declaration struct {
	tok  token.Token // DEFINE, VAR or CONST; ILLEGAL where it is not declared
	typ  string      // as written; empty where it is inferred
	text bool        // it is a string
}

// set gives the variable a value, keeping its type where it has one.
func (d declaration) set(name, value string) string {
	switch {
	case d.tok == token.CONST:
		return strings.Join(strings.Fields("const "+name+" "+d.typ+" = "+value), " ")
	case d.tok != token.ILLEGAL:
		return name + " = " + value
	case value == "nil":
		return "var " + name + " any"
	}
	return name + " := " + value
}

// declarations finds the variables and constants that a cell declares at its
// top level.
func declarations(source string) map[string]declaration {
	// What does not parse fails when the cell runs, with a better message.
	parsed := parse.Parse(parse.Source{Text: gonb.Split(source).Go})
	found := map[string]declaration{}
	for _, name := range parsed.Declares() {
		if name.Tok == token.FUNC || name.Tok == token.TYPE {
			continue
		}
		d := declaration{tok: name.Tok}
		if name.Value != nil {
			d.of(name.Value)
		}
		if name.Type != nil {
			d.typ = types.ExprString(name.Type)
			d.text = d.typ == "string"
		}
		found[name.Name.Name] = d
	}
	return found
}

// of notes what the first value of a parameter tells about its type.
func (d *declaration) of(x ast.Expr) {
	switch x := x.(type) {
	case *ast.BasicLit:
		d.text = x.Kind == token.STRING
	case *ast.CompositeLit:
		if x.Type != nil && d.tok == token.DEFINE {
			d.typ = types.ExprString(x.Type)
		}
	}
}

// value writes a parameter's value in Go.
func value(text string, d declaration) string {
	var v any
	isJSON := json.Valid([]byte(text))
	if isJSON {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		dec.Decode(&v)
	}
	if s, isString := v.(string); isString {
		return strconv.Quote(s)
	}
	if d.text {
		return strconv.Quote(text)
	}
	switch trimmed := strings.TrimSpace(text); {
	case isJSON && v == nil, trimmed == "None", trimmed == "nil":
		return "nil"
	case isJSON:
		return literal(v, d.typ)
	case trimmed == "True", trimmed == "False":
		return strings.ToLower(trimmed)
	case isLiteral(trimmed):
		return trimmed
	}
	return strconv.Quote(text)
}

// isLiteral reports whether text is a number, character, string, list, map or
// struct as Go writes it.
func isLiteral(text string) bool {
	x, err := parser.ParseExpr(text)
	if err != nil {
		return false
	}
	if u, ok := x.(*ast.UnaryExpr); ok && (u.Op == token.SUB || u.Op == token.ADD) {
		x = u.X
		_, ok := x.(*ast.BasicLit)
		return ok
	}
	switch x := x.(type) {
	case *ast.BasicLit:
		return true
	case *ast.CompositeLit:
		return x.Type != nil
	}
	return false
}

// literal writes a value of JSON as a literal of Go. A list or map is of the
// type typ, or else of the narrowest type that holds all its values.
func literal(v any, typ string) string {
	var b bytes.Buffer
	switch v := v.(type) {
	case nil:
		return "nil"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case string:
		return strconv.Quote(v)
	case []any:
		if typ == "" {
			typ = typeOf(v)
		}
		b.WriteString(typ + "{")
		for i, e := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(element(e, typ))
		}
	case map[string]any:
		if typ == "" {
			typ = typeOf(v)
		}
		b.WriteString(typ + "{")
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(key) + ": " + element(v[key], typ))
		}
	}
	b.WriteString("}")
	return b.String()
}

// element writes a value that stands in a list or map of the type typ.
func element(v any, typ string) string {
	text := literal(v, "")
	if elem := typ[strings.IndexByte(typ, ']')+1:]; elem == "any" || elem == "interface{}" {
		return text
	}
	switch v.(type) {
	case []any, map[string]any:
		return text[strings.IndexByte(text, '{'):] // the type of the whole says it
	}
	return text
}

// typeOf is the narrowest type of Go that holds a value of JSON.
func typeOf(v any) string {
	switch v := v.(type) {
	case bool:
		return "bool"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "float64"
		}
		return "int"
	case string:
		return "string"
	case []any:
		return "[]" + common(slices.Values(v))
	case map[string]any:
		return "map[string]" + common(maps.Values(v))
	}
	return "any"
}

// common is the narrowest type that holds all values.
func common(values func(func(any) bool)) string {
	typ := ""
	for v := range values {
		switch t := typeOf(v); {
		case typ == "" || typ == t:
			typ = t
		case (typ == "int" || typ == "float64") && (t == "int" || t == "float64"):
			typ = "float64"
		default:
			return "any"
		}
	}
	if typ == "" {
		return "any"
	}
	return typ
}
