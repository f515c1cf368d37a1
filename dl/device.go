package dl

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"

	"github.com/holt-dl/holt/internal/plugins"
)

// Notice, when the host sets it, is told in one plain sentence of what the
// user should know but did not ask for: that no XLA plugin was found, say,
// and the slow backend is used. It may be called from any goroutine.
var Notice func(sentence string)

// ErrNoBackend is wrapped by the error that a program gets when no backend
// can run it.
var ErrNoBackend = errors.New("no backend")

// device is one device of one backend.
type device struct {
	name    string // the backend as the user names it: cuda, cpu or go
	backend compute.Backend
	num     compute.DeviceNum
}

// label is the device's name as [Devices] shows it.
func (d *device) label() string { return fmt.Sprintf("%s:%d", d.name, d.num) }

// Backends in the order in which they are tried.
var backendNames = []string{"cuda", "cpu", "go"}

// devices holds the backends that were opened and the one in use.
var devices struct {
	sync.Mutex
	open    map[string]*opened
	known   map[string]*device // by label, so that a device has one address
	current *device
	cuda    CUDA    // the settings that GPUs are opened with
	passed  []error // why the backends ahead of the current one were not taken
}

// opened is the result of opening a backend, kept so that it is tried once.
type opened struct {
	backend compute.Backend
	err     error
}

// Use chooses the backend for all that follows: "cuda", "cpu" (XLA on the
// processor) or "go" (GoMLX's own, slow, always there); "cuda:1" chooses a
// device. Tensors and models move to it when they are next used. An empty
// name chooses the first of the three that works. Settings of [CUDA] may follow
// its name in text: "cuda,memory_fraction=0.9".
//
// Without Use the environment variable HOLT_BACKEND decides in the same way.
func Use(name string) error {
	devices.Lock()
	defer devices.Unlock()
	d, err := choose("Use", name)
	if err != nil {
		return err
	}
	devices.current = d
	if name != "" {
		devices.passed = nil
	}
	return nil
}

// Backend names the device in use, such as "cpu:0", opening one at the first
// call. It is empty when none can be opened.
func Backend() string {
	d, err := current()
	if err != nil {
		return ""
	}
	return d.label()
}

// Fallback says in a sentence why a faster backend is not in use. It is empty
// when the first choice works.
func Fallback() string {
	if _, err := current(); err != nil {
		return err.Error()
	}
	devices.Lock()
	defer devices.Unlock()
	return reasons(devices.passed)
}

func reasons(passed []error) string {
	var why []string
	for _, err := range passed {
		why = append(why, strings.TrimPrefix(err.Error(), "dl: "))
	}
	return strings.Join(why, "; ")
}

// slower says in one short sentence that a slower device is used than there
// might be, and what to do; [Fallback] has it all.
func slower(on *device, passed []error) string {
	what := "networks run on " + on.name
	if on.name == "go" {
		what = "networks run on the pure-Go backend, many times slower than XLA"
	}
	err := passed[len(passed)-1] // of the backend just ahead
	var missing *noPlugin
	if errors.As(err, &missing) {
		return fmt.Sprintf("%s: there is no plugin for %s; run holt backend install %[2]s, and restart the kernel", what, missing.kind)
	}
	why, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "dl: "), "\n")
	if r := []rune(why); len(r) > 150 {
		why = string(r[:150]) + "…"
	}
	return what + ": " + why + "; dl.Fallback() says more"
}

// noPlugin is the error of a backend of XLA whose plugin is nowhere.
type noPlugin struct {
	kind string
	dirs []string
}

func (e *noPlugin) Error() string {
	return fmt.Sprintf("dl: backend %s: %v: no XLA plugin in %s; run holt backend install %[1]s", e.kind, ErrNoBackend, strings.Join(e.dirs, ", "))
}

func (e *noPlugin) Unwrap() error { return ErrNoBackend }

// CUDAAvailable reports whether networks can be trained on an NVIDIA GPU here,
// as torch.cuda.is_available does: a GPU, its driver and the CUDA plugin are
// all there and work.
func CUDAAvailable() bool {
	devices.Lock()
	defer devices.Unlock()
	_, err := openBackend("cuda")
	return err == nil
}

// current returns the device in use, choosing one at the first call.
func current() (*device, error) {
	devices.Lock()
	if d := devices.current; d != nil {
		devices.Unlock()
		return d, nil
	}
	d, err := choose("Use", os.Getenv("HOLT_BACKEND"))
	if err == nil {
		devices.current = d
	}
	passed := devices.passed
	devices.Unlock()
	if err == nil && len(passed) > 0 && Notice != nil {
		Notice(slower(d, passed))
	}
	return d, err
}

// known returns the device of a backend. The caller holds devices.
func known(kind string, b compute.Backend, num int) *device {
	d := &device{name: kind, backend: b, num: compute.DeviceNum(num)}
	if old := devices.known[d.label()]; old != nil {
		return old
	}
	if devices.known == nil {
		devices.known = map[string]*device{}
	}
	devices.known[d.label()] = d
	return d
}

