package dl

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// ErrNoBackend is wrapped by the error that a program gets when no backend
// can run it.
var ErrNoBackend = xla.ErrNoBackend

// ErrOutOfMemory is wrapped by the error of a step, prediction, calculation or
// copy that did not fit the device. Nothing has changed then: weights,
// optimizer and data are as they were, and a smaller batch goes on from there.
//
//	if _, err := step.Run(batch); errors.Is(err, dl.ErrOutOfMemory) {
var ErrOutOfMemory = xla.ErrOutOfMemory

// Use chooses the backend for all that follows: "cuda", "cpu" (XLA on the
// processor) or "go" (GoMLX's own, slow, always there); "cuda:1" chooses a
// device. Tensors and models move to it when they are next used. An empty
// name chooses the first of the three that works. Settings of [CUDA] may follow
// its name in text: "cuda,memory_fraction=0.9".
//
// Without Use the environment variable HOLT_BACKEND decides in the same way.
func Use(name string) error { return xla.Use(name) }

// Backend names the device in use, such as "cpu:0", opening one at the first
// call. It is empty when none can be opened.
func Backend() string {
	d, err := xla.Current()
	if err != nil {
		return ""
	}
	return d.Label()
}

// Fallback says in a sentence why a faster backend is not in use. It is empty
// when the first choice works.
func Fallback() string {
	if _, err := xla.Current(); err != nil {
		return err.Error()
	}
	return xla.Passed()
}

// CUDAAvailable reports whether networks can be trained on an NVIDIA GPU here,
// as torch.cuda.is_available does: a GPU, its driver and the CUDA plugin are
// all there and work.
func CUDAAvailable() bool { return xla.Available("cuda") == nil }

// Device is a line of [DeviceList].
type Device struct {
	Name    string // such as "cuda:0"
	Detail  string // what it is, or why it cannot be used
	Memory  Bytes  // of a GPU, what this process may take; else the machine's; 0 where it is not known
	Free    Bytes  // of it, what is not in use; -1 where that is not known
	Usable  bool
	Current bool

	// In a job of several processes:
	Rank int    // of the process that has it
	Host string // where that runs; empty without a job
}

// Bytes is an amount of memory, which prints as "23.4 GiB".
type Bytes int64

// String writes the amount in the largest unit of which there is one.
func (b Bytes) String() string { return xla.SizeText(int64(b)) }

// DeviceList prints as a table.
type DeviceList []Device

// Devices lists every device of every backend with its memory, and the backends
// that cannot be used with the reason. It opens backends that were not opened
// yet.
//
// In a job of several processes it lists the devices of all of them, with rank and host: of the
// others those of the backend that was in use when they joined the job, and not what is free. One
// that could open no backend has a line with the reason. Where the processes have not joined yet it
// waits for all of them, so that all call it, or none.
func Devices() DeviceList {
	list := devicesHere()
	j := thisJob()
	if j.wrong == nil && j.world.Size == 1 {
		return list
	}
	g, err := j.join(xla.Context())
	if err != nil {
		return append(list, Device{Name: "job", Detail: err.Error(), Free: -1})
	}
	var all DeviceList
	for rank, text := range g.Notes() {
		var note deviceNote
		if err := json.Unmarshal([]byte(text), &note); err != nil {
			all = append(all, Device{Name: "job", Rank: rank, Detail: err.Error(), Free: -1})
			continue
		}
		devices := note.Devices
		if rank == j.world.Rank {
			without := slices.DeleteFunc(note.Devices, func(d Device) bool { return d.Usable })
			devices = append(without, list...)
		}
		for _, d := range devices {
			d.Rank, d.Host = rank, note.Host
			all = append(all, d)
		}
	}
	return all
}

// deviceNote is what a process says of its devices to the others of its job.
type deviceNote struct {
	Host    string
	Devices DeviceList
}

// noteOfDevices is the note of this process: the devices of the backend in use, or why there is none.
func noteOfDevices() string {
	note := deviceNote{Host: "?"}
	if host, err := os.Hostname(); err == nil {
		note.Host = host
	}
	now, err := xla.Current()
	if err != nil {
		note.Devices = DeviceList{{Name: "none", Detail: strings.TrimPrefix(err.Error(), "dl: "), Free: -1}}
	} else {
		for i := range now.Backend.NumDevices() {
			d, err := xla.Find("Devices", fmt.Sprintf("%s:%d", now.Kind, i))
			if err != nil {
				continue // it has just opened
			}
			all, _ := d.Memory()
			note.Devices = append(note.Devices, Device{Name: d.Label(), Memory: Bytes(all), Free: -1, Usable: true,
				Detail: deviceWords(d, i, now.Backend.NumDevices())})
		}
	}
	text, err := json.Marshal(note)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return string(text)
}

