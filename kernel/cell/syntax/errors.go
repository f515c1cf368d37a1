package syntax

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Diagnostic is one thing wrong with a cell.
//
// It holds the line that it is about, so that what shows it, with a mark below the column,
// needs no text of the cell, which may be an earlier one.
type Diagnostic struct {
	Cell      string // the source's name, such as cell[5]
	Line, Col int    // from 1; Col counts bytes; 0 when unknown
	Msg       string // may have more lines, such as have (…) and want (…)
	Source    string // the text of the line
}

// String is the place and the message, in one line.
// A diagnostic without a line is about the cell as a whole, or says how many more there are.
func (d Diagnostic) String() string {
	if d.Line == 0 {
		return d.Msg
	}
	return d.Place() + ": " + d.Msg
}

// Place is the cell, the line and, where it is known, the column.
func (d Diagnostic) Place() string {
	if d.Col == 0 {
		return fmt.Sprintf("%s:%d", d.Cell, d.Line)
	}
	return fmt.Sprintf("%s:%d:%d", d.Cell, d.Line, d.Col)
}

// Error is why a cell does not compile. Nothing of the cell took effect.
// Other errors of a check are no fault of the cell's text: an interrupt, or check.ErrAgain.
type Error struct {
	Diagnostics []Diagnostic
}

// Error lists the diagnostics, a line each.
func (e *Error) Error() string {
	lines := make([]string, len(e.Diagnostics))
	for i, d := range e.Diagnostics {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Trim sorts diagnostics by place, drops repeats, and keeps the first ten.
// Go's own compiler stops after ten, too: what follows is mostly due to the first. A message
// that comes twice for one line is said once, at the first column. The slice that is given is
// sorted in place.
func Trim(ds []Diagnostic) []Diagnostic {
	sort.SliceStable(ds, func(i, j int) bool {
		if ds[i].Line != ds[j].Line {
			return ds[i].Line < ds[j].Line
		}
		return ds[i].Col < ds[j].Col
	})
	// Neighbours only: two equal messages with another between them, by column, both stay.
	ds = slices.CompactFunc(ds, func(a, b Diagnostic) bool { return a.Line == b.Line && a.Msg == b.Msg })
	if len(ds) > 10 {
		more := len(ds) - 10
		// The capacity is cut, so that append copies and leaves the caller's eleventh alone.
		ds = append(ds[:10:10], Diagnostic{Cell: ds[0].Cell, Msg: fmt.Sprintf("and %d more errors", more)})
	}
	return ds
}