// choose opens the named backend, or the first that works. The caller holds
// devices.
func choose(op, name string) (*device, error) {
	name, text, found := strings.Cut(name, ",")
	if !found {
		return chooseWith(op, name, nil)
	}
	if kind, _, _ := strings.Cut(name, ":"); kind != "cuda" {
		return nil, fmt.Errorf("dl: %s: backend %q has no settings, only cuda has, and it is given %q", op, name, text)
	}
	cuda, err := parseCUDA(text)
	if err != nil {
		return nil, fmt.Errorf("dl: %s: %w", op, err)
	}
	return chooseWith(op, name, &cuda)
}

// chooseWith is [choose] with the settings of CUDA, where there are any. The
// caller holds devices.
func chooseWith(op, name string, cuda *CUDA) (*device, error) {
	if cuda != nil {
		options := cuda.options()
		if o := devices.open["cuda"]; o != nil && o.err == nil && options != devices.cuda.options() {
			return nil, fmt.Errorf("dl: %s: the GPUs are open with other settings (%s), want the same (%s); restart the kernel, and set them first", op, devices.cuda.options()[1:], options[1:])
		}
		if o := devices.open["cuda"]; o != nil && o.err != nil {
			delete(devices.open, "cuda") // other settings may do
		}
		devices.cuda = *cuda
	}
	kind, num := name, 0
	if before, after, ok := strings.Cut(name, ":"); ok {
		if _, err := fmt.Sscanf(after, "%d", &num); err != nil {
			return nil, fmt.Errorf("dl: %s: device is %q, want a number after the colon, such as cuda:0", op, name)
		}
		kind = before
	}
	if name != "" {
		if !slices.Contains(backendNames, kind) {
			return nil, fmt.Errorf("dl: %s: backend is %q, want cuda, cpu or go; see dl.Devices()", op, name)
		}
		b, err := openBackend(kind)
		if err != nil {
			return nil, err
		}
		if n := b.NumDevices(); num < 0 || num >= n {
			return nil, fmt.Errorf("dl: %s: device is %q, want a number below %d; see dl.Devices()", op, name, n)
		}
		return known(kind, b, num), nil
	}
	var passed []error
	for _, kind := range backendNames {
		b, err := openBackend(kind)
		if err == nil {
			devices.passed = passed
			return known(kind, b, 0), nil
		}
		if kind != "cuda" || hasNVIDIA() {
			passed = append(passed, err)
		}
	}
	return nil, fmt.Errorf("dl: %w: %s", ErrNoBackend, reasons(passed))
}

// openBackend opens a backend once. The caller holds devices.
func openBackend(kind string) (compute.Backend, error) {
	if o := devices.open[kind]; o != nil {
		return o.backend, o.err
	}
	b, err := newBackend(kind)
	if err == nil && b.NumDevices() == 0 {
		err = fmt.Errorf("dl: backend %s: it shows no device; choose another with HOLT_BACKEND", kind)
	}
	if devices.open == nil {
		devices.open = map[string]*opened{}
	}
	devices.open[kind] = &opened{b, err}
	return b, err
}

func newBackend(kind string) (b compute.Backend, err error) {
	library := ""
	config, driver := "go", "github.com/gomlx/compute/gobackend"
	if kind != "go" {
		config, driver = "xla", "github.com/gomlx/go-xla/compute/xla"
	}
	if !slices.Contains(compute.List(), config) {
		return nil, fmt.Errorf("dl: backend %s: %w: its driver is not linked into this program; import _ %q", kind, ErrNoBackend, driver)
	}
	if kind == "cuda" && !hasNVIDIA() {
		return nil, fmt.Errorf("dl: backend cuda: %w: this machine shows no NVIDIA GPU; use cpu", ErrNoBackend)
	}
	if kind != "go" {
		dirs := plugins.SearchDirs()
		path, ok := plugins.Find(dirs, kind)
		if !ok {
			return nil, &noPlugin{kind, dirs}
		}
		library = path
	}
	defer func() {
		if r := recover(); r != nil {
			b, err = nil, fmt.Errorf("dl: backend %s: %v; run holt doctor", kind, r)
		}
	}()
	if kind == "go" {
		b, err = compute.NewWithConfig(config)
	} else {
		b, err = openPlugin(kind, library, devices.cuda)
	}
	if err != nil {
		return nil, fmt.Errorf("dl: backend %s: %w; run holt backend install %s", kind, err, kind)
	}
	return b, nil
}

// hasNVIDIA reports whether the kernel's driver shows a GPU.
func hasNVIDIA() bool {
	found, _ := filepath.Glob("/dev/nvidia[0-9]*")
	if len(found) > 0 {
		return true
	}
	_, err := os.Stat("/dev/dxg") // Windows' Linux
	return err == nil
}
