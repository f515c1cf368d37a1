package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/notebook/batch"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
	"github.com/holt-dl/holt/kernel/session"
	"github.com/holt-dl/holt/kernel/session/assist"
)

// engine is a language of its own, a word a command: out:text and err:text
// print, show:id:text displays, update:id:text changes what is displayed,
// warn:text is a sentence that the person should read,
// clear and clearwait take output away, result:text is the value, fail fails,
// wait waits for the interrupt, later:id:text updates after the last cell, and
// live:id:text says before that it will; forever never comes to an end.
type engine struct {
	out     session.Output
	ran     []string
	pending atomic.Int32
}

func (e *engine) Pending(context.Context) int { return int(e.pending.Load()) }

func (e *engine) Execute(ctx context.Context, req session.Request) *session.Failure {
	if req.Code == "" {
		e.frame(frame.KindDisplay, "p", "holt: building") // no output of a cell
		return nil
	}
	e.ran = append(e.ran, req.Code)
	for _, word := range strings.Fields(req.Code) {
		do, rest, _ := strings.Cut(word, ":")
		id, text, ok := strings.Cut(rest, ":")
		if !ok {
			id, text = "", rest
		}
		switch do {
		case "out":
			e.out.Stream("stdout", []byte(text+"\n"))
		case "warn":
			e.frame(frame.KindWarn, "", strings.ReplaceAll(text, "_", " "))
		case "late": // when the cell is over
			out := req.Late
			time.AfterFunc(20*time.Millisecond, func() { out.Stream("stdout", []byte(text+"\n")) })
		case "sleep":
			time.Sleep(200 * time.Millisecond)
		case "err":
			e.out.Stream("stderr", []byte(text+"\n"))
		case "show":
			e.frame(frame.KindDisplay, id, text)
		case "update":
			e.frame(frame.KindUpdate, id, text)
		case "later":
			e.frame(frame.KindUpdate, id, "soon")
			time.AfterFunc(100*time.Millisecond, func() { e.frame(frame.KindUpdate, id, text) })
		case "live": // silent for longer than a display that says nothing is waited for
			e.pending.Add(1)
			time.AfterFunc(2*time.Second, func() { e.frame(frame.KindUpdate, id, text); e.pending.Add(-1) })
		case "forever":
			e.pending.Add(1)
		case "clear", "clearwait":
			e.out.Frame(frame.Message{Kind: frame.KindClear, Wait: do == "clearwait"})
		case "result":
			e.frame(frame.KindResult, "", text)
		case "fail":
			return &session.Failure{Name: "panic", Value: "no\nmore", Traceback: []string{"\x1b[1;31mpanic\x1b[0m: no", "  cell[2]:1    fail"}}
		case "wait":
			<-ctx.Done()
			return &session.Failure{Name: "Interrupted", Value: "stopped", Traceback: []string{"Interrupted: stopped"}}
		}
	}
	return nil
}

func (e *engine) frame(kind frame.Kind, id, text string) {
	b := frame.Text(text)
	b.DisplayID = id
	e.out.Frame(frame.Message{Kind: kind, Bundle: &b})
}

var seconds = regexp.MustCompile(`[0-9.]+ s`)

func run(ctx context.Context, nb *ipynb.Notebook, opt batch.Options) (*engine, error) {
	e := &engine{}
	err := batch.Run(ctx, nb, func(out session.Output) (batch.Engine, error) {
		e.out = out
		return e, nil
	}, opt)
	return e, err
}

// outputs writes a cell's outputs in a line.
func outputs(c *ipynb.Cell) string {
	var list []string
	for _, o := range c.Outputs {
		switch o.Type {
		case ipynb.Stream:
			list = append(list, fmt.Sprintf("%s %q", o.Name, o.Text))
		case ipynb.Failure:
			list = append(list, "error "+o.ErrorName)
		default:
			list = append(list, fmt.Sprintf("%s %v", o.Type, o.Data["text/plain"]))
		}
	}
	return strings.Join(list, ", ")
}

