package ipynb

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// The kinds of cells.
const (
	Code     = "code"
	Markdown = "markdown"
	Raw      = "raw"
)

// The kinds of outputs.
const (
	Stream  = "stream"
	Display = "display_data"
	Result  = "execute_result"
	Failure = "error"
)

// Notebook is one file of nbformat 4.
type Notebook struct {
	Cells    []*Cell
	Metadata map[string]any
	Minor    int // nbformat_minor; from 5 on cells have an ID

	extra map[string]any
}

// Cell is one cell. Count and Outputs belong to code cells.
type Cell struct {
	Type     string // Code, Markdown or Raw
	ID       string // empty before nbformat 4.5
	Source   string
	Metadata map[string]any
	// Attachments are pictures of a Markdown cell: file name → MIME type → base64.
	Attachments map[string]any
	Count       int // the execution count; 0 means that the cell was not run
	Outputs     []*Output

	extra map[string]any
}

// Output is one thing that a code cell shows.
type Output struct {
	Type     string         // Stream, Display, Result or Failure
	Name     string         // of a Stream: stdout or stderr
	Text     string         // of a Stream
	Data     map[string]any // of a Display or Result: MIME type → text, base64, or a value of JSON
	Metadata map[string]any // of a Display or Result
	Count    int            // of a Result; 0 is null in the file

	// Of a Failure.
	ErrorName  string
	ErrorValue string
	Traceback  []string // lines with ANSI colours

	extra map[string]any
}

// Language is the programming language that the notebook says it is written
// in, empty when it says nothing.
func (nb *Notebook) Language() string {
	for _, key := range []string{"kernelspec", "language_info"} {
		m, _ := nb.Metadata[key].(map[string]any)
		for _, field := range []string{"language", "name"} {
			if key == "kernelspec" && field == "name" {
				continue // the kernel's, not the language's
			}
			if s, _ := m[field].(string); s != "" {
				return s
			}
		}
	}
	return ""
}

// CheckGo refuses a notebook in another language, by the name of its file. One that does
// not say is taken.
func (nb *Notebook) CheckGo(name string) error {
	if lang := nb.Language(); lang != "" && !strings.EqualFold(lang, "go") {
		return fmt.Errorf("%s: it is written in %s, want Go; for other languages: jupyter nbconvert --execute", name, lang)
	}
	return nil
}

// Clone returns a copy that shares no cell and no output with nb. Values of
// metadata and data are shared: replace them, do not change them.
func (nb *Notebook) Clone() *Notebook {
	c := *nb
	c.Cells = make([]*Cell, len(nb.Cells))
	for i, cell := range nb.Cells {
		copied := *cell
		copied.Outputs = make([]*Output, len(cell.Outputs))
		for j, o := range cell.Outputs {
			out := *o
			copied.Outputs[j] = &out
		}
		c.Cells[i] = &copied
	}
	return &c
}

// Tagged reports whether the cell has a tag.
func (c *Cell) Tagged(tag string) bool {
	tags, _ := c.Metadata["tags"].([]any)
	return slices.ContainsFunc(tags, func(t any) bool { return t == tag })
}

// NewID makes an identifier for a new cell, as nbformat does: eight hexadecimal
// digits.
func NewID() string {
	var b [4]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
