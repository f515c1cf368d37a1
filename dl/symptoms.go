package dl

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/holt-dl/holt/internal/near"
)

// The checks of [Doctor]. Each adds one line, and says what is wrong where a
// number is far outside of what a network that learns shows; the limits are
// wide, because a false alarm costs more trust than a missed one.

// inputs looks at the range of the inputs, and reports whether they are finite.
func (p *examination) inputs() bool {
	if !p.batches[0].Inputs.dtype.IsFloat() {
		kind := typeName(p.batches[0].Inputs.dtype)
		low, high, _, _, _ := p.moments()
		wrong, try := "", ""
		if p.model.dtype.IsFloat() {
			wrong, try = "the model calculates with floating-point numbers, unscaled", "convert pictures with vision.ToTensor, which also divides by 255"
		}
		p.add("inputs", fmt.Sprintf("%s %g to %g", kind, low, high), wrong, try)
		return true
	}
	low, high, mean, std, bad := p.moments()
	found := fmt.Sprintf("%.3g to %.3g, mean %.3g, std %.3g", low, high, mean, std)
	switch {
	case bad > 0:
		p.add("inputs", found, fmt.Sprintf("%d values are NaN or infinite", bad), "look for a division by 0 in the transforms, and for damaged files")
		return false
	case std == 0:
		p.add("inputs", found, "all values are the same", "look at a picture with display.ShowBatch")
	case low >= 0 && high > 20 && high <= 255:
		p.add("inputs", found, "pixels from 0 to 255 are not scaled", "convert them with vision.ToTensor, or Scale(1.0/255), and normalize them")
	case math.Abs(mean) > std || std > 10 || std < 0.02:
		p.add("inputs", found, "not normalized: the mean is far from 0, or the std far from 1", fmt.Sprintf("vision.Normalize with mean %.3g and std %.3g, each channel its own", mean, std))
	default:
		p.add("inputs", found, "", "")
	}
	return true
}

// moments are those of the finite inputs, and how many are not finite.
func (p *examination) moments() (low, high, mean, std float64, bad int) {
	low, high = math.Inf(1), math.Inf(-1)
	sum, square, n := 0.0, 0.0, 0.0
	for _, b := range p.batches {
		for _, v := range b.Inputs.Float64s() {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				bad++
				continue
			}
			low, high = min(low, v), max(high, v)
			sum, square, n = sum+v, square+v*v, n+1
		}
	}
	mean = sum / n
	return low, high, mean, math.Sqrt(max(square/n-mean*mean, 0)), bad
}

// classes returns the number of a classifier's classes, 0 for another model.
func (p *examination) classes() (int, error) {
	b := p.batches[0]
	if len(b.Labels.shape) != 1 || !b.Labels.dtype.IsInt() {
		return 0, nil
	}
	y, err := p.model.Predict(b.Inputs)
	if err != nil {
		return 0, err
	}
	if len(y.shape) != 2 {
		return 0, nil
	}
	return y.shape[1], nil
}

// labels looks at which classes there are, and reports whether all of them are
// ones that the model has.
func (p *examination) labels() (bool, error) {
	classes, err := p.classes()
	if err != nil || classes == 0 {
		return true, err
	}
	counts, n, outside := map[int64]int{}, 0, []int64{}
	skips, _ := p.loss.(ignorer)
	for _, b := range p.batches {
		for _, l := range b.Labels.Int64s() {
			if skips != nil && l == skips.ignored() {
				continue
			}
			counts[l]++
			n++
			if l < 0 || l >= int64(classes) {
				outside = append(outside, l)
			}
		}
	}
	found := fmt.Sprintf("%d of %d classes in %d examples", len(counts)-len(unique(outside)), classes, n)
	switch {
	case len(outside) > 0:
		p.add("labels", found, fmt.Sprintf("%d labels are none of 0 to %d, such as %d", len(outside), classes-1, outside[0]), "count classes from 0, and set the last layer's Out to their number")
		return false, nil
	case len(counts) == 1 && n > 1:
		p.add("labels", found, fmt.Sprintf("all are class %d", slices.Collect(maps.Keys(counts))[0]), "set Shuffle in the loader, and check the data set's labels")
	default:
		p.add("labels", found, "", "")
	}
	return true, nil
}

