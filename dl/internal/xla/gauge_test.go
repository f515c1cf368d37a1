package xla

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestGauge asks a slow driver seldom, and never waits for it.
func TestGauge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gauge
		asked := 0
		ask := func() (all, free int64) {
			asked++
			time.Sleep(time.Second)
			return 100, int64(100 - 10*asked)
		}
		start := time.Now()
		read := func(ask func() (all, free int64)) int64 {
			used, all := g.Read(ask)
			if used > 0 && all != 100 {
				t.Errorf("%d of %d are used, want all of 100", used, all)
			}
			return used
		}
		for range 5 {
			if used := read(ask); used != 0 {
				t.Errorf("%d are used before the driver answered, want 0", used)
			}
		}
		if time.Since(start) != 0 {
			t.Errorf("to read took %v, want no time", time.Since(start))
		}
		time.Sleep(1500 * time.Millisecond)
		if used := read(ask); used != 10 || asked != 1 {
			t.Errorf("%d are used after %d questions, want 10 after one", used, asked)
		}
		time.Sleep(2 * time.Second)
		read(ask)
		time.Sleep(1500 * time.Millisecond)
		if used := read(nil); used != 20 || asked != 2 {
			t.Errorf("%d are used after %d questions, want 20 after two", used, asked)
		}
		time.Sleep(time.Minute)
		if used := read(nil); used != 20 || asked != 2 {
			t.Errorf("%d are used after %d questions when the run has ended, want 20 after two", used, asked)
		}
	})
}
