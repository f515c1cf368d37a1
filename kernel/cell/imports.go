package cell

import (
	"errors"
	"go/types"
	"maps"
	"sort"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// findImports resolves the cell's imports, and finds the packages that it
// names without importing them.
func (c *check) findImports() error {
	var need []string
	for name := range c.imported {
		need = append(need, c.imports[name])
	}
	need = append(need, c.blank...)
	need = append(need, sortedKeys(c.dots)...)
	sort.Strings(need)
	if len(need) > 0 {
		if err := c.nb.pk.Add(c.ctx, need); err != nil {
			return c.importError(err)
		}
	}
	// The name of an import without one is known only now.
	for name, path := range maps.Clone(c.imports) {
		if !strings.HasPrefix(name, "?") {
			continue
		}
		delete(c.imports, name)
		p, err := c.nb.pk.Import(path)
		if err != nil {
			return c.importError(err)
		}
		c.imports[p.Name()] = path
		delete(c.imported, name)
		c.imported[p.Name()] = true
	}
	bases := map[string][]string{}
	for _, f := range []struct {
		parse func() (*syntax.File, error)
		stmts bool
	}{
		{c.cell.Decls, false}, {c.cell.Body, true},
	} {
		parsed, err := f.parse()
		if err != nil {
			return err
		}
		for name, sels := range selectorBases(parsed.AST) {
			if f.stmts || !c.cell.Defines(name) { // time := time.Now() defines it after its use
				bases[name] = append(bases[name], sels...)
			}
		}
	}
	var guessed []string
	for _, name := range sortedKeys(bases) {
		if c.imports[name] != "" || c.scope.Lookup(name) != nil || c.ownNames[name] || types.Universe.Lookup(name) != nil {
			continue
		}
		if path, ok := c.nb.pk.Guess(name, bases[name]); ok {
			c.imports[name] = path
			guessed = append(guessed, path)
		}
	}
	if len(guessed) > 0 {
		if err := c.nb.pk.Add(c.ctx, guessed); err != nil {
			return c.importError(err)
		}
	}
	return nil
}

func (c *check) importError(err error) error {
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	var e *Error
	if errors.As(err, &e) || errors.Is(err, ErrAgain) {
		return err
	}
	return &Error{Diagnostics: []Diagnostic{{Cell: c.cell.Name, Msg: err.Error()}}}
}