func unique(ls []int64) map[int64]bool {
	set := map[int64]bool{}
	for _, l := range ls {
		set[l] = true
	}
	return set
}

// first looks at the loss before any training.
func (p *examination) first(ctx context.Context) error {
	r, err := evaluate(ctx, p.model, p.batches, p.loss, nil)
	if err != nil {
		return err
	}
	classes, err := p.classes()
	if err != nil {
		return err
	}
	_, entropy := p.loss.(CrossEntropyLoss)
	found := fmt.Sprintf("%.4g", r.Loss)
	if entropy && classes > 1 {
		found += fmt.Sprintf(", and ln(%d) is %.4g", classes, math.Log(float64(classes)))
	}
	sums, err := p.probabilities(classes)
	switch {
	case err != nil:
		return err
	case math.IsNaN(r.Loss) || math.IsInf(r.Loss, 0):
		p.add("first loss", found, "it is not a number", "look for a Log or Sqrt of negative numbers, or a division by 0, in Forward")
	case entropy && sums:
		p.add("first loss", found, "the model gives probabilities, and CrossEntropyLoss wants scores", "leave the Softmax at the end out")
	case entropy && classes > 1 && r.Loss > 1.5*math.Log(float64(classes)):
		p.add("first loss", found, "the model is sure of wrong classes before it has learnt anything", "normalize the inputs; start the last layer with smaller weights")
	default:
		p.add("first loss", found, "", "")
	}
	return nil
}

// probabilities reports whether every output is a row of shares that add up to 1.
func (p *examination) probabilities(classes int) (bool, error) {
	if classes < 2 {
		return false, nil
	}
	y, err := p.model.Predict(p.batches[0].Inputs)
	if err != nil {
		return false, err
	}
	sum := 0.0
	for i, v := range y.Float64s() {
		if sum += v; v < 0 || (i+1)%classes == 0 && math.Abs(sum-1) > 1e-3 {
			return false, nil
		}
		if (i+1)%classes == 0 {
			sum = 0
		}
	}
	return true, nil
}

// given are batches that are there already.
type given []Batch

// Len returns how many there are.
func (g given) Len() int { return len(g) }

// Epoch yields them.
func (g given) Epoch(int) iter.Seq[Batch] { return slices.Values(g) }

