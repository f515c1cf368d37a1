package gen

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A cell that waits cannot look at its stop flag, so that what it waits for in
// its own text is written in another way, which an interrupt ends:
//
//	<-c                      ˣrt.Recv(c)
//	v, ok := <-c             v, ok := ˣrt.Recv2(c)
//	for v := range c         for v := range ˣrt.Range(c), unless its body calls recover
//	c <- v                   select { case c <- v: case <-ˣrt.Done(): panic(ˣrt.Interrupted()) }
//	select { … }             the same case added, unless there is a default
//	time.Sleep(d)            ˣrt.Sleep(int64(d))
//	wg.Wait()                ˣrt.Await(wg.Wait)
//
// An interrupt makes other calls return, as [ended] lists them. What the cell
// does next would take what they return for the truth, so that they are
// followed by a look at the flag:
//
//	fmt.Scanln(&s)           ˣrt.After2(fmt.Scanln(&s))
//
// What a package waits for that the cell calls is out of reach.

// ended holds the calls that an interrupt makes return, with the number of
// their results: reads of standard input, which finds its end, and waits for a
// program, which is ended.
//
// The number says which of After, After2 and After3 fits: Go passes the results of a call on
// as the arguments of another where there is nothing else beside them.
var ended = map[string]int{
	"fmt.Scan": 2, "fmt.Scanf": 2, "fmt.Scanln": 2, "fmt.Fscan": 2, "fmt.Fscanf": 2, "fmt.Fscanln": 2,
	"(*bufio.Scanner).Scan": 1, "(*bufio.Reader).Read": 2, "(*bufio.Reader).ReadByte": 2, "(*bufio.Reader).ReadBytes": 2,
	"(*bufio.Reader).ReadLine": 3, "(*bufio.Reader).ReadRune": 3, "(*bufio.Reader).ReadSlice": 2, "(*bufio.Reader).ReadString": 2,
	"(*bufio.Reader).Peek": 2, "io.Copy": 2, "io.ReadAll": 2, "io.ReadAtLeast": 2, "io.ReadFull": 2, "(*os.File).Read": 2, "syscall.Read": 2,
	"(*os/exec.Cmd).Run": 1, "(*os/exec.Cmd).Wait": 1, "(*os/exec.Cmd).Output": 2, "(*os/exec.Cmd).CombinedOutput": 2,
	"(*os.Process).Wait": 2,
}

// stopCase is the case that an interrupt makes ready. Interrupted does not return, which the
// compiler cannot know: the panic makes the case one that ends its function, so that no
// return is missing behind the select.
const stopCase = "case <-ˣrt.Done(): panic(ˣrt.Interrupted())"

// wait rewrites a node at which a cell can wait, before what is inside it.
//
// A receive or a send that is a case of a select stays one, marked by skip: Go allows nothing
// else there.
func (r *rewriter) wait(n, parent ast.Node) {
	switch n := n.(type) {
	case *ast.SelectStmt:
		r.selectStmt(n)
	case *ast.SendStmt:
		// A select converts the value to the type of the channel's elements as the send does.
		if r.isChan(n.Chan) && !r.skip[n] && inList(parent) {
			r.rt("Done")
			r.ed.Insert(r.off(n.Pos()), "select { case ")
		}
	case *ast.UnaryExpr:
		if name := r.receive(n); name != "" {
			r.ed.Insert(r.off(n.OpPos), r.rt(name)+"(")
			r.ed.Replace(r.off(n.OpPos), r.off(n.OpPos)+len("<-"), "")
		}
	case *ast.RangeStmt:
		if r.rangesOver(n) {
			r.ed.Insert(r.off(n.X.Pos()), r.rt("Range")+"(")
		}
	case *ast.CallExpr:
		switch r.callee(n) {
		case "time.Sleep":
			// rt does not import time, and takes the nanoseconds.
			r.ed.Replace(r.off(n.Fun.Pos()), r.off(n.Lparen)+1, r.rt("Sleep")+"(int64(")
			r.skipAll(n.Fun)
		case "(*sync.WaitGroup).Wait":
			// The call becomes a method value, which Await calls on a goroutine of its own.
			r.ed.Insert(r.off(n.Pos()), r.rt("Await")+"(")
		}
		if after := r.after(n, parent); after != "" {
			r.ed.Insert(r.off(n.Pos()), r.rt(after)+"(")
		}
	}
}

