package gen

import (
	"fmt"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// embeds writes the variables that the compiler fills.
//
//	//go:embed words.txt       //line cell[5]:1
//	var words string           //go:embed "words.txt"
//	                           var ˣembed_words string
//
// The compiler takes the directive above a variable of the package that it compiles; that of
// the cell may live in an earlier program. The statement copies the value. The
// line is that of the first pattern.
func (g *generator) embeds(use map[string]string) (text string, list []parse.Embed) {
	var b strings.Builder
	tp := g.printer(use)
	for _, t := range g.in.Cell.Stmts {
		if len(t.Embed) == 0 {
			continue
		}
		name, patterns := t.Defs[0], t.Embed
		fmt.Fprintf(&b, "//line %s:%d\n", patterns[0].Cell, patterns[0].Line)
		for _, e := range patterns {
			fmt.Fprintf(&b, "//go:embed %q\n", e.Pattern)
		}
		fmt.Fprintf(&b, "var %s %s\n", spell.Embed(name), tp.String(g.in.Pkg.Scope().Lookup(spell.Var(name)).Type()))
		list = append(list, patterns...)
	}
	return b.String(), list
}
