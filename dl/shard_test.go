package dl_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// fourDevices uses the processor's plugin, which shows four devices.
func fourDevices(t *testing.T) {
	t.Helper()
	on(t, "cpu")
	if n := dl.DevicesOf("cpu"); n < 4 {
		t.Skipf("the cpu plugin shows %d devices, want 4", n)
	}
}

// shardedNet is a network whose weights can be cut between four devices, but for one bias.
func shardedNet() *dl.Model {
	dl.Seed(4)
	return must(dl.Build(dl.Sequential{
		dl.Embedding{In: 12, Out: 8}, dl.Flatten{}, dl.Linear{Out: 64}, dl.LayerNorm{Shape: dl.Shape{64}}, dl.ReLU{}, dl.Linear{Out: 32}, dl.Dropout{P: 0.1}, dl.Linear{Out: 3},
	}, dl.Shape{8, 4}, dl.Int64))
}

// shardedBatch is the i-th batch for it.
func shardedBatch(i, rows int) dl.Batch {
	words, labels := make([]int64, 4*rows), make([]int64, rows)
	for k := range words {
		words[k] = int64((5*k + 3*i) % 12)
	}
	for k := range labels {
		labels[k] = int64((k + i) % 3)
	}
	return dl.Batch{Inputs: dl.FromSlice(words, rows, 4), Labels: dl.FromSlice(labels)}
}

// shardedCurve trains six batches, also some that do not divide evenly.
func shardedCurve(step *dl.Step) []float64 {
	var losses []float64
	for i := range 6 {
		losses = append(losses, must(step.Run(shardedBatch(i, 8-2*(i%2)))).Loss)
	}
	return losses
}

var tensorPlan = dl.ParallelPlan{"0": dl.Colwise, "2": dl.Colwise, "5": dl.Rowwise}

// TestSharded trains with parts of the weights on each device as with all on one, and holds no more
// than the parts.
func TestSharded(t *testing.T) {
	fourDevices(t)
	parameters := 12*8 + 32*64 + 64 + 64 + 64 + 64*32 + 32 + 3*32 + 3
	const whole = 3 // the last bias is not divisible
	cut := func(n int) int64 { return int64(4 * ((parameters-whole)/n + whole)) }
	// The embedding, the first layer and the weight of the second are divided by two.
	planned := 12*8 + 32*64 + 64 + 64*32
	for _, tt := range []struct {
		options        dl.Options
		weights, slots int64 // bytes on each device
	}{
		{dl.Options{Devices: 4}, int64(4 * parameters), int64(8 * parameters)},
		{dl.Options{Devices: 4, Shard: dl.ZeRO1}, int64(4 * parameters), 2 * cut(4)},
		{dl.Options{Devices: 4, Shard: dl.FSDP}, cut(4), 2 * cut(4)},
		{dl.Options{Devices: 2, TensorParallel: 2}, int64(4 * (parameters - planned/2)), int64(8 * (parameters - planned/2))},
		{dl.Options{Devices: 4, TensorParallel: 2}, int64(4 * (parameters - planned/2)), int64(8 * (parameters - planned/2))},
		{dl.Options{Devices: 4, TensorParallel: 2, Shard: dl.FSDP}, -1, -1},
	} {
		for _, accumulate := range []int{1, 3} {
			o := tt.options
			if accumulate > 1 && o.Shard != dl.FSDP {
				continue
			}
			o.ClipNorm, o.Accumulate = 1, accumulate
			t.Run(fmt.Sprintf("%v %d of %d, accumulate %d", o.Shard, o.TensorParallel, o.Devices, accumulate), func(t *testing.T) {
				plain := shardedNet()
				want := shardedCurve(dl.TrainStep(plain, nil, dl.Adam{LR: 0.01}).With(dl.Options{ClipNorm: 1, Accumulate: accumulate}))
				m := shardedNet()
				if o.TensorParallel > 0 {
					if err := m.Parallelize(tensorPlan); err != nil {
						t.Fatal(err)
					}
				}
				step := dl.TrainStep(m, nil, dl.Adam{LR: 0.01}).With(o)
				// Devices add up a batch's sums in another order. The most that was seen for it is
				// one part in 7e6 of a loss, and one in 5e5 of a weight, since Adam divides what
				// rounding leaves by its size.
				near(t, "losses", shardedCurve(step), want, 1e-6)
				for d := range o.Devices {
					weights, slots := step.HeldOn(fmt.Sprint("cpu:", d))
					if tt.weights >= 0 && (weights != tt.weights || slots != tt.slots) {
						t.Errorf("device %d holds %d and %d bytes, want %d and %d", d, weights, slots, tt.weights, tt.slots)
					}
				}
				for _, name := range m.Names() {
					near(t, name, m.Param(name).Float64s(), plain.Param(name).Float64s(), 1e-5)
				}
			})
		}
	}
}

