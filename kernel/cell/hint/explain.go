package hint

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/near"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// This file adds to the checker's messages what to try, for a person who knows
// Python better than Go. A hint is given where it is very likely right; where it
// is not, the message stays as Go has it.

// foreign are the words of other languages for what Go has.
//
// They are looked up by the whole name, so a variable of the cell that is called str is not
// meant: it would not be undefined.
var foreign = map[string]string{
	"True": "true", "False": "false", "None": "nil", "null": "nil", "NULL": "nil", "nullptr": "nil",
	"str": "string", "double": "float64", "float": "float64", "char": "rune", "boolean": "bool", "long": "int64",
}

// endings are messages, by what they match, and what is added to them.
//
// $1 in a hint is the first group of the match. The first row that matches decides. They come
// last, when nothing has looked at the types: what they say holds for every such message.
var endings = []struct {
	match *regexp.Regexp
	hint  string
}{
	{regexp.MustCompile(`^declared and not used: (.*)$`), "; Go wants every variable of a function used: remove it, or write _ = $1"},
	{regexp.MustCompile(`is not constant$|^(invalid array length|array length) `), "; what is constant is known when the cell is compiled: use := or var for a value, and a slice or make for a length"},
	{regexp.MustCompile(`^non-boolean condition`), "; a number or a pointer is not true or false in Go: compare it, as in x != 0 or p != nil"},
	{regexp.MustCompile(`^missing return$`), "; every way through the function must end in return or panic"},
	{regexp.MustCompile(`^no new variables on left side of :=$`), "; all of them are defined in this cell: use = to give them new values"},
	{regexp.MustCompile(`^cannot assign to struct field .* in map$`), "; take the value out, change it, and put it back"},
	{regexp.MustCompile(`^cannot assign to .*neither addressable nor a map index expression`), "; the bytes of a string cannot be changed: use []byte or []rune"},
	{regexp.MustCompile(`^too many return values`), "; a cell returns nothing: its last line, when that is an expression, is its value"},
	{regexp.MustCompile(`^in call to .*, cannot infer `), "; name the types, as in f[int](…)"},
	{regexp.MustCompile(`^label (.*) declared and not used$`), "; remove it, or use it in break, continue or goto"},
	{regexp.MustCompile(`^invalid operation: cannot indirect .*untyped`), "; Go has no power operator: use math.Pow, or multiply"},
	{regexp.MustCompile(`^(.*) \(no value\) used as value$`), "; it returns nothing: write it on a line of its own"},
	{regexp.MustCompile(`^cannot use (.*) \(value of type \[\](\S+)\) as (\S+) value in (return|assign|variable)`), "; it has several, of which $1[0] is the first"},
	{regexp.MustCompile(`^initialization cycle`), "; give one of them its value in a statement"},
}

// notUsed is a value that stands alone: the only line where it may is the last.
//
//	a == b (untyped bool value) is not used
var notUsed = regexp.MustCompile(`^(.*) (\(.*\) )?is not used$`)

// promoted is Go 1.27's word for a field of an embedded struct in a literal,
// which its language has and that of cells, Go 1.26's, has not.
//
//	use of promoted field T.n in struct literal of type U requires go1.27 or later
//
// reads as if a newer Go would help, and is said as Go 1.26 does: unknown field n in struct
// literal …
var promoted = regexp.MustCompile(`^use of promoted field (?:\w+\.)*(\w+) (in struct literal of type .*) requires go1\.\d+ or later$`)

// Explain returns a message of go/types about this file, and what to try.
//
//	undefined: totl   →   undefined: totl; did you mean total?
//
// It is called once go/types has ended, since it looks up types that are found late in a
// check.
func (f *File) Explain(e types.Error) string {
	e.Msg = promoted.ReplaceAllString(e.Msg, "unknown field $1 $2")
	// What needs a place or a type comes first, from the special to the general: a name that a
	// variable hides is also an undefined selector, and a row of habits knows more than the
	// message's first words.
	path := enclosing(f.AST, e.Pos)
	hint := f.hiding(path, e.Msg)
	if hint == "" {
		hint = f.habit(path, e.Msg)
	}
	if hint == "" {
		hint = f.byMessage(path, e)
	}
	// Only where wantedNumber found no conversion for the argument.
	if hint == "" && asParameter.MatchString(e.Msg) {
		hint = f.otherwise(path)
	}
	for _, t := range endings {
		if loc := t.match.FindStringSubmatchIndex(e.Msg); hint == "" && loc != nil {
			hint = string(t.match.ExpandString(nil, t.hint, e.Msg, loc))
		}
	}
	// What Go has to say on more lines, such as have (…) and want (…), stays last.
	//
	//	not enough arguments in call to f; its arguments are (a int, b int)
	//		have (number)
	//		want (int, int)
	first, rest, more := strings.Cut(e.Msg, "\n")
	if more {
		rest = "\n" + rest
	}
	return first + hint + rest
}

