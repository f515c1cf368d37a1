package xla

import (
	"runtime"
	"testing"

	"github.com/gomlx/compute/dtypes"

	_ "github.com/holt-dl/holt/dl/backend"
)

// TestHeldMemory drops arrays that are large on a device and take next to nothing of Go's memory:
// garbage is collected before they take much more than leastHeld.
func TestHeldMemory(t *testing.T) {
	on, err := Find("test", "go")
	if err != nil {
		t.Fatal(err)
	}
	const n, arrays = 1 << 20, 100
	values := make([]float32, n) // of all arrays
	start, most := held.bytes.Load(), int64(0)
	for range arrays {
		a := NewArray(dtypes.Float32, []int{n}, values)
		a.Prepare(on)
		most = max(most, held.bytes.Load()-start)
	}
	if limit := int64(2*leastHeld + 2*start); most > limit {
		t.Errorf("%d arrays of %d MiB that nothing refers to hold %d MiB, want at most %d", arrays, 4*n>>20, most>>20, limit>>20)
	}
	a := NewArray(dtypes.Float32, []int{n}, values)
	a.Prepare(on)
	before := held.bytes.Load()
	a.Free()
	if got := before - held.bytes.Load(); got != 4*n {
		t.Errorf("Free of an array of %d bytes takes back %d", 4*n, got)
	}
	runtime.KeepAlive(a)
}
