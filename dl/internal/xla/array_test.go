package xla

import (
	"errors"
	"testing"

	"github.com/gomlx/compute/dtypes"
)

// TestLazyArray has values written once: many of them in the memory that a program reads, and few,
// or those of another backend, on the host first.
func TestLazyArray(t *testing.T) {
	pure, err := Find("test", "go")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("go", func(t *testing.T) { fillLater(t, pure, leastFilled/4, true) })
	t.Run("cpu", func(t *testing.T) {
		on := onCPU(t)
		fillLater(t, on, leastFilled/4, false)
		fillLater(t, on, leastFilled/4-1, true)
	})
}

// fillLater has n numbers written for a device, and says whether the host has a copy then.
func fillLater(t *testing.T, on *Device, n int, copied bool) {
	t.Helper()
	calls := 0
	a := LazyArray(dtypes.Float32, []int{n}, func(flat any) {
		calls++
		flat.([]float32)[n-1] = 7
	})
	if !a.OnHost() || a.Device() != nil {
		t.Errorf("%d numbers that were not asked for are on %v", n, a.Device())
	}
	a.Prepare(on)
	if a.Device() != on || a.BytesOn(on) != int64(4*n) || a.OnHost() != copied {
		t.Errorf("%d numbers are on %v with %d bytes, and the host has them: %t", n, a.Device(), a.BytesOn(on), a.OnHost())
	}
	flat, err := a.Flat()
	if err != nil {
		t.Fatal(err)
	}
	if v := flat.([]float32); len(v) != n || v[0] != 0 || v[n-1] != 7 || calls != 1 {
		t.Errorf("%d numbers, written %d times, are %d: %v … %v", n, calls, len(v), v[0], v[n-1])
	}
	a.Free()
	if _, err := a.Flat(); err == nil {
		t.Errorf("%d numbers can be read after Free", n)
	}
}

// TestLazyArrayFails has values whose writing panics: they can be asked for again.
func TestLazyArrayFails(t *testing.T) {
	on := onCPU(t)
	fails := true
	a := LazyArray(dtypes.Float32, []int{leastFilled}, func(flat any) {
		if fails {
			panic(errors.New("no"))
		}
		flat.([]float32)[1] = 1
	})
	if err := Guard(func() { a.Prepare(on) }); err == nil || err.Error() != "no" {
		t.Errorf("the error is %v", err)
	}
	if !a.OnHost() || a.Device() != nil || a.BytesOn(on) != 0 {
		t.Errorf("the values are on %v", a.Device())
	}
	fails = false
	a.Prepare(on)
	if flat, err := a.Flat(); err != nil || flat.([]float32)[1] != 1 {
		t.Errorf("they cannot be read: %v", err)
	}
}
