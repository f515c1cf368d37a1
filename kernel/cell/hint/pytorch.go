package hint

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/words"
	"github.com/holt-dl/holt/internal/near"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// This file finds what a person writes who is used to PyTorch; what is written here
// instead is in the table of dl/words. Types are known by their names, and operators,
// indexing and the like by the methods that a value has: a type from a cell or another
// package is helped as well.
//
//	model(x)                ; model.Predict(x) runs the model
//	x * 2                   ; Go's operators are for numbers and strings: write x.Scale(2)
//	dl.Conv2d(3, 32, 5)     ; settings are fields, by their names: dl.Conv2d{In: …}
//	len(x)                  ; x.Shape()[0] is the length of the first axis
//
// A habit is a row of two functions: one tells by go/types' message whether it is there, the
// other writes the answer.

// compound are the operators that an assignment such as x += y has in it.
//
// Of a token that is not here the map gives ILLEGAL, which is no operator for any function
// below.
var compound = map[token.Token]token.Token{
	token.ADD_ASSIGN: token.ADD, token.SUB_ASSIGN: token.SUB, token.MUL_ASSIGN: token.MUL, token.QUO_ASSIGN: token.QUO,
}

// arithmetic are the operators that also a number may stand beside.
//
// For others there is no method that takes a number.
var arithmetic = []token.Token{token.ADD, token.SUB, token.MUL, token.QUO}

// operator returns the methods that do what an operator of numbers does, with
// another value and with a number; ok is false for other operators.
//
//	x + y   Add, Shift        x * y   Mul, Scale
//	x - y   Sub, Shift        x / y   Div, Scale
//
// The table of words has them.
func operator(op token.Token) (methods [2]string, ok bool) {
	if slices.Contains(arithmetic, op) {
		methods[0], methods[1] = words.Operator(op.String())
	}
	return methods, methods[0] != ""
}

// comparison and logical return the method that does what such an operator does, or "".
//
// They are two because an answer to a comparison also names Item: in if x.Sum() > 3 the number
// is meant, and in mask := x > 3 a tensor.
func comparison(op token.Token) string {
	switch op {
	case token.GTR, token.GEQ, token.LSS, token.LEQ, token.EQL, token.NEQ:
		m, _ := words.Operator(op.String())
		return m
	}
	return ""
}

// logical takes && and || for & and |: Python's users write the latter, and Go's the former.
func logical(op token.Token) string {
	switch op {
	case token.AND, token.OR, token.LAND, token.LOR, token.XOR:
		m, _ := words.Operator(op.String())
		return m
	}
	return ""
}

// misfit is what the table says of Go that does not fit, for a value x.
//
// name is an entry of the table's place "misfit", mostly the method that is wanted.
func misfit(name, x, args string) string {
	w, _ := words.Find(name, "misfit")
	return "; " + w.Say(x, args)
}

// byNumber is the number that a method of operators takes, a float64, as the operator has it.
//
//	x - 2          -2
//	x -= a + b     -(a + b)
//	x * n          float64(n), of an int
//	x / 2          1/2.0: with 1/2, Go would divide whole numbers, and get 0
//	x / n          1 / float64(n)
//	x / lr         1 / lr
func byNumber(f *File, op token.Token, x ast.Expr) string {
	x = ast.Unparen(x)
	value, tv := f.Text(x), f.Info.Types[x]
	b, _ := tv.Type.(*types.Basic) // nil of a declared type
	isFloat := b != nil && (b.Kind() == types.Float64 || b.Kind() == types.UntypedFloat)
	lit, isLit := x.(*ast.BasicLit)
	switch {
	case isFloat, b != nil && b.Info()&types.IsUntyped != 0 && op != token.QUO:
		switch x.(type) {
		case *ast.BinaryExpr, *ast.UnaryExpr:
			if op == token.SUB || op == token.QUO {
				value = "(" + value + ")"
			}
		}
	case isLit && lit.Kind == token.INT:
		return "1/" + value + ".0"
	default:
		value = converted(types.Typ[types.Float64], tv.Type, value)
	}
	switch op {
	case token.SUB:
		return "-" + value
	case token.QUO:
		return "1 / " + value
	}
	return value
}

