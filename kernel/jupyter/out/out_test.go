package out

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// recorder keeps what is published, one line a message.
type recorder struct {
	mu       sync.Mutex
	messages []string
	text     map[string]*strings.Builder
}

func (r *recorder) publish(msgType string, content any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := content.(map[string]any)
	if msgType != "stream" {
		r.messages = append(r.messages, fmt.Sprint(msgType, " ", c["data"]))
		return
	}
	if r.text == nil {
		r.text = map[string]*strings.Builder{"stdout": {}, "stderr": {}}
	}
	name, text := c["name"].(string), c["text"].(string)
	r.text[name].WriteString(text)
	r.messages = append(r.messages, fmt.Sprintf("%s %q", name, text))
}

func display(text string) frame.Message {
	b := frame.Text(text)
	return frame.Message{Kind: frame.KindDisplay, Bundle: &b}
}

func update(id, text string) frame.Message {
	b := frame.Text(text)
	b.DisplayID = id
	return frame.Message{Kind: frame.KindUpdate, Bundle: &b}
}

func TestOrder(t *testing.T) {
	tests := []struct {
		name string
		do   func(w *Writer)
		want []string
	}{
		{
			name: "text of one stream is one message",
			do: func(w *Writer) {
				w.Stream("stdout", []byte("a"))
				w.Stream("stdout", []byte("b\n"))
			},
			want: []string{`stdout "ab\n"`},
		},
		{
			name: "streams and displays keep their order",
			do: func(w *Writer) {
				w.Stream("stdout", []byte("1"))
				w.Stream("stderr", []byte("2"))
				w.Frame(display("3"))
				w.Stream("stdout", []byte("4"))
			},
			want: []string{`stdout "1"`, `stderr "2"`, "display_data map[text/plain:3]", `stdout "4"`},
		},
		{
			name: "of updates only the latest",
			do: func(w *Writer) {
				w.Frame(update("x", "1"))
				w.Frame(update("y", "2"))
				w.Frame(update("x", "3"))
			},
			want: []string{"update_display_data map[text/plain:2]", "update_display_data map[text/plain:3]"},
		},
		{
			name: "what a clear takes away is not shown",
			do: func(w *Writer) {
				w.Stream("stdout", []byte("1"))
				w.Frame(frame.Message{Kind: frame.KindClear, Wait: true})
				w.Stream("stdout", []byte("2"))
			},
			want: []string{"clear_output <nil>", `stdout "2"`},
		},
		{
			name: "a character cut in two is one character",
			do: func(w *Writer) {
				s := "é世🦦"
				for i := range len(s) {
					w.Stream("stdout", []byte{s[i]})
				}
			},
			want: []string{`stdout "é世🦦"`},
		},
		{
			name: "bytes that are no text are marked",
			do:   func(w *Writer) { w.Stream("stdout", []byte("a\xff\xc3")) },
			want: []string{`stdout "a�"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r recorder
			w := New(r.publish, Limits{Interval: time.Hour})
			w.published = time.Now() // so that only Flush publishes
			tt.do(w)
			w.Flush()
			got := strings.Join(r.messages, "; ")
			if want := strings.Join(tt.want, "; "); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestAlternatingStreamsStayFew(t *testing.T) {
	var r recorder
	w := New(r.publish, Limits{Interval: time.Hour})
	w.published = time.Now()
	for range 1000 {
		w.Stream("stdout", []byte("o"))
		w.Stream("stderr", []byte("e"))
	}
	w.Flush()
	if len(r.messages) > 2*maxSwitches {
		t.Errorf("%d messages, want at most %d", len(r.messages), 2*maxSwitches)
	}
	if n := r.text["stdout"].Len() + r.text["stderr"].Len(); n != 2000 {
		t.Errorf("%d bytes published, want 2000", n)
	}
}

// A cell that prints 100 MB neither waits nor fills memory, and the notebook
// sees its beginning, its end and a notice.
func TestHundredMegabytes(t *testing.T) {
	var r recorder
	w := New(r.publish, Limits{})
	w.Begin(r.publish)
	line := []byte(strings.Repeat("x", 99) + "\n")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	w.Stream("stdout", []byte("first\n"))
	for range 1_000_000 {
		w.Stream("stdout", line)
	}
	w.Stream("stdout", []byte("last\n"))
	took := time.Since(start)
	w.Flush()
	runtime.GC()
	runtime.ReadMemStats(&after)
	text := r.text["stdout"].String()
	if !strings.HasPrefix(text, "first\n") || !strings.HasSuffix(text, "\nlast\n") {
		t.Errorf("text begins %.10q and ends %.10q", text, text[len(text)-10:])
	}
	limits := Limits{}.withDefaults()
	most := limits.Burst + int(took.Seconds()*float64(limits.Rate)) + limits.Tail + len(line)
	if len(text) > most {
		t.Errorf("%d bytes published in %v, want at most %d", len(text), took, most)
	}
	if notice := r.text["stderr"].String(); !strings.Contains(notice, "MiB not shown here: more than a notebook can take") {
		t.Errorf("notice is %q", notice)
	}
	for _, l := range strings.Split(text, "\n") {
		if len(l) != 99 && l != "first" && l != "last" && l != "" {
			t.Fatalf("a line is cut: %q", l)
		}
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 { // twice what is recorded, with room
		t.Errorf("heap grew by %d bytes", grown)
	}
	t.Logf("100 MB in %v, %d messages, %d bytes shown", took, len(r.messages), len(text))
}

func TestCellLimitIsSaidOnce(t *testing.T) {
	var r recorder
	w := New(r.publish, Limits{Burst: 100, Cell: 100, Tail: 10, Interval: time.Hour})
	w.Begin(r.publish)
	for range 30 {
		w.Stream("stdout", []byte("123456789\n"))
	}
	w.Flush()
	if got := strings.Count(r.text["stderr"].String(), "this cell has shown 100 bytes; of the rest, the end is shown when the cell ends"); got != 1 {
		t.Errorf("said %d times, want once: %q", got, r.text["stderr"])
	}
	if got := r.text["stdout"].Len(); got != 110 {
		t.Errorf("%d bytes shown, want the first 100 and the last 10", got)
	}
}

// Output comes by itself at the pace of the interval.
func TestPace(t *testing.T) {
	var r recorder
	w := New(r.publish, Limits{})
	w.Begin(r.publish)
	start := time.Now()
	for range 50 {
		w.Stream("stdout", []byte("x\n"))
		time.Sleep(10 * time.Millisecond)
	}
	published := func() (messages, bytes int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.text == nil {
			return 0, 0
		}
		return len(r.messages), r.text["stdout"].Len()
	}
	n, size := published()
	for ; size < 100 && time.Since(start) < time.Minute; n, size = published() {
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(start)
	if most := int(took/(50*time.Millisecond)) + 1; n < 2 || n > most {
		t.Errorf("%d messages in %v, want some, and at most %d", n, took, most)
	}
	if size != 100 {
		t.Errorf("%d bytes, want 100", size)
	}
}

// A burst that is over shows its end though nothing more is printed.
func TestBurstEndsByItself(t *testing.T) {
	var r recorder
	w := New(r.publish, Limits{Burst: 1000, Rate: 10000, Tail: 100})
	w.Begin(r.publish)
	w.Stream("stdout", []byte(strings.Repeat("123456789\n", 1000)+"end\n"))
	deadline := time.Now().Add(60 * time.Second)
	for time.Now().Before(deadline) {
		r.mu.Lock()
		done := r.text != nil && strings.HasSuffix(r.text["stdout"].String(), "end\n")
		r.mu.Unlock()
		if done {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the end never came: %v", r.messages)
}

func TestDisplaysAreSlowedNotDropped(t *testing.T) {
	var r recorder
	w := New(r.publish, Limits{Displays: 100})
	w.Begin(r.publish)
	start := time.Now()
	for range 150 {
		w.Frame(display("x"))
	}
	w.Flush()
	if len(r.messages) != 150 {
		t.Errorf("%d displays, want 150", len(r.messages))
	}
	if took := time.Since(start); took < 400*time.Millisecond {
		t.Errorf("took %v, want half a second", took)
	}
}
