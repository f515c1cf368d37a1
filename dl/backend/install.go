package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/internal/download"
	"github.com/holt-dl/holt/internal/plugins"
)

// Options are the settings of [Install]. The zero value shows nothing and
// brings the wheels from the network.
type Options struct {
	// Progress, when not nil, is called with what is being done, at most ten times a
	// second. It is called by the goroutine that called Install.
	Progress func(Progress)

	// From is a folder that holds the wheels already, for machines without a
	// network; what it lacks is downloaded. Its files are checked as well.
	From string

	// Client makes the requests; nil means one that follows the environment's
	// proxies and certificates.
	Client *http.Client
}

// Progress is how far an installation is.
type Progress struct {
	Stage string // download, unpack or done
	Wheel string // such as "xla-cpu-pjrt 0.0.1"
	File  int    // which of Files, from 1
	Files int
	Done  int64 // bytes of this stage of this file
	Total int64
}

// String is one line, such as "download xla-cpu-pjrt 0.0.1: 12.0 of 63.5 MB".
func (p Progress) String() string {
	count := ""
	if p.Files > 1 {
		count = fmt.Sprintf(" (%d of %d)", p.File, p.Files)
	}
	if p.Total == 0 {
		return strings.TrimSpace(p.Stage + " " + p.Wheel + count)
	}
	return fmt.Sprintf("%s %s%s: %.1f of %.1f MB", p.Stage, p.Wheel, count, float64(p.Done)/1e6, float64(p.Total)/1e6)
}

// wheel is a pinned file of PyPI.
type wheel struct {
	project, version, file string
	size                   int64
	sha256                 string // hexadecimal
}

func (w wheel) String() string { return w.project + " " + w.version }

// Kinds lists what [Install] knows.
func Kinds() []string { return []string{"cpu", "cuda", "cuda12", plugins.CompilerKind} }

func unknownKind(kind string) error {
	return fmt.Errorf("backend: kind is %q, want one of %s", kind, strings.Join(Kinds(), ", "))
}

// Install brings the plugin of a kind into [Dir]: "cpu" (63 MB to download,
// 260 MB on disk), "cuda" or "cuda12" (about 3 GB to download), or
// "cuda-compiler" (257 MB to download), which compiles for GPUs on a machine
// that has none, and runs nothing. It does nothing when the pinned version is there already.
//
// The wheels come from PyPI, or from the index that PIP_INDEX_URL names; only
// bytes with the pinned SHA-256 are used, so the index need not be trusted. A download that
// was cut is continued by the next Install. The plugin is unpacked aside and
// renamed, so that a process that looks for it sees all of it or nothing; two
// processes that install at once wait for one another.
//
// A server that cannot be reached is an error in at most ten seconds, which
// says that Holt works without it.
func Install(ctx context.Context, kind string, opt Options) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("backend: install %s: PyPI has no plugin for %s; put one where go-xla looks, or use HOLT_BACKEND=go", kind, runtime.GOOS)
	}
	if _, ok := layouts[kind]; !ok {
		return unknownKind(kind)
	}
	pins := wheels[kind][runtime.GOARCH]
	if len(pins) == 0 {
		return fmt.Errorf("backend: install %s: PyPI has no plugin for %s; use HOLT_BACKEND=go", kind, runtime.GOARCH)
	}
	in := installer{Options: opt, dir: Dir(), kind: kind, wheels: pins, index: indexURL()}
	if err := in.run(ctx); err != nil {
		if errors.Is(err, download.ErrOffline) {
			err = fmt.Errorf("%w; Holt works without it, on the slow pure-Go backend", err)
		}
		return fmt.Errorf("backend: install %s: %w", kind, err)
	}
	return nil
}

type installer struct {
	Options
	dir, kind string
	wheels    []wheel
	index     string
}

func (in *installer) run(ctx context.Context) error {
	if in.current() {
		in.report(Progress{Stage: "done"})
		return nil
	}
	if err := os.MkdirAll(in.dir, 0o755); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(in.dir, ".lock"))
	if ok, err := lock.TryLock(); err != nil {
		return err
	} else if !ok {
		in.report(Progress{Stage: "wait for another installation"})
		if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("another installation holds %s: %w", lock.Path(), err)
		}
	}
	defer lock.Unlock()
	if in.current() {
		in.report(Progress{Stage: "done"})
		return nil
	}
	var paths []string
	for i := range in.wheels {
		path, err := in.bring(ctx, i)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	if err := in.unpack(ctx, paths); err != nil {
		return err
	}
	os.RemoveAll(in.downloads())
	in.report(Progress{Stage: "done"})
	return nil
}

func (in *installer) downloads() string { return filepath.Join(in.dir, ".download-"+in.kind) }

func (in *installer) report(p Progress) {
	if in.Progress != nil {
		p.Files = len(in.wheels)
		in.Progress(p)
	}
}

// current reports whether the pinned wheels are what is installed.
func (in *installer) current() bool {
	p, ok := installed(in.dir, in.kind)
	return ok && slices.EqualFunc(p.SHA256, in.wheels, func(sum string, w wheel) bool { return sum == w.sha256 })
}

// bring returns the path of the i-th wheel, downloaded if need be.
func (in *installer) bring(ctx context.Context, i int) (string, error) {
	w := in.wheels[i]
	f := download.File{
		Path: filepath.Join(in.downloads(), w.file), Size: w.size, SHA256: w.sha256,
		Client:   in.Client,
		Patience: 2 * time.Minute, // a mirror may fetch the whole wheel first
		Progress: func(done, total int64) {
			in.report(Progress{Stage: "download", Wheel: w.String(), File: i + 1, Done: done, Total: total})
		},
	}
	if in.From != "" {
		local := f
		local.Path = filepath.Join(in.From, w.file)
		if _, err := os.Stat(local.Path); err == nil {
			if err := local.Check(); err != nil {
				return "", err
			}
			return local.Path, nil
		}
	}
	if f.Check() == nil { // from an installation that was stopped later on
		return f.Path, nil
	}
	var err error
	if f.URL, err = locate(ctx, in.Client, in.index, w); err != nil {
		return "", err
	}
	return f.Path, f.Get(ctx)
}

// unpack makes the plugin's folder, whole or not at all.
func (in *installer) unpack(ctx context.Context, paths []string) error {
	return aside.Folder(filepath.Join(in.dir, in.kind), func(path string) error { return in.fill(ctx, path, paths) })
}

// fill makes a plugin's folder of its wheels.
func (in *installer) fill(ctx context.Context, path string, paths []string) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer root.Close()
	l := layouts[in.kind]
	for i, path := range paths {
		w := in.wheels[i]
		err := extract(ctx, root, path, l.place, func(done, total int64) {
			in.report(Progress{Stage: "unpack", Wheel: w.String(), File: i + 1, Done: done, Total: total})
		})
		if err != nil {
			return fmt.Errorf("unpack %s: %w", w.file, err)
		}
	}
	for name, target := range l.links {
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := root.Symlink(target, name); err != nil {
			return err
		}
	}
	info, err := root.Stat(l.library())
	if err != nil {
		return fmt.Errorf("the wheels do not hold %s: %w", l.plugin, err)
	}
	p := Plugin{Kind: in.kind, Size: info.Size(), Version: in.wheels[0].version}
	for _, w := range in.wheels {
		p.Wheels, p.SHA256 = append(p.Wheels, w.file), append(p.SHA256, w.sha256)
	}
	receipt, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return err
	}
	return root.WriteFile(receiptName, receipt, 0o644)
}