// TestShardedState does with a model whose weights lie in parts on four devices what one does with
// others, and goes on on one device.
func TestShardedState(t *testing.T) {
	fourDevices(t)
	fsdp := dl.Options{Devices: 4, Shard: dl.FSDP, StopOnNaN: true}
	plain := shardedNet()
	one := dl.TrainStep(plain, nil, dl.Adam{LR: 0.01})
	m := shardedNet() // and so the same random numbers
	step := dl.TrainStep(m, nil, dl.Adam{LR: 0.01}).With(fsdp)
	near(t, "losses", shardedCurve(step), shardedCurve(one), 1e-6)
	if at := m.Param("2.weight").Device(); at != "cpu:0-3" {
		t.Errorf("a weight is on %s, want cpu:0-3", at)
	}
	if at := m.Param("7.bias").Device(); at != "cpu:0" {
		t.Errorf("a bias of 3 is on %s, want cpu:0", at)
	}

	// A step that fails leaves the parts as they are.
	before := m.StateDict()
	bad := shardedBatch(1, 8)
	bad.Labels = dl.FromSlice([]int64{0, 1, 2, 3, 0, 1, 2, 0})
	_, err := step.Run(bad)
	wantError(t, err, "dl: training step: label 3 of the batch is 3, want 0 to 2, the model's outputs; set the last layer's Out to the number of classes")
	kept := m.Param("5.bias").Float32s()
	kept[5] = float32(math.NaN())
	good := m.Param("5.bias").Detach()
	m.Param("5.bias").Set(dl.FromSlice(kept))
	if _, err := step.Run(shardedBatch(1, 8)); err == nil || !strings.Contains(err.Error(), "nothing was changed") || !strings.Contains(err.Error(), "5.bias") {
		t.Errorf("error is %v", err)
	}
	m.Param("5.bias").Set(good)
	for name, x := range m.StateDict() {
		near(t, name+" after failed steps", x.Float64s(), before[name].Float64s(), 0)
	}

	// Reading, and settings.
	if got, want := m.Param("2.weight").Index(1).Index(2).Item(), before["2.weight"].Float64s()[1*32+2]; got != want {
		t.Errorf("Item is %v, want %v", got, want)
	}
	batch := shardedBatch(2, 8)
	norm := func(m *dl.Model) []float64 {
		dl.Seed(5) // of the dropout
		return []float64{must(m.Gradients(batch, nil)).Norm()}
	}
	near(t, "gradients", norm(m), norm(plain), 1e-5)
	near(t, "prediction", must(m.Predict(batch.Inputs)).Float64s(), must(plain.Predict(batch.Inputs)).Float64s(), 1e-5)
	step.SetLR(0.002)
	one.SetLR(0.002)
	m.Param("0.weight").Set(dl.Full(0.1, 12, 8))
	plain.Param("0.weight").Set(dl.Full(0.1, 12, 8))
	near(t, "losses with other settings", shardedCurve(step), shardedCurve(one), 1e-5)

	// A saved state goes on on one device, and so does the step itself.
	file := filepath.Join(t.TempDir(), "state.safetensors")
	if err := step.Save(file); err != nil {
		t.Fatal(err)
	}
	resumed := shardedNet()
	other := dl.TrainStep(resumed, nil, dl.Adam{LR: 0.002})
	if err := other.Load(file); err != nil {
		t.Fatal(err)
	}
	step.With(dl.Options{})
	near(t, "losses on one device", shardedCurve(step), shardedCurve(other), 1e-6)
	if weights, _ := step.HeldOn("cpu:1"); weights != 0 {
		t.Errorf("cpu:1 holds %d bytes of a model that is trained on cpu:0", weights)
	}
	step.With(fsdp)
	near(t, "losses in parts again", shardedCurve(step), shardedCurve(other), 1e-5)
}

// TestShardedMemory looks at a model between the batches of a step. Predictions and evaluations use
// the parts as they are. Gradients need the weights whole on one device, and the next batch gives
// that memory back.
func TestShardedMemory(t *testing.T) {
	fourDevices(t)
	dl.AlwaysXLA(true) // gradients in Go want nothing on the device
	defer dl.AlwaysXLA(false)
	m := shardedNet()
	if err := m.Parallelize(tensorPlan); err != nil {
		t.Fatal(err)
	}
	step := dl.TrainStep(m, nil, dl.Adam{LR: 0.01}).With(dl.Options{Devices: 4, TensorParallel: 2, Shard: dl.FSDP, Accumulate: 4})
	must(step.Run(shardedBatch(0, 8)))
	whole := shardedNet()
	if err := whole.LoadStateDict(m.StateDict()); err != nil {
		t.Fatal(err)
	}
	parts, _ := step.HeldOn("cpu:0")
	for _, rows := range []int{8, 5, 2, 1} { // the devices cut 8 and 2 in two parts
		x := shardedBatch(2, rows)
		near(t, fmt.Sprint("prediction of ", rows), must(m.Predict(x.Inputs)).Float64s(), must(whole.Predict(x.Inputs)).Float64s(), 1e-5)
		got, want := must(dl.Evaluate(m, once{x}, dl.TopK{K: 2})), must(dl.Evaluate(whole, once{x}, dl.TopK{K: 2}))
		near(t, fmt.Sprint("evaluation of ", rows), []float64{got.Loss, got.Accuracy, got.Metrics[0].Value}, []float64{want.Loss, want.Accuracy, want.Metrics[0].Value}, 1e-5)
	}
	for d := range 4 {
		if now, _ := step.HeldOn(fmt.Sprint("cpu:", d)); now != parts {
			t.Errorf("cpu:%d holds %d bytes after predictions and evaluations, want %d", d, now, parts)
		}
	}
	predicted := must(m.Predict(shardedBatch(2, 8).Inputs)).Float32s()
	must(m.Gradients(shardedBatch(1, 8), nil))
	if all, _ := step.HeldOn("cpu:0"); all <= parts {
		t.Errorf("cpu:0 holds %d bytes after gradients, want the whole weights besides %d", all, parts)
	}
	must(step.Run(shardedBatch(1, 8)))
	if again, _ := step.HeldOn("cpu:0"); again != parts {
		t.Errorf("cpu:0 holds %d bytes after the next batch, want %d", again, parts)
	}
	if again := must(m.Predict(shardedBatch(2, 8).Inputs)).Float32s(); !slices.Equal(again, predicted) {
		t.Errorf("the prediction is %v, and was %v", again, predicted)
	}
}

