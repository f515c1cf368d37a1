package session

import (
	"context"
	"go/scanner"
	"go/token"
	"slices"
	"strconv"

	"github.com/holt-dl/holt/kernel/cell/gonb"
)

// deferArgs keeps the arguments of a cell that has nothing but %args for the cells after it.
// They count until other ones come, or %reset.
func (s *Session) deferArgs(plan gonb.Plan) {
	if plan.Args != nil && !plan.Mine {
		s.args = plan.Args
	}
}

// commandLine gives the host the arguments of the next cell, and lets the cell define flags
// that it defined before.
//
// Both cost a call of the host, so they are made only when there is a need: argsSet is what
// the host argsOf has, and a fresh host is another process and has none.
func (s *Session) commandLine(ctx context.Context, plan gonb.Plan, text string) error {
	args := s.args
	if plan.Mine {
		args = plan.Args
	}
	p := s.process()
	// By the text and not by types: this comes before the check. A flag too many is harmless,
	// as an unknown name is dropped without a word.
	if flags := flagsDefined(text); len(flags) > 0 {
		if err := p.DropFlags(ctx, flags); err != nil {
			return err
		}
	}
	if s.argsOf == p && slices.Equal(args, s.argsSet) {
		return nil
	}
	if err := p.SetArgs(ctx, args); err != nil {
		return err
	}
	s.argsOf, s.argsSet = p, args
	return nil
}

// flagsDefined returns the names of the flags that a text defines by calls such as
// flag.Int("x", …) and flag.StringVar(&s, "x", …). A process defines a flag once, and would end
// when a cell that defines it runs again.
//
// It takes the first string at the depth of the call's own arguments. Calls of flag.CommandLine
// and names that are no literals are not found.
func flagsDefined(text string) []string {
	var sc scanner.Scanner
	fset := token.NewFileSet()
	sc.Init(fset.AddFile("", -1, len(text)), []byte(text), nil, 0)
	const (
		outside = iota
		pkg     // flag
		dot     // flag.
		name    // flag.Int
		inside  // flag.Int(
	)
	// An automaton over the tokens. Depth counts brackets within the call, so that a string in
	// an inner call, such as os.Getenv("X"), is not taken for the name.
	state, depth := outside, 0
	var names []string
	for {
		_, tok, lit := sc.Scan()
		switch {
		case tok == token.EOF:
			return names
		// The name, and the end of this call: the other arguments are the default and the help.
		case state == inside && tok == token.STRING && depth == 1:
			if s, err := strconv.Unquote(lit); err == nil {
				names = append(names, s)
			}
			state = outside
		// Any other token of the arguments. At depth 0 the call has ended without a name.
		case state == inside:
			switch tok {
			case token.LPAREN, token.LBRACK, token.LBRACE:
				depth++
			case token.RPAREN, token.RBRACK, token.RBRACE:
				depth--
			}
			if depth == 0 {
				state = outside
			}
		case tok == token.IDENT && state == dot:
			state = name
			// These take no name of a new flag; flag.Set("x", …) names one that exists.
			if lit == "Parse" || lit == "Set" || lit == "Lookup" {
				state = outside
			}
		case tok == token.IDENT && lit == "flag":
			state = pkg
		case tok == token.PERIOD && state == pkg:
			state = dot
		case tok == token.LPAREN && state == name:
			state, depth = inside, 1
		default:
			state = outside
		}
	}
}
