package dl_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// captionedImage is an example of one's own.
type captionedImage struct {
	Image   *dl.Tensor
	Caption []int64
	Label   int
	Share   float32
	Boxes   [][]float64
	Size    struct{ H, W uint8 }
	Mask    *dl.Tensor // nil in all
	Hard    bool
	Path    string `dl:"-"`

	cached int
}

type captions struct{ n int }

func (p captions) Len() int { return p.n }
func (p captions) Get(i int) (captionedImage, error) {
	e := captionedImage{
		Image: fill(i, 1, 3, 2, 2), Caption: []int64{int64(i), int64(i + 1)}, Label: i % 3, Share: float32(i) / 4,
		Boxes: [][]float64{{1, 2, 3, 4}, {float64(i), 0, 0, 0}}, Hard: i%2 == 1, Path: "x.png", cached: i,
	}
	e.Size.H = uint8(i)
	return e, nil
}

// GetRand turns the caption around, by chance.
func (p captions) GetRand(i int, rng *rand.Rand) (captionedImage, error) {
	e, err := p.Get(i)
	if rng.IntN(2) == 0 {
		slices.Reverse(e.Caption)
	}
	return e, err
}

// TestLoaderOfStructs has a tensor for each field, with the examples first.
func TestLoaderOfStructs(t *testing.T) {
	on(t, "go")
	loader := dl.DataLoader{Dataset: dl.DatasetOf(captions{5}), BatchSize: 2, Workers: 2}
	var got []string
	for b := range loader.Batches() {
		var names []string
		for name := range b.Fields {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			x := b.Get(name)
			got = append(got, fmt.Sprintf("%s %v %s", name, x.Shape(), strings.ToLower(x.DType().String())))
		}
		got = append(got, fmt.Sprint(b.Get("Label").Int64s(), b.Get("Size.H").Int64s(), b.Get("Hard").Int64s(), b.Get("Boxes").Float64s()[4]))
	}
	want := []string{
		"Boxes [2 2 4] float64", "Caption [2 2] int64", "Hard [2] bool", "Image [2 3 2 2] float32", "Label [2] int64", "Share [2] float32", "Size.H [2] uint8", "Size.W [2] uint8",
		"[0 1] [0 1] [0 1] 0",
		"Boxes [2 2 4] float64", "Caption [2 2] int64", "Hard [2] bool", "Image [2 3 2 2] float32", "Label [2] int64", "Share [2] float32", "Size.H [2] uint8", "Size.W [2] uint8",
		"[2 0] [2 3] [0 1] 2",
		"Boxes [1 2 4] float64", "Caption [1 2] int64", "Hard [1] bool", "Image [1 3 2 2] float32", "Label [1] int64", "Share [1] float32", "Size.H [1] uint8", "Size.W [1] uint8",
		"[1] [4] [0] 4",
	}
	if !slices.Equal(got, want) {
		t.Errorf("batches are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	first := must(loader.First())
	if a, b := first.Get("Image").Float64s()[12:], fill(1, 1, 3, 2, 2).Float64s(); !slices.Equal(a, b) {
		t.Errorf("the second image is %v, want %v", a, b)
	}
	maps := dl.DataLoader{Dataset: dl.SliceDataset([]map[string]any{{"ids": []int{1, 2}, "y": 1.5}, {"ids": []int{3, 4}, "y": 2.5}}), BatchSize: 2}
	b := must(maps.First())
	if ids, y := b.Get("ids"), b.Get("y"); !slices.Equal(ids.Int64s(), []int64{1, 2, 3, 4}) || !slices.Equal(y.Float64s(), []float64{1.5, 2.5}) {
		t.Errorf("a batch of maps is %v and %v", ids, y)
	}
}

// TestTrainOnStructs trains a network of two inputs in a compiled function, which
// gets batches as they are, with workers that read ahead and copies to the device;
// the batches are the same for any number of workers.
func TestTrainOnStructs(t *testing.T) {
	on(t, "go")
	train := func(workers int) (losses []float64) {
		dl.Seed(1)
		image, words, head := dl.Linear{Out: 4}, dl.Embedding{In: 8, Out: 4}, dl.Linear{Out: 3}
		net := &captioned{image, words, head}
		m := must(dl.Build(net, dl.Shape{2, 3, 2, 2}, dl.Shape{2, 2}, dl.Int64))
		opt := dl.Adam{LR: 0.05}.For(m)
		step := dl.Compile(func(b dl.Batch) *dl.Tensor {
			loss := m.Call(b.Get("Image"), b.Get("Caption")).CrossEntropy(b.Get("Label"))
			loss.Backward()
			opt.Step()
			return loss
		})
		loader := dl.DataLoader{Dataset: dl.DatasetOf(captions{7}), BatchSize: 2, Shuffle: true, Seed: 3, Workers: workers, Device: "go:0"}
		for range 6 {
			for batch := range loader.Batches() {
				losses = append(losses, step.Call(batch).Item())
			}
		}
		return losses
	}
	want := train(-1)
	if len(want) != 24 || !(want[20] < want[0]/2) {
		t.Errorf("losses are %v, want 24 that fall", want)
	}
	if got := train(3); !slices.Equal(got, want) {
		t.Errorf("with workers the losses are %v, want %v", got, want)
	}
}

type captioned struct {
	Image dl.Linear
	Words dl.Embedding
	Head  dl.Linear
}

func (c *captioned) Forward(image, words *dl.Tensor) *dl.Tensor {
	return c.Head.Forward(c.Image.Forward(image.Flatten()).Add(c.Words.Forward(words).Mean(1)).Tanh())
}

// TestCollateStructs pads the captions of a batch to one length.
func TestCollateStructs(t *testing.T) {
	on(t, "go")
	type text struct {
		Words []int64
		Label int
	}
	loader := dl.DataLoader{Dataset: dl.SliceDataset([]text{{[]int64{1}, 0}, {[]int64{2, 3, 4}, 1}}), BatchSize: 2,
		Collate: func(es []dl.Example) (dl.Batch, error) {
			words, labels := make([]int64, 0, 6), []int64{}
			for _, e := range es {
				e := e.Fields.(text)
				words = append(append(words, e.Words...), make([]int64, 3-len(e.Words))...)
				labels = append(labels, int64(e.Label))
			}
			return dl.Batch{Inputs: dl.FromSlice(words, len(es), 3), Labels: dl.FromSlice(labels)}, nil
		}}
	m := must(dl.Build(dl.Sequential{dl.Embedding{In: 5, Out: 2}, dl.Flatten{}, dl.Linear{Out: 2}}, dl.Shape{2, 3}, dl.Int64))
	if err := dl.Start(m, dl.Training{Data: loader, Epochs: 1, Optimizer: dl.SGD{LR: 0.1}}).Wait(); err != nil {
		t.Error(err)
	}
}

// TestWrongStructs lists examples that make no batch, and what is said of them.
func TestWrongStructs(t *testing.T) {
	on(t, "go")
	type words struct{ Words []int64 }
	type named struct {
		Name string
		X    *dl.Tensor
	}
	type masked struct{ Mask *dl.Tensor }
	type uneven struct{ Boxes [][]float32 }
	type private struct{ x int }
	first := func(d dl.Dataset) func() error {
		return func() error {
			_, err := dl.DataLoader{Dataset: d, BatchSize: 4}.First()
			return err
		}
	}
	good := must(dl.DataLoader{Dataset: dl.SliceDataset([]words{{[]int64{1}}, {[]int64{2}}}), BatchSize: 2}.First())
	m := must(dl.Build(dl.Linear{Out: 1}, dl.Shape{2, 1}))
	for _, tt := range []struct {
		name string
		f    func() error
		want string
	}{
		{"other lengths", first(dl.SliceDataset([]words{{[]int64{1, 2}}, {[]int64{1, 2}}, {[]int64{1, 2, 3}}})),
			"dl: DataLoader: example 2: field Words is [3] int64, want [2] int64 as in example 0 of its batch; pad or crop them to one shape, or do it in the loader's Collate"},
		{"a tensor of another type", first(dl.SliceDataset([]masked{{dl.Full(1, 2)}, {dl.FromSlice([]int64{1, 2})}})),
			"dl: DataLoader: example 1: field Mask is [2] int64, want [2] float32 as in example 0 of its batch"},
		{"a tensor that is there and not there", first(dl.SliceDataset([]masked{{nil}, {dl.Full(1, 2)}})),
			"dl: DataLoader: example 1: field Mask is nil in one of it and example 0 of its batch, want a tensor in both or none"},
		{"a string", first(dl.SliceDataset([]named{{"a", dl.Full(1, 2)}})),
			`dl: DataLoader: example 0: field Name is string, want a tensor, a number, a bool, or slices of these; leave it out of batches with the tag dl:"-"`},
		{"rows of other lengths", first(dl.SliceDataset([]uneven{{[][]float32{{1, 2}, {3}}}})),
			"dl: DataLoader: example 0: field Boxes is [][]float32, whose slices have 2 and 1 elements, want one length"},
		{"no exported field", first(dl.SliceDataset([]private{{1}})),
			"dl: DataLoader: example 0: dl_test.private has no exported fields, so the batch would be empty; write their names with a capital"},
		{"a number", first(dl.SliceDataset([]int{1, 2})),
			"dl: DataLoader: example 0: it is int, want a struct whose fields are tensors, numbers and slices of numbers; for one tensor and a label use dl.Example"},
		{"a nil pointer", first(dl.SliceDataset([]*words{nil})),
			"dl: DataLoader: example 0: it is a nil *dl_test.words, want a struct"},
		{"other keys", first(dl.SliceDataset([]map[string]int{{"a": 1}, {"a": 1, "b": 2}})),
			"dl: DataLoader: example 1: it has a field b, which example 0 of its batch has not; give all examples the same fields"},
		{"fewer keys", first(dl.SliceDataset([]map[string]int{{"a": 1, "b": 2}, {"a": 1}})),
			"dl: DataLoader: example 1: it has no field b, which example 0 of its batch has; give all examples the same fields"},
		{"a name that is not there", func() error { return fmt.Errorf("%s", panics(func() { good.Get("words") })) },
			`dl: Batch: field is "words", want one of Words; did you mean Words?`},
		{"a name of a batch without fields", func() error {
			return fmt.Errorf("%s", panics(func() { dl.Batch{Inputs: dl.Full(1, 2)}.Get("Image") }))
		}, `dl: Batch: there is no field "Image", as its examples are no structs of your own; use batch.Inputs and batch.Labels`},
		{"a training step", func() error { _, err := dl.TrainStep(m, nil, dl.SGD{LR: 1}).Run(good); return err },
			"dl: training step: the batch has the fields Words, and no Inputs and Labels, which are wanted here; choose them in the loader's Collate, or train by a function of dl.Compile"},
		{"evaluation", func() error { _, err := dl.Evaluate(m, dl.SliceDataset([]words{{[]int64{1}}})); return err },
			"dl: Evaluate: the batch has the fields Words, and no Inputs and Labels"},
	} {
		if err := tt.f(); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: the error is\n%v\nwant\n%s", tt.name, err, tt.want)
		}
	}
}
