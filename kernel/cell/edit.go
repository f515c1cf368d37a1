package cell

import (
	"bytes"
	"sort"
)

// An edit replaces text[start:end]. Edits that start at one place apply in the
// order in which they were made; of several, only the last may replace text.
type edit struct {
	start, end int
	text       string
}

// An editor collects edits of one text.
type editor struct {
	text  []byte
	edits []edit
}

func (e *editor) insert(at int, s string)          { e.edits = append(e.edits, edit{at, at, s}) }
func (e *editor) replace(start, end int, s string) { e.edits = append(e.edits, edit{start, end, s}) }

// blank replaces text by spaces of the same length; line breaks stay.
func (e *editor) blank(start, end int) {
	e.replace(start, end, string(blanked(e.text[start:end])))
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

// render returns text[start:end] with the edits inside it applied, and a
// function that maps an offset of the result to one of the text.
func (e *editor) render(start, end int) (string, func(int) int) {
	return e.renderIf(start, end, func(edit) bool { return true })
}

// renderIf is render with those edits alone for which ok is true.
func (e *editor) renderIf(start, end int, ok func(edit) bool) (string, func(int) int) {
	var in []edit
	for _, ed := range e.edits {
		if ed.start >= start && ed.end <= end && ok(ed) {
			in = append(in, ed)
		}
	}
	sort.SliceStable(in, func(i, j int) bool { return in[i].start < in[j].start })
	var buf bytes.Buffer
	type mark struct{ out, src int }
	marks := []mark{{0, start}}
	at := start
	for _, ed := range in {
		if ed.start < at { // inside a replaced range
			continue
		}
		buf.Write(e.text[at:ed.start])
		marks = append(marks, mark{buf.Len(), ed.start})
		buf.WriteString(ed.text)
		at = ed.end
		marks = append(marks, mark{buf.Len(), at})
	}
	buf.Write(e.text[at:end])
	return buf.String(), func(out int) int {
		i := sort.Search(len(marks), func(i int) bool { return marks[i].out > out }) - 1
		src := marks[i].src + out - marks[i].out
		if i+1 < len(marks) {
			src = min(src, marks[i+1].src)
		}
		return min(src, end)
	}
}
