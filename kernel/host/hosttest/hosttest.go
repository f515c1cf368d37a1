// Package hosttest gives tests a small host to load real cells into: one that
// links fmt and a few packages of the standard library, without XLA.
package hosttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// Main is the small host's program.
const Main = `package main

import (
	_ "encoding/json"
	_ "errors"
	"os"
	_ "sync"
	_ "time"

	"github.com/holt-dl/holt/kernel/host"
)

func main() {
	host.Main(host.Options{Leave: func() { os.WriteFile("left", nil, 0o644) }})
}
`

// Source returns a module of the host's packages as they are in the checkout,
// with extra files.
func Source(extra map[string]string) (fs.FS, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	src := fstest.MapFS{
		"go.mod":                {Data: []byte("module github.com/holt-dl/holt\n\ngo 1.26\n")},
		"cmd/holt-host/main.go": {Data: []byte(Main)},
	}
	for _, pattern := range []string{"internal/frame/*.go", "kernel/host/*.go", "kernel/host/msg/*.go", "kernel/host/rt/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			name, _ := filepath.Rel(root, file)
			src[filepath.ToSlash(name)] = &fstest.MapFile{Data: text}
		}
	}
	for name, text := range extra {
		src[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return src, nil
}

// moduleRoot walks up to go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("hosttest: no go.mod above the current folder")
		}
		dir = up
	}
}

// CacheDir is where test worlds live, so that a second run finds them built.
func CacheDir() (string, error) {
	base, err := os.UserCacheDir()
	return filepath.Join(base, "holt-test"), err
}

// RunTests runs the tests of a package and ends the program, for TestMain. Until
// then cache is the name of a folder for worlds that only these tests share.
func RunTests(m *testing.M, cache *string) {
	dir, err := os.MkdirTemp("", "holt-test-")
	if err != nil {
		panic(err)
	}
	*cache = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var world = sync.OnceValues(func() (*build.World, error) {
	src, err := Source(nil)
	if err != nil {
		return nil, err
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	return build.Open(context.Background(), build.Options{Source: src, CacheDir: cache})
})

// World returns the small world, one per test program. It skips the test where
// there is no Go or no C compiler.
func World(t testing.TB) *build.World {
	t.Helper()
	w, err := world()
	if errors.Is(err, build.ErrNoGo) || errors.Is(err, build.ErrNoCC) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Host is a running small host and the cells it has loaded.
type Host struct {
	*proc.Process
	T     testing.TB
	World *build.World

	mu     sync.Mutex
	out    bytes.Buffer // "stdout" and "frame" pieces in the order of arrival
	stderr bytes.Buffer
	frames []frame.Message
	deps   map[string]string
	next   int
	dir    string
}

// Start starts a host that ends with the test.
func Start(t testing.TB) *Host {
	t.Helper()
	return StartIn(t, World(t), proc.Options{})
}

// StartIn is Start with a world and options of the test's own.
func StartIn(t testing.TB, w *build.World, opt proc.Options) *Host {
	t.Helper()
	h := &Host{T: t, World: w, deps: map[string]string{}, dir: t.TempDir()}
	if opt.Stdout == nil {
		opt.Stdout = func(p []byte) { h.mu.Lock(); h.out.Write(p); h.mu.Unlock() }
	}
	opt.Stderr = func(p []byte) { h.mu.Lock(); h.stderr.Write(p); h.mu.Unlock() }
	opt.Frame = func(m frame.Message) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.frames = append(h.frames, m)
		text := ""
		if m.Bundle != nil {
			text = fmt.Sprint(m.Bundle.Data["text/plain"])
		}
		fmt.Fprintf(&h.out, "<%s %d: %s>", m.Kind, m.Cell, text)
	}
	p, err := proc.Start(context.Background(), w.Host(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); p.Wait() })
	h.Process = p
	return h
}

// Compile builds a cell, the files of which see the earlier cells as
// "notebook/c1" and so on. The text lacks its package clause. One that imports
// rt and looks at Stop gets that flag, as generated code has it.
func (h *Host) Compile(text string) (proc.Unit, error) {
	h.next++
	n := h.next
	path := fmt.Sprintf("notebook/c%d", n)
	deps := map[string]string{}
	var made []string
	for k, v := range h.deps {
		deps[k] = v
		if strings.Contains(text, strconv.Quote(k)) {
			made = append(made, k)
		}
	}
	if strings.Contains(text, "if Stop != 0") {
		text += fmt.Sprintf("\nvar Stop uint32\nfunc init() { rt.Watch(%q, &Stop) }", path)
	}
	b, err := h.World.Build(context.Background(), build.Unit{
		Path:  path,
		Files: []build.File{{Name: "cell.go", Text: fmt.Appendf(nil, "package c%d\n\n//line cell[%d]:1\n%s\n", n, n, text)}},
		Dir:   filepath.Join(h.dir, fmt.Sprintf("c%d", n)),
		Deps:  deps,
	})
	if err == nil {
		h.deps[path] = b.Archive
	}
	return proc.Unit{Plugin: b.Plugin, Path: path, File: fmt.Sprintf("cell[%d]", n), Cell: n, Deps: made}, err
}

// Cell builds and runs a cell.
func (h *Host) Cell(text string) (msg.Done, error) {
	h.T.Helper()
	return h.CellContext(context.Background(), text)
}

// CellContext is Cell with a context that interrupts it.
func (h *Host) CellContext(ctx context.Context, text string) (msg.Done, error) {
	h.T.Helper()
	u, err := h.Compile(text)
	if err != nil {
		h.T.Fatal(err)
	}
	return h.Run(ctx, u)
}

// RunUntil runs a cell and interrupts it when what came out since the last calls of Output and
// Stderr says that it has begun: how long that takes is the machine's affair.
func (h *Host) RunUntil(u proc.Unit, begun func(stdout, stderr string) bool) (msg.Done, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	look := func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return begun(h.out.String(), h.stderr.String())
	}
	go func() {
		for ctx.Err() == nil && !look() {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	return h.Run(ctx, u)
}

// Must runs a cell that has to succeed and returns what came out since the
// last call of Must or Output.
func (h *Host) Must(text string) string {
	h.T.Helper()
	d, err := h.Cell(text)
	if err != nil {
		h.T.Fatalf("%v\n%s", err, h.Stderr())
	}
	if d.Result != msg.OK {
		h.T.Fatalf("cell ended with %s %s: %s\n%s%s", d.Result, d.Name, d.Value, d.Stack, h.Stderr())
	}
	return h.Output()
}

// Output returns what was printed and displayed since the last call.
func (h *Host) Output() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.out.String()
	h.out.Reset()
	return s
}

// Stderr returns what was written to standard error since the last call.
func (h *Host) Stderr() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stderr.String()
	h.stderr.Reset()
	return s
}

// Frames returns what was displayed since the start.
func (h *Host) Frames() []frame.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]frame.Message(nil), h.frames...)
}

// Count returns the number of the last cell that was compiled.
func (h *Host) Count() int { return h.next }
