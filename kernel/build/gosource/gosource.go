// Package gosource changes a few places in the sources of the Go that is installed,
// by exact text: a release with another text is left as it is. Nothing is written
// to GOROOT: the changed files are for "go build -overlay".
//
// Three programs of Go's are changed so: its linker (package linker), its compiler and its
// package runtime (package build). Each of them is only faster for it. So a text that is not
// found is no reason to fail: the caller goes on with what Go has.
//
// An [Edit] replaces text and not a place in a syntax tree, so that what it was written for can
// be seen in it, and so that it cannot apply to code that merely looks alike.
package gosource

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// Edit is a change of one place in one file.
type Edit struct {
	// File is written with slashes: "cmd/link/internal/ld/main.go".
	File string // below GOROOT/src
	Old  string // whole lines, which the file holds once
	New  string
	// Or may name another file. It is one alternative: an Or of its own is not tried.
	Or *Edit // the same change in the text of another release
}

// Sum is a hash of edits, for keys of what is made with them.
//
// It covers edits that this Go does not need, so the same Holt has the same sum for all Go
// releases. Quoting keeps two edits from having the sum of one whose texts are run together.
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
//
// All edits succeed, or none counts. Several may change one file: each is looked for in what
// those before it have left, so an edit must not put in what a later one looks for.
func Apply(goroot string, edits []Edit) (map[string][]byte, error) {
	files := map[string][]byte{}
	apply := func(e Edit) error {
		name := filepath.Join(goroot, "src", filepath.FromSlash(e.File))
		// Read from disk at the first edit of a file, and from the result at the others.
		text := files[name]
		if text == nil {
			var err error
			if text, err = os.ReadFile(name); err != nil {
				return fmt.Errorf("the sources of Go: %w", err)
			}
		}
		// Twice would leave open which of the two is meant.
		if n := strings.Count(string(text), e.Old); n != 1 {
			line, _, _ := strings.Cut(e.Old, "\n")
			return fmt.Errorf("%s holds %q %d times, want once; Holt does not know this Go", name, strings.TrimSpace(line), n)
		}
		files[name] = []byte(strings.Replace(string(text), e.Old, e.New, 1))
		return nil
	}
	for _, e := range edits {
		// The error is that of the first form, also where the other was tried.
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

// Join returns the files of all the maps. A name is in one of them at most.
func Join(all ...map[string][]byte) map[string][]byte {
	joined := map[string][]byte{}
	for _, files := range all {
		maps.Copy(joined, files)
	}
	return joined
}

// Overlay writes the files into dir, under names of its own, and the text for
// -overlay that puts them in their places. Aside maps each file to its name in dir.
//
// The text is a JSON object as "go help build" describes it for -overlay:
//
//	{"Replace": {"$GOROOT/src/runtime/type.go": "DIR/0.go"}}
//
// with $GOROOT spelled out. A file that is only added is in it too: the go command takes it
// for one of its package's.
func Overlay(dir string, files map[string][]byte) (overlay string, aside map[string]string, err error) {
	aside = map[string]string{}
	for name, text := range files {
		// Two files may have the same last name, so they are numbered.
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