func TestShardedErrors(t *testing.T) {
	fourDevices(t)
	m := shardedNet()
	for _, tt := range []struct {
		name    string
		plan    dl.ParallelPlan
		options dl.Options
		err     string
	}{
		{"no such sharding", nil, dl.Options{Devices: 4, Shard: 7}, "dl: Options: Shard is 7, want dl.NoShard, dl.ZeRO1 or dl.FSDP"},
		{"negative", nil, dl.Options{Devices: 4, TensorParallel: -1}, "dl: Options: TensorParallel is -1, want nothing negative; 0 means 1"},
		{"no multiple", tensorPlan, dl.Options{Devices: 4, TensorParallel: 3}, "dl: Options: Devices is 4 and TensorParallel 3, want a multiple of it"},
		{"one device", tensorPlan, dl.Options{TensorParallel: 2}, "dl: Options: Devices is 1 and TensorParallel 2, want a multiple of it"},
		{"nothing divided", dl.ParallelPlan{}, dl.Options{Devices: 4, TensorParallel: 2}, "dl: training step: Options: TensorParallel is 2, and no weight is to be divided; call model.Parallelize first"},
		{"too small", dl.ParallelPlan{"7": dl.Colwise}, dl.Options{Devices: 2, TensorParallel: 2}, "dl: training step: Options: TensorParallel is 2, and 7.weight is [3 32], which Parallelize divides along axis 0, want a multiple there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := m.Parallelize(tt.plan); err != nil {
				t.Fatal(err)
			}
			_, err := dl.TrainStep(m, nil, dl.SGD{LR: 0.1}).With(tt.options).Run(shardedBatch(0, 8))
			wantError(t, err, tt.err)
		})
	}
	painter := must(dl.Build(dl.Sequential{dl.ConvTranspose2d{Out: 3, Kernel: 2}, dl.Flatten{}, dl.Linear{Out: 2}}, dl.Shape{8, 4, 1, 1}))
	if err := painter.Parallelize(dl.ParallelPlan{"0.weight": dl.Colwise}); err != nil {
		t.Fatal(err)
	}
	_, err := dl.TrainStep(painter, nil, dl.SGD{LR: 0.1}).With(dl.Options{Devices: 2, TensorParallel: 2}).Run(
		dl.Batch{Inputs: fill(1, 1, 8, 4, 1, 1), Labels: dl.FromSlice(make([]int64, 8))})
	wantError(t, err, "dl: training step: Options: TensorParallel is 2, and 0.weight is [4 3 2 2], which Parallelize divides along axis 1, want a multiple there")
	for _, tt := range []struct {
		name string
		plan dl.ParallelPlan
		err  string
	}{
		{"no such layer", dl.ParallelPlan{"9": dl.Colwise}, `dl: Parallelize: no parameter is named by "9", want a name, path or pattern of 0.weight, 2.weight, 2.bias, 3.weight, 3.bias, 5.weight, 5.bias, 7.weight, 7.bias`},
		{"twice", dl.ParallelPlan{"2": dl.Colwise, "2.weight": dl.Rowwise}, `dl: Parallelize: 2.weight is named by "2" and "2.weight", which divide it differently; name it once`},
		{"a normalization", dl.ParallelPlan{"3": dl.Rowwise}, "dl: Parallelize: 3.weight is [64], and Colwise and Rowwise divide a weight [Out In …]; use dl.Shard(0), or leave it out"},
		{"an axis from the end", dl.ParallelPlan{"5.weight": dl.Shard(-1)}, "dl: Parallelize: the placement of 5.weight is -1, want Colwise, Rowwise, or Shard of an axis of [32 64]"},
		{"no such axis", dl.ParallelPlan{"5.weight": dl.Shard(2)}, "dl: Parallelize: the placement of 5.weight is 2, want Colwise, Rowwise, or Shard of an axis of [32 64]"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantError(t, m.Parallelize(tt.plan), tt.err) })
	}
}
