package dl

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// To returns the tensor on a device, such as "cpu:1" or "cuda", as
// torch.Tensor.to. What is calculated from it runs on that device and stays
// there, whatever [Use] chose; a calculation with tensors on two devices is an
// error. A device that is not there, or is full, is an error that says so.
func (t *Tensor) To(name string) (*Tensor, error) {
	on, err := find("To", name)
	if err != nil {
		return nil, err
	}
	t.pin()
	defer t.unpin()
	buf, err := on.put(t)
	if err != nil {
		return nil, err
	}
	return &Tensor{shape: t.shape, dtype: t.dtype, buf: buf, on: on, placed: true}, nil
}

// To puts the model on a device, such as "cpu:1" or "cuda", as
// torch.nn.Module.to: predictions, evaluations and training steps run there,
// whatever [Use] chose, and their inputs are copied there. An empty name lets
// Use decide again. A device that is not there is an error that says so and
// leaves the model where it is.
func (m *Model) To(name string) error {
	var on *device
	if name != "" {
		var err error
		if on, err = find("To", name); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.device = on
	return nil
}

// on returns the device that the model runs on.
func (m *Model) on() (*device, error) {
	m.mu.Lock()
	on := m.device
	m.mu.Unlock()
	if on != nil {
		return on, nil
	}
	return current()
}

// find opens a device by its name.
func find(op, name string) (*device, error) {
	if name == "" {
		return nil, fmt.Errorf("dl: %s: the device has no name, want one of dl.Devices(), such as cpu:0", op)
	}
	devices.Lock()
	defer devices.Unlock()
	return choose(op, name)
}

// together returns the device for a calculation with some tensors: the one
// that To put them on, else the one in use.
func together(xs []*Tensor) (on *device, placed bool, err error) {
	for _, x := range xs {
		x.mu.Lock()
		here, set := x.on, x.placed
		x.mu.Unlock()
		switch {
		case !set || here == nil:
		case on != nil && on != here:
			return nil, false, fmt.Errorf("dl: tensors are on %s and on %s, want one device; move one with To", on.label(), here.label())
		default:
			on = here
		}
	}
	if on != nil {
		return on, true, nil
	}
	on, err = current()
	return on, false, err
}

// copied is a tensor's values on a further device.
type copied struct {
	on  *device
	buf compute.Buffer
}

// put copies a tensor to the device.
func (on *device) put(t *Tensor) (compute.Buffer, error) {
	buf, err := on.copy(t.flat(), t.dtype, t.shape)
	if err != nil {
		return nil, fmt.Errorf("dl: copy %v to %s: %w", t.shape, on.label(), err)
	}
	return buf, nil
}

// copy copies values to the device.
func (on *device) copy(flat any, dtype DType, shape Shape) (buf compute.Buffer, err error) {
	err = on.roomy(func() (err error) {
		buf, err = on.backend.BufferFromFlatData(on.num, flat, shapes.Make(dtype, shape...))
		return err
	})
	return buf, err
}

// has returns the tensor's copy on a device, nil if there is none. The caller
// holds mu.
func (t *Tensor) has(on *device) compute.Buffer {
	if t.buf != nil && t.on == on {
		return t.buf
	}
	if i := slices.IndexFunc(t.copies, func(c copied) bool { return c.on == on }); i >= 0 {
		return t.copies[i].buf
	}
	return nil
}

// copyOn returns the tensor's copy on a device, making one beside those that
// it has. The buffer belongs to the tensor. The caller has pinned it.
func (t *Tensor) copyOn(on *device) (compute.Buffer, error) { return t.bufferOn(on, true) }

// buffer returns the tensor's copy on a device, moving it there at the first
// call. The buffer belongs to the tensor. The caller has pinned it.
func (t *Tensor) buffer(on *device) (compute.Buffer, error) {
	t.mu.Lock()
	placed := t.placed
	t.mu.Unlock()
	return t.bufferOn(on, placed)
}

func (t *Tensor) bufferOn(on *device, beside bool) (compute.Buffer, error) {
	t.mu.Lock()
	buf := t.has(on)
	t.mu.Unlock()
	if buf != nil {
		return buf, nil
	}
	t.flat() // takes mu
	t.mu.Lock()
	defer t.mu.Unlock()
	if buf := t.has(on); buf != nil {
		return buf, nil
	}
	buf, err := on.copy(t.host, t.dtype, t.shape)
	if err != nil {
		return nil, fmt.Errorf("dl: copy %v to %s: %w", t.shape, on.label(), err)
	}
	if beside && t.buf != nil {
		t.copies = append(t.copies, copied{on, buf})
		return buf, nil
	}
	if t.pins <= 1 {
		t.release() // else a program on the other device still reads it; the collector frees it
	}
	t.buf, t.on = buf, on
	return buf, nil
}
