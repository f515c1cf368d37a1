package dl_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
)

func TestUseErrors(t *testing.T) {
	on(t, "go")
	tests := []struct{ name, err string }{
		{"gpu", `dl: Use: backend is "gpu", want cuda, cpu or go; see dl.Devices()`},
		{"go:x", `dl: Use: device is "go:x", want a number after the colon, such as cuda:0`},
		{"go:7", `dl: Use: device is "go:7", want a number below 1; see dl.Devices()`},
	}
	for _, test := range tests {
		if err := dl.Use(test.name); err == nil || err.Error() != test.err {
			t.Errorf("Use(%q) is %v, want %s", test.name, err, test.err)
		}
	}
	if got := dl.Backend(); got != "go:0" {
		t.Errorf("a failed Use left backend %s, want go:0", got)
	}
	if dl.CUDAAvailable() {
		return
	}
	if err := dl.Use("cuda"); !errors.Is(err, dl.ErrNoBackend) {
		t.Errorf("Use(cuda) without a GPU is %v", err)
	}
}

func TestDevicesTable(t *testing.T) {
	on(t, "go")
	table := dl.Devices().String()
	if !strings.Contains(table, "*  go:0") || len(strings.Split(table, "\n")) < 3 {
		t.Errorf("devices are\n%s", table)
	}
	if strings.Contains(table, "TFRT") || strings.Contains(table, "processId") || !strings.Contains(table, "pure Go") {
		t.Errorf("devices are not told in a person's words:\n%s", table)
	}
	t.Log("\n" + table)
}

// TestMovesBetweenBackends builds and trains on one backend and goes on with
// the same model on another.
func TestMovesBetweenBackends(t *testing.T) {
	on(t, "cpu")
	m := smallNet()
	x := fill(1, 1, 4, 2)
	cpu := must(m.Predict(x))
	if got := cpu.Device(); got != "cpu:0" {
		t.Errorf("the output is on %s", got)
	}
	on(t, "go")
	near(t, "prediction on the other backend", must(m.Predict(x)).Float64s(), cpu.Float64s(), 1e-6) // sums in another order
	step := dl.TrainStep(m, nil, dl.Adam{})
	b := dl.Batch{Inputs: x, Labels: dl.FromSlice([]int64{0, 1, 0, 1})}
	first := must(step.Run(b)).Loss
	on(t, "cpu")
	for range 30 {
		must(step.Run(b))
	}
	if last := step.Last().Loss; last >= first {
		t.Errorf("loss went from %v to %v across backends", first, last)
	}
}

// TestFailedStepKeepsWeights runs a step whose batch cannot be run, and sees
// the weights as they were.
func TestFailedStepKeepsWeights(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		m := smallNet()
		step := dl.TrainStep(m, nil, dl.Adam{})
		good := dl.Batch{Inputs: fill(1, 1, 4, 2), Labels: dl.FromSlice([]int64{0, 1, 0, 1})}
		must(step.Run(good))
		before := m.Param("0.weight").Float32s()
		gone := fill(1, 1, 4, 2)
		gone.Free()
		for _, bad := range []dl.Batch{
			{Inputs: gone, Labels: good.Labels},
			{Inputs: fill(1, 1, 4, 3), Labels: good.Labels},
			{Inputs: good.Inputs, Labels: dl.FromSlice([]int64{0, 1, 2, 0})},
			{Inputs: good.Inputs},
		} {
			if _, err := step.Run(bad); err == nil {
				t.Errorf("a step on %v gave no error", bad)
			}
		}
		if got := m.Param("0.weight").Float32s(); got[0] != before[0] || step.N() != 1 {
			t.Errorf("after failed steps N is %d and a weight %v, want 1 and %v", step.N(), got[0], before[0])
		}
		must(step.Run(good))
	})
}

// TestManySorts has several loops of one program at once on GoMLX's backend, each of
// which runs a function of its own.
func TestManySorts(t *testing.T) {
	on(t, "go")
	f := dl.Compile(func(x *dl.Tensor) *dl.Tensor {
		var all []*dl.Tensor
		for i := range 64 {
			y, _ := x.Scale(float64(i)).Sort(0)
			all = append(all, y)
		}
		return dl.Stack(all)
	})
	done := make(chan struct{})
	go func() {
		for i := range 5 {
			f.Call(fill(i, 1, 40))
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the program hangs")
	}
}