func TestRun(t *testing.T) {
	old := []*ipynb.Output{{Type: ipynb.Stream, Name: "stdout", Text: "old"}}
	stale := func(c *ipynb.Cell) *ipynb.Cell {
		c.Outputs, c.Count = old, 9
		return c
	}
	tests := []struct {
		name  string
		cells []*ipynb.Cell
		opt   batch.Options
		want  []string
		err   string
	}{
		{name: "streams are merged", cells: []*ipynb.Cell{code("out:1 out:2 err:3 out:4 result:5")},
			want: []string{`stdout "1\n2\n", stderr "3\n", stdout "4\n", execute_result 5`}},
		{name: "what is shown late stands in its cell", cells: []*ipynb.Cell{code("late:x out:1"), code("sleep out:2")},
			want: []string{`stdout "1\nx\n"`, `stdout "2\n"`}},
		{name: "old outputs go", cells: []*ipynb.Cell{stale(code("out:1")), stale(code("nothing"))},
			want: []string{`stdout "1\n"`, ""}},
		{name: "cells that are not run keep them", cells: []*ipynb.Cell{stale(code(" ")), stale(code("out:1", "skip-execution")), code("out:2")},
			want: []string{`stdout "old"`, `stdout "old"`, `stdout "2\n"`}},
		{name: "an update reaches an earlier cell", cells: []*ipynb.Cell{code("show:a:1 out:x"), code("update:a:2")},
			want: []string{`display_data 2, stdout "x\n"`, ""}},
		{name: "a display with a known id changes both", cells: []*ipynb.Cell{code("show:a:1"), code("show:a:2")},
			want: []string{"display_data 2", "display_data 2"}},
		{name: "an update without a display shows nothing", cells: []*ipynb.Cell{code("update:a:2")}, want: []string{""}},
		{name: "clear", cells: []*ipynb.Cell{code("out:1 show:a:1 clear out:2"), code("update:a:3")},
			want: []string{`stdout "2\n"`, ""}},
		{name: "clear waits for output", cells: []*ipynb.Cell{code("out:1 clearwait out:2"), code("out:3 clearwait"), code("out:4")},
			want: []string{`stdout "2\n"`, `stdout "3\n"`, `stdout "4\n"`}},
		{name: "the last state of a display is waited for", cells: []*ipynb.Cell{code("show:a:1"), code("later:a:end")},
			want: []string{"display_data end", ""}},
		{name: "a display that goes on is waited for, however quiet", cells: []*ipynb.Cell{code("show:a:1 live:a:end")},
			want: []string{"display_data end"}},
		{name: "a display that goes on for too long", cells: []*ipynb.Cell{code("show:a:1 forever")}, opt: batch.Options{Timeout: 50 * time.Millisecond},
			want: []string{"display_data 1"},
			err:  "batch: a live display still changed 50ms after the last cell, want its last state; give it more time with --timeout: context deadline exceeded"},
		{name: "an error ends the run", cells: []*ipynb.Cell{code("out:1"), code("out:2 fail"), stale(code("out:3"))},
			want: []string{`stdout "1\n"`, `stdout "2\n", error panic`, ""}, err: "cell 2 of 3 failed: panic: no"},
		{name: "an error that is expected does not", cells: []*ipynb.Cell{code("fail", "raises-exception"), code("out:3")},
			want: []string{"error panic", `stdout "3\n"`}},
		{name: "errors are allowed", cells: []*ipynb.Cell{code("fail"), code("out:3")}, opt: batch.Options{AllowErrors: true},
			want: []string{"error panic", `stdout "3\n"`}},
		{name: "a cell's time is over", cells: []*ipynb.Cell{code("wait"), code("out:3")}, opt: batch.Options{Timeout: time.Millisecond},
			want: []string{"error Timeout", ""},
			err:  "cell 1 of 2 failed: Timeout: the cell ran longer than 1ms and was interrupted; give it more time with --timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			nb := &ipynb.Notebook{Cells: tt.cells, Minor: 5}
			_, err := run(t.Context(), nb, tt.opt)
			if got := fmt.Sprint(err); tt.err == "" && err != nil || tt.err != "" && got != tt.err {
				t.Errorf("error %v, want %s", err, tt.err)
			}
			for i, c := range nb.Cells {
				if got := outputs(c); got != tt.want[i] {
					t.Errorf("cell %d shows %s\nwant %s", i+1, got, tt.want[i])
				}
			}
			if nb.Language() != "go" {
				t.Errorf("language_info is %v", nb.Metadata["language_info"])
			}
		})
	}
}

