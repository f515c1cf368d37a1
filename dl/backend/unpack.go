package backend

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/holt-dl/holt/internal/plugins"
)

// layout says where the files of a kind's wheels go, below its folder.
type layout struct {
	plugin string            // the library in the wheel, by its base name
	dir    string            // where the library goes
	name   string            // what go-xla calls it
	tree   string            // a folder of the wheels that is kept as a whole, below dir's parent
	links  map[string]string // further links, as name → target
}

// The plugins keep their own name, and a link has the one that go-xla looks
// for. CUDA's finds NVIDIA's libraries by paths relative to itself, such as
// $ORIGIN/../nvidia/cu13/lib, and two of them two folders up; so go-xla's
// installer (installer/cuda.go, v0.4.4) arranges them, and so do we.
var layouts = func() map[string]layout {
	all := map[string]layout{
		"cpu": {plugin: "xla_cpu_pjrt.so", name: "pjrt_c_api_cpu_plugin.so", links: map[string]string{}},
		"cuda": {plugin: "xla_cuda_plugin.so", dir: "lib/nvidia", name: "pjrt_c_api_cuda_plugin.so", tree: "nvidia",
			links: map[string]string{
				"lib/nvidia/bin/ptxas": "../cu13/bin/ptxas",
				"libcublas.so.13":      "lib/nvidia/cu13/lib/libcublas.so.13",
				"libcublasLt.so.13":    "lib/nvidia/cu13/lib/libcublasLt.so.13",
			}},
		"cuda12": {plugin: "xla_cuda_plugin.so", dir: "lib/nvidia", name: "pjrt_c_api_cuda_plugin.so", tree: "nvidia",
			links: map[string]string{"lib/nvidia/bin/ptxas": "../cuda_nvcc/bin/ptxas"}},
	}
	compiler := all["cuda"]
	compiler.links = map[string]string{"lib/nvidia/bin/ptxas": "../cu13/bin/ptxas"}
	all[plugins.CompilerKind] = compiler
	for _, l := range all {
		l.links[l.library()] = l.plugin
	}
	return all
}()

// library is the path of the link that go-xla finds.
func (l layout) library() string { return path.Join(l.dir, l.name) }

// place returns where a file of a wheel goes, or "" to leave it out.
func (l layout) place(name string) string {
	switch {
	case path.Base(name) == l.plugin:
		return path.Join(l.dir, l.plugin)
	case l.tree == "" || !strings.HasPrefix(name, l.tree+"/"):
		return ""
	case strings.Contains(name, "/include/") || strings.HasSuffix(name, ".py") || strings.HasSuffix(name, ".a"):
		return "" // for compiling against, not for running
	default:
		return path.Join(path.Dir(l.dir), name)
	}
}

// Limits of a wheel, well above those that are pinned: the CPU plugin grows
// to four times its wheel.
const (
	maxEntries = 20_000
	maxRatio   = 20
)

// extract writes the files of a zip archive that place gives a path below
// root. Files and folders only; a path that leaves root, a link, and an
// archive that grows beyond its limits are errors.
func extract(ctx context.Context, root *os.Root, archive string, place func(name string) string, progress func(done, total int64)) error {
	info, err := os.Stat(archive)
	if err != nil {
		return err
	}
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	if len(z.File) > maxEntries {
		return fmt.Errorf("%d entries, want at most %d", len(z.File), maxEntries)
	}
	limit := info.Size()*maxRatio + 1<<20
	var total int64
	for _, f := range z.File {
		if place(f.Name) == "" || strings.HasSuffix(f.Name, "/") {
			continue
		}
		if size := int64(f.UncompressedSize64); size < 0 || size > limit-total {
			return fmt.Errorf("%s: the archive grows beyond %d bytes", f.Name, limit)
		}
		total += int64(f.UncompressedSize64)
	}
	var done int64
	progress(0, total)
	for _, f := range z.File {
		to := place(f.Name)
		if to == "" || strings.HasSuffix(f.Name, "/") {
			continue
		}
		if !f.Mode().IsRegular() {
			return fmt.Errorf("%s: entry is %v, want a regular file", f.Name, f.Mode().Type())
		}
		err := write(root, to, f, func(n int) error {
			done += int64(n)
			progress(done, total)
			return ctx.Err()
		})
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

// write extracts one file. The zip reader itself fails when an entry is
// longer than it says, or when its CRC differs.
func write(root *os.Root, to string, f *zip.File, step func(n int) error) (err error) {
	if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	mode := os.FileMode(0o644)
	if strings.Contains(to, ".so") || strings.Contains(to, "/bin/") {
		mode = 0o755
	}
	w, err := root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() {
		if e := w.Close(); err == nil {
			err = e
		}
	}()
	left := int64(f.UncompressedSize64)
	buf := make([]byte, 1<<20)
	for {
		n, err := r.Read(buf)
		if left -= int64(n); left < 0 {
			return fmt.Errorf("is longer than its %d bytes", f.UncompressedSize64)
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		if err := step(n); err != nil {
			return err
		}
		if err == io.EOF {
			return w.Sync()
		}
		if err != nil {
			return err
		}
	}
}