var (
	// T(…) of a struct is a conversion in Go, and the constructor in Python.
	conversion  = regexp.MustCompile(`^(too many arguments in|missing argument in|cannot convert .* to type) `)
	severalVars = regexp.MustCompile(`^range over .* permits only one iteration variable`)
	// A variable that holds an error, by its name.
	unusedErr   = regexp.MustCompile(`^declared and not used: (err\w*)$`)
	manyValues  = regexp.MustCompile(`^multiple-value .* \(value of type \(.*, error\)\) in single-value context`)
	unknownName = regexp.MustCompile(`^unknown field (\w+) in struct literal`)
	asParameter = regexp.MustCompile(`^cannot use .* as \S+ value in `)
)

// A complaint is a message of go/types, and where it stands.
//
// What the rows of habits ask about.
type complaint struct {
	msg  string
	path []ast.Node    // from the file to the innermost node
	call *ast.CallExpr // the innermost call; nil where there is none
}

// at returns the expression that the message is about.
//
// ok is false where it is about a statement or a declaration. path is not empty: see habit.
func (q complaint) at() (ast.Expr, bool) {
	x, ok := q.path[len(q.path)-1].(ast.Expr)
	return x, ok
}

// args returns the call's arguments if there are n, and otherwise nil.
//
// A nil result stands for both, no call and another number of arguments.
func (q complaint) args(n int) []ast.Expr {
	if q.call == nil || len(q.call.Args) != n {
		return nil
	}
	return q.call.Args
}

// literalType returns the type of the innermost composite literal, as it is written.
func (q complaint) literalType() ast.Expr {
	if lit, ok := innermost[*ast.CompositeLit](q.path); ok {
		return lit.Type
	}
	return nil
}

