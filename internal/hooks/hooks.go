// Package hooks holds what the program that packages dl and display run in gives
// them: the running cell's context, a place for notices, downloads, a plotter.
// The program sets them, cmd/holt-host before the first cell, or a package that is
// imported for its effect, such as dl/vision/fetch. A cell cannot import this
// package, so none of this stands in its completion. It imports only the standard
// library, because every cell links it.
package hooks

import (
	"context"
	"sync"
	"sync/atomic"
)

// Unoptimised ends the name of a program of which another form is going to be compiled. Where
// the backend can, it compiles such a program without LLVM's optimisation, in less than half
// of the time.
const Unoptimised = "_unoptimised"

// Hooks are functions that may be nil. They may be called from any goroutine.
type Hooks struct {
	// Context returns the context of the cell that is running, which an
	// interrupt cancels.
	Context func() context.Context
	// Hold keeps a cell that is interrupted from being given up until release is called.
	Hold func() (release func())
	// Notice shows, in one plain sentence, what the user should know but did
	// not ask for: that the slow backend is used, say.
	Notice func(sentence string)
	// DeviceMemory says how much of a device's memory this process uses and how
	// much it may take, in bytes, as the device's runtime counts, and false where
	// that does not tell. The backend is a compute.Backend.
	DeviceMemory func(backend any, device int) (used, limit int64, ok bool)

	// DeviceKind is the kind of a device, such as NVIDIA H200, and false where the backend
	// does not tell. The backend is a compute.Backend.
	DeviceKind func(backend any, device int) (kind string, ok bool)

	// OpenCPU opens XLA's plugin for the processor with a number of devices, which share its
	// cores; nil leaves the number to the plugin. What it returns is a compute.Backend.
	OpenCPU func(plugin string, devices int) (backend any, err error)

	// Opened is given a backend of XLA when its plugin has opened its devices, with
	// the flags that it read still in the environment. The backend is a
	// compute.Backend, kind is cpu or cuda, and library is the plugin's file.
	Opened func(backend any, kind, library string)

	// KnownPlugin reports whether a backend's plugin is one that Holt's tests ran with.
	KnownPlugin func(backend any) bool
	// Calls reports whether a backend's programs may have the custom calls of package
	// calls, which it makes known to the plugin. The plugin is a known one.
	Calls func(backend any) bool
	// CustomCall writes a custom call of XLA, which gives float32 numbers of some shapes,
	// into a function of a program, and false where the function is another backend's.
	// The function is a compute.Function; operands and results are its compute.Values.
	CustomCall func(function any, target, config string, dims [][]int, operands []any) (results []any, ok bool, err error)

	// HoldMemory makes C's malloc keep what a step gives back for the next, having given what is
	// free now back to the system; nil where XLA's memory is not malloc's.
	HoldMemory func()

	// CUDAWriter returns a compute.Backend that writes programs as they are for CUDA, with
	// products in TF32 or not, and runs none.
	CUDAWriter func(tf32 bool) any
	// CompileAhead compiles programs in StableHLO for so many GPUs of a kind, none of which
	// need be there, and calls done with each of them. The kind is such as h100, whose hosts have
	// eight of them, or h100:4, whose hosts have four. Its error is that of a GPU that is
	// not known, of a compiler that is not installed, and of ctx.
	CompileAhead func(ctx context.Context, gpu string, devices int, programs [][]byte, done func(i int, c Compiled)) (GPU, error)

	// NCCL opens what adds up numbers between some devices of a backend and those of other
	// processes. The error says why there is none. The backend is a compute.Backend.
	NCCL func(backend any, devices []int) (NCCL, error)

	// Archive brings an archive and unpacks it, so that root/Folder or root/File
	// is there afterwards, whole or not at all. progress may be nil.
	Archive func(ctx context.Context, a Archive, root string, progress func(done, total int64)) error
	// Weights brings the file at an address to a path and checks that its SHA-256
	// begins with sum. A file that is there and right stays.
	Weights func(ctx context.Context, url, path, sum string) error
	// Sample returns a part of CIFAR-10 in its binary layout.
	Sample func(train bool) (records []byte, err error)

	// Plotter is the display.Plotter that draws figures and sheets.
	Plotter any
}

