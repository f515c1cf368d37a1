package xla

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// Array is the values of a tensor: on the host, on devices, or on both. They are
// copied to a device when a program first needs them there, and to the host when
// they are first read. Values never change, so any number of goroutines may
// share an Array.
//
// Its device memory is freed when the Array is garbage collected, or by
// [Array.Free]. Programs and readers pin what they use, so that Free takes
// effect after them.
type Array struct {
	Shape []int
	DType dtypes.DType

	mu      sync.Mutex
	host    any            // a flat slice of the DType's Go type; nil while only on a device
	fill    func(flat any) // writes the values at their first use; nil where they are there
	buf     compute.Buffer // nil while only on the host
	on      *Device        // where buf is
	copies  []placedCopy   // on further devices, which share the work, or to which the values were moved
	divided *divided       // parts on devices, which have no whole copy
	placed  bool           // the user chose the device, and what is made of the array stays there
	pins    int            // programs and readers that use buf or host now
	runs    int            // of these, programs that are given the buffers
	freed   bool           // Free was called; it takes effect when pins is 0
	holds   *atomic.Int64  // bytes that are counted for it, see hold; nil for none
}

// placedCopy is an array's values on a further device.
type placedCopy struct {
	on  *Device
	buf compute.Buffer
}

// NewArray returns an array of values on the host, which it takes over.
func NewArray(dtype dtypes.DType, shape []int, flat any) *Array {
	return &Array{Shape: shape, DType: dtype, host: flat}
}

// LazyArray returns an array whose values fill writes when they are first needed, into a flat
// slice of the DType's Go type, which has zeros before.
func LazyArray(dtype dtypes.DType, shape []int, fill func(flat any)) *Array {
	return &Array{Shape: shape, DType: dtype, fill: fill}
}

// deviceArray wraps a buffer that a program returned. The array owns it.
func deviceArray(on *Device, buf compute.Buffer, s shapes.Shape) *Array {
	// go-xla v0.4.4 looks a buffer's type up at its first use and keeps it
	// without a lock (pjrt/buffers.go, DType): do it before it is shared.
	buf.Shape()
	a := &Array{Shape: append([]int{}, s.Dimensions...), DType: s.DType, buf: buf, on: on}
	a.hold(1)
	return a
}

// dividedArray wraps the buffers of a program's result of which each device has a part. The
// array owns them.
func dividedArray(d *divided, s shapes.Shape) *Array {
	a := &Array{Shape: append([]int{}, s.Dimensions...), DType: s.DType, divided: d}
	a.holdBytes(d.bytes(a))
	return a
}

func (a *Array) size() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Device returns where the values are; nil for the host only.
func (a *Array) Device() *Device {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.on
}

// Where names the devices that have the values: "cuda:0", or "cuda:0-3" where each has a part, and
// "" for the host only.
func (a *Array) Where() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.on != nil:
		return a.on.Label()
	case a.divided != nil:
		return a.divided.group.Label()
	}
	return ""
}

// BytesOn returns the memory that the values take on a device.
func (a *Array) BytesOn(on *Device) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := int64(0)
	if a.has(on) != nil {
		n = int64(a.size()) * int64(a.DType.Size())
	}
	if d := a.divided; d != nil {
		for i, other := range d.group.Devices {
			if b, _ := d.group.blockOf(d.layout, a.Shape, i); other == on {
				n += int64(b.elements()) * int64(a.DType.Size())
			}
		}
	}
	return n
}

// OnHost reports whether the values need not be copied from a device to be read.
func (a *Array) OnHost() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.host != nil || a.fill != nil
}

// Placed returns the device that the user chose for the array, nil for none.
func (a *Array) Placed() *Device {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.placed {
		return nil
	}
	return a.on
}

// Place says whether the user chose the device of the array, which was made of
// others just now.
func (a *Array) Place(placed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.placed = placed
}

// Freed reports whether Free was called.
func (a *Array) Freed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.freed
}

// Free gives the memory back, on devices and on the host: now, or when the last
// program or reader that uses it is done. Reading is an error from then on.
func (a *Array) Free() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.freed = true
	a.freeUnused()
}

// Pin keeps the array's memory until Unpin.
func (a *Array) Pin() {
	a.mu.Lock()
	a.pins++
	a.mu.Unlock()
}

