package parse

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"

	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// A variable with //go:embed above it is declared once more in the generated
// package, where the compiler fills it; the statement copies it. Files are those
// beside the notebook.

// embedLines takes the //go:embed lines above a declaration that starts at
// start, and reports where they begin.
//
// It goes up from the declaration, over all line comments that stand directly above it. Where
// none is a directive, the list is empty. A directive without patterns is an error.
func (c *Cell) embedLines(start int) (list []Embed, begin int, err error) {
	begin = start
	for {
		line := bytes.LastIndexByte(c.Text[:begin], '\n') // the break above
		// Something else stands before the declaration on its line, or it is the first line.
		if line < 0 || len(bytes.TrimSpace(c.Text[line+1:begin])) > 0 {
			return list, begin, nil
		}
		prev := bytes.LastIndexByte(c.Text[:line], '\n') + 1
		text := strings.TrimSpace(string(c.Text[prev:line]))
		if !strings.HasPrefix(text, "//") {
			return list, begin, nil
		}
		if rest, ok := strings.CutPrefix(text, "//go:embed"); ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t') {
			number := 1 + bytes.Count(c.Text[:prev], []byte("\n"))
			patterns, ok := embedPatterns(rest)
			if !ok {
				return nil, 0, &syntax.Error{Diagnostics: []syntax.Diagnostic{{Cell: c.Name, Line: number, Col: 1, Source: text,
					Msg: "//go:embed wants names of files or folders, or patterns of them, as in //go:embed words.txt images/*.png"}}}
			}
			var here []Embed
			for _, p := range patterns {
				here = append(here, Embed{Pattern: p, Cell: c.Name, Line: number})
			}
			// The lines are met from the last to the first.
			list = append(here, list...)
		}
		begin = prev
	}
}

// embedPatterns splits what stands behind //go:embed.
//
// The compiler reads them the same way: names with blanks between them, and those that hold
// blanks as strings of Go. ok is false where a string does not end, or where there is nothing.
func embedPatterns(s string) (list []string, ok bool) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '"' || s[0] == '`' {
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return nil, false
			}
			p, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, false
			}
			list, s = append(list, p), s[len(quoted):]
			continue
		}
		end := strings.IndexFunc(s, unicode.IsSpace)
		if end < 0 {
			end = len(s)
		}
		list, s = append(list, s[:end]), s[end:]
	}
	return list, len(list) > 0
}

// takeEmbed gives a declaration its //go:embed lines.
//
// Typed says that the declaration has a type. The rules are the compiler's, which would report
// them for generated text: one variable, a type, no value, package level.
func (c *Cell) takeEmbed(f *syntax.File, t *Stmt, typed bool) error {
	list, begin, err := c.embedLines(t.Start)
	if err != nil || len(list) == 0 {
		return err
	}
	if len(t.Defs) != 1 || !typed || len(t.Values) > 0 {
		return &syntax.Error{Diagnostics: []syntax.Diagnostic{f.At(t.Start, syntax.Diagnostic{Cell: c.Name,
			Msg: "//go:embed stands above one variable with a type and without a value: var text string, []byte or embed.FS"})}}
	}
	t.Embed = list
	c.groups = append(c.groups, [2]int{begin, t.Start}) // no directive may stand in a function
	return nil
}
