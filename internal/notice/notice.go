// Package notice shows what a cell waits for: a download, a compilation, a build.
//
// A [Line] is one grey line below the cell, with a bar where a size is known, that changes in place
// and stays with its last state. It is a display and not text on the standard error, which front
// ends colour as they colour errors. Outside a notebook each state that matters is a sentence.
//
// The package imports only the standard library and package frame, because cells link it.
package notice

import (
	"crypto/rand"
	"fmt"
	"html"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// pace is how often a line is sent again.
const pace = 200 * time.Millisecond

// Line is one line that changes. The first Set shows it.
type Line struct {
	send  func(frame.Message) error // nil outside a notebook
	plain func(sentence string)     // outside a notebook; nil for nothing

	mu    sync.Mutex
	id    string
	sent  time.Time
	began time.Time
	text  string
	tenth int64 // of the size, that plain was told of last
	done  int64
	total int64
}

// New returns a line below the running cell. Outside a notebook plain is told its states, unless it
// is nil.
func New(plain func(sentence string)) *Line {
	l := &Line{plain: plain}
	if frame.Connected() {
		l.send, l.plain = frame.Send, nil
	}
	return l
}

// To returns a line that is shown through send.
func To(send func(frame.Message) error) *Line { return &Line{send: send} }

// Set changes the line: what goes on, and how many bytes of it are done of how many in all, which is
// 0 where that is not known or not counted. A notebook sees it at most five times a second; a
// sentence is said when the text changes, and for every tenth of the bytes.
func (l *Line) Set(text string, done, total int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := text != l.text
	if l.began.IsZero() {
		l.began = time.Now()
	}
	l.text, l.done, l.total = text, done, total
	if l.plain != nil {
		if total <= 0 {
			if news {
				l.plain(text)
			}
			return
		}
		if tenth := 10 * done / total; news || tenth != l.tenth {
			l.tenth = tenth
			l.plain(fmt.Sprintf("%s: %d %% of %s", text, 10*tenth, megabytes(total)))
		}
		return
	}
	if time.Since(l.sent) < pace && l.id != "" {
		return
	}
	if total > 0 {
		text += fmt.Sprintf(": %.0f of %s", float64(done)/1e6, megabytes(total))
	}
	l.show(text, done, total)
}

// End leaves text as the last state, if the line was shown at all.
func (l *Line) End(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.began.IsZero():
	case l.plain != nil:
		l.plain(text)
	default:
		l.show(text, 0, 0)
	}
}

// show sends the line. The caller holds mu.
func (l *Line) show(text string, done, total int64) {
	if l.send == nil {
		return
	}
	kind := frame.KindUpdate
	if l.id == "" {
		kind, l.id = frame.KindDisplay, rand.Text()
	}
	b := bundle(text, done, total)
	b.DisplayID = l.id
	l.sent = time.Now()
	l.send(frame.Message{Kind: kind, Bundle: &b, Notice: true})
}

// bundle is a state of a line: small and paler than what the cell itself shows.
func bundle(text string, done, total int64) frame.Bundle {
	bar := ""
	if total > 0 {
		bar = fmt.Sprintf(`<progress value="%d" max="%d"></progress> `, max(0, min(done, total)), total)
	}
	return frame.Bundle{Data: map[string]any{
		"text/plain": text,
		"text/html":  `<div style="opacity:0.7">` + bar + `<small>` + html.EscapeString(text) + `</small></div>`,
	}}
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

// Download is the line of a file that is brought: progress is called with how much of it is there, and end
// how that ended. A failed download is an error of its caller's, which the line does not repeat.
func Download(name string, plain func(sentence string)) (progress func(done, total int64), end func(error)) {
	l := New(plain)
	progress = func(done, total int64) {
		if total > 0 { // not known yet
			l.Set("download "+name, done, total)
		}
	}
	return progress, func(err error) {
		l.mu.Lock()
		done, total, took := l.done, l.total, time.Since(l.began).Round(100*time.Millisecond)
		l.mu.Unlock()
		if err != nil {
			l.End(fmt.Sprintf("download %s: stopped at %.0f of %s", name, float64(done)/1e6, megabytes(total)))
			return
		}
		l.End(fmt.Sprintf("downloaded %s, %s in %v", name, megabytes(total), took))
	}
}