// pinRun is Pin for a program that is given the buffers of the array, until unpinRun.
func (a *Array) pinRun() {
	a.mu.Lock()
	a.pins++
	a.runs++
	a.mu.Unlock()
}

func (a *Array) unpinRun() {
	a.mu.Lock()
	a.runs--
	a.mu.Unlock()
	a.Unpin()
}

// Unpin takes back one Pin.
func (a *Array) Unpin() {
	a.mu.Lock()
	a.pins--
	a.freeUnused()
	a.mu.Unlock()
}

// freeUnused does what Free asked for, once the array is not in use. The caller
// holds mu.
func (a *Array) freeUnused() {
	if a.freed && a.pins == 0 {
		a.freeBuffers()
		a.host, a.fill = nil, nil
	}
}

// freeBuffers frees the copies on devices. The caller holds mu.
func (a *Array) freeBuffers() {
	if a.buf != nil {
		a.buf.Finalize() // a backend that is gone has freed it already
		a.buf, a.on = nil, nil
	}
	for _, c := range a.copies {
		c.buf.Finalize()
	}
	a.copies = nil
	a.divided.finalize()
	a.divided = nil
	release(a.holds)
}

// Flat returns the host's copy, which must not be changed, fetching it from the
// device at the first call.
func (a *Array) Flat() (any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.flat()
}

// flat is Flat for a caller that holds mu.
func (a *Array) flat() (any, error) {
	if a.fill != nil {
		flat := dtypes.MakeAnySlice(a.DType, a.size())
		a.fill(flat)
		a.host, a.fill = flat, nil
	}
	if a.host != nil {
		return a.host, nil
	}
	if a.buf == nil && a.divided == nil {
		return nil, fmt.Errorf("dl: Tensor: %v was freed; keep it until its last use", a.Shape)
	}
	n := a.size()
	flat := dtypes.MakeAnySlice(a.DType, n)
	switch {
	case n == 0:
	case a.buf == nil:
		if err := a.gather(flat); err != nil {
			return nil, err
		}
	default:
		if err := a.on.read(a.buf, flat); err != nil {
			return nil, fmt.Errorf("dl: Tensor: read %v from %s: %w", a.Shape, a.on.Label(), err)
		}
	}
	a.host = flat
	return flat, nil
}

// sharesMemory reports whether the device's memory is the host's, and may be read and written here.
func (d *Device) sharesMemory() bool { return d.Kind == "cpu" && d.Backend.HasSharedBuffers() }

// read copies the values of a buffer to the host. Where its memory is the host's own they are
// copied here, as a program's outputs are there when it has been waited for: XLA's copying is a
// task for another thread, and waits for that one.
func (d *Device) read(buf compute.Buffer, flat any) error {
	if d.sharesMemory() {
		to := dtypes.UnsafeByteSliceFromAny(flat)
		if data, err := buf.Data(); err == nil {
			if from := dtypes.UnsafeByteSliceFromAny(data); len(from) == len(to) {
				copy(to, from)
				return nil
			}
		}
	}
	return buf.ToFlatData(flat)
}

// gather copies the parts of the array to the host.
func (a *Array) gather(flat any) error {
	d := a.divided
	for i, buf := range d.parts {
		b, first := d.group.blockOf(d.layout, a.Shape, i)
		if !first {
			continue
		}
		part := dtypes.MakeAnySlice(a.DType, b.elements())
		if err := d.group.Devices[i].read(buf, part); err != nil {
			return fmt.Errorf("dl: Tensor: read part of %v from %s: %w", a.Shape, d.group.Devices[i].Label(), err)
		}
		b.put(flat, part)
	}
	return nil
}

// CopyTo returns an array of the same values on a device that the user chose. It
// has the host's copy too where withHost is set.
func (a *Array) CopyTo(on *Device, withHost bool) (*Array, error) {
	a.Pin()
	defer a.Unpin()
	flat, err := a.Flat()
	if err != nil {
		return nil, err
	}
	buf, err := on.copy(flat, a.DType, a.Shape)
	if err != nil {
		return nil, fmt.Errorf("dl: copy %v to %s: %w", a.Shape, on.Label(), err)
	}
	moved := &Array{Shape: a.Shape, DType: a.DType, buf: buf, on: on, placed: true}
	moved.hold(1)
	if withHost {
		moved.host = flat
	}
	return moved, nil
}