// byMessage explains what the first words of a message say.
func (f *File) byMessage(path []ast.Node, e types.Error) string {
	switch m := e.Msg; {
	case strings.HasPrefix(m, "undefined: "):
		return f.undefined(path, strings.TrimPrefix(m, "undefined: "), e.Pos)
	// Go itself names a method that differs in capital letters ("but does have method Shape").
	case strings.Contains(m, "has no field or method") && !strings.Contains(m, "but does have"):
		return f.noField(path)
	case strings.HasPrefix(m, "name ") && strings.Contains(m, " not exported by package "):
		return f.notExported(path)
	case strings.Contains(m, "mismatched types"):
		return mismatch(f, path)
	case strings.HasPrefix(m, "cannot use "):
		return wantedNumber(f, path, m)
	// At the top level of a cell the error of x := f() is taken, so there the message means
	// something else. A function of three results has no such habit.
	case strings.HasPrefix(m, "assignment mismatch: ") && (f.Part != Statements || !atTop(f, path)):
		if strings.Contains(m, "1 variable but ") && strings.Contains(m, "returns 2 values") {
			return "; name both, as in v, err := f(): only at the top level of a cell is an error taken for you"
		}
	// "declared and not used: x" has the same ending; endings has a row for it.
	case notUsed.MatchString(m) && !strings.HasPrefix(m, "declared"):
		return f.unusedValue(path)
	}
	return ""
}

// unusedValue explains a value that stands alone in a line.
func (f *File) unusedValue(path []ast.Node) string {
	hint := "; only the cell's last line shows its value: move it there, or print it"
	if f.Part != Statements || !atTop(f, path) {
		hint = "; assign it, or remove it"
	}
	// a == b alone in a line is most likely an assignment.
	for _, n := range path {
		if b, ok := n.(*ast.BinaryExpr); ok && b.Op == token.EQL {
			return hint + "; = assigns, == compares"
		}
	}
	return hint
}

// atTop reports whether the innermost statement of path is one of the cell's own.
//
// It is for files of statements alone, whose last function holds them.
func atTop(f *File, path []ast.Node) bool {
	body := f.AST.Decls[len(f.AST.Decls)-1].(*ast.FuncDecl).Body
	for i := len(path) - 1; i >= 0; i-- {
		if st, ok := path[i].(ast.Stmt); ok {
			return slices.Contains(body.List, st)
		}
	}
	return false
}

// enclosing lists the nodes around pos, outermost first.
//
// It is empty where pos is in no node, as NoPos is: functions that take a path must not rely
// on a last one. Of two nodes that meet at pos, the one that begins there is taken.
func enclosing(f *ast.File, pos token.Pos) []ast.Node {
	var path []ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil || pos < n.Pos() || pos >= n.End() {
			return false
		}
		path = append(path, n)
		return true
	})
	return path
}

// undefined explains a name that nothing declares: "x", or "pkg.Name".
//
// The order is that of how much each knows of the place. A variable that is defined further
// down explains more than a name that looks alike; what PyTorch's users mean by a name comes
// before names that are near to it.
func (f *File) undefined(path []ast.Node, name string, pos token.Pos) string {
	// "dl.Liner": the package is known, and lacks the name.
	if pkg, sel, ok := strings.Cut(name, "."); ok {
		if hint := f.packageName(path, []string{pkg, sel}); hint != "" {
			return hint
		}
		return inPackage(f.Names, pkg, sel)
	}
	// Variables of this very cell. Statements run in order; declarations come before all of
	// them, in the package, and cannot rest on what is computed.
	for _, start := range f.Names.Defined(name) {
		if f.Part == Statements && start > f.Offset(pos) {
			line := 1 + strings.Count(f.Source[:start], "\n")
			return fmt.Sprintf("; %s is defined below, in line %d: statements run from top to bottom", name, line)
		} else if f.Part == Declarations {
			return fmt.Sprintf("; %s is a variable of this cell, and constants and types are known when the cell is compiled", name)
		}
	}
	// import "C" goes with the C code above it, which only its own cell has.
	if name == "C" {
		return `; C belongs to the cell that imports it: write import "C", with its comment above, in this cell, or a Go function in the cell that has it`
	}
	// Is the name the x of x.sel? Then it may stand for a package, as torch does in
	// torch.nn.Linear.
	base, isBase := innermost[*ast.SelectorExpr](path)
	if isBase {
		id, ok := base.X.(*ast.Ident)
		isBase = ok && id.Name == name
	}
	if isBase {
		if hint := f.packageName(path, chain(path)); hint != "" {
			return hint
		}
	}
	if w := foreign[name]; w != "" {
		return "; Go's word is " + w
	}
	if hint := f.alone(path, name, isBase); hint != "" {
		return hint
	}
	// It was declared, and is not any more.
	if why := f.Names.Gone(name, f.Part != Earlier); why != "" {
		return "; " + why
	}
	// try { … } parses, as a literal of a type try: the line is explained as one that does
	// not.
	if slices.Contains([]string{"try", "except", "raise", "throw"}, name) {
		return syntaxHint("", f.line(pos), false)
	}
	if isBase {
		if hint := ownPackage(f.Names, name, base.Sel.Name); hint != "" {
			return hint
		}
	}
	// What is left is a slip of the hand.
	names := f.inScope(pos)
	if isBase {
		names = append(names, f.Names.Packages()...)
	}
	// x = 3 wants a variable x: a near name that is a builtin, as len for lem, is not one.
	set := assigned(path, name)
	if set { // an assignment to a builtin is not meant
		names = slices.DeleteFunc(names, func(n string) bool { return types.Universe.Lookup(n) != nil })
	}
	if n := near.To(name, names); n != "" {
		return "; did you mean " + n + "?"
	}
	if set {
		return "; := defines a variable: " + name + " := …"
	}
	return ""
}

