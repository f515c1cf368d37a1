package xla

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/launch"
	"github.com/holt-dl/holt/internal/plugins"
)

// ErrNoBackend is wrapped by the error that a program gets when no backend
// can run it.
var ErrNoBackend = errors.New("no backend")

// Device is one device of one backend. There is one Device of each, so that
// devices are compared by their address.
type Device struct {
	Kind    string // the backend as the user names it: cuda, cpu or go
	Num     compute.DeviceNum
	Backend compute.Backend

	planned bool // its programs are written and never run
}

// Label is the device's name: cuda:0.
func (d *Device) Label() string { return fmt.Sprintf("%s:%d", d.Kind, d.Num) }

// Backends in the order in which they are tried.
var backendNames = []string{"cuda", "cpu", "go"}

// devices holds the backends that were opened and the one in use.
var devices struct {
	sync.Mutex
	open    map[string]*opened
	known   map[string]*Device // by label, so that a device has one address
	current *Device
	cuda    CUDA    // the settings that GPUs are opened with
	passed  []error // why the backends ahead of the current one were not taken

	numbered bool // the user chose a device by a number other than 0
}

// opened is the result of opening a backend, kept so that it is tried once.
type opened struct {
	backend compute.Backend
	err     error
}

// Use makes a device that of all that follows: the one that is named, or the
// first that works.
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

// Find opens a device by its name. op is what asks, for messages.
func Find(op, name string) (*Device, error) {
	if name == "" {
		return nil, fmt.Errorf("dl: %s: the device has no name, want one of dl.Devices(), such as cpu:0", op)
	}
	devices.Lock()
	defer devices.Unlock()
	return choose(op, name)
}

// Available returns an error where a backend cannot be opened.
func Available(kind string) error {
	devices.Lock()
	defer devices.Unlock()
	_, err := openBackend(kind)
	return err
}

// Passed says why the backends ahead of the current one are not in use; empty
// where the first choice works.
func Passed() string {
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
// might be, and what to do; [Passed] has it all.
func slower(on *Device, passed []error) string {
	what := "networks run on " + on.Kind
	if on.Kind == "go" {
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

// Current returns the device in use, choosing one at the first call.
func Current() (*Device, error) {
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
	if notice := hooks.Get().Notice; err == nil && len(passed) > 0 && notice != nil {
		notice(slower(d, passed))
	}
	return d, err
}

// known returns the device of a backend. The caller holds devices.
func known(kind string, b compute.Backend, num int) *Device {
	d := &Device{Kind: kind, Backend: b, Num: compute.DeviceNum(num)}
	if old := devices.known[d.Label()]; old != nil {
		return old
	}
	if devices.known == nil {
		devices.known = map[string]*Device{}
	}
	devices.known[d.Label()] = d
	return d
}

// choose opens the named backend, or the first that works. The caller holds
// devices.
func choose(op, name string) (*Device, error) {
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
func chooseWith(op, name string, cuda *CUDA) (*Device, error) {
	if cuda != nil {
		if o := devices.open["cuda"]; o != nil && o.err == nil && cuda.String() != devices.cuda.String() {
			return nil, fmt.Errorf("dl: %s: the GPUs are open with other settings (%s), want the same (%s); restart the kernel, and set them first", op, devices.cuda, cuda)
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
		devices.numbered = devices.numbered || num > 0
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

// Opened is a backend and its devices, or why it cannot be used.
type Opened struct {
	Kind    string
	Devices []*Device
	Err     error
}

// Backends opens all backends.
func Backends() (all []Opened) {
	devices.Lock()
	defer devices.Unlock()
	for _, kind := range backendNames {
		b, err := openBackend(kind)
		o := Opened{Kind: kind, Err: err}
		if err == nil {
			for i := range b.NumDevices() {
				o.Devices = append(o.Devices, known(kind, b, i))
			}
		}
		all = append(all, o)
	}
	return all
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
		// One operation after the other, each by all processors. Side by side, those
		// that run a function of their own, such as sorting and loops, wait for a
		// worker while they are one, and with as many of them as workers a program
		// hangs (compute v0.1.5, workerspool.WaitToStart).
		b, err = compute.NewWithConfig(config + ":ops_sequential")
	} else {
		cuda := devices.cuda
		if n, own := ownGPU(); own && kind == "cuda" && len(cuda.VisibleDevices) == 0 && !devices.numbered {
			cuda.VisibleDevices = []int{n}
		}
		b, err = openPlugin(kind, library, cuda)
	}
	if err != nil {
		return nil, fmt.Errorf("dl: backend %s: %w; run holt backend install %s", kind, err, kind)
	}
	return b, nil
}

// ownGPU is the number of this process's GPU, where a launcher has started a process for each GPU
// of the host, as torchrun does, and shows all GPUs to each.
func ownGPU() (n int, own bool) {
	w, err := launch.FromEnv()
	if err != nil {
		return 0, false
	}
	return ownGPUOf(w, len(nvidiaFiles()), os.Getenv("CUDA_VISIBLE_DEVICES"))
}

// ownGPUOf is ownGPU in a job, on a host with so many GPUs, of which a process sees those that are
// visible: all where that is empty.
func ownGPUOf(w launch.World, gpus int, visible string) (n int, own bool) {
	if visible != "" {
		gpus = strings.Count(visible, ",") + 1
	}
	return w.LocalRank, w.LocalSize > 1 && gpus >= w.LocalSize
}

// nvidiaFiles are the files of the GPUs that the kernel's driver shows.
func nvidiaFiles() []string {
	found, _ := filepath.Glob("/dev/nvidia[0-9]*")
	return found
}

// hasNVIDIA reports whether the kernel's driver shows a GPU.
func hasNVIDIA() bool {
	if len(nvidiaFiles()) > 0 {
		return true
	}
	_, err := os.Stat("/dev/dxg") // Windows' Linux
	return err == nil
}