func TestRunCountsAndTimes(t *testing.T) {
	nb := &ipynb.Notebook{Cells: []*ipynb.Cell{code("out:1"), code(""), {Type: ipynb.Markdown, Source: "text"}, code("result:2")}}
	saves := 0
	if _, err := run(t.Context(), nb, batch.Options{Save: func() error { saves++; return nil }}); err != nil {
		t.Fatal(err)
	}
	if nb.Cells[0].Count != 1 || nb.Cells[1].Count != 0 || nb.Cells[3].Count != 2 || nb.Cells[3].Outputs[0].Count != 2 {
		t.Errorf("counts %d %d %d", nb.Cells[0].Count, nb.Cells[1].Count, nb.Cells[3].Count)
	}
	times, _ := nb.Cells[3].Metadata["execution"].(map[string]any)
	for _, name := range []string{"iopub.status.busy", "iopub.execute_input", "shell.execute_reply", "iopub.status.idle"} {
		s, _ := times[name].(string)
		if _, err := time.Parse("2006-01-02T15:04:05.000000Z", s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if saves != 3 { // after two cells and at the end
		t.Errorf("saved %d times, want 3", saves)
	}
}

func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	nb := &ipynb.Notebook{Cells: []*ipynb.Cell{code("out:1 wait", "raises-exception"), code("out:2")}}
	time.AfterFunc(50*time.Millisecond, cancel)
	saved := false
	e, err := run(ctx, nb, batch.Options{AllowErrors: true, Save: func() error { saved = true; return nil }})
	if !errors.Is(err, context.Canceled) || len(e.ran) != 1 {
		t.Errorf("error %v after %q, want the interrupt after one cell", err, e.ran)
	}
	if got, want := outputs(nb.Cells[0]), `stdout "1\n", error Interrupted`; got != want || !saved {
		t.Errorf("the cell shows %s, want %s; saved: %v", got, want, saved)
	}
}

func TestRunInterruptedAfterTheLastCell(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	nb := &ipynb.Notebook{Cells: []*ipynb.Cell{code("show:a:1 forever")}}
	time.AfterFunc(50*time.Millisecond, cancel)
	saves := 0
	_, err := run(ctx, nb, batch.Options{Save: func() error { saves++; return nil }})
	want := "batch: interrupted after the last cell, while a live display still changed: context canceled"
	if !errors.Is(err, context.Canceled) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if got := outputs(nb.Cells[0]); got != "display_data 1" || saves != 2 {
		t.Errorf("the cell shows %s after %d saves, want its last state after 2", got, saves)
	}
}

func TestRunStopsWhenItCannotSave(t *testing.T) {
	full := errors.New("disk full")
	nb := &ipynb.Notebook{Cells: []*ipynb.Cell{code("out:1"), code("out:2")}}
	e, err := run(t.Context(), nb, batch.Options{Save: func() error { return full }})
	if !errors.Is(err, full) || len(e.ran) != 1 {
		t.Errorf("error %v after %q", err, e.ran)
	}
}

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	nb := &ipynb.Notebook{Cells: []*ipynb.Cell{code("\n%%\nout:1 \x1b[31m"), code("fail")}}
	_, err := run(t.Context(), nb, batch.Options{Progress: batch.NewProgress(&b, nil)})
	batch.Report(&b, err, false)
	want := "[1/2] out:1  0.0 s\n[2/2] fail  0.0 s, failed\n\n" +
		"holt: cell 2 of 2 failed: fail\npanic: no\n  cell[2]:1    fail\n"
	if got := seconds.ReplaceAllString(b.String(), "0.0 s"); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// A warning is on the terminal at once, on a line of its own, and in the notebook.
func TestWarning(t *testing.T) {
	for _, width := range []func() int{nil, func() int { return 80 }} {
		var b bytes.Buffer
		nb := &ipynb.Notebook{Cells: []*ipynb.Cell{code("warn:networks_run_slowly out:1")}}
		if _, err := run(t.Context(), nb, batch.Options{Progress: batch.NewProgress(&b, width)}); err != nil {
			t.Fatal(err)
		}
		said := b.String()
		if width == nil {
			said = seconds.ReplaceAllString(said, "0.0 s")
			if want := "[1/1] warn:networks_run_slowly out:1\nholt: networks run slowly\n[1/1] warn:networks_run_slowly out:1  0.0 s\n"; said != want {
				t.Errorf("a file has\n%q\nwant\n%q", said, want)
			}
		} else if !strings.Contains(said, "\x1b[Kholt: networks run slowly\n") {
			t.Errorf("a terminal has\n%q", said)
		}
		if o := nb.Cells[0].Outputs; len(o) != 2 || o[0].Name != "stderr" || o[0].Text != "networks run slowly\n" || o[1].Text != "1\n" {
			t.Errorf("the notebook has %+v", o)
		}
	}
}

// On a terminal every line that changes is taken away again, and none is wider than
// the terminal.
func TestProgressOnTerminal(t *testing.T) {
	var b bytes.Buffer
	nb := &ipynb.Notebook{Cells: []*ipynb.Cell{code("out:" + strings.Repeat("long", 50))}}
	if _, err := run(t.Context(), nb, batch.Options{Progress: batch.NewProgress(&b, func() int { return 40 })}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\x1b[K")
	for _, line := range lines {
		if n := len([]rune(strings.Trim(line, "\r"))); n > 40 {
			t.Errorf("%d columns, want 40 at most: %q", n, line)
		}
	}
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "[1/1] out:long") || !strings.HasSuffix(last, "…  0.0 s") {
		t.Errorf("the last line is %q", last)
	}
}

func TestReportOfOtherErrors(t *testing.T) {
	var b bytes.Buffer
	batch.Report(&b, errors.New("build: no compiler"), false)
	if got, want := b.String(), "holt: build: no compiler\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMetadataIsJSON(t *testing.T) {
	nb := &ipynb.Notebook{Minor: 5, Cells: []*ipynb.Cell{code("show:a:1")}}
	if _, err := run(t.Context(), nb, batch.Options{}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := nb.Write(&b); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("%v\n%s", err, b.Bytes())
	}
}

// Inspect knows one name.
func (e *engine) Inspect(_ context.Context, code string, offset, detail int) (assist.Inspection, error) {
	if code != "fmt.Println" || offset != len(code) {
		return nil, nil
	}
	return assist.Inspection{"text/plain": fmt.Sprintf("func Println, detail %d\n", detail)}, nil
}

// TestQuestions asks what names are, as a notebook does.
func TestQuestions(t *testing.T) {
	e := &engine{}
	nb := &ipynb.Notebook{Cells: []*ipynb.Cell{
		{Type: ipynb.Code, Source: "fmt.Println?"}, {Type: ipynb.Code, Source: "out:a\n?? fmt.Println\nnothing?"},
	}}
	err := batch.Run(t.Context(), nb, func(out session.Output) (batch.Engine, error) { e.out = out; return e, nil }, batch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			texts = append(texts, o.Name+": "+o.Text)
		}
	}
	want := "stdout: func Println, detail 0\n|stdout: a\nfunc Println, detail 1\n|stderr: holt: nothing is known of nothing\n"
	if got := strings.Join(texts, "|"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
