package xla

import (
	"testing"

	_ "github.com/gomlx/compute/gobackend"
	_ "github.com/gomlx/go-xla/compute/xla"

	"github.com/holt-dl/holt/internal/goxla"
	"github.com/holt-dl/holt/internal/hooks"
)

// onCPU returns XLA's device, opened with the hooks that a kernel's host has, which stay for the
// test; or it skips the test. A backend is opened once for all tests.
func onCPU(t *testing.T) *Device {
	t.Helper()
	t.Setenv("HOLT_EXECUTABLES", "0")
	before := hooks.Get()
	goxla.Install()
	t.Cleanup(func() { hooks.Set(func(h *hooks.Hooks) { *h = before }) })
	on, err := Find("test", "cpu")
	if err != nil {
		t.Skip(err)
	}
	return on
}

// TestOneDNN compares all calls of a program with XLA's own program.
func TestOneDNN(t *testing.T) {
	on := onCPU(t)
	if !hooks.Get().KnownPlugin(on.Backend) {
		t.Skip("the plugin is another")
	}
	if !hasCalls(on.Backend) {
		t.Error("package calls is not known to the plugin")
	}
	for name, how := range map[string]form{"calls of oneDNN": withCalls, "an unoptimised program": unoptimised} {
		if err := checkCalls(on, how); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !on.callsOneDNN() {
		t.Error("they are not called")
	}
	t.Setenv(OneDNNEnv, "0")
	if on.callsOneDNN() {
		t.Errorf("they are called, where %s is 0", OneDNNEnv)
	}
}

// TestHoldMemory counts the runs of a program that calls oneDNN from the first one on.
func TestHoldMemory(t *testing.T) {
	before := hooks.Get()
	t.Cleanup(func() { hooks.Set(func(h *hooks.Hooks) { *h = before }) })
	held := 0
	hooks.Set(func(h *hooks.Hooks) { h.HoldMemory = func() { held++ } })
	p := &Program{how: withCalls}
	for n := range 2 * quickFrom {
		if p.Quick(n, nil) != p {
			t.Fatalf("run %d is of another form", n)
		}
		if held != min(n, 1) {
			t.Fatalf("memory was held %d times by run %d", held, n)
		}
	}
}
