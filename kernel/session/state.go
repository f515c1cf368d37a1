package session

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/lineage"
)

// List describes what is declared, a line each, for %list: kind, name, type, and the cell that
// has its present meaning.
//
//	var   x      int                  cell[3]
//	func  area   (r float64) float64  cell[4]
//	var   names  []string             cell[5], value gone: …
func (c commands) List() string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	for _, d := range c.s.nb.Declarations() {
		state := d.Cell
		if d.Lost != "" {
			state += ", value gone: " + d.Lost
		}
		// The type of a type would be its own name again.
		typ := d.Type
		if d.Kind == "type" {
			typ = ""
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", d.Kind, d.Name, strings.TrimPrefix(typ, "func"), state)
	}
	for _, name := range sorted(c.s.nb.Scope().Imports()) {
		fmt.Fprintf(tw, "import\t%s\t%q\t\n", name, c.s.nb.Scope().Imports()[name])
	}
	tw.Flush()
	if b.Len() == 0 {
		return "nothing is declared yet\n"
	}
	return b.String()
}

// Remove forgets a name.
func (c commands) Remove(name string) bool { return c.s.nb.Remove(name) }

// Reset forgets everything, modules too, and starts a fresh host. The folder, the environment
// and the flags of %goflags stay.
//
// The order matters. The requirements of modules go first, since they can fail, and nothing
// else has been touched by then. The host must have ended before its files are removed, and the
// files be gone before cells with the same numbers write theirs.
func (c commands) Reset(ctx context.Context) error {
	s := c.s
	if err := s.modules.Init(); err != nil {
		return err
	}
	if _, err := s.modules.Adopt(ctx, true); err != nil {
		return err
	}
	// Whether go.mod brought another host does not matter: one is started in any case.
	p := s.process()
	p.Kill()
	p.Wait()
	s.catchUp() // the numbers of cells begin again, and their folders with them
	s.packages.Reset()
	// All that knows anything of earlier cells begins anew.
	s.nb = cell.New(s.packages)
	s.lineage = lineage.Log{}
	s.archives, s.carriers = map[string]string{}, map[string]string{}
	s.spare.forget()
	s.args = nil
	s.died = ""
	if err := s.start(); err != nil {
		s.died = err.Error()
		return err
	}
	c.Print("everything is forgotten; a fresh host process runs\n")
	return nil
}

// sorted returns the keys of a map in order, so that what is made from it is the same each
// time.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