// habits are what PyTorch's users write, and how go/types puts it. The first that fits
// decides, also where it has nothing to say.
//
// "Also where it has nothing to say" keeps later rows from answering what the earlier one
// knows to be another case; then Explain goes on. The order matters where two forms overlap:
// convertsItem is a conversion, too.
var habits = []struct {
	fits func(*File, complaint) bool
	say  func(*File, complaint) string
}{
	// x.view, loss.backward: a method or a field that is not there.
	{contains(" undefined ("), func(f *File, q complaint) string {
		return f.member(q.path, strings.Contains(q.msg, "but does have"))
	}},
	// model(x), loss(x, y)
	{begins("invalid operation: cannot call "), func(f *File, q complaint) string {
		if q.call == nil {
			return ""
		}
		return uncallable(f, q.call)
	}},
	// x + x, -x, x[0], x[0:2]
	{begins("invalid operation: ", "cannot index ", "cannot slice "), func(f *File, q complaint) string {
		return byMethod(f, q.path)
	}},
	// len(x), of a tensor or a data set: the first method that is there decides
	{both(begins("invalid argument: "), ends("for built-in len")), func(f *File, q complaint) string {
		return byValue(f, q, "Len", "Shape")
	}},
	{func(f *File, q complaint) bool {
		// max(x, y)
		return strings.HasSuffix(q.msg, "cannot be ordered") && q.args(2) != nil
	}, largest},
	{begins("invalid use of copy (built-in)"), func(*File, complaint) string { return "; " + wordsOf("copy", "python") }},
	{begins("cannot range over "), func(f *File, q complaint) string { return byValue(f, q, "Batches") }},
	// for images, labels := range loader.Batches()
	{both(matches(severalVars), contains("dl.Batch")), func(*File, complaint) string { return misfit("epoch", "", "") }},
	{matches(unusedErr), func(f *File, q complaint) string {
		// At the top level the error can be left out, and Holt takes it; in a function it
		// cannot.
		if f.Part == Statements && !inFunction(q.path) {
			return unusedErr.ReplaceAllString(q.msg, "; leave $1 out, and an error ends the cell")
		}
		return unusedErr.ReplaceAllString(q.msg, "; a loop stops at an error only if you say so: if $1 != nil { panic($1) }, or return it")
	}},
	// model.Predict(x).Softmax(1) inside of a function, where no error is taken
	{matches(manyValues), func(f *File, q complaint) string {
		return "; name both first: v, err := " + inner(f, q.path)
	}},
	// float64(x) of a tensor
	{func(f *File, q complaint) bool { return conversion.MatchString(q.msg) && convertsItem(f, q) }, func(f *File, q complaint) string {
		return misfit("Item", f.Text(q.call.Args[0]), "")
	}},
	{func(f *File, q complaint) bool {
		// dl.Conv2d(3, 32, 5)
		return conversion.MatchString(q.msg) && q.call != nil && f.Info.Types[q.call.Fun].IsType()
	}, func(f *File, q complaint) string { return literal(f, q.call.Fun) }},
	// dl.ReLU in a list of layers, for dl.ReLU{}
	{ends("(type) is not an expression"), func(f *File, q complaint) string {
		if x, ok := q.at(); ok {
			return literal(f, outermostSelector(q.path, x))
		}
		return ""
	}},
	{begins("too few values in struct literal", "mixture of field:value and value"), func(f *File, q complaint) string {
		if t := q.literalType(); t != nil {
			return literal(f, t)
		}
		return ""
	}},
	// dl.Build{…}, for dl.Build(…)
	{both(ends("is not a type"), contains("(value of type func(")), func(f *File, q complaint) string {
		if t := q.literalType(); t != nil {
			return fmt.Sprintf("; it is a function: write %s(…)", f.Text(t))
		}
		return ""
	}},
	{func(_ *File, q complaint) bool {
		return strings.HasPrefix(q.msg, "not enough arguments in call to ") && q.call != nil
	}, func(f *File, q complaint) string { return arguments(f, q.call) }},
	// dl.FromSlice([][]float32{…})
	{contains("does not satisfy dl.Element"), func(*File, complaint) string { return misfit("Element", "", "") }},
	{both(contains("type dl.Batch of "), contains("does not match display.Loader")), func(*File, complaint) string {
		return misfit("Grid", "", "")
	}},
	// dl.Conv2d{kernel_size: 5}
	{matches(unknownName), func(f *File, q complaint) string {
		if lit, ok := innermost[*ast.CompositeLit](q.path); ok {
			return fieldMeant(f.Info.Types[lit].Type, unknownName.FindStringSubmatch(q.msg)[1])
		}
		return ""
	}},
	{func(_ *File, q complaint) bool {
		return strings.HasSuffix(q.msg, "does not implement dl.Layer (missing method Forward)") || strings.Contains(q.msg, "have forward(")
	}, func(*File, complaint) string { return misfit("Layer", "", "") }},
	// a data set in the place of a loader
	{both(contains("as dl.Batches value"), contains("missing method Epoch")), func(f *File, q complaint) string {
		if x, ok := q.at(); ok {
			return misfit("DataLoader", f.Text(x), "")
		}
		return ""
	}},
	// step.Run(x, y), where a batch is one value
	{both(begins("too many arguments in call to "), ends("want (dl.Batch)")), func(f *File, q complaint) string {
		if args := q.args(2); args != nil {
			return misfit("Batch", f.Text(args[0]), f.Text(args[1]))
		}
		return ""
	}},
	// x.Add(2), dl.Start(model, loader): last, since many messages are of this form
	{func(_ *File, q complaint) bool { return asParameter.MatchString(q.msg) && q.call != nil }, func(f *File, q complaint) string {
		return wrapped(f, q.path, q.call)
	}},
}

// What a message must be like: the functions that make the first column of habits.

