// Package gosource changes a few places in the sources of the Go that is installed,
// by exact text: a release with another text is left as it is. Nothing is written
// to GOROOT: the changed files are for "go build -overlay".
package gosource

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Edit is a change of one place in one file.
type Edit struct {
	File string // below GOROOT/src
	Old  string // whole lines, which the file holds once
	New  string
	Or   *Edit // the same change in the text of another release
}

// Sum is a hash of edits, for keys of what is made with them.
func Sum(edits []Edit) string {
	h := sha256.New()
	for _, e := range edits {
		for at := &e; at != nil; at = at.Or {
			fmt.Fprintf(h, "%q %q %q\n", at.File, at.Old, at.New)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}

// Apply returns the files that edits change, by file name. The error says which text
// was not found, or not once.
func Apply(goroot string, edits []Edit) (map[string][]byte, error) {
	files := map[string][]byte{}
	apply := func(e Edit) error {
		name := filepath.Join(goroot, "src", filepath.FromSlash(e.File))
		text := files[name]
		if text == nil {
			var err error
			if text, err = os.ReadFile(name); err != nil {
				return fmt.Errorf("the sources of Go: %w", err)
			}
		}
		if n := strings.Count(string(text), e.Old); n != 1 {
			line, _, _ := strings.Cut(e.Old, "\n")
			return fmt.Errorf("%s holds %q %d times, want once; Holt does not know this Go", name, strings.TrimSpace(line), n)
		}
		files[name] = []byte(strings.Replace(string(text), e.Old, e.New, 1))
		return nil
	}
	for _, e := range edits {
		err := apply(e)
		if err != nil && e.Or != nil && apply(*e.Or) == nil {
			err = nil
		}
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Overlay writes the files into dir, under names of its own, and the text for
// -overlay that puts them in their places. Aside maps each file to its name in dir.
func Overlay(dir string, files map[string][]byte) (overlay string, aside map[string]string, err error) {
	aside = map[string]string{}
	for name, text := range files {
		file := filepath.Join(dir, fmt.Sprintf("%d.go", len(aside)))
		aside[name] = file
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return "", nil, err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": aside})
	if err != nil {
		return "", nil, err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, aside, os.WriteFile(overlay, text, 0o644)
}
