package session

import (
	"fmt"
	"html"
	"regexp"
	"sync"

	"github.com/holt-dl/holt/internal/frame"
)

// liveDisplays are the displays of runs that go on in the host, each with its last
// state. When the host ends they would say for ever that the run goes on.
type liveDisplays struct {
	mu   sync.Mutex
	last map[string]frame.Bundle // by display id
	over bool                    // the session is: what still comes is not shown
}

// take remembers a frame that the host shows, and reports whether it may be shown.
func (l *liveDisplays) take(m frame.Message) bool {
	if m.Bundle == nil || m.Bundle.DisplayID == "" {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over && m.Live {
		return false
	}
	if l.last == nil {
		l.last = map[string]frame.Bundle{}
	}
	if m.Live {
		l.last[m.Bundle.DisplayID] = *m.Bundle
	} else {
		delete(l.last, m.Bundle.DisplayID)
	}
	return true
}

// end is the last stop: a run that lives a little longer must not write over it.
func (l *liveDisplays) end(why string, show func(frame.Message)) {
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.stop(why, show)
}

var bar = regexp.MustCompile(`<progress[^>]*></progress>`)

// stop shows in each that it stopped, and why, above its last state.
func (l *liveDisplays) stop(why string, show func(frame.Message)) {
	l.mu.Lock()
	last := l.last
	l.last = nil
	l.mu.Unlock()
	for id, b := range last {
		stopped := frame.Bundle{DisplayID: id, Metadata: b.Metadata, Data: map[string]any{
			"text/plain": fmt.Sprintf("stopped: %s\n%v", why, b.Data["text/plain"]),
		}}
		if page, ok := b.Data["text/html"].(string); ok {
			stopped.Data["text/html"] = "<div><b>stopped: " + html.EscapeString(why) + "</b></div>" + bar.ReplaceAllString(page, "")
		}
		show(frame.Message{Kind: frame.KindUpdate, Bundle: &stopped})
	}
}

// End tells the displays of runs that go on that they are over, because the kernel is.
func (s *Session) End(why string) { s.liveRuns.end(why, s.out.Frame) }
