package report

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/cell/syntax"
	"github.com/holt-dl/holt/kernel/host/msg"
)

func TestRefused(t *testing.T) {
	tests := []struct{ why, want string }{
		{`plugin.Open("/tmp/c7.so"): plugin was built with a different version of package internal/abi`,
			"it was built with another version of internal/abi than the cell: Go or a module was changed while the kernel ran; " +
				"run the cell again, which starts a fresh host, and restart the kernel if that does not help"},
		{`plugin.Open("/tmp/c7.so"): /tmp/c7.so: undefined symbol: type:*dl.Model`,
			"it was built with another version of type:*dl.Model than the cell: Go or a module was changed while the kernel ran; " +
				"run the cell again, which starts a fresh host, and restart the kernel if that does not help"},
		{"plugin.Open: no such file", "plugin.Open: no such file"},
	}
	for _, tt := range tests {
		if got := Refused(tt.why).Error(); got != tt.want {
			t.Errorf("got %s\nwant %s", got, tt.want)
		}
	}
}

// TestStuck says in what an interrupted cell waits, and why GoNB's widgets do.
func TestStuck(t *testing.T) {
	for _, tt := range []struct {
		in   string
		page bool
	}{{"net.(*netFD).Read", false}, {"github.com/janpfeifer/gonb/gonbui/widgets.(*ButtonBuilder).Done", true}} {
		f := Sources{}.Failure(&Ended{Done: msg.Done{Result: msg.Interrupted, Stuck: "chan receive", Frames: []msg.Frame{{Func: tt.in}, {Func: "notebook/c1.ˣrun"}}}})
		if !strings.Contains(f.Value, "interrupted in "+tt.in+" (chan receive)") || strings.Contains(f.Value, "no page is open") != tt.page {
			t.Errorf("%s: got %s", tt.in, f.Value)
		}
	}
}

// rgb is a colour of JupyterLab 4.6.
type rgb [3]float64

// ansiColours are its colours of letters, by ANSI number (packages/rendermime/style/base.css).
var ansiColours = map[int]rgb{
	30: {0x3e, 0x42, 0x4d}, 31: {0xe7, 0x5c, 0x58}, 32: {0x00, 0xa2, 0x50}, 33: {0xdd, 0xb6, 0x2b},
	34: {0x20, 0x8f, 0xfb}, 35: {0xd1, 0x60, 0xc4}, 36: {0x60, 0xc6, 0xc8}, 37: {0xc5, 0xc1, 0xb4},
}

// themes are its two themes: the ground of an error and the letters on it. The dark ground is
// rgba(244, 67, 54, 0.28) over #111111.
var themes = map[string][2]rgb{
	"light": {{0xff, 0xdd, 0xdd}, {0x21, 0x21, 0x21}},
	"dark":  {{80.6, 31, 27.4}, {0xff, 0xff, 0xff}},
}

// luminance and contrast are WCAG's.
func (c rgb) luminance() float64 {
	sum := 0.0
	for i, part := range c {
		v := part / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += v * [3]float64{0.2126, 0.7152, 0.0722}[i]
	}
	return sum
}

func contrast(a, b rgb) float64 {
	low, high := a.luminance(), b.luminance()
	return (max(low, high) + 0.05) / (min(low, high) + 0.05)
}

// indexed is a colour of the 6×6×6 cube.
func indexed(n int) rgb {
	n -= 16
	level := func(i int) float64 {
		if i == 0 {
			return 0
		}
		return float64(40*i + 55)
	}
	return rgb{level(n / 36), level(n / 6 % 6), level(n % 6)}
}

var sgr = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// leastContrast is the lowest contrast of any letters in a text of a terminal.
func leastContrast(t *testing.T, text string, ground, letters rgb) (least float64, where string) {
	least = math.Inf(1)
	back, fore := ground, letters
	rest := text
	look := func(part string) {
		if c := contrast(fore, back); strings.TrimSpace(part) != "" && c < least {
			least, where = c, part
		}
	}
	for {
		at := sgr.FindStringSubmatchIndex(rest)
		if at == nil {
			look(rest)
			return least, where
		}
		look(rest[:at[0]])
		var codes []int
		for code := range strings.SplitSeq(rest[at[2]:at[3]], ";") {
			n, _ := strconv.Atoi(code)
			codes = append(codes, n)
		}
		for i := 0; i < len(codes); i++ {
			switch n := codes[i]; {
			case n == 0:
				back, fore = ground, letters
			case n == 1, n == 2: // bold; faint, which JupyterLab does not show
			case n == 38 && codes[i+1] == 5:
				fore = indexed(codes[i+2])
				i += 2
			case n == 48 && codes[i+1] == 5:
				back = indexed(codes[i+2])
				i += 2
			case ansiColours[n] != rgb{}:
				fore = ansiColours[n]
			default:
				t.Fatalf("%q has the code %d, which this test does not know", text, n)
			}
		}
		rest = rest[at[1]:]
	}
}

// All of an error can be read in both themes of JupyterLab: WCAG asks for 4.5 to 1.
func TestErrorContrast(t *testing.T) {
	s := Sources{"cell[1]": "x := otter.Swim()\nboom()"}
	var compile, run Failure
	compileError(&compile, []syntax.Diagnostic{{Cell: "cell[1]", Line: 1, Col: 6, Msg: "undefined: otter", Source: "x := otter.Swim()"}})
	s.runError(&run, msg.Done{Result: msg.Panic, Value: "index out of range", Frames: []msg.Frame{{Func: "notebook/c1.Swim", File: "cell[1]", Line: 2}}})
	trace := s.trace("panic: otters\n\ngoroutine 7 [running]:\nnotebook/c1.Swim(...)\n\tcell[1]:2 +0x1d")
	for name, theme := range themes {
		for _, line := range append(append(compile.Traceback, run.Traceback...), trace...) {
			if got, where := leastContrast(t, line, theme[0], theme[1]); got < 4.5 {
				t.Errorf("%s theme: %q in %q has a contrast of %.2f, want 4.5", name, where, line, got)
			}
		}
	}
	if got, _ := leastContrast(t, "\x1b[31mred\x1b[0m", themes["light"][0], themes["light"][1]); fmt.Sprintf("%.2f", got) != "2.74" {
		t.Errorf("JupyterLab's red on its pink has %.2f, want the 2.74 that was measured there", got)
	}
}