// after names the function that stands around a call which an interrupt makes
// return, or is empty.
func (r *rewriter) after(n *ast.CallExpr, parent ast.Node) string {
	switch parent.(type) {
	// go f() and defer f() want a call; around it, f would be called at once.
	case *ast.GoStmt, *ast.DeferStmt:
		return "" // it is not called here
	}
	switch ended[r.callee(n)] {
	case 1:
		return "After"
	case 2:
		return "After2"
	case 3:
		return "After3"
	}
	return ""
}

// waitEnd completes what wait began, after what is inside the node.
func (r *rewriter) waitEnd(n, parent ast.Node) {
	end := r.off(n.End())
	switch n := n.(type) {
	case *ast.SendStmt:
		if r.isChan(n.Chan) && !r.skip[n] && inList(parent) {
			r.ed.Insert(end, ": "+stopCase+" }")
		}
	case *ast.UnaryExpr:
		if r.receive(n) != "" {
			r.ed.Insert(end, ")")
		}
	case *ast.CallExpr:
		switch r.callee(n) {
		case "time.Sleep":
			r.ed.Insert(r.off(n.Rparen), ")")
		case "(*sync.WaitGroup).Wait":
			r.ed.Replace(r.off(n.Lparen), end, ")")
		}
		if r.after(n, parent) != "" {
			r.ed.Insert(end, ")")
		}
	}
	if loop, ok := parent.(*ast.RangeStmt); ok && n == loop.X && r.rangesOver(loop) {
		r.ed.Insert(end, ")")
	}
}

// rangesOver reports whether a loop over a channel becomes one over a function, rt.Range. The
// body of such a loop is a function to Go, in which recover finds nothing: a loop that calls it
// stays as it is, and an interrupt does not end its wait.
func (r *rewriter) rangesOver(loop *ast.RangeStmt) bool {
	return r.isChan(loop.X) && !r.callsRecover(loop.Body)
}

// selectStmt adds the case of an interrupt, and keeps the statements of its
// cases, which stand there in this form alone.
func (r *rewriter) selectStmt(n *ast.SelectStmt) {
	// The communications stay as they are, also where there is a default.
	for _, s := range n.Body.List {
		clause := s.(*ast.CommClause)
		switch c := clause.Comm.(type) {
		case *ast.SendStmt:
			r.skip[c] = true
		case *ast.ExprStmt:
			r.skip[ast.Unparen(c.X)] = true
		case *ast.AssignStmt:
			r.skip[ast.Unparen(c.Rhs[0])] = true
		}
	}
	for _, s := range n.Body.List {
		if s.(*ast.CommClause).Comm == nil {
			return // it does not wait
		}
	}
	r.rt("Done")
	// The case is put before the brace, behind the last statement of the case above it.
	before := ""
	if len(n.Body.List) > 0 {
		before = ";"
	}
	r.ed.Insert(r.off(n.Body.Rbrace), before+stopCase)
}

// receive names the function that takes the place of a receive, or is empty.
//
// The type of <-c is a pair where the statement takes ok as well.
func (r *rewriter) receive(n *ast.UnaryExpr) string {
	if n.Op != token.ARROW || r.skip[n] || !r.isChan(n.X) {
		return ""
	}
	if pair, ok := r.g.in.Info.Types[n].Type.(*types.Tuple); ok {
		if b, ok := pair.At(1).Type().(*types.Basic); !ok || b.Kind() != types.Bool && b.Kind() != types.UntypedBool {
			return "" // v, ok = <-c, with an ok of a type of its own
		}
		return "Recv2"
	}
	return "Recv"
}

// isChan reports whether an expression is a channel whose element type Go can
// infer, which it cannot of a type parameter.
func (r *rewriter) isChan(x ast.Expr) bool {
	t := r.g.in.Info.TypeOf(x)
	if t == nil {
		return false
	}
	if _, param := types.Unalias(t).(*types.TypeParam); param {
		return false
	}
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// inList reports whether a statement stands in a list of statements, where one
// of another kind can take its place.
//
// It is none in the head of an if or a for, such as for i := 0; i < n; c <- i: there a send
// stays a send, and an interrupt does not end it.
func inList(parent ast.Node) bool {
	switch parent.(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, *ast.LabeledStmt:
		return true
	}
	return false
}
