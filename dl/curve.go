package dl

import "math"

// Names lists the curves that [Run.Curve] knows.
func (r *Run) Names() []string {
	names := []string{"train/loss", "train/accuracy"}
	if r.training.Eval != nil {
		names = append(names, "eval/loss", "eval/accuracy")
		for _, m := range r.training.Metrics {
			names = append(names, "eval/"+m.Name())
		}
	}
	return names
}

// Curve returns the points of a curve so far: x in epochs, y the loss, or the
// accuracy in [0, 1]. The "train/loss" has a point for a step, or for the
// mean of a few when the run is long; the others have one for an epoch. An
// unknown name has no points.
func (r *Run) Curve(name string) (x, y []float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pick := map[string]func(Epoch) float64{
		"train/accuracy": func(e Epoch) float64 { return e.Train.Accuracy },
		"eval/loss":      func(e Epoch) float64 { return e.Eval.Loss },
		"eval/accuracy":  func(e Epoch) float64 { return e.Eval.Accuracy },
	}[name]
	for _, m := range r.training.Metrics {
		if name == "eval/"+m.Name() {
			pick = func(e Epoch) float64 { return e.Eval.Metric(m.Name()) }
		}
	}
	switch {
	case name == "train/loss":
		return r.loss.points()
	case pick == nil, r.training.Eval == nil && name != "train/accuracy":
		return nil, nil
	}
	for _, e := range r.epochs {
		if v := pick(e); !math.IsNaN(v) {
			x, y = append(x, float64(e.N)), append(y, v)
		}
	}
	return x, y
}

// Latest returns where "train/accuracy" is inside an epoch: the accuracy of what was seen of it so far.
// The other curves know no more than their points.
func (r *Run) Latest(name string) (x, y float64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	per := r.perEpoch()
	if name != "train/accuracy" || per == 0 || r.sum.rows == 0 || r.epoch <= len(r.epochs) {
		return 0, 0, false
	}
	y = r.sum.result().Accuracy
	return float64(r.epoch-1) + float64(r.inEpoch)/float64(per), y, !math.IsNaN(y)
}

// curve keeps at most curvePoints points, each the mean of so many steps as
// that takes.
type curve struct {
	x, y    []float64
	each    int // steps in a point
	pending int // steps in the sums
	sx, sy  float64
}

const curvePoints = 2048

func (c *curve) add(x, y float64) {
	c.each = max(c.each, 1)
	c.sx, c.sy, c.pending = c.sx+x, c.sy+y, c.pending+1
	if c.pending < c.each {
		return
	}
	n := float64(c.pending)
	c.x, c.y = append(c.x, c.sx/n), append(c.y, c.sy/n)
	c.sx, c.sy, c.pending = 0, 0, 0
	if len(c.x) < curvePoints {
		return
	}
	for i := range curvePoints / 2 {
		c.x[i], c.y[i] = (c.x[2*i]+c.x[2*i+1])/2, (c.y[2*i]+c.y[2*i+1])/2
	}
	c.x, c.y, c.each = c.x[:curvePoints/2], c.y[:curvePoints/2], 2*c.each
}

func (c *curve) points() (x, y []float64) {
	return append([]float64(nil), c.x...), append([]float64(nil), c.y...)
}