// contains asks whether a message has a part.
func contains(part string) func(*File, complaint) bool {
	return func(_ *File, q complaint) bool { return strings.Contains(q.msg, part) }
}

// begins asks whether a message has one of some beginnings.
func begins(heads ...string) func(*File, complaint) bool {
	return func(_ *File, q complaint) bool {
		return slices.ContainsFunc(heads, func(head string) bool { return strings.HasPrefix(q.msg, head) })
	}
}

// ends asks for an ending.
func ends(tail string) func(*File, complaint) bool {
	return func(_ *File, q complaint) bool { return strings.HasSuffix(q.msg, tail) }
}

// matches asks for a form.
func matches(form *regexp.Regexp) func(*File, complaint) bool {
	return func(_ *File, q complaint) bool { return form.MatchString(q.msg) }
}

// both asks for two things at once.
func both(a, b func(*File, complaint) bool) func(*File, complaint) bool {
	return func(f *File, q complaint) bool { return a(f, q) && b(f, q) }
}

// habit explains a message by what PyTorch's users write, or returns "".
//
// An error without a place has no path, and no habit.
func (f *File) habit(path []ast.Node, msg string) string {
	if len(path) == 0 {
		return ""
	}
	q := complaint{msg: msg, path: path}
	q.call, _ = innermost[*ast.CallExpr](path)
	for _, h := range habits {
		if h.fits(f, q) {
			return h.say(f, q)
		}
	}
	return ""
}

// byValue explains a built-in function or a loop by the method that a value has in its
// place, the first of those named.
//
//	len(x)       Shape, which a tensor has
//	len(set)     Len, which a data set has
//
// Both of a value's methods count, those of its own type and those of a pointer to it.
func byValue(f *File, q complaint, methods ...string) string {
	x, ok := q.at()
	if !ok {
		return ""
	}
	for _, m := range methods {
		if has(f, x, m) {
			return misfit(m, f.Text(x), "")
		}
	}
	return ""
}

// largest explains min and max of two tensors.
//
// Go's min and max are for what can be ordered (specification, "Min and max").
func largest(f *File, q complaint) string {
	args := q.args(2)
	if m, _ := words.Operator(f.Text(q.call.Fun)); m != "" && has(f, args[0], m) {
		return fmt.Sprintf("; value by value, write %s.%s(%s)", f.Text(args[0]), m, f.Text(args[1]))
	}
	return ""
}

// convertsItem reports whether a tensor is converted to a number.
//
//	float64(loss)
func convertsItem(f *File, q complaint) bool {
	args := q.args(1)
	return args != nil && isNumber(f.Info.Types[q.call.Fun].Type) && has(f, args[0], "Item")
}

// uncallable explains a call of a value that is no function: model(x).
//
// What has Predict is taken for a model, and what has Forward for a layer.
func uncallable(f *File, call *ast.CallExpr) string {
	x := f.Text(call.Fun)
	args := ""
	if len(call.Args) > 0 {
		args = f.Text(call.Args[0])
	}
	t := f.Info.Types[call.Fun].Type
	if t == nil {
		return ""
	}
	t, _ = spell.Deref(t)
	switch name := spell.Type(t); {
	case has(f, call.Fun, "Predict"):
		return misfit("Predict", x, args)
	// Losses are told by their name alone, so no methods are asked for.
	case words.Kind(name, func(...string) bool { return false }).Place == "Loss":
		return misfit("Loss", x, "")
	case has(f, call.Fun, "Forward"):
		return misfit("Forward", x, args)
	}
	return ""
}

// byMethod explains an operator, an index or a slice by the method that does it.
//
// The innermost of them decides. A path through a call ends at the operator around it, as the
// message is about that.
func byMethod(f *File, path []ast.Node) string {
	for i := len(path) - 1; i >= 0; i-- {
		switch n := path[i].(type) {
		case *ast.AssignStmt:
			return byAssignment(f, n)
		case *ast.BinaryExpr:
			return byBinary(f, n)
		case *ast.UnaryExpr:
			return byUnary(f, n)
		case *ast.IndexExpr:
			return byIndex(f, n)
		case *ast.SliceExpr:
			if has(f, n.X, "Narrow") {
				return misfit("Narrow", f.Text(n.X), "")
			}
			return ""
		}
	}
	return ""
}

