package dl

import (
	"sync"
	"time"
)

// gauge knows how full a device is. To ask may take a while, and a notebook that
// shows a run looks at it five times in a second: so it is asked in the
// background and not often, and what it said last counts.
type gauge struct {
	mu        sync.Mutex
	all, free Bytes
	next      time.Time // when it may be asked again
	asking    bool
}

const gaugeEvery = 2 * time.Second

// read returns what is known now, and asks where that is old.
func (g *gauge) read(ask func() (all, free Bytes)) (used, all Bytes) {
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

// Memory returns how much of the memory of the run's GPU is in use, by this
// process, and how much it may take, in bytes. Both are 0 before the first look, where they are
// not known, and where the device is a processor, whose memory is the machine's and shared by all.
// They are some seconds old, and stay as they are when the run has
// ended.
func (r *Run) Memory() (used, all int64) {
	ask := func() (all, free Bytes) {
		on, err := r.model.on()
		if err != nil || on.name != "cuda" {
			return 0, 0
		}
		return memory(on.name, on.backend, int(on.num))
	}
	select {
	case <-r.done:
		ask = nil
	default:
	}
	u, a := r.memory.read(ask)
	return int64(u), int64(a)
}
