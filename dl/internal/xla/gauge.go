package xla

import (
	"sync"
	"time"
)

// Gauge knows how full a device is. Asking the driver may take a while, and a
// notebook that shows a run looks five times in a second: so the driver is asked
// in the background, every [gaugeEvery], and a reading is its last answer.
type Gauge struct {
	mu        sync.Mutex
	all, free int64
	next      time.Time // when it may be asked again
	asking    bool
}

const gaugeEvery = 2 * time.Second

// Read returns what is known now, and asks where that is old.
func (g *Gauge) Read(ask func() (all, free int64)) (used, all int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ask != nil && !g.asking && !time.Now().Before(g.next) {
		g.asking = true
		go func() {
			all, free := ask()
			g.mu.Lock()
			defer g.mu.Unlock()
			g.all, g.free, g.asking, g.next = all, free, false, time.Now().Add(gaugeEvery)
		}()
	}
	return g.all - g.free, g.all
}
