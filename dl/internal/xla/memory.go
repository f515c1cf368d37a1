package xla

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/hooks"
)

// ErrOutOfMemory is wrapped by the error of what did not fit a device.
var ErrOutOfMemory = errors.New("out of memory")

// Model is what a device is, as its plugin names it, such as NVIDIA H200.
func (d *Device) Model() string {
	if f := hooks.Get().DeviceKind; f != nil {
		if kind, ok := f(d.Backend, int(d.Num)); ok {
			return kind
		}
	}
	return d.Backend.DeviceDescription(d.Num)
}

// RetryOOM runs f, which takes memory of the device. Where that has too little
// left, it collects garbage and runs f again, up to four times, with longer
// pauses: Go's collector knows only how full the host is, and not that garbage
// holds memory of a device.
func (d *Device) RetryOOM(f func() error) error {
	err := f()
	if err == nil || !exhausted(err) {
		return err
	}
	// The runtime frees by several goroutines, and says not when all are done.
	for pause := 10 * time.Millisecond; pause < time.Second; pause *= 4 {
		collect()
		time.Sleep(pause)
		if err = f(); err == nil || !exhausted(err) {
			return err
		}
	}
	return d.outOfMemory(err)
}

// exhausted reports whether an error of a backend says that memory is missing.
// XLA on the processor wraps it as an internal error, with these words.
func exhausted(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "resource_exhausted") || strings.Contains(text, "out of memory")
}

// askedFor finds the size in XLA's message.
var askedFor = regexp.MustCompile(`(?i)allocat\w+ (\d+) ?bytes|allocate (?:request for )?(\S+?iB)`)

// outOfMemory is the error of a device that is full: what was asked for, what it has
// and what to try.
func (d *Device) outOfMemory(err error) error {
	asked := "more"
	if m := askedFor.FindStringSubmatch(err.Error()); m != nil {
		asked = m[2]
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
			asked = SizeText(n)
		}
	}
	has := d.Label() + " has not so much left"
	if all, free := d.Memory(); all > 0 {
		has = fmt.Sprintf("%s has %s, of which %s are free", d.Label(), SizeText(all), SizeText(free))
	}
	try := "use a smaller batch, Options{Accumulate: 2} or Options{Precision: dl.BFloat16}, set variables that are not needed to nil"
	if d.Kind == "cuda" {
		try += `, or go on with dl.Use("cpu")`
	}
	return &outOfMemoryError{fmt.Sprintf("%s was asked for in one piece, and %s; %s", asked, has, try), err}
}

// outOfMemoryError is ErrOutOfMemory in few words. What the backend said is long, and
// behind Unwrap.
type outOfMemoryError struct {
	text string
	err  error
}

func (e *outOfMemoryError) Error() string   { return ErrOutOfMemory.Error() + ": " + e.text }
func (e *outOfMemoryError) Unwrap() []error { return []error{ErrOutOfMemory, e.err} }

// collect frees the memory of tensors that no variable holds, here and on the
// devices. It waits for the collector's cleanups, but not for ever.
func collect() {
	done := make(chan struct{})
	mark := &struct{ done chan struct{} }{done}
	runtime.AddCleanup(mark, func(done chan struct{}) { close(done) }, done)
	runtime.KeepAlive(mark)
	mark = nil
	runtime.GC()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// Memory returns the device's memory in bytes: what this process may take of a
// GPU's, and the machine's, which all its processors share. Both are 0 where
// they are not known.
func (d *Device) Memory() (all, free int64) {
	if f := hooks.Get().DeviceMemory; f != nil {
		if used, limit, ok := f(d.Backend, int(d.Num)); ok {
			return limit, max(0, limit-used)
		}
	}
	if d.Kind == "cuda" {
		return 0, 0
	}
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		var n int64
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &n); err == nil {
			all = n << 10
		}
		if _, err := fmt.Sscanf(line, "MemAvailable: %d kB", &n); err == nil {
			free = n << 10
		}
	}
	return all, free
}

// SizeText writes a number of bytes in the largest unit of which there is one.
func SizeText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
