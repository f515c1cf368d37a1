package syntax

import (
	"bytes"
	"sort"
)

// An Edit replaces text[start:end]. Edits that start at one place apply in the
// order in which they were made; of several, only the last may replace text.
type Edit struct {
	Start, End int
	Text       string
}

// Insertion is an edit that replaces nothing.
func Insertion(at int, s string) Edit { return Edit{at, at, s} }

// Replacement is an edit of text[start:end].
func Replacement(start, end int, s string) Edit { return Edit{start, end, s} }

// An Editor collects edits of one text.
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
func (e *Editor) Blank(start, end int) {
	e.Replace(start, end, string(blanked(e.Text[start:end])))
}

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
func (e *Editor) Render(start, end int) (string, func(int) int) {
	return e.RenderIf(start, end, func(Edit) bool { return true })
}

// RenderIf is Render with those edits alone for which ok is true.
func (e *Editor) RenderIf(start, end int, ok func(Edit) bool) (string, func(int) int) {
	var in []Edit
	for _, ed := range e.Edits {
		if ed.Start >= start && ed.End <= end && ok(ed) {
			in = append(in, ed)
		}
	}
	sort.SliceStable(in, func(i, j int) bool { return in[i].Start < in[j].Start })
	var buf bytes.Buffer
	type mark struct{ out, src int }
	marks := []mark{{0, start}}
	at := start
	for _, ed := range in {
		if ed.Start < at { // inside a replaced range
			continue
		}
		buf.Write(e.Text[at:ed.Start])
		marks = append(marks, mark{buf.Len(), ed.Start})
		buf.WriteString(ed.Text)
		at = ed.End
		marks = append(marks, mark{buf.Len(), at})
	}
	buf.Write(e.Text[at:end])
	return buf.String(), func(out int) int {
		i := sort.Search(len(marks), func(i int) bool { return marks[i].out > out }) - 1
		src := marks[i].src + out - marks[i].out
		if i+1 < len(marks) {
			src = min(src, marks[i+1].src)
		}
		return min(src, end)
	}
}
