package ipynb

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/holt-dl/holt/internal/aside"
)

// Write writes the notebook as Python's nbformat does: keys in order, one
// space for a level, texts as lists of lines.
func (nb *Notebook) Write(w io.Writer) error {
	m := maps.Clone(nb.extra)
	if m == nil {
		m = map[string]any{}
	}
	cells := make([]any, len(nb.Cells))
	for i, c := range nb.Cells {
		cells[i] = c.object()
	}
	m["cells"], m["metadata"] = cells, orEmpty(nb.Metadata)
	m["nbformat"], m["nbformat_minor"] = 4, nb.Minor
	p := printer{w: bufio.NewWriter(w)}
	p.value(m, "\n")
	p.w.WriteByte('\n')
	if p.err != nil {
		return p.err
	}
	return p.w.Flush()
}

// WriteFile writes the notebook aside and then renames it, so that the file
// holds either the old notebook or the new one.
func (nb *Notebook) WriteFile(name string) error {
	return aside.WriteFile(name, nb.Write)
}

func (c *Cell) object() map[string]any {
	m := maps.Clone(c.extra)
	if m == nil {
		m = map[string]any{}
	}
	m["cell_type"], m["metadata"], m["source"] = c.Type, orEmpty(c.Metadata), lines(c.Source)
	if c.ID != "" {
		m["id"] = c.ID
	}
	if c.Attachments != nil {
		a := map[string]any{}
		for name, bundle := range c.Attachments {
			if b, ok := bundle.(map[string]any); ok {
				bundle = split(b)
			}
			a[name] = bundle
		}
		m["attachments"] = a
	}
	if c.Type == Code {
		m["execution_count"] = count(c.Count)
		outputs := make([]any, len(c.Outputs))
		for i, o := range c.Outputs {
			outputs[i] = o.object()
		}
		m["outputs"] = outputs
	}
	return m
}

func (o *Output) object() map[string]any {
	m := maps.Clone(o.extra)
	if m == nil {
		m = map[string]any{}
	}
	m["output_type"] = o.Type
	switch o.Type {
	case Stream:
		m["name"], m["text"] = o.Name, lines(o.Text)
	case Display, Result:
		m["data"], m["metadata"] = split(o.Data), orEmpty(o.Metadata)
		if o.Type == Result {
			m["execution_count"] = count(o.Count)
		}
	case Failure:
		trace := make([]any, len(o.Traceback))
		for i, line := range o.Traceback {
			trace[i] = line
		}
		m["ename"], m["evalue"], m["traceback"] = o.ErrorName, o.ErrorValue, trace
	}
	return m
}

func count(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// split makes lists of lines of the texts in a bundle.
func split(bundle map[string]any) map[string]any {
	out := make(map[string]any, len(bundle))
	for mime, v := range bundle {
		if s, ok := v.(string); ok && (strings.HasPrefix(mime, "text/") || mime == "application/javascript" || mime == "image/svg+xml") {
			out[mime] = lines(s)
			continue
		}
		out[mime] = v
	}
	return out
}

// lines cuts a text after its line breaks, which are those of Python's
// str.splitlines: more than \n.
func lines(s string) []any {
	list := []any{}
	for len(s) > 0 {
		i := strings.IndexFunc(s, func(r rune) bool {
			return r >= '\n' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
		})
		if i < 0 {
			return append(list, s)
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		if strings.HasPrefix(s[i:], "\r\n") {
			n = 2
		}
		list = append(list, s[:i+n])
		s = s[i+n:]
	}
	return list
}

// A printer writes JSON in the manner of Python's json module with indent=1,
// sort_keys=True and ensure_ascii=False.
type printer struct {
	w   *bufio.Writer
	err error
}

func (p *printer) value(v any, indent string) {
	switch v := v.(type) {
	case map[string]any:
		p.w.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			p.next(i, indent)
			p.text(key)
			p.w.WriteString(": ")
			p.value(v[key], indent+" ")
		}
		p.end(len(v), indent, '}')
	case []any:
		p.w.WriteByte('[')
		for i, e := range v {
			p.next(i, indent)
			p.value(e, indent+" ")
		}
		p.end(len(v), indent, ']')
	case string:
		p.text(v)
	case int:
		p.w.WriteString(strconv.Itoa(v))
	case json.Number:
		p.w.WriteString(v.String())
	case nil:
		p.w.WriteString("null")
	case bool:
		p.w.WriteString(strconv.FormatBool(v))
	default: // numbers, and what a display's own types hold
		data, err := json.Marshal(v)
		if err != nil {
			p.err = fmt.Errorf("ipynb: a value cannot be written as JSON: %w", err)
			return
		}
		if _, simple := v.(float64); simple {
			p.w.Write(data)
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var plain any
		if err := d.Decode(&plain); err != nil {
			p.err = err
			return
		}
		p.value(plain, indent)
	}
}

func (p *printer) next(i int, indent string) {
	if i > 0 {
		p.w.WriteByte(',')
	}
	p.w.WriteString(indent + " ")
}

func (p *printer) end(n int, indent string, close byte) {
	if n > 0 {
		p.w.WriteString(indent)
	}
	p.w.WriteByte(close)
}

func (p *printer) text(s string) {
	p.w.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			p.w.WriteByte('\\')
			p.w.WriteRune(r)
		case '\n':
			p.w.WriteString(`\n`)
		case '\r':
			p.w.WriteString(`\r`)
		case '\t':
			p.w.WriteString(`\t`)
		case '\b':
			p.w.WriteString(`\b`)
		case '\f':
			p.w.WriteString(`\f`)
		default:
			if r < ' ' {
				fmt.Fprintf(p.w, `\u%04x`, r)
				continue
			}
			p.w.WriteRune(r)
		}
	}
	p.w.WriteByte('"')
}
