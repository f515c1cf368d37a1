package dl_test

import (
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/holt-dl/holt/dl"
)

// points are a data set of one's own: class 1 lies right of 0.
type points struct{}

func (points) Len() int { return 64 }

func (points) Get(i int) (dl.Example, error) {
	x := float32(i)/32 - 1
	label := 0
	if x > 0 {
		label = 1
	}
	return dl.Example{Input: dl.FromSlice([]float32{x, 1}), Label: label}, nil
}

// pointNet is a network for them.
func pointNet() *dl.Model {
	dl.Seed(1)
	m, err := dl.Build(dl.Linear{Out: 2}, dl.Shape{16, 2})
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// pointBatch is the first batch of them.
func pointBatch() dl.Batch {
	batch, err := dl.DataLoader{Dataset: points{}, BatchSize: 64}.First()
	if err != nil {
		log.Fatal(err)
	}
	return batch
}

// A run goes on in the background; other cells may look at it, change its rate
// or stop it.
func ExampleStart() {
	model := pointNet()
	run := dl.Start(model, dl.Training{
		Data:      dl.DataLoader{Dataset: points{}, BatchSize: 16, Shuffle: true},
		Eval:      points{},
		Epochs:    20,
		Optimizer: dl.Adam{LR: 0.1},
	})
	if err := run.Wait(); err != nil {
		log.Fatal(err)
	}
	last := run.Epochs()[19]
	fmt.Println(run.N(), "steps, accuracy above 95 %:", last.Eval.Accuracy > 0.95)
	// Output: 80 steps, accuracy above 95 %: true
}

// Callbacks see each step and each epoch. An error ends the run.
func ExampleTraining() {
	enough := errors.New("good enough")
	run := dl.Start(pointNet(), dl.Training{
		Data: dl.DataLoader{Dataset: points{}, BatchSize: 16}, Epochs: 100, Optimizer: dl.Adam{LR: 0.1},
		OnEpoch: func(e dl.Epoch) error {
			if e.Train.Loss < 0.3 {
				return enough
			}
			return nil
		},
	})
	fmt.Println(run.Wait())
	// Output: good enough
}

func ExampleRun_Stop() {
	run := dl.Start(pointNet(), dl.Training{Data: dl.DataLoader{Dataset: points{}, BatchSize: 16}, Epochs: 1e6})
	run.SetLR(0.001)
	run.Stop()
	fmt.Println(run.LR(), run.Err())
	// Output: 0.001 <nil>
}

// A run that was stopped, or whose process ended, goes on from its newest whole
// state.
func ExampleCheckpoint() {
	dir, err := os.MkdirTemp("", "holt")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	training := dl.Training{
		Data: dl.DataLoader{Dataset: points{}, BatchSize: 16, Shuffle: true}, Epochs: 2,
		Checkpoint: dl.Checkpoint{Dir: filepath.Join(dir, "first"), Resume: true},
	}
	if err := dl.Start(pointNet(), training).Wait(); err != nil {
		log.Fatal(err)
	}
	training.Epochs = 3 // one more
	run := dl.Start(pointNet(), training)
	if err := run.Wait(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(run.Epochs()), "epochs,", run.N(), "steps")
	// Output: 3 epochs, 12 steps
}

func ExampleTrainStep() {
	model := pointNet()
	loader := dl.DataLoader{Dataset: points{}, BatchSize: 16, Shuffle: true}
	step := dl.TrainStep(model, dl.CrossEntropyLoss{}, dl.SGD{LR: 0.5, Momentum: 0.9})
	for range 3 {
		for batch := range loader.Batches() {
			if _, err := step.Run(batch); err != nil {
				log.Fatal(err)
			}
		}
	}
	fmt.Println(step.N(), "steps, the loss falls:", step.Last().Loss < math.Ln2)
	// Output: 12 steps, the loss falls: true
}

// Four batches of 16 make one step, with gradients no longer than 1.
func ExampleOptions() {
	step := dl.TrainStep(pointNet(), nil, dl.SGD{LR: 0.1}).With(dl.Options{Accumulate: 4, ClipNorm: 1})
	for batch := range (&dl.DataLoader{Dataset: points{}, BatchSize: 16}).Batches() {
		if _, err := step.Run(batch); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(step.N(), "step")
	// Output: 1 step
}

func ExampleStep_Schedule() {
	step := dl.TrainStep(pointNet(), nil, dl.SGD{LR: 0.1})
	schedule, err := step.Schedule(dl.StepLR{StepSize: 2, Gamma: 0.5})
	if err != nil {
		log.Fatal(err)
	}
	for range 4 {
		if _, err := step.Run(pointBatch()); err != nil {
			log.Fatal(err)
		}
		if err := schedule.Step(); err != nil {
			log.Fatal(err)
		}
		fmt.Print(schedule.LR(), " ")
	}
	// Output: 0.1 0.05 0.05 0.025
}

// A warm-up of five steps, then half a cosine.
func ExampleSequentialLR() {
	step := dl.TrainStep(pointNet(), nil, dl.SGD{LR: 0.1})
	schedule, err := step.Schedule(dl.SequentialLR{
		Schedulers: []dl.Scheduler{dl.LinearLR{StartFactor: 0.2, TotalIters: 5}, dl.CosineAnnealingLR{TMax: 10}},
		Milestones: []int{5},
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 10 {
		if err := schedule.Step(); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%.3f\n", schedule.LR())
	// Output: 0.050
}

func ExampleOneCycleLR() {
	step := dl.TrainStep(pointNet(), nil, dl.SGD{LR: 0.1, Momentum: 0.9})
	schedule, err := step.Schedule(dl.OneCycleLR{MaxLR: 0.5, TotalSteps: 10, PctStart: 0.4})
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		if err := schedule.Step(); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%.2f\n", schedule.LR())
	// Output: 0.50
}

func ExampleReduceLROnPlateau() {
	schedule, err := dl.TrainStep(pointNet(), nil, dl.SGD{LR: 0.1}).Schedule(dl.ReduceLROnPlateau{Patience: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, loss := range []float64{1, 0.8, 0.8, 0.8, 0.8} {
		if err := schedule.StepMetric(loss); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%.2f\n", schedule.LR())
	// Output: 0.01
}

// The bias learns ten times as fast as the rest.
func ExampleParamGroups() {
	step := dl.TrainStep(pointNet(), nil, dl.ParamGroups{
		{Params: []string{"bias"}, Optimizer: dl.SGD{LR: 0.1}},
		{Params: []string{"*"}, Optimizer: dl.AdamW{LR: 0.01}},
	})
	if _, err := step.Run(pointBatch()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(step.LRs())
	// Output: [0.1 0.01]
}

func ExampleModel_Gradients() {
	g, err := pointNet().Gradients(pointBatch(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(g), g["weight"].Shape(), g.Norm() > 0)
	// Output: 2 [2 2] true
}

func ExampleEvaluate() {
	r, err := dl.Evaluate(pointNet(), points{}, dl.F1{}, dl.ConfusionMatrix{Classes: []string{"left", "right"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.N, "examples,", len(r.Confusion.Counts), "classes", r.Confusion.Classes)
	// Output: 64 examples, 2 classes [left right]
}

func ExampleScore() {
	scores := dl.FromSlice([]float32{0.1, 0.7, 0.2, 0.6, 0.3, 0.1, 0.2, 0.3, 0.5}, 3, 3)
	labels := dl.FromSlice([]int64{2, 0, 2})
	for _, metric := range []dl.Metric{dl.TopK{K: 1}, dl.TopK{K: 2}, dl.Recall{}} {
		v, err := dl.Score(metric, scores, labels)
		fmt.Printf("%s %.2f %v\n", metric.Name(), v, err)
	}
	// Output:
	// top-1 accuracy 0.67 <nil>
	// top-2 accuracy 1.00 <nil>
	// macro recall 0.50 <nil>
}

// Doctor looks for what keeps a network from learning.
func ExampleDoctor() {
	dl.Seed(1)
	model, err := dl.Build(dl.Sequential{dl.Linear{Out: 16}, dl.ReLU{}, dl.Linear{Out: 2}}, dl.Shape{16, 2})
	if err != nil {
		log.Fatal(err)
	}
	d, err := dl.Doctor(model, dl.DataLoader{Dataset: points{}, BatchSize: 16, Shuffle: true}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Healthy(), d.Problems())
	// Output: true []
}

func ExampleUse() {
	fmt.Println(dl.Use("tpu"))
	fmt.Println(dl.Use("go"), dl.Backend())
	dl.Use("") // the fastest that works
	// Output:
	// dl: Use: backend is "tpu", want cuda, cpu or go; see dl.Devices()
	// <nil> go:0
}

func ExampleTensor_To() {
	x, err := dl.FromSlice([]float32{1, 2}).To("go")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Square().Device())
	// Output: go:0
}

func ExampleBytes() {
	fmt.Println(dl.Bytes(25_198_329_856))
	// Output: 23.5 GiB
}

// The same seed gives the same weights.
func ExampleSeed() {
	dl.Seed(7)
	a, _ := dl.Build(dl.Linear{Out: 2}, dl.Shape{1, 3})
	dl.Seed(7)
	b, _ := dl.Build(dl.Linear{Out: 2}, dl.Shape{1, 3})
	fmt.Println(a.Param("weight").Sub(b.Param("weight")).Abs().Sum().Item())
	// Output: 0
}

func ExampleBalancedWeights() {
	labels := []int{0, 0, 0, 1} // bees are rare
	loader := dl.DataLoader{Dataset: points{}, BatchSize: 2, Sampler: dl.WeightedRandomSampler{Weights: dl.BalancedWeights(labels)}}
	fmt.Println(dl.BalancedWeights(labels)[3], loader.Len())
	// Output: 1 2
}