// assigned reports whether = gives the name a value at the end of path.
//
//	image, label = set.Get(0)    true for image, and for label
func assigned(path []ast.Node, name string) bool {
	as, ok := innermost[*ast.AssignStmt](path)
	return ok && as.Tok == token.ASSIGN && slices.ContainsFunc(as.Lhs, func(l ast.Expr) bool {
		id, ok := l.(*ast.Ident)
		return ok && id.Name == name
	})
}

// inPackage asks whether other names of a package are meant by one that it lacks.
//
//	fmt.Printn   →   ; did you mean fmt.Print, fmt.Printf or fmt.Println?
//
// More than four that are equally near say that none is meant.
func inPackage(names Names, pkg, sel string) string {
	all := near.All(sel, exported(names, pkg))
	if len(all) == 0 || len(all) > 4 {
		return ""
	}
	for i, n := range all {
		all[i] = pkg + "." + n
	}
	last := len(all) - 1
	if last == 0 {
		return fmt.Sprintf("; did you mean %s?", all[0])
	}
	return fmt.Sprintf("; did you mean %s or %s?", strings.Join(all[:last], ", "), all[last])
}

// ownPackage explains a name that is missing in one of Holt's packages, of which
// nothing was used so far.
//
// A package of Holt's is small, so a list of its functions helps where no name is near.
func ownPackage(names Names, pkg, sel string) string {
	p := names.Package(pkg)
	if p == nil || !strings.HasPrefix(p.Path(), ownModule) {
		return ""
	}
	if hint := inPackage(names, pkg, sel); hint != "" {
		return hint
	}
	// Functions only: types are found by their names in PyTorch.
	var funcs []string
	for _, name := range exported(names, pkg) {
		if _, ok := p.Scope().Lookup(name).(*types.Func); ok {
			funcs = append(funcs, name)
		}
	}
	if len(funcs) == 0 {
		return ""
	}
	more := ""
	if len(funcs) > 8 {
		funcs, more = funcs[:8], ", …"
	}
	return fmt.Sprintf("; package %s has no %s: its functions are %s%s", pkg, sel, strings.Join(funcs, ", "), more)
}

// ownModule begins the import paths of Holt's packages.
const ownModule = "github.com/holt-dl/holt/"

// notExported explains a name that a package has for itself alone.
//
//	strings.toUpper   →   Go says "but have ToUpper"; a message without that gets this one
func (f *File) notExported(path []ast.Node) string {
	s, ok := innermost[*ast.SelectorExpr](path)
	if !ok {
		return ""
	}
	id, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	if hint := inPackage(f.Names, id.Name, s.Sel.Name); hint != "" {
		return hint
	}
	return "; only names that begin with a capital letter are seen from outside their package"
}

// inScope lists the names that could stand at pos.
//
// Scopes are walked from the innermost to the file; the package's own and Go's are added
// because a function's scope may not be found where the check failed. Names of ours are left
// out.
func (f *File) inScope(pos token.Pos) []string {
	var names []string
	for s := f.Pkg.Scope().Innermost(pos); s != nil; s = s.Parent() {
		names = append(names, s.Names()...)
	}
	names = append(names, f.Pkg.Scope().Names()...)
	names = append(names, types.Universe.Names()...)
	names = append(names, f.Names.Imports()...)
	return slices.DeleteFunc(names, func(n string) bool {
		return spell.Ours(n) || strings.HasPrefix(n, "Ħ") || strings.HasPrefix(n, "?")
	})
}

// noField looks for a field or method that was meant.
//
//	p.widht, of type point   →   ; did you mean width?
func (f *File) noField(path []ast.Node) string {
	s, ok := innermost[*ast.SelectorExpr](path)
	if !ok || f.Info.Types[s.X].Type == nil {
		return ""
	}
	t, _ := spell.Deref(f.Info.Types[s.X].Type)
	if n := near.To(s.Sel.Name, membersOf(t)); n != "" {
		return "; did you mean " + n + "?"
	}
	return ""
}