// relus looks for units that are 0 for every example.
func (p *examination) relus(ctx context.Context) error {
	m, x := p.model, p.batches[0].Inputs
	var paths []string
	for path, n := range m.walker.byPath {
		if n.kind == "ReLU" && n.out != nil && n.again == "" {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	slices.Sort(paths)
	on, err := m.on()
	if err != nil {
		return err
	}
	out, err := m.applyAll(ctx, "look at the ReLUs", on, []*Tensor{x}, func(r *recording, xs []*Tensor) (out []*Tensor) {
		r.taps = map[string]*Tensor{}
		for _, path := range paths {
			r.taps[path] = nil
		}
		m.call(r, xs...)
		for _, path := range paths {
			y := r.taps[path]
			var axes []int
			for i := range y.Rank() {
				if i != 1 {
					axes = append(axes, i)
				}
			}
			out = append(out, y.Max(axes...).as(Float32)) // the channels' or units' largest value
		}
		return out
	})
	if err != nil {
		return err
	}
	worst, where, dead, all := 0.0, "", 0, 0
	for i, path := range paths {
		n := 0
		largest := out[i].Float32s()
		for _, v := range largest {
			if v <= 0 {
				n++
			}
		}
		dead, all = dead+n, all+len(largest)
		if share := float64(n) / float64(len(largest)); share > worst {
			worst, where = share, path
		}
	}
	found := fmt.Sprintf("%d of %d units are 0 for the whole batch", dead, all)
	if worst > 0.6 {
		p.add("ReLUs", found, fmt.Sprintf("in layer %s, %.0f %% are dead and cannot learn", where, 100*worst), "smaller learning rate, normalized inputs, BatchNorm before the ReLU, or LeakyReLU")
		return nil
	}
	p.add("ReLUs", found, "", "")
	return nil
}

// gradients looks at the gradients of the weights, layer by layer.
func (p *examination) gradients(context.Context) error {
	g, _, err := p.model.gradients(p.batches[0], p.loss, 1)
	if err != nil {
		return err
	}
	var names []string
	size := map[string]float64{} // root mean square of the weights' gradients; biases tell little
	norms := g.Norms()
	for name, t := range g {
		if len(t.shape) > 1 {
			names = append(names, name)
			size[name] = norms[name] / math.Sqrt(float64(t.Size()))
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	low := slices.MinFunc(names, func(a, b string) int { return compare(size[a], size[b]) })
	high := slices.MaxFunc(names, func(a, b string) int { return compare(size[a], size[b]) })
	all := g.Norm()
	found := fmt.Sprintf("norm %.3g; a weight's is %.2g in %s to %.2g in %s", all, size[low], low, size[high], high)
	var none []string
	for _, name := range names {
		if size[name] == 0 {
			none = append(none, name)
		}
	}
	switch {
	case math.IsNaN(all) || math.IsInf(all, 0):
		p.add("gradients", found, "they are not finite", "clip them with Options{ClipNorm: 1}, and look at the first loss")
	case all > 1000:
		p.add("gradients", found, "they explode", "clip them with Options{ClipNorm: 1}; start with smaller weights; normalize the inputs")
	case len(none) > 0:
		p.add("gradients", found, "there is none for "+near.List(none), "look for dead ReLUs, and for layers whose output Forward does not use")
	case size[low] < 1e-5*size[high]:
		p.add("gradients", found, "they vanish on the way to "+low, "ReLU in place of Sigmoid or Tanh, BatchNorm, or connections that skip layers")
	default:
		p.add("gradients", found, "", "")
	}
	return nil
}

// compare orders numbers, with NaN as the largest.
func compare(a, b float64) int {
	switch {
	case a < b, !math.IsNaN(a) && math.IsNaN(b):
		return -1
	case a > b, math.IsNaN(a) && !math.IsNaN(b):
		return 1
	}
	return 0
}

// How one batch is learnt by heart: so many examples at most, steps, and the
// share of the first loss that must be left.
const (
	overfitRows  = 16
	overfitSteps = 200
	overfitLeft  = 0.3
)

// overfits trains the copy on one small batch, which every network that can
// learn at all learns by heart.
func (p *examination) overfits(ctx context.Context) error {
	rows := min(overfitRows, p.batches[0].Inputs.shape[0])
	batch := Batch{Inputs: p.batches[0].Inputs.first(rows), Labels: p.batches[0].Labels.first(rows)}
	step := TrainStep(p.model, p.loss, Adam{LR: 3e-3})
	step.trial = true
	step.seed = 1
	begin, now, n := 0.0, 0.0, 0
	for n < overfitSteps {
		t, err := step.do(ctx, ctx, batch)
		if err != nil {
			return err
		}
		now = t.result().Loss
		if n == 0 {
			begin = now
		}
		if n++; now < overfitLeft*begin || math.IsNaN(now) || now < 1e-3 {
			break
		}
	}
	found := fmt.Sprintf("%d examples: loss %.3g to %.3g in %d steps of Adam", rows, begin, now, n)
	if now < overfitLeft*begin || now < 1e-3 {
		p.add("overfits one batch", found, "", "")
		return nil
	}
	wrong := "the network cannot even learn these by heart"
	if math.IsNaN(now) {
		wrong = "the loss becomes NaN"
	}
	p.add("overfits one batch", found, wrong, "check that labels belong to their inputs, and that Forward uses every layer; a larger network")
	return nil
}
