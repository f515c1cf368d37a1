package build_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// aheadHost is a host whose units are built by what was started ahead.
type aheadHost struct {
	*hosttest.Host
	dir    string
	loaded map[string]string // their archives
}

// openAhead opens a small world of the test's own, so that no other test is in the way.
func openAhead(t testing.TB) *build.World {
	t.Helper()
	hosttest.World(t) // skips where there is no Go
	cache, err := hosttest.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	src, err := hosttest.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := build.Open(context.Background(), build.Options{Source: src, CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if _, err := os.Stat(filepath.Join(filepath.Dir(w.Host()), "host.syms")); err != nil {
		t.Skipf("plugins are not bound with this Go: %v", err)
	}
	return w
}

func newAheadHost(t *testing.T) *aheadHost {
	t.Helper()
	return &aheadHost{Host: hosttest.StartIn(t, openAhead(t), proc.Options{}), dir: t.TempDir(), loaded: map[string]string{}}
}

// unit returns unit n with files f0.go, f1.go and so on.
func (h *aheadHost) unit(n int, texts ...string) build.Unit {
	u := build.Unit{
		Path: fmt.Sprintf("notebook/c%d", n), Dir: filepath.Join(h.dir, fmt.Sprintf("c%d", n)),
		Deps: maps.Clone(h.loaded), Loaded: maps.Clone(h.loaded),
	}
	for i, text := range texts {
		u.Files = append(u.Files, build.File{Name: fmt.Sprintf("f%d.go", i), Text: fmt.Appendf(nil, "package c%d\n%s", n, text)})
	}
	return u
}

// run builds a unit and runs it.
func (h *aheadHost) run(u build.Unit, n int) (build.Built, string) {
	h.T.Helper()
	b, err := h.World.Build(context.Background(), u)
	if err != nil {
		h.T.Fatal(err)
	}
	done, err := h.Run(context.Background(), proc.Unit{Plugin: b.Plugin, Path: u.Path, File: "cell", Cell: n})
	if err != nil || done.Result != msg.OK {
		h.T.Fatalf("%v, %+v\n%s", err, done, h.Stderr())
	}
	h.loaded[u.Path] = b.Archive
	return b, h.Output()
}

// TestAhead: a unit that was foreseen is built by what was started, and any other
// one by the usual way, with the same result.
func TestAhead(t *testing.T) {
	h := newAheadHost(t)
	if _, err := h.World.Add(context.Background(), []string{"embed"}); err != nil {
		t.Fatal(err)
	}
	const print = "import \"fmt\"\nfunc Run() { fmt.Print(%q) }\n"
	hi := func(text string) string { return fmt.Sprintf(print, text) }
	write := func(dir, name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		unit  func(n int) build.Unit
		want  string // printed
		ahead bool
	}{
		{"one file", func(n int) build.Unit { return h.unit(n, hi("one")+"type T struct{ A int }\nvar V = T{7}\n") }, "one", true},
		{"all files", func(n int) build.Unit {
			return h.unit(n, hi("three"), "func b() {}\nvar B = 1\n", strings.Repeat("// a file that is longer than a pipe\n", 4000)+"func c() { b() }\n")
		}, "three", true},
		{"earlier unit", func(n int) build.Unit {
			return h.unit(n, "import (\"fmt\"; c1 \"notebook/c1\")\nfunc Run() { fmt.Printf(\"%T %v\", c1.V, any(c1.V) == any(c1.T{7})) }\n")
		}, "c1.T true", true},
		{"middle file missing", func(n int) build.Unit {
			u := h.unit(n, hi("two"), "", "var X int\n")
			u.Files = append(u.Files[:1], u.Files[2])
			return u
		}, "two", true},
		{"more files", func(n int) build.Unit { return h.unit(n, hi("four"), "", "", "var X int\n") }, "four", false},
		{"file of another name", func(n int) build.Unit {
			u := h.unit(n, hi("named"))
			u.Files[0].Name = "cell.go"
			return u
		}, "named", false},
		{"another number", func(n int) build.Unit { return h.unit(n+100, hi("number")) }, "number", false},
		{"flags", func(n int) build.Unit {
			u := h.unit(n, hi("flags"))
			u.Flags = []string{"-N"}
			return u
		}, "flags", false},
		{"entry", func(n int) build.Unit {
			u := h.unit(n, hi("entry")+"func Other() { Run() }\n")
			u.Entry = "Other"
			return u
		}, "entry", false},
		{"embedded file", func(n int) build.Unit {
			u := h.unit(n, "import (_ \"embed\"; \"fmt\")\n//go:embed a.txt\nvar text string\nfunc Run() { fmt.Print(text) }\n")
			u.CDir = t.TempDir()
			write(u.CDir, "a.txt", "embedded")
			u.Embed = []build.Embed{{Pattern: "a.txt", File: "cell", Line: 1}}
			return u
		}, "embedded", false},
		{"C", func(n int) build.Unit {
			return h.unit(n, "// static int two() { return 2; }\nimport \"C\"\nimport \"fmt\"\nfunc Run() { fmt.Print(C.two()) }\n")
		}, "2", false},
		{"after all those", func(n int) build.Unit { return h.unit(n, hi("again")) }, "again", true},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.T = t
			n := i + 1
			h.World.Ahead(h.unit(n, "", "", ""))
			u := tt.unit(n)
			b, out := h.run(u, n)
			if out != tt.want || b.Ahead != tt.ahead {
				t.Errorf("printed %q, ahead %v; want %q, %v", out, b.Ahead, tt.want, tt.ahead)
			}
			if tt.name == "another number" {
				if _, err := os.Stat(h.unit(n).Dir); !os.IsNotExist(err) {
					t.Errorf("the folder of the unit that did not come: %v", err)
				}
			}
			awaitProcesses(t, h.dir, 0)
		})
	}
}

