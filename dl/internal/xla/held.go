package xla

import (
	"runtime"
	"sync/atomic"
)

// Go's collector counts the host's memory. A tensor that is only on a device takes it some hundred
// bytes, whatever its size, so thousands of them may be garbage before it runs. Therefore what
// arrays hold on devices is counted here, and garbage is collected when that has doubled since the
// last time, as Go does with the host's memory.

// held counts the memory of all devices together.
var held struct {
	bytes      atomic.Int64 // of arrays that were neither freed nor collected
	next       atomic.Int64 // above this, garbage is collected
	collecting atomic.Bool
}

// leastHeld is how much may always be held without collecting garbage, and leastCounted the
// smallest buffer that counts.
const leastHeld, leastCounted = 64 << 20, 4096

// hold counts n copies of the array on devices. The caller holds mu, or is the only one to know
// the array.
func (a *Array) hold(n int) { a.holdBytes(int64(n) * int64(a.size()) * int64(a.DType.Size())) }

// holdBytes counts so many bytes, as hold does.
func (a *Array) holdBytes(size int64) {
	if size < leastCounted {
		return
	}
	if a.holds == nil {
		a.holds = new(atomic.Int64)
		runtime.AddCleanup(a, release, a.holds)
	}
	a.holds.Add(size)
	if held.bytes.Add(size) <= max(leastHeld, held.next.Load()) || !held.collecting.CompareAndSwap(false, true) {
		return
	}
	collect()
	held.next.Store(2 * held.bytes.Load())
	held.collecting.Store(false)
}

// release takes back what was counted for an array.
func release(holds *atomic.Int64) {
	if holds != nil {
		held.bytes.Add(-holds.Swap(0))
	}
}
