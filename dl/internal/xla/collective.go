package xla

import (
	"context"
	"errors"
	"slices"

	"github.com/holt-dl/holt/internal/hooks"
)

// Collective adds up arrays on GPUs of this process and others of its job, by NCCL.
type Collective struct {
	hooks.NCCL
	on    *Device
	group *Group // nil where a process uses one device
}

// Collective opens NCCL for a device, or for those of a group that begins with it. The error says
// why there is none.
func (d *Device) Collective(group *Group) (*Collective, error) {
	open := hooks.Get().NCCL
	if open == nil {
		return nil, errors.New("this program is built without it")
	}
	devices := []int{int(d.Num)}
	if group != nil {
		devices = nil
		for _, on := range group.Devices {
			devices = append(devices, int(on.Num))
		}
	}
	n, err := open(d.Backend, devices)
	if err != nil {
		return nil, err
	}
	return &Collective{n, d, group}, nil
}

// Is reports whether it is for a device, or those of a group.
func (c *Collective) Is(on *Device, group *Group) bool {
	return c.on == on && (c.group == nil) == (group == nil) && (group == nil || c.group.Same(group))
}

// AllReduce adds up arrays of float32, of which nothing else uses the memory: their values change.
func (c *Collective) AllReduce(ctx context.Context, arrays []*Array) error {
	return c.with(arrays, func(release func(), on []hooks.OnDevices) error { return c.NCCL.AllReduce(ctx, release, on) })
}

// ReduceScatter is AllReduce for the piece of each array that is this process's.
func (c *Collective) ReduceScatter(ctx context.Context, arrays []*Array) error {
	return c.with(arrays, func(release func(), on []hooks.OnDevices) error { return c.NCCL.ReduceScatter(ctx, release, on) })
}

// AllGather brings arrays together of which each process has its piece.
func (c *Collective) AllGather(ctx context.Context, arrays []*Array) error {
	return c.with(arrays, func(release func(), on []hooks.OnDevices) error { return c.NCCL.AllGather(ctx, release, on) })
}

func (c *Collective) with(arrays []*Array, f func(release func(), on []hooks.OnDevices) error) error {
	arrays = slices.DeleteFunc(slices.Clone(arrays), func(a *Array) bool { return a.size() == 0 })
	if len(arrays) == 0 {
		return nil
	}
	for _, a := range arrays {
		a.pinRun()
	}
	release := func() {
		for _, a := range arrays {
			a.unpinRun()
		}
	}
	var on []hooks.OnDevices
	for _, a := range arrays {
		d, err := a.overwrite(c.on, c.group)
		if err != nil {
			release()
			return err
		}
		on = append(on, d)
	}
	return f(release, on)
}

// overwrite returns what devices have of the array, for a function that writes other values there.
// The host's copy is forgotten. The caller has pinned the array.
func (a *Array) overwrite(on *Device, group *Group) (o hooks.OnDevices, err error) {
	a.mu.Lock()
	parts := a.divided
	a.mu.Unlock()
	o.Numbers = a.size()
	switch {
	case group == nil:
		b, err := a.copyOn(on)
		if err != nil {
			return o, err
		}
		o.Buffers = []any{b}
	case parts != nil && parts.group.Same(group):
		o.Numbers = group.PartSize(parts.layout, a.Shape)
		for _, b := range parts.parts {
			o.Buffers = append(o.Buffers, b)
		}
	default:
		o.Same = true
		for _, d := range group.Devices {
			b, err := a.copyOn(d)
			if err != nil {
				return o, err
			}
			o.Buffers = append(o.Buffers, b)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.host, a.fill = nil, nil
	return o, nil
}
