package dl

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/gomlx/compute"
)

// Device is a line of [DeviceList].
type Device struct {
	Name    string // such as "cuda:0"
	Detail  string // what it is, or why it cannot be used
	Memory  Bytes  // of a GPU, what this process may take; else the machine's; 0 where it is not known
	Free    Bytes  // of it, what is not in use
	Usable  bool
	Current bool
}

// Bytes is an amount of memory, which prints as "23.4 GiB".
type Bytes int64

// String writes the amount in the largest unit of which there is one.
func (b Bytes) String() string {
	switch {
	case b >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(b)/(1<<30))
	case b >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(b)/(1<<20))
	case b >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(b)/(1<<10))
	}
	return fmt.Sprintf("%d B", int64(b))
}

// DeviceList prints as a table.
type DeviceList []Device

// Devices lists every device with its memory of every
// backend, and the backends that cannot be used with the reason. It opens backends that were not opened yet.
func Devices() DeviceList {
	now, _ := current()
	devices.Lock()
	defer devices.Unlock()
	var list DeviceList
	for _, kind := range backendNames {
		b, err := openBackend(kind)
		if err != nil {
			list = append(list, Device{Name: kind, Detail: strings.TrimPrefix(err.Error(), "dl: ")})
			continue
		}
		for i := range b.NumDevices() {
			d := known(kind, b, i)
			line := Device{Name: d.label(), Detail: deviceWords(kind, b.DeviceDescription(d.num), i, b.NumDevices()), Usable: true, Current: d == now}
			line.Memory, line.Free = memory(kind, b, i)
			list = append(list, line)
		}
	}
	return list
}

// deviceWords says in a person's words what a device is. Only a GPU has a name that
// tells more.
func deviceWords(kind, description string, num, of int) string {
	switch {
	case kind == "go":
		return "GoMLX's own backend in pure Go, slow"
	case kind == "cpu" && of > 1:
		return fmt.Sprintf("XLA on this machine's processors, virtual device %d of %d", num+1, of)
	case kind == "cpu":
		return "XLA on this machine's processors"
	}
	return description
}

// String lays the list out as a table; a star marks the device in use.
func (l DeviceList) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, d := range l {
		mark := map[bool]string{true: "*"}[d.Current]
		if !d.Usable {
			mark = "-"
		}
		room := ""
		if d.Memory > 0 {
			room = fmt.Sprintf("%v, %v free", d.Memory, d.Free)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", mark, d.Name, room, d.Detail)
	}
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

// DeviceMemory, when the host sets it, says how much of a device's memory this
// process uses and how much it may take, in bytes, as the device's runtime
// counts, and false where that does not tell. The host sets it because dl links
// no backend.
var DeviceMemory func(b compute.Backend, device int) (used, limit int64, ok bool)

// memory returns a device's memory in bytes: what this process may take of a
// GPU's, and the machine's, which all its processors share. Both are 0 where
// they are not known.
func memory(kind string, b compute.Backend, num int) (all, free Bytes) {
	if DeviceMemory != nil {
		if used, limit, ok := DeviceMemory(b, num); ok {
			return Bytes(limit), Bytes(max(0, limit-used))
		}
	}
	if kind == "cuda" {
		return 0, 0
	}
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		var n Bytes
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &n); err == nil {
			all = n << 10
		}
		if _, err := fmt.Sscanf(line, "MemAvailable: %d kB", &n); err == nil {
			free = n << 10
		}
	}
	return all, free
}
