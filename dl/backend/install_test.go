package backend

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/download"
)

type entry struct {
	name, body string
	mode       os.FileMode
}

// pack makes a wheel.
func pack(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, e.body)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// index is a package index that serves wheels, and counts its requests.
type index struct {
	*httptest.Server
	html    bool
	cut     atomic.Int32 // how many times a wheel is cut in half
	pages   atomic.Int32
	files   atomic.Int32
	content map[string][]byte
}

func newIndex(t *testing.T, content map[string][]byte) *index {
	x := &index{content: content}
	x.Server = httptest.NewTLSServer(x)
	t.Cleanup(x.Close)
	return x
}

func (x *index) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/files/") {
		x.pages.Add(1)
		var files []map[string]string
		for name := range x.content {
			files = append(files, map[string]string{"filename": name, "url": "../../files/" + name})
		}
		if x.html {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			for _, f := range files {
				fmt.Fprintf(w, "<a data-requires-python=\"&gt;=3\" href=\"%s#sha256=0\">%s</a>\n", f["url"], f["filename"])
			}
			return
		}
		w.Header().Set("Content-Type", "application/vnd.pypi.simple.v1+json")
		json.NewEncoder(w).Encode(map[string]any{"files": files})
		return
	}
	x.files.Add(1)
	body := x.content[strings.TrimPrefix(r.URL.Path, "/files/")]
	if x.cut.Add(-1) >= 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// library is large and does not compress, so that a cut can be seen.
var library = func() string {
	var b strings.Builder
	for i := range 20_000 {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d", i))
		b.Write(sum[:])
	}
	return b.String()
}()

func installerFor(t *testing.T, x *index, kind string, files ...string) *installer {
	in := &installer{Options: Options{Client: x.Client()}, dir: filepath.Join(t.TempDir(), "plugins"), kind: kind, index: x.URL + "/simple"}
	for _, name := range files {
		sum := sha256.Sum256(x.content[name])
		in.wheels = append(in.wheels, wheel{"the-" + kind, "1", name, int64(len(x.content[name])), hex.EncodeToString(sum[:])})
	}
	return in
}

func TestInstall(t *testing.T) {
	good := func(t *testing.T) []byte {
		return pack(t, entry{name: "xla_plugins/cpu/__init__.py", body: "pass"}, entry{name: "xla_plugins/cpu/xla_cpu_pjrt.so", body: library})
	}
	tests := []struct {
		name   string
		wheel  func(t *testing.T) []byte
		change func(*index, *installer)
		files  int32
		err    string
	}{
		{name: "plain", wheel: good, files: 1},
		{name: "html index", wheel: good, files: 1, change: func(x *index, in *installer) { x.html = true }},
		{name: "cut line", wheel: good, files: 2, change: func(x *index, in *installer) { x.cut.Store(1) }},
		{name: "wrong hash", wheel: good, files: 1, change: func(x *index, in *installer) { in.wheels[0].sha256 = strings.Repeat("0", 64) },
			err: "cpu.whl: checksum differs: sha256 is "},
		{name: "not in the index", wheel: good, change: func(x *index, in *installer) { in.wheels[0].file = "other.whl" },
			err: "the index has 1 files, but not other.whl"},
		{name: "no library", files: 1, wheel: func(t *testing.T) []byte { return pack(t, entry{name: "a.so", body: "x"}) },
			err: "the wheels do not hold xla_cpu_pjrt.so"},
		{name: "not a zip", files: 1, wheel: func(t *testing.T) []byte { return []byte("hello") },
			err: "unpack cpu.whl: zip: not a valid zip file"},
		{name: "link for a library", files: 1, wheel: func(t *testing.T) []byte {
			return pack(t, entry{name: "xla_cpu_pjrt.so", body: "/etc/passwd", mode: os.ModeSymlink | 0o777})
		}, err: "xla_cpu_pjrt.so: entry is L---------, want a regular file"},
		{name: "two libraries", files: 1, wheel: func(t *testing.T) []byte {
			return pack(t, entry{name: "a/xla_cpu_pjrt.so", body: library}, entry{name: "b/xla_cpu_pjrt.so", body: library})
		}, err: "file exists"},
		{name: "bomb", files: 1, wheel: func(t *testing.T) []byte {
			return pack(t, entry{name: "xla_cpu_pjrt.so", body: strings.Repeat("\x00", 8<<20)})
		}, err: "xla_cpu_pjrt.so: the archive grows beyond"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newIndex(t, map[string][]byte{"cpu.whl": tt.wheel(t)})
			in := installerFor(t, x, "cpu", "cpu.whl")
			if tt.change != nil {
				tt.change(x, in)
			}
			var stages []string
			in.Progress = func(p Progress) {
				if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
					stages = append(stages, p.Stage)
				}
			}
			err := in.run(t.Context())
			if got := x.files.Load(); got != tt.files {
				t.Errorf("%d downloads, want %d", got, tt.files)
			}
			left, _ := filepath.Glob(filepath.Join(in.dir, ".*.holt-part-*"))
			if len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			p, ok := installed(in.dir, "cpu")
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error is %v, want %q", err, tt.err)
				}
				if ok {
					t.Errorf("%v is installed all the same", p)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"download", "unpack", "done"}; !slices.Equal(stages, want) {
				t.Errorf("stages are %q, want %q", stages, want)
			}
			body, err := os.ReadFile(p.Path)
			if !ok || err != nil || string(body) != library || filepath.Base(p.Path) != "pjrt_c_api_cpu_plugin.so" {
				t.Errorf("installed is %v, %v; %d bytes, %v", p, ok, len(body), err)
			}
			if want := "cpu: cpu.whl 1, " + p.Path; p.String() != want {
				t.Errorf("it prints %q, want %q", p, want)
			}
			pages := x.pages.Load()
			if err := in.run(t.Context()); err != nil || x.pages.Load() != pages {
				t.Errorf("a second installation asked the index, or failed: %v", err)
			}
		})
	}
}

