package dl_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
)

// TestPause pauses a run after its third step, from its own goroutine. It waits there until it
// goes on, and finds then what a run finds that was never paused.
func TestPause(t *testing.T) {
	on(t, "go")
	data := inOrder{data: blobs{n: 64, fail: -1}, size: 8}
	const held = 300 * time.Millisecond
	train := func(pause bool) (weights []float32, epochs dl.Epochs) {
		dl.Seed(1)
		m := smallNet()
		var run *dl.Run
		ready, third := make(chan struct{}), make(chan struct{})
		run = dl.Start(m, dl.Training{Data: data, Epochs: 2, Optimizer: dl.Adam{LR: 0.01}, OnStep: func(s dl.StepDone) error {
			<-ready
			if pause && s.N == 3 {
				run.Pause()
				close(third)
			}
			return nil
		}})
		close(ready)
		if pause {
			<-third
			time.Sleep(held)
			if n := run.N(); n != 3 || !run.Paused() {
				t.Errorf("after %v a run that was paused at step 3 is at step %d, paused %v", held, n, run.Paused())
			}
			if s := run.String(); !strings.HasPrefix(s, "epoch 1/2  step 3  paused  loss") {
				t.Errorf("status is %q, want paused and no rate", s)
			}
			run.Pause() // twice is once
			run.Resume()
			run.Resume()
		}
		if err := run.Wait(); err != nil {
			t.Fatal(err)
		}
		run.Pause()
		if run.Paused() || strings.Contains(run.String(), "paused") {
			t.Errorf("a run that is over is paused: %v", run)
		}
		return m.Param("0.weight").Float32s(), run.Epochs()
	}
	want, _ := train(false)
	got, epochs := train(true)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("weights are %v, want those of a run without a pause %v", got, want)
		}
	}
	if took := epochs[0].Took; took >= held {
		t.Errorf("the epoch took %v with the pause of %v, want it left out", took, held)
	}
}

// TestPausedRunIsSteered stops a paused run, and one that many goroutines steer at once.
func TestPausedRunIsSteered(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		data := inOrder{data: blobs{n: 64, fail: -1}, size: 8}
		run := dl.Start(smallNet(), dl.Training{Data: data, Epochs: 1e6})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for n := 0; n < 50 || run.N() < 20 && run.Err() == nil; n++ {
					run.Pause()
					run.SetLR(0.001)
					_ = run.String()
					run.Resume()
				}
			})
		}
		wg.Wait()
		run.Pause()
		run.SetLR(0.5)
		if run.LR() != 0.5 || !strings.HasSuffix(run.String(), "lr 0.5") {
			t.Errorf("the learning rate of a paused run is %v, want 0.5: %v", run.LR(), run)
		}
		run.Stop()
		if run.Err() != nil || run.Paused() || !strings.HasPrefix(run.String(), "stopped at") {
			t.Errorf("a paused run was stopped: %v, error %v", run, run.Err())
		}
	})
}