// byAssignment explains x += y.
//
//	x += y   →   ; … write x = x.Add(y)
//	x -= 2   →   ; … write x = x.Shift(-2)
func byAssignment(f *File, n *ast.AssignStmt) string {
	methods, ok := operator(compound[n.Tok])
	if !ok || len(n.Lhs) != 1 || len(n.Rhs) != 1 || !has(f, n.Lhs[0], methods[0]) {
		return ""
	}
	x, value := f.Text(n.Lhs[0]), f.Text(n.Rhs[0])
	if isNumber(f.Info.Types[n.Rhs[0]].Type) {
		return fmt.Sprintf("; Go's operators are for numbers and strings: write %s = %s.%s(%s)", x, x, methods[1], byNumber(f, compound[n.Tok], n.Rhs[0]))
	}
	return fmt.Sprintf("; Go's operators are for numbers and strings: write %s = %s.%s(%s)", x, x, methods[0], value)
}

// byBinary explains an operator between two values, of which one may be a number.
//
//	x + y     x.Add(y)          x ** 2    x.Pow(2)
//	2 * x     x.Scale(2)        x % 2     there is none; what is written instead
//	2 - x     dl.Full(2).Sub(x)
//	x > 3     the number in a tensor is x.Item(); value by value, write x.Greater(dl.Full(3))
func byBinary(f *File, n *ast.BinaryExpr) string {
	// Go reads x ** 2 as x * *2.
	if star, ok := n.Y.(*ast.StarExpr); ok && n.Op == token.MUL && has(f, n.X, "Pow") {
		if value := f.Text(star.X); isNumber(f.Info.Types[star.X].Type) {
			return "; Go has no power operator: " + strings.TrimPrefix(misfit("Pow", f.Text(n.X), value), "; ")
		}
	}
	methods, ok := operator(n.Op)
	x, y, number := n.X, n.Y, isNumber(f.Info.Types[n.Y].Type)
	if isNumber(f.Info.Types[x].Type) {
		if (n.Op == token.SUB || n.Op == token.QUO) && has(f, y, methods[0]) { // not the same the other way round
			full, _ := words.Find("number", "operator")
			return fmt.Sprintf("; Go's operators are for numbers and strings: write %s.%s(%s)", full.Say(f.Text(x), ""), methods[0], f.Text(y))
		}
		x, y, number = y, x, true // the tensor is x from here on
	}
	switch value := f.Text(y); {
	case ok && !number && has(f, x, methods[0]):
		return fmt.Sprintf("; Go's operators are for numbers and strings: write %s.%s(%s)", f.Text(x), methods[0], value)
	case ok && number && has(f, x, methods[1]):
		return fmt.Sprintf("; Go's operators are for numbers and strings: write %s.%s(%s)", f.Text(x), methods[1], byNumber(f, n.Op, y))
	case n.Op == token.REM && has(f, x, "Floor"):
		return "; Holt has no remainder; " + wordsOf("remainder", "torch")
	case comparison(n.Op) != "" && has(f, x, "Item"):
		return byComparison(f, n, x, value, number)
	case !ok && number && has(f, x, "Item"):
		return misfit("Item", f.Text(x), "")
	case !ok && logical(n.Op) != "" && has(f, x, logical(n.Op)):
		return fmt.Sprintf("; Go's operators are for numbers and bools: write %s.%s(%s)", f.Text(x), logical(n.Op), value)
	}
	return ""
}