// copy copies values to the device.
func (d *Device) copy(flat any, dtype dtypes.DType, shape []int) (buf compute.Buffer, err error) {
	err = d.RetryOOM(func() (err error) {
		buf, err = d.Backend.BufferFromFlatData(d.Num, flat, shapes.Make(dtype, shape...))
		return err
	})
	return buf, err
}

// Prepare copies the array to a device ahead of a program that will need it
// there. An error comes again with the program.
func (a *Array) Prepare(on *Device) {
	a.Pin()
	defer a.Unpin()
	_, _ = a.buffer(on)
}

// leastFilled is from how many bytes on values are made in the memory that a program reads.
const leastFilled = 1 << 20

// fillOn makes the values of a LazyArray in the memory of a device that is the host's own, so
// that they are there once: Go's heap would keep the other copy of a model's first weights long
// after a training step has replaced them. It returns nil where they are to be made on the host
// and copied: those that are there already or are few, and where the device is another or has too
// little memory, of which copying is the error. The caller holds mu.
func (a *Array) fillOn(on *Device) (buf compute.Buffer) {
	if a.fill == nil || a.size()*a.DType.Size() < leastFilled || !on.sharesMemory() {
		return nil
	}
	buf, flat := on.sharedBuffer(shapes.Make(a.DType, a.Shape...))
	if buf == nil {
		return nil
	}
	filled := false
	defer func() {
		if !filled {
			buf.Finalize() // fill panics
		}
	}()
	a.fill(flat)
	a.fill, filled = nil, true
	return buf
}

// sharedBuffer returns zeros in the device's memory, which is the host's; nil where there is too
// little. Go-xla v0.4.4 takes them by calloc (pjrt/alignedalloc.go), and panics where it gives
// none. They are freed with the buffer, which no program may be running with, as pins see to.
func (d *Device) sharedBuffer(s shapes.Shape) (buf compute.Buffer, flat any) {
	defer func() {
		if recover() != nil {
			buf, flat = nil, nil
		}
	}()
	buf, flat, err := d.Backend.NewSharedBuffer(d.Num, s)
	if err != nil {
		return nil, nil
	}
	return buf, flat
}

// has returns the copy on a device, nil if there is none. The caller holds mu.
func (a *Array) has(on *Device) compute.Buffer {
	if a.buf != nil && a.on == on {
		return a.buf
	}
	if i := slices.IndexFunc(a.copies, func(c placedCopy) bool { return c.on == on }); i >= 0 {
		return a.copies[i].buf
	}
	return nil
}

// copyOn returns the copy on a device, making one beside those that there are.
// The buffer belongs to the array. The caller has pinned it.
func (a *Array) copyOn(on *Device) (compute.Buffer, error) { return a.bufferOn(on, true) }

// buffer returns the copy on a device, moving the values there at the first
// call. The buffer belongs to the array. The caller has pinned it.
func (a *Array) buffer(on *Device) (compute.Buffer, error) {
	a.mu.Lock()
	placed := a.placed
	a.mu.Unlock()
	return a.bufferOn(on, placed)
}

func (a *Array) bufferOn(on *Device, beside bool) (compute.Buffer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if buf := a.has(on); buf != nil {
		return buf, nil
	}
	if buf := a.fillOn(on); buf != nil {
		a.buf, a.on = buf, on
		a.hold(1)
		return buf, nil
	}
	flat, err := a.flat()
	if err != nil {
		return nil, err
	}
	buf, err := on.copy(flat, a.DType, a.Shape)
	if err != nil {
		return nil, fmt.Errorf("dl: copy %v to %s: %w", a.Shape, on.Label(), err)
	}
	if beside && a.buf != nil {
		a.copies = append(a.copies, placedCopy{on, buf})
		a.hold(1)
		return buf, nil
	}
	if a.pins <= 1 {
		a.freeBuffers() // else a program on the other device still reads it; the collector frees it
	}
	a.buf, a.on = buf, on
	a.hold(1)
	return buf, nil
}
