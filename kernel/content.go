package kernel

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

func status(state string) map[string]any { return map[string]any{"execution_state": state} }

func ok() map[string]any { return map[string]any{"status": "ok"} }

// failed is the content of a reply to a request that could not be answered.
func failed(name, value string) map[string]any {
	return map[string]any{"status": "error", "ename": name, "evalue": value, "traceback": []string{}}
}

// cutRequest returns the name of a request, such as "debug" of "debug_request".
func cutRequest(typ string) (name string, found bool) {
	return strings.CutSuffix(typ, "_request")
}

func logPanic(r any) {
	slog.Error("kernel: panic", "value", fmt.Sprint(r), "stack", string(debug.Stack()))
}

// dropLog logs messages that are dropped, at most one line a second.
type dropLog struct {
	name string

	mu     sync.Mutex
	last   time.Time
	silent int
}

func (d *dropLog) say(channel string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.last) < time.Second {
		d.silent++
		return
	}
	slog.Warn("kernel: "+d.name+" dropped", "channel", channel, "err", err, "others", d.silent)
	d.last, d.silent = time.Now(), 0
}
