package goroutine

import (
	"runtime"
	"sync"
	"testing"
)

// TestID: each goroutine keeps its number, whatever thread it runs on, and none has another's.
func TestID(t *testing.T) {
	const n = 100
	var (
		seen  sync.Map
		group sync.WaitGroup
		all   sync.WaitGroup // have begun, so that none has ended
	)
	all.Add(n)
	for range n {
		group.Go(func() {
			first := ID()
			if _, taken := seen.LoadOrStore(first, true); taken || first == 0 {
				t.Errorf("a goroutine is %#x, which is another's or none's", first)
			}
			all.Done()
			all.Wait()
			for i := range 1000 {
				if i%10 == 0 {
					runtime.Gosched()
				}
				if now := deep(i % 100); now != first {
					t.Errorf("a goroutine is %#x and then %#x", first, now)
					return
				}
			}
		})
	}
	group.Wait()
}

// deep asks at a depth, for which the stack grows and moves.
func deep(n int) uintptr {
	var room [1024]byte
	if n == 0 {
		return ID() + uintptr(room[0])
	}
	return deep(n-1) + uintptr(room[n])
}

func BenchmarkID(b *testing.B) {
	for b.Loop() {
		ID()
	}
}
