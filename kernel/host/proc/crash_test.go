package proc

import (
	"strings"
	"sync"
	"testing"
	"time"
)

func TestHold(t *testing.T) {
	tests := []struct {
		name   string
		writes []string
		passed string // at once
		kept   string
	}{
		{"ordinary text", []string{"a\n", "b panic: c\n"}, "a\nb panic: c\n", ""},
		{"a report", []string{"a\npanic: boom\n\n", "goroutine 1 [running]:\n"}, "a\n", "panic: boom\n\ngoroutine 1 [running]:\n"},
		{"at the start", []string{"fatal error: x\n"}, "", "fatal error: x\n"},
		{"inside a line", []string{"he said: ", "panic: no\n"}, "he said: panic: no\n", ""},
		{"stack overflow", []string{"runtime: goroutine stack exceeds 1-byte limit\nfatal error: stack overflow\n"}, "", "runtime: goroutine stack exceeds 1-byte limit\nfatal error: stack overflow\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			var mu sync.Mutex
			h := &hold{f: func(p []byte) { out.Write(p) }, mu: &mu, alive: func() bool { return true }}
			mu.Lock()
			defer mu.Unlock()
			for _, w := range tt.writes {
				h.write([]byte(w))
			}
			if out.String() != tt.passed || string(h.buf) != tt.kept {
				t.Errorf("passed %q and kept %q, want %q and %q", out.String(), h.buf, tt.passed, tt.kept)
			}
			h.release()
			if out.String() != tt.passed+tt.kept {
				t.Errorf("released %q", out.String())
			}
		})
	}
}

// TestHoldReleases: a program that prints such a line and goes on is heard, as
// soon as it answers.
func TestHoldReleases(t *testing.T) {
	heard := make(chan string, 1)
	var mu sync.Mutex
	asked := 0
	h := &hold{f: func(p []byte) { heard <- string(p) }, mu: &mu, alive: func() bool { asked++; return asked > 1 }}
	mu.Lock()
	h.write([]byte("panic: said my program\n"))
	mu.Unlock()
	select {
	case got := <-heard:
		if got != "panic: said my program\n" || asked != 2 {
			t.Errorf("got %q after %d questions", got, asked)
		}
	case <-time.After(time.Minute):
		t.Error("the line never came")
	}
}