// A newer pin replaces an older plugin; a damaged one is installed again.
func TestInstallAgain(t *testing.T) {
	x := newIndex(t, map[string][]byte{
		"1.whl": pack(t, entry{name: "xla_cpu_pjrt.so", body: "one"}),
		"2.whl": pack(t, entry{name: "xla_cpu_pjrt.so", body: "two two"}),
	})
	in := installerFor(t, x, "cpu", "1.whl")
	next := installerFor(t, x, "cpu", "2.whl")
	next.dir = in.dir
	for i, step := range []struct {
		in   *installer
		want string
	}{{in, "one"}, {next, "two two"}, {next, "two two"}} {
		if err := step.in.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		p, ok := installed(in.dir, "cpu")
		if body, _ := os.ReadFile(p.Path); !ok || string(body) != step.want {
			t.Errorf("step %d: %q is installed, want %q", i, body, step.want)
		}
		if i == 1 {
			os.Truncate(p.Path, 3)
		}
	}
	names, _ := os.ReadDir(in.dir)
	for _, n := range names {
		if n.Name() != "cpu" && n.Name() != ".lock" {
			t.Errorf("left behind: %s", n.Name())
		}
	}
}

func TestInstallTogether(t *testing.T) {
	x := newIndex(t, map[string][]byte{"cpu.whl": pack(t, entry{name: "xla_cpu_pjrt.so", body: library})})
	in := installerFor(t, x, "cpu", "cpu.whl")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := in.run(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := x.files.Load(); n != 1 {
		t.Errorf("%d downloads, want 1", n)
	}
}

func TestInstallFromFolder(t *testing.T) {
	body := pack(t, entry{name: "xla_cpu_pjrt.so", body: library})
	x := newIndex(t, map[string][]byte{"cpu.whl": body})
	in := installerFor(t, x, "cpu", "cpu.whl")
	in.From = t.TempDir()
	x.Close()
	path := filepath.Join(in.From, "cpu.whl")
	os.WriteFile(path, append([]byte("x"), body[1:]...), 0o644)
	if err := in.run(t.Context()); !errors.Is(err, download.ErrChecksum) {
		t.Errorf("with a forged file the error is %v", err)
	}
	os.WriteFile(path, body, 0o644)
	if err := in.run(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the user's file is gone: %v", err)
	}
}

func TestInstallCUDALayout(t *testing.T) {
	x := newIndex(t, map[string][]byte{
		"jax.whl": pack(t, entry{name: "jax_plugins/xla_cuda13/xla_cuda_plugin.so", body: library}, entry{name: "jax_plugins/x/__init__.py", body: "x"}),
		"blas.whl": pack(t, entry{name: "nvidia/cu13/lib/libcublas.so.13", body: "blas"}, entry{name: "nvidia/cu13/include/cublas.h", body: "h"},
			entry{name: "nvidia/cu13/bin/ptxas", body: "ptxas"}, entry{name: "nvidia/__init__.py"}),
	})
	in := installerFor(t, x, "cuda", "jax.whl", "blas.whl")
	if err := in.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	root := filepath.Join(in.dir, "cuda")
	filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		if d.Type()&os.ModeSymlink != 0 {
			target, _ := os.Readlink(path)
			rel += " → " + target
		}
		if !d.IsDir() {
			got = append(got, rel)
		}
		return err
	})
	want := []string{
		"holt-plugin.json",
		"lib/nvidia/bin/ptxas → ../cu13/bin/ptxas",
		"lib/nvidia/cu13/bin/ptxas",
		"lib/nvidia/cu13/lib/libcublas.so.13",
		"lib/nvidia/pjrt_c_api_cuda_plugin.so → xla_cuda_plugin.so",
		"lib/nvidia/xla_cuda_plugin.so",
		"libcublas.so.13 → lib/nvidia/cu13/lib/libcublas.so.13",
		"libcublasLt.so.13 → lib/nvidia/cu13/lib/libcublasLt.so.13",
	}
	if !slices.Equal(got, want) {
		t.Errorf("files are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	info, err := os.Stat(filepath.Join(root, "lib/nvidia/cu13/bin/ptxas"))
	if err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("ptxas cannot be run: %v, %v", info, err)
	}
}