// TestAheadPackages: packages that were not known yet, and archives that changed.
func TestAheadPackages(t *testing.T) {
	hosttest.Proxy(t, map[string]map[string]string{
		"example.com/ahead@v0.1.0": {"go.mod": "module example.com/ahead\n", "a.go": "package ahead\nconst N = 7"},
	})
	w := smallWorld(t, cache, nil)
	if _, err := os.Stat(filepath.Join(filepath.Dir(w.Host()), "host.syms")); err != nil {
		t.Skipf("plugins are not bound with this Go: %v", err)
	}
	h := &aheadHost{Host: hosttest.StartIn(t, w, proc.Options{}), dir: t.TempDir(), loaded: map[string]string{}}
	h.World.Ahead(h.unit(1, ""))
	if _, err := h.World.Add(context.Background(), []string{"example.com/ahead", "text/tabwriter"}); err != nil {
		t.Fatal(err)
	}
	b, out := h.run(h.unit(1, "import (\"fmt\"; \"example.com/ahead\")\nconst N = ahead.N\nfunc Run() { fmt.Print(N) }\n"), 1)
	if b.Ahead || out != "7" {
		t.Errorf("a package that came later: %q, ahead %v", out, b.Ahead)
	}
	h.World.Ahead(h.unit(2, ""))
	b, out = h.run(h.unit(2, "import (\"fmt\"; \"text/tabwriter\")\nfunc Run() { fmt.Printf(\"%T\", &tabwriter.Writer{}) }\n"), 2)
	if !b.Ahead || out != "*tabwriter.Writer" {
		t.Errorf("a package that the host lacks: %q, ahead %v", out, b.Ahead)
	}
	// The second unit's plugin has the package, whose list the linker is given.
	h.World.Ahead(h.unit(3, ""))
	b, out = h.run(h.unit(3, "import (\"fmt\"; \"text/tabwriter\")\nfunc Run() { fmt.Printf(\"%T\", &tabwriter.Writer{}) }\n"), 3)
	if !b.Ahead || out != "*tabwriter.Writer" {
		t.Errorf("a package that another plugin has: %q, ahead %v", out, b.Ahead)
	}
	h.World.Ahead(h.unit(4, ""))
	u := h.unit(4, "import c1 \"notebook/c1\"\nfunc Run() { print(c1.N) }\n")
	moved := filepath.Join(t.TempDir(), "cell.a")
	text, err := os.ReadFile(u.Deps["notebook/c1"])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(moved, text, 0o644); err != nil {
		t.Fatal(err)
	}
	u.Deps["notebook/c1"] = moved
	if b, err := h.World.Build(context.Background(), u); err != nil || b.Ahead {
		t.Errorf("another archive: %v, ahead %v", err, b.Ahead)
	}
}

// TestAheadErrors: what the compiler and the linker object to is reported as usual.
func TestAheadErrors(t *testing.T) {
	h := newAheadHost(t)
	h.World.Ahead(h.unit(1, "", ""))
	_, err := h.World.Build(context.Background(), h.unit(1, "//line cell[1]:1\nfunc Run() { x }\n"))
	var objection *build.CompileError
	if !errors.As(err, &objection) || err.Error() != "cell[1]:1:0: undefined: x" {
		t.Errorf("got %v", err)
	}
	t.Setenv("HOLT_LINK", "bound") // what the linker refuses is not linked with copies
	h.World.Ahead(h.unit(1, "", ""))
	_, err = h.World.Build(context.Background(), h.unit(1, "import _ \"unsafe\"\nfunc missing()\nfunc Run() { missing() }\n"))
	if err == nil || !strings.Contains(err.Error(), "link notebook/c1: exit status") || !strings.Contains(err.Error(), "missing") {
		t.Errorf("got %v", err)
	}
	h.World.Ahead(h.unit(1, "", ""))
	if b, out := h.run(h.unit(1, "import \"fmt\"\nfunc Run() { fmt.Print(1) }\n"), 1); out != "1" || !b.Ahead {
		t.Errorf("printed %q, ahead %v", out, b.Ahead)
	}
}

