package display

import (
	"fmt"
	"iter"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// Progress yields what seq yields and shows how far it is: the count, the
// rate, and with the total number of values a bar and the time left. A total of
// 0 means that it is not known.
//
//	for x := range display.Progress(slices.Values(files), len(files)) {
//
// It is shown at most five times a second, and once at the end, which says
// when the loop was left early.
func Progress[T any](seq iter.Seq[T], total int) iter.Seq[T] {
	return func(yield func(T) bool) {
		bar := ProgressBar{Total: total}
		defer bar.Close()
		bar.Add(0)
		for v := range seq {
			if !yield(v) {
				return
			}
			bar.Add(1)
		}
		bar.end()
	}
}

// ProgressBar shows how far some work is. The zero value works; the first Add shows
// it. Several goroutines may add at once. It must not be copied after that.
type ProgressBar struct {
	Title string
	Total int    // what Add counts up to; 0 when it is not known
	Unit  string // what is counted, such as "B" or "pictures"

	mu    sync.Mutex
	n     int
	start time.Time
	ended time.Time // when the work was done or left
	done  bool      // not left early
	paced *paced
}

// Add counts n more.
func (b *ProgressBar) Add(n int) {
	b.mu.Lock()
	b.n += n
	first := b.paced == nil
	if first {
		b.start = time.Now()
		b.paced = &paced{live: newLive(textPace, b.frame)}
	}
	p := b.paced
	b.mu.Unlock()
	if first {
		p.show()
		return
	}
	p.changed()
}

// Close shows the last state. Work with a known total that was not reached is
// shown as stopped.
func (b *ProgressBar) Close() error {
	b.mu.Lock()
	if b.paced == nil {
		b.mu.Unlock()
		return nil
	}
	if b.ended.IsZero() {
		b.ended = time.Now()
		b.done = b.done || b.Total > 0 && b.n >= b.Total
	}
	p := b.paced
	b.mu.Unlock()
	p.changed()
	return p.finish(false)
}

func (b *ProgressBar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = true
}

func (b *ProgressBar) frame(bool) (frame.Bundle, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := b.line(time.Now())
	bar := "<progress></progress>"
	switch {
	case !b.ended.IsZero() && b.Total <= 0:
		bar = ""
	case b.Total > 0:
		bar = progressBar(b.n, b.Total)
	}
	return frame.Bundle{Data: map[string]any{
		"text/plain": strings.TrimSpace(line),
		"text/html":  "<div>" + bar + " " + Escape(line) + "</div>",
	}}, nil
}

// progressBar is the element that JupyterLab's sanitiser lets through.
func progressBar(done, total int) string {
	return fmt.Sprintf(`<progress value="%d" max="%d"></progress>`, max(0, min(done, total)), total)
}

// line says how far the work is: "title: 30/100 (30%), 12 a second, 6s left".
func (b *ProgressBar) line(now time.Time) string {
	var s strings.Builder
	if b.Title != "" {
		s.WriteString(b.Title + ": ")
	}
	fmt.Fprint(&s, b.n)
	if b.Total > 0 {
		fmt.Fprintf(&s, "/%d", b.Total)
	}
	if b.Unit != "" {
		s.WriteString(" " + b.Unit)
	}
	if b.Total > 0 {
		fmt.Fprintf(&s, " (%d%%)", int(100*float64(b.n)/float64(b.Total)))
	}
	if !b.ended.IsZero() {
		if !b.done {
			s.WriteString(", stopped")
		}
		fmt.Fprintf(&s, " in %s", brief(b.ended.Sub(b.start)))
		return s.String()
	}
	seconds := now.Sub(b.start).Seconds()
	if seconds <= 0 || b.n <= 0 {
		return s.String()
	}
	rate := float64(b.n) / seconds
	fmt.Fprintf(&s, ", %s a second", number(rate))
	if left := float64(b.Total-b.n) / rate; b.Total > b.n && left < math.MaxInt64/1e9 {
		fmt.Fprintf(&s, ", %s left", brief(time.Duration(left*float64(time.Second))))
	}
	return s.String()
}

// brief writes a duration in two or three digits.
func brief(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
