package syntax

import (
	"bytes"
	"sort"
)

// An Edit replaces text[start:end]. Edits that start at one place apply in the
// order in which they were made; of several, only the last may replace text.
//
// Offsets are bytes of the text as it was before any edit, so edits can be collected in any
// order without moving one another.
type Edit struct {
	Start, End int // equal for an insertion
	Text       string
}

// Insertion is an edit that replaces nothing.
func Insertion(at int, s string) Edit { return Edit{at, at, s} }

// Replacement is an edit of text[start:end].
func Replacement(start, end int, s string) Edit { return Edit{start, end, s} }

// An Editor collects edits of one text.
// Each pass of the checker has its own, and renders it once all edits are known. The zero
// value with a Text is ready; it is not safe for concurrent use.
type Editor struct {
	Text  []byte
	Edits []Edit
}

// Insert puts text in at a place.
func (e *Editor) Insert(at int, s string) { e.Edits = append(e.Edits, Insertion(at, s)) }

// Replace puts text in the place of text[start:end].
func (e *Editor) Replace(start, end int, s string) {
	e.Edits = append(e.Edits, Replacement(start, end, s))
}

// Blank replaces text by spaces of the same length; line breaks stay.
//
//	"x := 1 // note"  →  "x := 1        "
//
// This is how parts of a cell are left out: what stays keeps its line and column.
func (e *Editor) Blank(start, end int) {
	e.Replace(start, end, string(blanked(e.Text[start:end])))
}

// blanked is a text in which each byte but line breaks is a space. A letter of several bytes
// becomes several spaces: columns are counted in bytes.
func blanked(text []byte) []byte {
	out := bytes.Repeat([]byte{' '}, len(text))
	for i, b := range text {
		if b == '\n' {
			out[i] = '\n'
		}
	}
	return out
}

// Render returns text[start:end] with the edits inside it applied, and a
// function that maps an offset of the result to one of the text.
//
// With the edits Replace(2, 4, "=") and Insert(5, "take("), Insert(8, ")"):
//
//	x := f()        x = take(f())
//	0 2  5          0 2 4    9       back(9) is 5, and so is back(4)
//
// Places inside an insertion come from the place of the insertion. Places inside a replacement
// come from the place as far behind the start of what was replaced, but at most from its end,
// so that a text that is replaced by one of the same length keeps its columns.
func (e *Editor) Render(start, end int) (string, func(int) int) {
	return e.RenderIf(start, end, func(Edit) bool { return true })
}

// RenderIf is Render with those edits alone for which ok is true.
// A declaration that is moved needs this: an insertion at the place where two pieces meet goes
// into one of them only (see Cell.pulled in package parse).
func (e *Editor) RenderIf(start, end int, ok func(Edit) bool) (string, func(int) int) {
	// Edits that reach beyond the part are left out, not cut: half a replacement has no
	// meaning.
	var in []Edit
	for _, ed := range e.Edits {
		if ed.Start >= start && ed.End <= end && ok(ed) {
			in = append(in, ed)
		}
	}
	// Stable, so that insertions at one place stay in the order in which they were made.
	sort.SliceStable(in, func(i, j int) bool { return in[i].Start < in[j].Start })
	var buf bytes.Buffer
	// A mark says that the result at out continues with the text at src. From one mark to the
	// next, both advance byte by byte.
	type mark struct{ out, src int }
	marks := []mark{{0, start}}
	at := start
	for _, ed := range in {
		// What is replaced is gone, and edits of it with it.
		if ed.Start < at { // inside a replaced range
			continue
		}
		buf.Write(e.Text[at:ed.Start])
		// One mark before what is put in, and one behind it, which ends the stretch that comes
		// from the range that was replaced.
		marks = append(marks, mark{buf.Len(), ed.Start})
		buf.WriteString(ed.Text)
		at = ed.End
		marks = append(marks, mark{buf.Len(), at})
	}
	buf.Write(e.Text[at:end])
	return buf.String(), func(out int) int {
		// The last mark that is not behind out. The first mark is at 0, so there is one.
		i := sort.Search(len(marks), func(i int) bool { return marks[i].out > out }) - 1
		src := marks[i].src + out - marks[i].out
		// What was put in may be longer than what it replaced: it comes at most from the end
		// of that.
		if i+1 < len(marks) {
			src = min(src, marks[i+1].src)
		}
		return min(src, end)
	}
}