// byComparison explains x < y, where number says that one of them is no tensor, and
// value is that one or y.
//
// The method is named only where the tensor is on the left: 3 > x would be x.Less(3).
func byComparison(f *File, n *ast.BinaryExpr, x ast.Expr, value string, number bool) string {
	hint := misfit("Item", f.Text(x), "")
	if m := comparison(n.Op); has(f, x, m) && x == n.X {
		if number {
			full, _ := words.Find("number", "operator")
			value = full.Say(value, "")
		}
		hint += fmt.Sprintf("; value by value, write %s.%s(%s)", f.Text(x), m, value)
	}
	return hint
}

// byUnary explains an operator before a value.
//
// Python's ~x of a mask is ^x in Go.
func byUnary(f *File, n *ast.UnaryExpr) string {
	if (n.Op == token.NOT || n.Op == token.XOR) && has(f, n.X, "LogicalNot") {
		return "; Go's operators are for numbers and bools: " + strings.TrimPrefix(misfit("LogicalNot", f.Text(n.X), ""), "; ")
	}
	if n.Op == token.SUB && has(f, n.X, "Neg") {
		return "; Go's operators are for numbers and strings: " + strings.TrimPrefix(misfit("Neg", f.Text(n.X), ""), "; ")
	}
	return ""
}

// byIndex explains x[i].
//
// A tensor has Index; a data set has Get.
func byIndex(f *File, n *ast.IndexExpr) string {
	for _, m := range []string{"Index", "Get"} {
		if has(f, n.X, m) {
			return fmt.Sprintf("; write %s.%s(%s)", f.Text(n.X), m, f.Text(n.Index))
		}
	}
	return ""
}

// literal shows how a value of a struct or of a list of layers is written.
//
//	dl.Conv2d(3, 32, 5)     ; settings are fields, by their names: dl.Conv2d{In: …}
//	dl.ReLU()               ; a value of it is written dl.ReLU{}
//	dl.Sequential(a, b)     ; a list is written dl.Sequential{…}
//
// typ is the type as it stands in the cell, and its text is used.
func literal(f *File, typ ast.Expr) string {
	t := f.Info.Types[typ].Type
	if t == nil {
		return ""
	}
	text := f.Text(typ)
	if isTensor(t) {
		return "; " + wordsOf("tensor", "torch")
	}
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return fmt.Sprintf("; a list is written %s{…}", text)
	case *types.Interface:
		var methods []string
		for m := range u.Methods() {
			if m.Exported() {
				methods = append(methods, m.Name())
			}
		}
		if len(methods) > 0 {
			return "; it is an interface: any type with " + strings.Join(methods, ", ") + " is one"
		}
		return "; it is an interface: name a type that has its methods"
	case *types.Signature:
		return fmt.Sprintf("; a function is wanted: %s(%s { … })", text, spell.Type(u))
	case *types.Struct:
		fields := exportedFields(u)
		if len(fields) == 0 {
			return fmt.Sprintf("; a value of it is written %s{}", text)
		}
		return fmt.Sprintf("; settings are fields, by their names: %s{%s: …}", text, strings.Join(fields[:min(len(fields), 3)], ": …, "))
	}
	return ""
}

// fieldMeant finds a field by a name that PyTorch gives it, such as
// kernel_size for Kernel, or lists those there are.
//
//	kernel_size: 5    ; did you mean Kernel?
//	lr: 0.1           ; did you mean LR?
//	foo: 1            ; its fields are In, Out, Kernel, …
//
// First what is near, as a slip; then fields with which the name begins or ends, or which end in
// it, the longest first, since BatchSize says more than Size.
func fieldMeant(t types.Type, name string) string {
	if t == nil {
		return ""
	}
	t, _ = spell.Deref(t)
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return ""
	}
	fields := exportedFields(s)
	if n := near.To(name, fields); n != "" {
		return "; did you mean " + n + "?"
	}
	flat := strings.ToLower(strings.ReplaceAll(name, "_", ""))
	slices.SortStableFunc(fields, func(a, b string) int { return len(b) - len(a) })
	for _, n := range fields {
		if l := strings.ToLower(n); strings.HasPrefix(flat, l) || strings.HasSuffix(flat, l) || len(flat) > 2 && strings.HasSuffix(l, flat) {
			return "; did you mean " + n + "?"
		}
	}
	if len(fields) == 0 {
		return "; it has no fields"
	}
	fields = exportedFields(s)
	more := ""
	if len(fields) > 8 {
		fields, more = fields[:8], ", …"
	}
	return "; its fields are " + strings.Join(fields, ", ") + more
}

