package xla

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// CUDA is how GPUs are opened, by settings that package dl explains.
type CUDA struct {
	Device         int
	TF32           bool
	Deterministic  bool
	Preallocate    bool
	MemoryFraction float64
	Allocator      string
	VisibleDevices []int
}

var allocators = []string{"", "bfc", "cuda_async", "default", "platform", "vmm"}

// Use makes the GPU the device of all that follows, as [Use] does.
func (c CUDA) Use() error {
	devices.Lock()
	defer devices.Unlock()
	if err := c.check(); err != nil {
		return fmt.Errorf("dl: CUDA.Use: %w", err)
	}
	d, err := chooseWith("CUDA.Use", fmt.Sprintf("cuda:%d", c.Device), &c)
	if err != nil {
		return err
	}
	devices.current, devices.passed = d, nil
	return nil
}

// MemoryFraction is how much of a GPU's memory may be taken, as it is set now: XLA's own
// where it is not.
func MemoryFraction() float64 {
	devices.Lock()
	defer devices.Unlock()
	if f := devices.cuda.MemoryFraction; f > 0 {
		return f
	}
	return 0.75
}

func (c CUDA) check() error {
	switch {
	case c.MemoryFraction < 0 || c.MemoryFraction > 1 || c.MemoryFraction != c.MemoryFraction:
		return fmt.Errorf("memory_fraction is %v, want above 0 and at most 1", c.MemoryFraction)
	case !slices.Contains(allocators, c.Allocator):
		return fmt.Errorf("allocator is %q, want bfc, cuda_async, platform or vmm", c.Allocator)
	}
	for i, d := range c.VisibleDevices {
		if d < 0 || slices.Contains(c.VisibleDevices[:i], d) {
			return fmt.Errorf("visible_devices are %v, want each number once", c.VisibleDevices)
		}
	}
	return nil
}

// String writes the settings as parseCUDA reads them.
func (c CUDA) String() string {
	text := c.options()[1:]
	if c.Deterministic {
		text += ",deterministic=true"
	}
	return text
}

// flags are the settings that XLA takes as flags.
func (c CUDA) flags() []string {
	if c.Deterministic {
		return []string{"--xla_gpu_deterministic_ops=true"}
	}
	return nil
}

// options writes the settings that go-xla takes, whose own default for TF32 is another.
func (c CUDA) options() string {
	text := fmt.Sprintf(",tf32=%t,preallocate=%t", c.TF32, c.Preallocate)
	if c.MemoryFraction > 0 {
		text += ",memory_fraction=" + strconv.FormatFloat(c.MemoryFraction, 'g', -1, 32)
	}
	if c.Allocator != "" {
		text += ",allocator=" + c.Allocator
	}
	for i, d := range c.VisibleDevices {
		text += []string{",visible_devices=", ";"}[min(i, 1)] + strconv.Itoa(d)
	}
	return text
}

// parseCUDA reads settings in text, such as "memory_fraction=0.9,tf32=true".
func parseCUDA(text string) (c CUDA, err error) {
	for part := range strings.SplitSeq(text, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case !found:
			return c, fmt.Errorf("%q is no setting, want such as memory_fraction=0.9; between devices stands a semicolon: visible_devices=0;1", part)
		case key == "tf32":
			c.TF32, err = strconv.ParseBool(value)
		case key == "deterministic":
			c.Deterministic, err = strconv.ParseBool(value)
		case key == "preallocate":
			c.Preallocate, err = strconv.ParseBool(value)
		case key == "memory_fraction":
			if c.MemoryFraction, err = strconv.ParseFloat(value, 64); err == nil && c.MemoryFraction == 0 {
				err = strconv.ErrRange
			}
		case key == "allocator":
			c.Allocator = value
		case key == "visible_devices":
			for number := range strings.SplitSeq(value, ";") {
				n, bad := strconv.Atoi(number)
				if bad != nil {
					err = bad
				}
				c.VisibleDevices = append(c.VisibleDevices, n)
			}
		default:
			return c, fmt.Errorf("setting is %q, want one of tf32, deterministic, preallocate, memory_fraction, allocator, visible_devices", key)
		}
		if err != nil {
			want := map[string]string{"tf32": "true or false", "deterministic": "true or false", "preallocate": "true or false", "memory_fraction": "a number above 0 and at most 1", "visible_devices": "numbers such as 0;1"}[key]
			return c, fmt.Errorf("%s is %q, want %s", key, value, want)
		}
	}
	return c, c.check()
}