// devicesHere lists the devices of this process.
func devicesHere() DeviceList {
	now, _ := xla.Current()
	var list DeviceList
	for _, b := range xla.Backends() {
		if b.Err != nil {
			list = append(list, Device{Name: b.Kind, Detail: strings.TrimPrefix(b.Err.Error(), "dl: "), Free: -1})
			continue
		}
		for i, d := range b.Devices {
			all, free := d.Memory()
			if all == 0 {
				free = -1
			}
			list = append(list, Device{Name: d.Label(), Detail: deviceWords(d, i, len(b.Devices)),
				Memory: Bytes(all), Free: Bytes(free), Usable: true, Current: d == now})
		}
	}
	return list
}

// deviceWords says in a person's words what a device is. Only a GPU has a name that
// tells more.
func deviceWords(d *xla.Device, num, of int) string {
	switch {
	case d.Kind == "go":
		return "GoMLX's own backend in pure Go, slow"
	case d.Kind == "cpu" && of > 1:
		return fmt.Sprintf("XLA on this machine's processors, virtual device %d of %d", num+1, of)
	case d.Kind == "cpu":
		return "XLA on this machine's processors"
	}
	return d.Model()
}

// mark is a star for the device in use, and - for one that cannot be used.
func (d Device) mark() string {
	switch {
	case !d.Usable:
		return "-"
	case d.Current:
		return "*"
	}
	return ""
}

// String lays the list out as a table; a star marks the device in use.
func (l DeviceList) String() string {
	var rows [][]any
	for _, d := range l {
		room := ""
		switch {
		case d.Memory > 0 && d.Free >= 0:
			room = fmt.Sprintf("%v, %v free", d.Memory, d.Free)
		case d.Memory > 0:
			room = d.Memory.String()
		}
		row := []any{d.mark(), d.Name}
		if d.Host != "" {
			row = append(row, fmt.Sprintf("rank %d on %s", d.Rank, d.Host))
		}
		rows = append(rows, append(row, room, d.Detail))
	}
	return tableText(nil, rows, 0)
}

// Table is the list for a notebook; the device in use is marked by a star.
func (l DeviceList) Table() (head []string, rows [][]any) {
	job := slices.ContainsFunc(l, func(d Device) bool { return d.Host != "" })
	for _, d := range l {
		memory, free := "", ""
		if d.Memory > 0 {
			memory = d.Memory.String()
		}
		if d.Memory > 0 && d.Free >= 0 {
			free = d.Free.String()
		}
		row := []any{d.mark(), d.Name}
		if job {
			row = append(row, d.Rank, d.Host)
		}
		rows = append(rows, append(row, memory, free, d.Detail))
	}
	head = []string{"", "device"}
	if job {
		head = append(head, "rank", "host")
	}
	return append(head, "memory", "free", ""), rows
}

// CUDA says how networks run on NVIDIA GPUs. Its zero value is what Use("cuda")
// takes. It is used before anything else is on a GPU:
//
//	dl.CUDA{MemoryFraction: 0.9, TF32: true}.Use()
//
// HOLT_BACKEND says the same in text, as a job's environment does:
//
//	HOLT_BACKEND=cuda:1,memory_fraction=0.9,tf32=true
type CUDA struct {
	Device int // number of the GPU, among those that are visible

	// TF32 multiplies float32 matrices with 10 bits of mantissa in place of 23,
	// which is faster. It is off, as torch.backends.cuda.matmul.allow_tf32 is;
	// convolutions use it in any case, as PyTorch's do. In text: tf32.
	TF32 bool

	// Deterministic gives a program the same bits each time it runs, in this process and in
	// others, which some of the fastest kernels do not: their sums have another order each
	// time. It is off, as torch.use_deterministic_algorithms is. In text: deterministic.
	Deterministic bool

	// Preallocate takes the memory at once, which keeps it in one piece. Off, it
	// is taken as it is needed. In text: preallocate.
	Preallocate bool

	// MemoryFraction is how much of a GPU's memory may be taken, above 0 and at
	// most 1; 0 means XLA's own, 0.75. In text: memory_fraction.
	MemoryFraction float64

	// Allocator is XLA's "bfc", "cuda_async", "platform" or "vmm"; empty means
	// bfc. In text: allocator.
	Allocator string

	// VisibleDevices are the numbers of the GPUs that are opened; nil means all,
	// or those of CUDA_VISIBLE_DEVICES. In text, with semicolons between them:
	// visible_devices.
	VisibleDevices []int
}

// Use makes the GPU the device for all that follows, as [Use] does. Once the GPUs
// are open their settings cannot change: other ones are an error then.
func (c CUDA) Use() error { return xla.CUDA(c).Use() }
