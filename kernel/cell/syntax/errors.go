package syntax

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Diagnostic is one thing wrong with a cell.
type Diagnostic struct {
	Cell      string // the source's name, such as cell[5]
	Line, Col int    // from 1; Col counts bytes; 0 when unknown
	Msg       string
	Source    string // the text of the line
}

// String is the place and the message, in one line.
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
func Trim(ds []Diagnostic) []Diagnostic {
	sort.SliceStable(ds, func(i, j int) bool {
		if ds[i].Line != ds[j].Line {
			return ds[i].Line < ds[j].Line
		}
		return ds[i].Col < ds[j].Col
	})
	ds = slices.CompactFunc(ds, func(a, b Diagnostic) bool { return a.Line == b.Line && a.Msg == b.Msg })
	if len(ds) > 10 {
		more := len(ds) - 10
		ds = append(ds[:10:10], Diagnostic{Cell: ds[0].Cell, Msg: fmt.Sprintf("and %d more errors", more)})
	}
	return ds
}
