package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// source is a file of the checkout in a module's archive.
type source struct{ root, name string }

func (f source) Path() string                 { return f.name }
func (f source) Lstat() (os.FileInfo, error)  { return os.Lstat(f.file()) }
func (f source) Open() (io.ReadCloser, error) { return os.Open(f.file()) }
func (f source) file() string                 { return filepath.Join(f.root, filepath.FromSlash(f.name)) }

// TestGoInstall installs the checkout by go install from a module proxy that has it as a
// release, and other modules from the cache. What it installs knows its version, and works
// where there is no checkout.
func TestGoInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("builds holt")
	}
	run := func(env []string, name string, args ...string) string {
		t.Helper()
		var said bytes.Buffer
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env, cmd.Stderr = t.TempDir(), append(os.Environ(), env...), &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, &said)
		}
		return strings.TrimSpace(string(out))
	}
	const version = "v0.0.1-test"
	holt := module.Version{Path: "github.com/holt-dl/holt", Version: version}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(holt.Path), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, version+name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	info, _ := json.Marshal(map[string]any{"Version": version, "Time": time.Unix(1e9, 0)})
	write(".info", info)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	write(".mod", mod)
	var files []zip.File
	for name := range strings.SplitSeq(run(nil, "git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"), "\x00") {
		if info, err := os.Lstat(filepath.Join(root, name)); err == nil && info.Mode().IsRegular() && name != "" {
			files = append(files, source{root, name})
		}
	}
	var archive bytes.Buffer
	if err := zip.Create(&archive, holt, files); err != nil {
		t.Fatal(err)
	}
	write(".zip", archive.Bytes())
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte(version+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}

	bin := t.TempDir()
	cache := run(nil, "go", "env", "GOMODCACHE")
	run([]string{
		"GOPROXY=file://" + proxy + ",file://" + filepath.Join(cache, "cache", "download"),
		"GOMODCACHE=" + filepath.Join(t.TempDir(), "mod"), "GOBIN=" + bin,
		"GOSUMDB=off", "GOFLAGS=-modcacherw -trimpath", "GOWORK=off",
	}, "go", "install", holt.Path+"/cmd/holt@"+version)

	program := filepath.Join(bin, "holt")
	if got, want := run(nil, program, "version"), "holt "+version+" "; !strings.HasPrefix(got, want) {
		t.Errorf("holt version says %q, want %q", got, want)
	}
	course := filepath.Join(t.TempDir(), "course")
	run(nil, program, "course", course)
	if _, err := os.Stat(filepath.Join(course, firstNotebook)); err != nil {
		t.Error(err)
	}
	// A cell runs with what the binary carries. The sources of the host are those of the
	// checkout, so that a host which was built of it serves.
	notebook := filepath.Join(course, "one.ipynb")
	text := `{"cells": [{"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": "6 * 7"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}`
	if err := os.WriteFile(notebook, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := run(nil, program, "run", "-q", "-o", "-", notebook); !strings.Contains(got, `"42"`) {
		t.Errorf("the cell shows\n%s", got)
	}
}
