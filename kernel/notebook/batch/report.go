package batch

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// ansi are the sequences by which a terminal changes colours.
var ansi = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// Report writes an error of [Run] for a person: of a cell, which one it is, its
// first line, and the error with the lines of the cell that it comes from.
// Colours are for a terminal.
func Report(w io.Writer, err error, colours bool) {
	var cell *CellError
	if !errors.As(err, &cell) {
		fmt.Fprintln(w, "holt:", err)
		return
	}
	fmt.Fprintf(w, "\nholt: cell %d of %d failed: %s\n", cell.Number, cell.Total, firstLine(cell.Cell.Source))
	text := strings.Join(cell.Failure.Traceback, "\n")
	if !colours {
		text = ansi.ReplaceAllString(text, "")
	}
	fmt.Fprintln(w, text)
}
