package proc

import (
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	tests := []struct {
		in   string
		want int
	}{
		{"", 0}, {"abc", 0}, {"€", 0}, {"a\xe2", 1}, {"a\xe2\x82", 2}, {"\xf0\x9f\x98", 3}, {"😀", 0},
		{"\xff", 0}, {"a\x80\x80\x80\x80", 0}, {"\xc3", 1},
	}
	for _, tt := range tests {
		if got := cut([]byte(tt.in)); got != tt.want {
			t.Errorf("cut(%q) = %d, want %d", tt.in, got, tt.want)
		}
	}
}

func TestGoTrace(t *testing.T) {
	const trace = "panic: boom\n\ngoroutine 7 [running]:\nmain.f()\n\tx.go:1"
	tests := []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"other output", "training…\nepoch 1", ""},
		{"trace", trace, trace},
		{"after output", "epoch 1\n" + trace + "\nexit status 2\n", trace + "\nexit status 2"},
		{"in the middle of a line", "epoch panic: x\n\ngoroutine 1", ""},
		{"a word without a trace", "panic: I am only a log line\n", ""},
		{"fault", "SIGSEGV: segmentation violation\nPC=0x1\n\ngoroutine 1 [running]:", "SIGSEGV: segmentation violation\nPC=0x1\n\ngoroutine 1 [running]:"},
	}
	for _, tt := range tests {
		if got := goTrace(tt.in); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTail(t *testing.T) {
	var tl tail
	for range 100 {
		tl.add([]byte(strings.Repeat("x", 10_000)))
	}
	tl.add([]byte("end"))
	if len(tl.buf) > 2*tailSize || len(tl.buf) < tailSize || !strings.HasSuffix(string(tl.buf), "xend") {
		t.Errorf("kept %d bytes", len(tl.buf))
	}
}