// A wheel may only write below the folder it is unpacked into.
func TestExtractStaysInside(t *testing.T) {
	for _, name := range []string{"nvidia/../../../evil", "nvidia/../../evil", "/nvidia/evil", "nvidia/..\\..\\evil"} {
		outer := t.TempDir()
		archive := filepath.Join(outer, "w.whl")
		os.WriteFile(archive, pack(t, entry{name: name, body: "evil"}), 0o644)
		inner := filepath.Join(outer, "a", "b")
		os.MkdirAll(inner, 0o755)
		root, err := os.OpenRoot(inner)
		if err != nil {
			t.Fatal(err)
		}
		err = extract(t.Context(), root, archive, layouts["cuda"].place, func(done, total int64) {})
		root.Close()
		filepath.WalkDir(outer, func(path string, d os.DirEntry, _ error) error {
			if !d.IsDir() && path != archive && !strings.HasPrefix(path, inner) {
				t.Errorf("%q wrote %s (error %v)", name, path, err)
			}
			return nil
		})
	}
}

func TestInstallOffline(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("PyPI has plugins for Linux only")
	}
	t.Setenv("HOLT_HOME", t.TempDir())
	t.Setenv("PIP_INDEX_URL", "https://user:secret@127.0.0.1:1/simple")
	err := Install(t.Context(), "cpu", Options{})
	want := "backend: install cpu: download: 127.0.0.1:1 is not reachable: dial tcp 127.0.0.1:1: connect: connection refused; Holt works without it, on the slow pure-Go backend"
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
	err = Install(t.Context(), "tpu", Options{})
	if want := `backend: kind is "tpu", want one of cpu, cuda, cuda12, cuda-compiler`; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	t.Setenv("PIP_INDEX_URL", "http://example.invalid/simple")
	err = Install(t.Context(), "cpu", Options{})
	if err == nil || !strings.Contains(err.Error(), "address is http, want https") {
		t.Errorf("error is %v", err)
	}
}

func TestInstallStopped(t *testing.T) {
	x := newIndex(t, map[string][]byte{"cpu.whl": pack(t, entry{name: "xla_cpu_pjrt.so", body: library})})
	in := installerFor(t, x, "cpu", "cpu.whl")
	ctx, cancel := context.WithCancel(t.Context())
	in.Progress = func(p Progress) {
		if p.Stage == "unpack" {
			cancel()
		}
	}
	if err := in.run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if _, ok := installed(in.dir, "cpu"); ok {
		t.Error("it is installed all the same")
	}
	if err := in.run(t.Context()); err != nil || x.files.Load() != 1 {
		t.Errorf("the next installation made %d downloads, want none more: %v", x.files.Load()-1, err)
	}
}

func TestWheels(t *testing.T) {
	for _, kind := range Kinds() {
		for _, arch := range []string{"amd64", "arm64"} {
			for _, w := range wheels[kind][arch] {
				sum, err := hex.DecodeString(w.sha256)
				if err != nil || len(sum) != 32 || w.size < 100_000 || !strings.HasSuffix(w.file, ".whl") ||
					!strings.HasPrefix(w.file, strings.ReplaceAll(w.project, "-", "_")+"-"+w.version+"-") {
					t.Errorf("%s %s: %v is not a pinned wheel", kind, arch, w)
				}
			}
			if len(wheels[kind][arch]) == 0 {
				t.Errorf("%s has no wheel for %s", kind, arch)
			}
		}
	}
}

func TestProgressString(t *testing.T) {
	tests := []struct {
		p    Progress
		want string
	}{
		{Progress{Stage: "done", Files: 1}, "done"},
		{Progress{Stage: "download", Wheel: "xla-cpu-pjrt 0.0.1", File: 1, Files: 1, Done: 12e6, Total: 63461052}, "download xla-cpu-pjrt 0.0.1: 12.0 of 63.5 MB"},
		{Progress{Stage: "unpack", Wheel: "a 1", File: 2, Files: 3, Done: 0, Total: 1e6}, "unpack a 1 (2 of 3): 0.0 of 1.0 MB"},
	}
	for _, tt := range tests {
		if got := tt.p.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"files":[{"filename":"a.whl","url":"../a.whl"}]}`))
	f.Add([]byte(`<a href="a.whl#sha256=0">a.whl</a>`))
	f.Fuzz(func(t *testing.T, page []byte) {
		linkInJSON(page, "a.whl")
		if ref, err := linkInHTML(page, "a.whl"); err == nil && !strings.Contains(ref, "whl") && !strings.Contains(ref, "%") {
			t.Errorf("%q leads to %q", page, ref)
		}
	})
}
