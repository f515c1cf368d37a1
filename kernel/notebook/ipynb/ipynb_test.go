package ipynb_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/notebook/ipynb"
)

// The files in testdata were written by Python's nbformat 5.11.1 from
// notebooks with every kind of cell and output, and with fields that no format knows.
func TestRoundTrip(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.ipynb")
	if len(files) == 0 {
		t.Fatal("no notebooks in testdata")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			nb, err := ipynb.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := nb.Write(&got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("read and written it differs:\n%s", firstDifference(got.String(), string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + w[i]
		}
	}
	return "one is longer"
}

func TestRead(t *testing.T) {
	nb, err := ipynb.ReadFile("testdata/every.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	c := nb.Cells[1]
	switch {
	case nb.Language() != "go":
		t.Errorf("language %q, want go", nb.Language())
	case c.Source != "x := 1\nx + 1" || c.Count != 3 || !c.Tagged("parameters") || c.Tagged("other"):
		t.Errorf("cell %+v", c)
	case len(c.Outputs) != 4:
		t.Fatalf("%d outputs, want 4", len(c.Outputs))
	case c.Outputs[0].Text != "one\ntwo\u2028three\r\n":
		t.Errorf("stream %q", c.Outputs[0].Text)
	case c.Outputs[1].Data["text/html"] != "<b>\n</b>":
		t.Errorf("html %q", c.Outputs[1].Data["text/html"])
	case c.Outputs[3].ErrorName != "panic" || len(c.Outputs[3].Traceback) != 2:
		t.Errorf("error %+v", c.Outputs[3])
	}
}

func TestReadErrors(t *testing.T) {
	tests := []struct{ name, text, err string }{
		{"no JSON", "package main", "not a notebook of nbformat 4: it cannot be read as JSON: invalid character 'p' looking for beginning of value"},
		{"another JSON", `{"a": 1}`, "not a notebook of nbformat 4: it does not say its nbformat; open it in JupyterLab and save it"},
		{"nbformat 3", `{"nbformat": 3, "worksheets": []}`, "not a notebook of nbformat 4 but of nbformat 3; convert it with: jupyter nbconvert --to notebook --nbformat 4"},
		{"two values", `{"nbformat": 4, "cells": []} {}`, "not a notebook of nbformat 4: there is text after its end"},
		{"cells of another type", `{"nbformat": 4, "cells": 5}`, "not a notebook of nbformat 4: its cells is not a list"},
		{"a source of another type", `{"nbformat": 4, "cells": [{"cell_type": "code", "source": 5}]}`, "not a notebook of nbformat 4: cell 1: its source is not text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ipynb.Read(strings.NewReader(tt.text))
			if err == nil || err.Error() != tt.err || !errors.Is(err, ipynb.ErrFormat) {
				t.Errorf("got  %v\nwant %s", err, tt.err)
			}
		})
	}
	_, err := ipynb.ReadFile("testdata/none.ipynb")
	if want := "testdata/none.ipynb: there is no such file, want a notebook (.ipynb): file does not exist"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestWriteFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "n.ipynb")
	nb := &ipynb.Notebook{Minor: 5, Cells: []*ipynb.Cell{{Type: ipynb.Code, ID: "a"}}}
	if err := nb.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := &ipynb.Notebook{Metadata: map[string]any{"f": func() {}}}
	if err := bad.WriteFile(name); err == nil || !strings.Contains(err.Error(), "cannot be written as JSON") {
		t.Errorf("a function was written: %v", err)
	}
	got, err := ipynb.ReadFile(name)
	if err != nil || len(got.Cells) != 1 {
		t.Errorf("the failed write changed the file: %v", err)
	}
	if err := nb.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(name); info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v, want those that the file had", info.Mode())
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(name), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.ipynb")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		nb, err := ipynb.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := nb.Write(&first); err != nil {
			t.Fatal(err)
		}
		again, err := ipynb.Read(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, first.Bytes())
		}
		if err := again.Write(&second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("written twice it differs:\n%s\n%s", first.Bytes(), second.Bytes())
		}
	})
}
