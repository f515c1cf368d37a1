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

// List describes what is declared.
func (c commands) List() string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	for _, d := range c.s.nb.Declarations() {
		state := d.Cell
		if d.Lost != "" {
			state += ", value gone: " + d.Lost
		}
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

// Reset forgets everything, modules too, and starts a fresh host.
func (c commands) Reset(ctx context.Context) error {
	s := c.s
	if err := s.modules.Init(); err != nil {
		return err
	}
	if _, err := s.modules.Adopt(ctx, true); err != nil {
		return err
	}
	p := s.process()
	p.Kill()
	p.Wait()
	s.catchUp() // the numbers of cells begin again, and their folders with them
	s.packages.Reset()
	s.nb = cell.New(s.packages)
	s.lineage = lineage.Log{}
	s.archives = map[string]string{}
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

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