// wrapped explains an argument that belongs into a field of the struct that is
// wanted, and a number for which there is a method of its own.
//
//	step.Run(x)               ; write dl.Batch{Inputs: x}
//	dl.Start(model, loader)   ; write dl.Training{Data: loader}
//	x.Add(2)                  ; write, with a number, x.Shift(2)
//	f(1), of f(xs []int)      ; a slice is wanted: write []int{1}
func wrapped(f *File, path []ast.Node, call *ast.CallExpr) string {
	sig, ok := f.Info.Types[call.Fun].Type.(*types.Signature)
	if !ok {
		return ""
	}
	for i, arg := range call.Args {
		// The argument that the message is about is the one that path goes through.
		if !slices.Contains(path, ast.Node(arg)) || i >= sig.Params().Len() || f.Info.Types[arg].Type == nil {
			continue
		}
		sel, isMethod := call.Fun.(*ast.SelectorExpr)
		if isMethod && isNumber(f.Info.Types[arg].Type) {
			for _, op := range arithmetic {
				m, _ := operator(op)
				if sel.Sel.Name == m[0] && has(f, sel.X, m[1]) {
					return fmt.Sprintf("; write, with a number, %s.%s(%s)", f.Text(sel.X), m[1], byNumber(f, op, arg))
				}
			}
		}
		want := sig.Params().At(i).Type()
		if slice, ok := want.(*types.Slice); ok && !sig.Variadic() && types.AssignableTo(f.Info.Types[arg].Type, slice.Elem()) {
			return fmt.Sprintf("; a slice is wanted: write %s{%s}", spell.Type(want), f.Text(arg))
		}
		// The first field that takes the argument, in the order of the fields.
		if s, ok := want.Underlying().(*types.Struct); ok {
			for v := range s.Fields() {
				if v.Exported() && types.AssignableTo(f.Info.Types[arg].Type, v.Type()) {
					return fmt.Sprintf("; write %s{%s: %s}", spell.Type(want), v.Name(), f.Text(arg))
				}
			}
		}
	}
	return ""
}

// has reports whether a value has a method.
// It may be one of a pointer to the value: x is taken to be addressable.
func has(f *File, x ast.Expr, method string) bool {
	t := f.Info.Types[x].Type
	if t == nil {
		return false
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, method)
	_, ok := obj.(*types.Func)
	return ok
}

// inFunction reports whether path leads into a function's own text.
//
// A function that the cell declares is in another file, with the declarations.
func inFunction(path []ast.Node) bool {
	_, ok := innermost[*ast.FuncLit](path)
	return ok
}

// inner is the text of the innermost call at the place that path ends at.
//
//	model.Predict(x).Softmax(1), at model   →   model.Predict(x)
//
// Without a call that begins there, it is the text of the last node.
func inner(f *File, path []ast.Node) string {
	last := path[len(path)-1]
	for i := len(path) - 1; i >= 0 && path[i].Pos() == last.Pos(); i-- {
		if call, ok := path[i].(*ast.CallExpr); ok {
			return f.Text(call)
		}
	}
	return f.Text(last)
}

// outermostSelector is the whole of pkg.Name at the place of its first word.
//
//	dl.ReLU, at dl   →   dl.ReLU
func outermostSelector(path []ast.Node, x ast.Expr) ast.Expr {
	for i := len(path) - 1; i >= 0 && path[i].Pos() == x.Pos(); i-- {
		if s, ok := path[i].(*ast.SelectorExpr); ok {
			return s
		}
	}
	return x
}
