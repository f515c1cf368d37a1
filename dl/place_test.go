package dl_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/go-xla/pjrt"

	"github.com/holt-dl/holt/dl"
)

// TestSideBySide calculates and trains on three devices in turn, whatever Use
// chose.
func TestSideBySide(t *testing.T) {
	on(t, "go")
	on(t, "cpu")
	places := []string{"cpu:0", "go:0"}
	if dl.DevicesOf("cpu") > 1 {
		places = append(places, "cpu:1")
	}
	x, w := fill(1, 1, 4, 2), fill(2, 1, 2, 3)
	want := x.MatMul(w).Float64s()
	losses := map[string][]float64{}
	for _, place := range places {
		here, there := must(x.To(place)), must(w.To(place))
		y := here.MatMul(there).ReLU().Sub(here.MatMul(there.Scale(-1)).ReLU()) // = x·w
		if here.Device() != place || y.Device() != place {
			t.Errorf("tensors are on %s and %s, want %s", here.Device(), y.Device(), place)
		}
		near(t, "product on "+place, y.Float64s(), want, 1e-6) // sums in another order
		dl.Seed(1)
		m := smallNet()
		if err := m.To(place); err != nil {
			t.Fatal(err)
		}
		step := dl.TrainStep(m, nil, dl.Adam{LR: 0.01})
		for range 5 {
			losses[place] = append(losses[place], must(step.Run(dl.Batch{Inputs: x, Labels: dl.FromSlice([]int64{0, 1, 0, 1})})).Loss)
		}
		if got := must(m.Predict(x)).Device(); got != place {
			t.Errorf("the prediction is on %s, want %s", got, place)
		}
		near(t, "losses on "+place, losses[place], losses[places[0]], 1e-5) // as above
		if got := dl.Backend(); got != "cpu:0" {
			t.Errorf("To changed the device in use to %s", got)
		}
	}
	defer func() {
		wantError(t, recover().(error), "dl: tensors are on cpu:0 and on go:0, want one device; move one with To")
	}()
	must(x.To("cpu:0")).Add(must(x.To("go:0")))
}

func TestToErrors(t *testing.T) {
	on(t, "go")
	x := fill(1, 1, 2)
	_, err := x.To("go:9")
	wantError(t, err, `dl: To: device is "go:9", want a number below 1; see dl.Devices()`)
	wantError(t, smallNet().To("tpu"), `dl: To: backend is "tpu", want cuda, cpu or go; see dl.Devices()`)
	_, err = x.To("")
	wantError(t, err, "dl: To: the device has no name, want one of dl.Devices(), such as cpu:0")
	if !dl.CUDAAvailable() {
		m := smallNet()
		if err := m.To("cuda"); err == nil || !strings.Contains(err.Error(), "cuda") {
			t.Errorf("a GPU that is not there: %v", err)
		}
		if _, err := m.Predict(fill(1, 1, 1, 2)); err != nil {
			t.Errorf("after that the model does not run: %v", err)
		}
	}
}

// TestVariablesFreeTheDevice drops models and runs and wants their buffers
// back, so that a notebook that ran out of memory goes on without a restart.
func TestVariablesFreeTheDevice(t *testing.T) {
	on(t, "cpu")
	settle := func() int64 {
		for range 20 {
			runtime.GC()
			time.Sleep(5 * time.Millisecond)
		}
		return pjrt.BuffersAlive()
	}
	before := settle()
	func() {
		// Operations outlive all models; this optimizer makes one that no other test has made.
		m := smallNet()
		run := dl.Start(m, dl.Training{Data: inOrder{data: blobs{n: 64, fail: -1}, size: 8}, Epochs: 2, Optimizer: dl.Adam{Epsilon: 1.23e-8}, Options: dl.Options{ClipNorm: 123}, RestoreBest: true})
		if err := run.Wait(); err != nil {
			t.Fatal(err)
		}
		must(m.Predict(fill(1, 1, 4, 2)))
		if now := pjrt.BuffersAlive(); now <= before {
			t.Errorf("%d buffers while the model lives, and %d before it", now, before)
		}
	}()
	deadline := time.Now().Add(time.Minute)
	now := settle()
	for now > before && time.Now().Before(deadline) {
		now = settle()
	}
	if now > before {
		t.Errorf("%d buffers are left, want %d", now, before)
	}
}