// NCCL adds up numbers on GPUs of this process and others of its job. All processes call its
// methods in the same order. Those with a context end with it, as far as they wait for others, and
// it is of no use then.
type NCCL interface {
	Version() string           // such as 2.32.3
	GPUs() []string            // names that no other GPU has, of any host
	NewIDs() ([][]byte, error) // by which the processes find each other; one of them makes these
	Join(ctx context.Context, rank, processes int, ids [][]byte) error
	Close()
	// AllReduce adds up arrays in place, ReduceScatter to the pieces of each process, and AllGather
	// brings pieces together. The arrays are released when no GPU works with them any more.
	AllReduce(ctx context.Context, release func(), arrays []OnDevices) error
	ReduceScatter(ctx context.Context, release func(), arrays []OnDevices) error
	AllGather(ctx context.Context, release func(), arrays []OnDevices) error
}

// OnDevices is float32 numbers on the devices of an NCCL.
type OnDevices struct {
	Buffers []any // a compute.Buffer of each device
	Numbers int   // on each device
	Same    bool  // each device has all of them, and not a part of its own
}

// GPU is a kind of GPU.
type GPU struct {
	Name    string // such as h100
	Product string // such as NVIDIA H100 80GB HBM3
	Memory  int64  // bytes
	Hosts   int    // that they are in
}

// Compiled is what a program takes on each of its devices, in bytes, or why it cannot be
// compiled.
type Compiled struct {
	FLOPs     float64 // of products of matrices and convolutions
	Loops     bool    // there are loops, whose operations are counted once
	Inputs    int64
	Outputs   int64
	Temporary int64          // what it calculates with
	Memory    int64          // the most at one time
	Calls     map[string]int // of functions of libraries

	Collectives []Collective // of a program for several devices

	Err error
}

// Collective is what the devices of a program do together, all calls of it.
type Collective struct {
	Name  string // such as all-reduce
	Calls int    // those in a loop are counted once
	Bytes int64  // of the arrays as they are before or after, whichever is larger, on one device
	Hosts bool   // devices of several hosts take part
}

// Archive is a published file that holds a data set or a part of it.
type Archive struct {
	URL    string
	Size   int64  // bytes of the file; 0 when it is not known
	MD5    string // hexadecimal, as the publisher gives it
	SHA256 string // the same, where the publisher gives this one; MD5 is then empty
	Folder string // the one folder that a .tar.gz or .zip file holds, at its top
	File   string // where another file goes, below root; it is not unpacked
}

var (
	changes sync.Mutex
	current atomic.Pointer[Hooks]
)

// Get returns the hooks of now.
func Get() Hooks {
	if h := current.Load(); h != nil {
		return *h
	}
	return Hooks{}
}

// Set changes hooks, all at one moment, and returns a function that puts back what
// was there, for tests.
func Set(change func(*Hooks)) (undo func()) {
	changes.Lock()
	defer changes.Unlock()
	before := current.Load()
	h := Get()
	change(&h)
	current.Store(&h)
	return func() { current.Store(before) }
}

// Context returns the context of the running cell, or the background.
func Context() context.Context {
	if f := Get().Context; f != nil {
		if ctx := f(); ctx != nil {
			return ctx
		}
	}
	return context.Background()
}

// Hold keeps a cell that is interrupted from being given up until release is called.
func Hold() (release func()) {
	if f := Get().Hold; f != nil {
		return f()
	}
	return func() {}
}

// leaving are the functions of OnLeave, by numbers.
var leaving struct {
	sync.Mutex
	next int
	all  map[int]func()
}

// OnLeave has f called before the process ends because its notebook is done, unless remove was
// called.
func OnLeave(f func()) (remove func()) {
	leaving.Lock()
	defer leaving.Unlock()
	if leaving.all == nil {
		leaving.all = map[int]func(){}
	}
	n := leaving.next
	leaving.next++
	leaving.all[n] = f
	return func() {
		leaving.Lock()
		defer leaving.Unlock()
		delete(leaving.all, n)
	}
}

// Leave calls the functions of [OnLeave], side by side, and waits for them.
func Leave() {
	leaving.Lock()
	var all sync.WaitGroup
	for _, f := range leaving.all {
		all.Go(f)
	}
	leaving.Unlock()
	all.Wait()
}

// Notice tells the user a sentence, where there is a place for it.
func Notice(sentence string) {
	if f := Get().Notice; f != nil {
		f(sentence)
	}
}
