package ipynb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrFormat is wrapped by the errors of files that are not notebooks of
// nbformat 4.
var ErrFormat = errors.New("not a notebook of nbformat 4")

// ReadFile reads a notebook. Its errors name the file.
func ReadFile(name string) (*Notebook, error) {
	data, err := readUpTo(name, maxFile)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such file, want a notebook (.ipynb): %w", name, os.ErrNotExist)
	case err != nil:
		return nil, err
	}
	nb, err := Read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return nb, nil
}

// maxFile is the longest notebook that is read, in bytes. Read as JSON it takes
// ten times as much memory.
const maxFile = 256 << 20

// readUpTo reads a file of at most so many bytes, whatever its length claims.
func readUpTo(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s: it has more than %d MB, want a notebook; clear its outputs", name, most>>20)
	}
	return data, err
}

// Read reads a notebook. Cells that lack an identifier, where the format wants
// one, get one.
func Read(r io.Reader) (*Notebook, error) {
	d := json.NewDecoder(r)
	d.UseNumber() // 1e3 and 1.0 stay as they are
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		return nil, fmt.Errorf("%w: it cannot be read as JSON: %v", ErrFormat, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: there is text after its end", ErrFormat)
	}
	f := fields{m: raw}
	major, given := f.integer("nbformat")
	switch {
	case !given:
		return nil, fmt.Errorf("%w: it does not say its nbformat; open it in JupyterLab and save it", ErrFormat)
	case major != 4:
		return nil, fmt.Errorf("%w but of nbformat %d; convert it with: jupyter nbconvert --to notebook --nbformat 4", ErrFormat, major)
	}
	nb := &Notebook{Metadata: f.object("metadata")}
	nb.Minor, _ = f.integer("nbformat_minor")
	delete(nb.Metadata, "orig_nbformat")
	delete(nb.Metadata, "orig_nbformat_minor")
	delete(nb.Metadata, "signature")
	for i, c := range f.list("cells") {
		m, ok := c.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%w: cell %d is no object", ErrFormat, i+1)
		}
		cell, err := readCell(m)
		if err != nil {
			return nil, fmt.Errorf("%w: cell %d: %v", ErrFormat, i+1, err)
		}
		if cell.ID == "" && nb.Minor >= 5 {
			cell.ID = NewID()
		}
		nb.Cells = append(nb.Cells, cell)
	}
	nb.extra = f.m
	if f.err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, f.err)
	}
	return nb, nil
}

func readCell(m map[string]any) (*Cell, error) {
	f := fields{m: m}
	c := &Cell{Type: f.text("cell_type"), ID: f.text("id"), Source: f.text("source"), Metadata: f.object("metadata")}
	delete(c.Metadata, "trusted")
	if m["attachments"] != nil {
		c.Attachments = f.object("attachments")
		for _, a := range c.Attachments {
			if bundle, ok := a.(map[string]any); ok {
				join(bundle)
			}
		}
	}
	if c.Type == Code {
		c.Count, _ = f.integer("execution_count")
		for i, o := range f.list("outputs") {
			m, ok := o.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("output %d is no object", i+1)
			}
			out, err := readOutput(m)
			if err != nil {
				return nil, fmt.Errorf("output %d: %w", i+1, err)
			}
			c.Outputs = append(c.Outputs, out)
		}
	}
	c.extra = f.m
	return c, f.err
}

func readOutput(m map[string]any) (*Output, error) {
	f := fields{m: m}
	o := &Output{Type: f.text("output_type")}
	switch o.Type {
	case Stream:
		o.Name, o.Text = f.text("name"), f.text("text")
	case Display, Result:
		o.Data, o.Metadata = f.object("data"), f.object("metadata")
		join(o.Data)
		if o.Type == Result {
			o.Count, _ = f.integer("execution_count")
		}
	case Failure:
		o.ErrorName, o.ErrorValue = f.text("ename"), f.text("evalue")
		for _, line := range f.list("traceback") {
			s, _ := line.(string)
			o.Traceback = append(o.Traceback, s)
		}
	}
	o.extra = f.m
	return o, f.err
}

// fields takes known fields out of an object; what is left is extra. The first
// field of a wrong type is the error.
type fields struct {
	m   map[string]any
	err error
}

func (f *fields) take(name string) any {
	v := f.m[name]
	delete(f.m, name)
	return v
}

func (f *fields) wrong(name, want string) {
	if f.err == nil {
		f.err = fmt.Errorf("its %s is not %s", name, want)
	}
}

// text takes a string, or a list of lines.
func (f *fields) text(name string) string {
	switch v := f.take(name).(type) {
	case nil:
	case string:
		return v
	case []any:
		if s, ok := joined(v); ok {
			return s
		}
		f.wrong(name, "text")
	default:
		f.wrong(name, "text")
	}
	return ""
}

// integer takes a number; null counts as not given.
func (f *fields) integer(name string) (n int, given bool) {
	switch v := f.take(name).(type) {
	case nil:
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n), true
		}
		f.wrong(name, "a whole number")
	default:
		f.wrong(name, "a whole number")
	}
	return 0, false
}

func (f *fields) object(name string) map[string]any {
	switch v := f.take(name).(type) {
	case nil:
	case map[string]any:
		return v
	default:
		f.wrong(name, "an object")
	}
	return map[string]any{}
}

func (f *fields) list(name string) []any {
	switch v := f.take(name).(type) {
	case nil:
	case []any:
		return v
	default:
		f.wrong(name, "a list")
	}
	return nil
}

// join makes whole texts of the lists of lines in a bundle.
func join(bundle map[string]any) {
	for mime, v := range bundle {
		if list, ok := v.([]any); ok && !isJSON(mime) {
			if s, ok := joined(list); ok {
				bundle[mime] = s
			}
		}
	}
}

func joined(lines []any) (string, bool) {
	var b strings.Builder
	for _, line := range lines {
		s, ok := line.(string)
		if !ok {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

// isJSON reports whether values of a MIME type are JSON, and no text.
func isJSON(mime string) bool {
	return mime == "application/json" || strings.HasPrefix(mime, "application/") && strings.HasSuffix(mime, "+json")
}