// TestAheadFolder: what a folder held before is not written through, and a folder
// that was removed is not made again.
func TestAheadFolder(t *testing.T) {
	h := newAheadHost(t)
	u := h.unit(1, "import \"fmt\"\nfunc Run() { fmt.Print(1) }\n")
	other := filepath.Join(t.TempDir(), "other.go")
	if err := os.WriteFile(other, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(u.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"f0.go", "holt_entry.go", "importcfg", "cell.a"} {
		if err := os.Symlink(other, filepath.Join(u.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	h.World.Ahead(h.unit(1, ""))
	if b, out := h.run(u, 1); out != "1" || !b.Ahead {
		t.Errorf("printed %q, ahead %v", out, b.Ahead)
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "kept" {
		t.Errorf("the file behind an old link holds %q, %v", text, err)
	}

	u = h.unit(2, "import \"fmt\"\nfunc Run() { fmt.Print(2) }\n")
	h.World.Ahead(h.unit(2, ""))
	awaitProcesses(t, h.dir, 2)
	if err := os.RemoveAll(u.Dir); err != nil {
		t.Fatal(err)
	}
	if b, out := h.run(u, 2); out != "2" || b.Ahead {
		t.Errorf("after a cleaner: printed %q, ahead %v", out, b.Ahead)
	}

	if err := os.RemoveAll(h.dir); err != nil {
		t.Fatal(err)
	}
	h.World.Ahead(h.unit(3, ""))
	h.World.Close()
	if _, err := os.Stat(h.dir); !os.IsNotExist(err) {
		t.Errorf("the folder above is there again: %v", err)
	}
}

// TestTidiedFolder builds a unit in the folder of an earlier one while that is removed,
// which takes long here: by what was started ahead, and without.
func TestTidiedFolder(t *testing.T) {
	h := newAheadHost(t)
	for _, ahead := range []bool{false, true} {
		u := h.unit(1, "func Run() { println(1) }")
		h.World.Ahead(u)
		b, err := h.World.Build(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20_000 {
			if err := os.WriteFile(filepath.Join(u.Dir, fmt.Sprint(i)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h.World.Tidy(u, b, true)
		if ahead {
			h.World.Ahead(h.unit(1, ""))
		}
		if b, err = h.World.Build(t.Context(), u); err != nil || b.Ahead != ahead {
			t.Errorf("ahead %v: built ahead %v, %v", ahead, b.Ahead, err)
		}
	}
}

// TestAheadEnds: what was started ends with the world and with its successor.
func TestAheadEnds(t *testing.T) {
	w := openAhead(t)
	h := &aheadHost{Host: &hosttest.Host{T: t, World: w}, dir: t.TempDir()}
	for n := range 3 {
		w.Ahead(h.unit(n, ""))
	}
	awaitProcesses(t, h.dir, 2)
	left, err := os.ReadDir(h.dir)
	if err != nil || len(left) != 1 || left[0].Name() != "c2" {
		t.Errorf("folders: %v, %v; want that of the last unit", left, err)
	}
	w.Close()
	w.Ahead(h.unit(9, ""))
	if left := processes(t, h.dir); len(left) > 0 {
		t.Errorf("after Close there are %v", left)
	}
	if left, err := os.ReadDir(h.dir); err != nil || len(left) > 0 {
		t.Errorf("after Close there are %v, %v", left, err)
	}
}

// TestAheadStopped: an interrupt ends the compiler that was started ahead.
func TestAheadStopped(t *testing.T) {
	h := newAheadHost(t)
	var long strings.Builder // some seconds of work
	for i := range 4000 {
		fmt.Fprintf(&long, "func f%d(a, b []int) (s int) { for i := range a { for j := range b { s += a[i] * b[j] %% (s + %d) } }; return s }\n", i, i+1)
	}
	u := h.unit(1, long.String()+"func Run() {}\n")
	h.World.Ahead(h.unit(1, ""))
	awaitProcesses(t, h.dir, 2)
	stop := errors.New("the person stops it")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(200*time.Millisecond, func() { cancel(stop) })
	began := time.Now()
	_, err := h.World.Build(ctx, u)
	if !errors.Is(err, stop) || !strings.HasPrefix(err.Error(), "build: stopped: ") {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	if left := processes(t, h.dir); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if _, err := os.Stat(u.Dir); !os.IsNotExist(err) {
		t.Errorf("its folder: %v", err)
	}
	h.World.Ahead(h.unit(1, ""))
	if b, _ := h.run(h.unit(1, "func Run() {}\n"), 1); !b.Ahead {
		t.Error("the next one was not built ahead")
	}
}

// TestAheadKilled: what waits ends with a kernel that is killed.
func TestAheadKilled(t *testing.T) {
	if dir := os.Getenv("HOLT_TEST_AHEAD"); dir != "" {
		h := &aheadHost{Host: &hosttest.Host{T: t, World: openAhead(t)}, dir: dir}
		h.World.Ahead(h.unit(1, "", ""))
		awaitProcesses(t, dir, 2)
		fmt.Println("started")
		time.Sleep(time.Minute)
		return
	}
	openAhead(t)
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestAheadKilled$")
	cmd.Env = append(os.Environ(), "HOLT_TEST_AHEAD="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "started\n" {
		t.Errorf("the kernel said %q, %v", line, err)
	}
	if n := len(processes(t, dir)); n != 2 {
		t.Errorf("%d processes wait, want 2", n)
	}
	cmd.Process.Kill()
	cmd.Wait()
	awaitProcesses(t, dir, 0)
}

// TestComplete: a tool that says that its file is complete is not waited for; one that
// does not say so is, and what it printed is not lost.
func TestComplete(t *testing.T) {
	line := strings.ReplaceAll(strings.TrimSuffix(build.CompleteLine, "\n"), "\x00", `\000`) + `\n`
	for _, tt := range []struct{ script, said, err string }{
		{"printf 'one\n" + line + "'; exec sleep 60", "one\n", ""},
		{"printf one; printf two >&2; printf '" + line[:9] + "'; printf '" + line[9:] + "'; exec sleep 60", "onetwo", ""},
		{"echo one", "one\n", ""},
		{"printf '" + line[:9] + "'", "\x00holt:", ""},
		{"echo one; exit 3", "", "sh: exit status 3: one"},
		{"printf '" + line + "more'; exit 3", "", "exit status 3"},
	} {
		cmd := exec.Command("sh", "-c", tt.script)
		began := time.Now()
		said, err := build.RunTool(cmd)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: took %v", tt.script, took)
		}
		if said != tt.said || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: said %q, %v; want %q, %s", tt.script, said, err, tt.said, tt.err)
		}
		cmd.Process.Kill()
	}
}

// awaitProcesses waits until n processes work below a folder.
func awaitProcesses(t *testing.T, dir string, n int) {
	t.Helper()
	var list []string
	for range 600 {
		if list = processes(t, dir); len(list) == n {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%d processes work below %s, want %d: %v", len(list), dir, n, list)
}

// processes returns the programs whose current folder is below dir, also after it was
// removed.
func processes(t *testing.T, dir string) (names []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if at, err := os.Readlink(link); err == nil && strings.HasPrefix(at, dir+"/") {
			exe, _ := os.Readlink(filepath.Join(filepath.Dir(link), "exe"))
			names = append(names, filepath.Base(exe)+" "+at)
		}
	}
	return names
}

// BenchmarkAhead builds a unit that prints, with what was started ahead and without:
//
//	go test ./kernel/build -run '^$' -bench Ahead -benchtime 100x
func BenchmarkAhead(b *testing.B) {
	for _, ahead := range []bool{false, true} {
		b.Run(fmt.Sprint(ahead), func(b *testing.B) {
			h := &aheadHost{Host: &hosttest.Host{T: b, World: openAhead(b)}, dir: b.TempDir()}
			var times []time.Duration
			for n := 1; b.Loop(); n++ {
				if ahead {
					h.World.Ahead(h.unit(n, ""))
				}
				time.Sleep(50 * time.Millisecond) // as a person does
				began := time.Now()
				built, err := h.World.Build(context.Background(), h.unit(n, "import \"fmt\"\nfunc Run() { fmt.Println(1) }\n"))
				if err != nil || built.Ahead != ahead {
					b.Fatal(err, built.Ahead)
				}
				times = append(times, time.Since(began))
			}
			slices.Sort(times)
			b.ReportMetric(times[0].Seconds()*1e3, "min-ms")
			b.ReportMetric(times[len(times)/2].Seconds()*1e3, "median-ms")
		})
	}
}
