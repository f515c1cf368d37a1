package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCopiesAndDamage: a damaged archive is found while the host's packages are compiled once more,
// and neither waits for the other.
func TestCopiesAndDamage(t *testing.T) {
	cache := t.TempDir()
	dir := filepath.Join(cache, "worlds", "w")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(cache, name)
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return file
	}
	// A go command that says when it has begun, and ends when it may.
	archive := write("archive", "of fmt")
	begun, may := filepath.Join(cache, "begun"), filepath.Join(cache, "may")
	goCommand := write("go", fmt.Sprintf("#!/bin/sh\ntouch %s\nwhile [ ! -e %s ]; do sleep 0.01; done\necho '{\"ImportPath\": \"fmt\", \"Export\": \"%s\"}'\n", begun, may, archive))
	if err := os.Mkdir(filepath.Join(cache, "pkg"), 0o755); err != nil {
		t.Fatal(err)
	}
	damaged := &pkg{Path: "damaged", File: write("damaged", "text"), ID: strings.Repeat("0", 64) + "-d", Host: true}
	waits := make(chan struct{}, 1)
	w := &World{
		tc: &Toolchain{Go: goCommand}, cache: cache, src: cache, dir: dir, sums: map[string]string{}, verified: map[string]bool{},
		known: map[string]*pkg{"fmt": {Path: "fmt", File: archive, ID: "archive", Host: true}},
	}
	w.opt.Warn = func(string) {}
	w.opt.Progress = func(said string) {
		if strings.HasPrefix(said, "waiting") {
			waits <- struct{}{}
		}
	}
	done := make(chan error, 2)
	go func() {
		_, err := w.copies(context.Background())
		done <- err
	}()
	for _, err := os.Stat(begun); err != nil; _, err = os.Stat(begun) {
		time.Sleep(time.Millisecond)
	}
	go func() { w.sound(damaged); done <- nil }()
	<-waits // for the lock of the world's folder
	write("may", "")
	for range 2 {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("both wait for each other")
		}
	}
}
