package session

import (
	"strings"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/lineage"
	"github.com/holt-dl/holt/kernel/session/report"
)

// record tells the notebook's log that a cell ran, as far as reached says, and warns when that
// put others out of date. Silent requests, and programs of the kernel's own, are no cells that
// a person could run again, so they are not in the log.
func (s *Session) record(p *cell.Program, name string, reached int) {
	s.mu.Lock()
	req := s.req
	s.mu.Unlock()
	if req.Silent || name == report.InternalCell {
		return
	}
	// The log knows a cell by the client's own name for it, since a cell that runs again has
	// another number. A client that sends none gets a new entry for each execution.
	id := req.CellID
	if id == "" {
		id = name
	}
	notice := s.lineage.Add(lineage.Run{ID: id, Name: name, Effects: p.Effects.Reached(reached), Queued: req.Queued})
	if notice != "" {
		s.notice(notice)
	}
}

// Stale lists the cells whose result is out of date, a line for each reason, for %stale.
func (c commands) Stale() string {
	list := c.s.lineage.Stale()
	if len(list) == 0 {
		return "no cell is stale\n"
	}
	var b strings.Builder
	for _, s := range list {
		b.WriteString(s.String() + "\n")
	}
	return b.String()
}
