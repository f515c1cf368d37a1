package dl_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/hooks"
)

// slow is a layer that takes its time to be written into a program, in the place
// of a network that takes long to compile.
type slow struct {
	dl.Linear
	wait func()
}

func (s *slow) Forward(x *dl.Tensor) *dl.Tensor {
	x = dl.GoMLX("slow", func(xs ...*graph.Node) []*graph.Node {
		if xs[0].Graph().Name() != "describe" {
			s.wait()
		}
		return xs
	}, x)[0]
	return s.Linear.Forward(x)
}

// writtenOnce has programs be written for the device in use alone: make cuda has them written for
// CUDA before, where a layer that waits would wait for ever, and a program that is none has another
// error.
func writtenOnce(t *testing.T) { t.Setenv("HOLT_PROGRAMS", "") }

// TestCompilingIsSaid has a notice of what is compiled when it takes long, and
// of how long it took; nothing of what is there at once.
func TestCompilingIsSaid(t *testing.T) {
	on(t, "go")
	writtenOnce(t)
	var mu sync.Mutex
	var said []string
	first := make(chan struct{})
	defer hooks.Set(func(h *hooks.Hooks) {
		h.Notice = func(s string) {
			mu.Lock()
			defer mu.Unlock()
			if said = append(said, s); len(said) == 1 {
				close(first)
			}
		}
	})()
	net := &slow{Linear: dl.Linear{Out: 2}, wait: func() {}}
	m := must(dl.Build(net, dl.Shape{8, 2}))
	net.wait = func() {
		select {
		case <-first:
		case <-time.After(time.Minute):
			t.Error("nothing is said of a compilation that takes a minute")
		}
	}
	step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
	batch := dl.Batch{Inputs: fill(1, 1, 8, 2), Labels: dl.FromSlice(make([]int64, 8))}
	must(step.Run(batch))
	must(step.Run(batch))
	mu.Lock()
	defer mu.Unlock()
	if len(said) != 2 || said[0] != "compiling the training step for [8 2] on go:0, once for this shape …" ||
		!regexp.MustCompile(`^compiled the training step for \[8 2\] on go:0 in [0-9.]+m?s$`).MatchString(said[1]) {
		t.Errorf("notices are %q, want that the step is being compiled, and in which time it was", said)
	}
}

// TestCompilingIsOneLine has one display for all that a cell compiles in a notebook, whose last state
// stays, and nothing on the standard error.
func TestCompilingIsOneLine(t *testing.T) {
	on(t, "go")
	var mu sync.Mutex
	var got []frame.Message
	frame.SetSink(func(m frame.Message) error {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, m)
		return nil
	})
	t.Cleanup(func() { frame.SetSink(nil) })
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { t.Errorf("warned of %q", s) } })()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer hooks.Set(func(h *hooks.Hooks) { h.Context = func() context.Context { return ctx } })()
	for _, rows := range []int{8, 4} {
		net := &slow{Linear: dl.Linear{Out: 2}, wait: func() {}}
		m := must(dl.Build(net, dl.Shape{rows, 2}))
		net.wait = func() { time.Sleep(dl.NoticeAfter + 200*time.Millisecond) }
		must(dl.TrainStep(m, nil, dl.SGD{LR: 0.1}).Run(dl.Batch{Inputs: fill(1, 1, rows, 2), Labels: dl.FromSlice(make([]int64, rows))}))
	}
	mu.Lock()
	defer mu.Unlock()
	ids := map[string]bool{}
	for _, m := range got {
		ids[m.Bundle.DisplayID] = true
		if !m.Notice {
			t.Errorf("%v is not marked as a notice", m)
		}
	}
	if len(ids) != 1 || got[0].Kind != frame.KindDisplay {
		t.Fatalf("%d displays in %d messages, want one that changes", len(ids), len(got))
	}
	if text := got[0].Bundle.Data["text/plain"]; text != "compiling the training step for [8 2] on go:0, once for this shape …" {
		t.Errorf("at first it says %q", text)
	}
	last := got[len(got)-1].Bundle
	if text := fmt.Sprint(last.Data["text/plain"]); !regexp.MustCompile(`^compiled 2 programs in [0-9.]+s, the last of them the training step for \[4 2\] on go:0$`).MatchString(text) {
		t.Errorf("in the end it says %q", text)
	}
}

// TestRunSaysThatItCompiles has it in the run's line, and no notice.
func TestRunSaysThatItCompiles(t *testing.T) {
	on(t, "go")
	writtenOnce(t)
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { t.Errorf("a run has the notice %q", s) } })()
	net := &slow{Linear: dl.Linear{Out: 2}, wait: func() {}}
	m := must(dl.Build(net, dl.Shape{8, 2}))
	entered, goOn := make(chan struct{}, 1), make(chan struct{})
	net.wait = func() {
		entered <- struct{}{}
		<-goOn
	}
	run := dl.Start(m, dl.Training{Data: inOrder{data: blobs{n: 16, fail: -1}, size: 8}})
	<-entered
	if s := run.String(); !strings.Contains(s, "  compiling the training step for [8 2] on go:0 …") {
		t.Errorf("while it compiles the run says %q", s)
	}
	time.Sleep(dl.NoticeAfter)
	close(goOn)
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if s := run.String(); strings.Contains(s, "compiling the") || !regexp.MustCompile(`^done: epoch 1/1  step 2  .* \(compiling took [0-9.]+m?s\)  loss`).MatchString(s) {
		t.Errorf("in the end the run says %q, want how long compiling took", s)
	}
}
