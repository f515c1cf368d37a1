package dl

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// progress is how far a run is. The run's goroutine owns one and changes it. What others see, the
// status and the plot, are copies that it publishes and that never change: slices only grow behind
// the length that a copy has. A checkpoint holds the exported fields as JSON.
type progress struct {
	Epoch   int   // the one going on, or the last, from 1
	InEpoch int   // steps done in it
	Sum     tally // over its batches so far
	Part    tally // over the batches since the last step
	Epochs  []Epoch
	Best    best
	Loss    curve // each step's loss against epochs

	stage   stage
	err     error
	ended   time.Time
	clock   time.Time     // when steps began to be counted for the rate: after the first, which compiles
	skipped int           // steps that were done then
	waited  time.Duration // in which the run was paused
	held    bool          // it is, and has not gone on yet
}

// stage is what a run does, or how it ended.
type stage int

const (
	stageStarting     stage = iota
	stageTraining           // the steps of an epoch
	stageEvaluating         // after them
	stageBetween            // epochs: the last one is noted and saved
	stageDone               // from here on the run has ended
	stageStoppedEarly       // by Patience
	stageStopped            // by Stop
	stageFailed
)

// best is the best epoch so far.
type best struct {
	Value   exact     // on the watched curve
	Epoch   int       // 0 where there was none
	weights StateDict // with RestoreBest
}

// beatenBy reports whether a value is better by more than delta; less says that less is better.
func (b best) beatenBy(value float64, less bool, delta float64) bool {
	switch {
	case math.IsNaN(value):
		return false
	case b.Epoch == 0:
		return true
	case less:
		return value < float64(b.Value)-delta
	}
	return value > float64(b.Value)+delta
}

// atEpochEnd returns the progress as a checkpoint between epochs keeps it: the next epoch has not
// begun. The status shows the last one until it has.
func (p progress) atEpochEnd() progress {
	p.InEpoch, p.Sum, p.Part = 0, tally{}, tally{}
	return p
}

// check returns an error for what no run can have saved.
func (p *progress) check() error {
	if p.InEpoch < 0 || p.Best.Epoch < 0 || p.Loss.Each < 0 || p.Loss.Pending < 0 || len(p.Loss.X) != len(p.Loss.Y) ||
		p.Sum.Rows < 0 || p.Part.Rows < 0 || p.Epoch != len(p.Epochs) && p.Epoch != len(p.Epochs)+1 {
		return fmt.Errorf("its place in the data is epoch %d, batch %d, after %d whole epochs: %w", p.Epoch, p.InEpoch, len(p.Epochs), ErrCorrupt)
	}
	for i, e := range p.Epochs {
		for _, r := range []Result{e.Train, e.Eval} {
			if r.Confusion == nil {
				continue
			}
			for _, row := range r.Confusion.Counts {
				if len(row) != len(r.Confusion.Counts) {
					return fmt.Errorf("its epoch %d has a confusion matrix of %d rows and %d columns: %w", i+1, len(r.Confusion.Counts), len(row), ErrCorrupt)
				}
			}
		}
	}
	return nil
}

// curve keeps at most curvePoints points, each the mean of so many steps as that takes.
type curve struct {
	X, Y    []exact
	Each    int // steps in a point
	Pending int // steps in the sums
	SX, SY  exact
}

const curvePoints = 2048

func (c *curve) add(x, y float64) {
	c.Each = max(c.Each, 1)
	c.SX, c.SY, c.Pending = c.SX+exact(x), c.SY+exact(y), c.Pending+1
	if c.Pending < c.Each {
		return
	}
	n := exact(c.Pending)
	c.X, c.Y = append(c.X, c.SX/n), append(c.Y, c.SY/n)
	c.SX, c.SY, c.Pending = 0, 0, 0
	if len(c.X) < curvePoints {
		return
	}
	// New slices, since copies of this progress have the old ones.
	x2, y2 := make([]exact, 0, curvePoints), make([]exact, 0, curvePoints)
	for i := 0; i+1 < len(c.X); i += 2 {
		x2, y2 = append(x2, (c.X[i]+c.X[i+1])/2), append(y2, (c.Y[i]+c.Y[i+1])/2)
	}
	c.X, c.Y, c.Each = x2, y2, 2*c.Each
}

// points returns the curve in slices of the caller's own.
func (c curve) points() (x, y []float64) {
	for i := range c.X {
		x, y = append(x, float64(c.X[i])), append(y, float64(c.Y[i]))
	}
	return x, y
}

// exact is a float64 that JSON keeps to the last bit, also where it is NaN or
// infinite, which encoding/json refuses.
type exact float64

// MarshalJSON writes a number, or a string for what is none.
func (e exact) MarshalJSON() ([]byte, error) {
	v := float64(e)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return json.Marshal(fmt.Sprint(v))
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *exact) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	*e = exact(v)
	return err
}

// The forms of Epoch, Result and MetricValue in JSON have exact in place of float64: a field of the
// struct hides the one of the same name that is embedded.

type plainEpoch Epoch

// MarshalJSON writes the epoch with all digits; a number that is none, such as an accuracy where
// there are no classes, is the text "NaN".
func (e Epoch) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		plainEpoch
		LR exact
	}{plainEpoch(e), exact(e.LR)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Epoch) UnmarshalJSON(b []byte) error {
	var v struct {
		plainEpoch
		LR exact
	}
	err := json.Unmarshal(b, &v)
	*e = Epoch(v.plainEpoch)
	e.LR = float64(v.LR)
	return err
}

type plainResult Result

// MarshalJSON writes the result with all digits; a number that is none, such as an accuracy where
// there are no classes, is the text "NaN".
func (r Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		plainResult
		Loss, Accuracy exact
	}{plainResult(r), exact(r.Loss), exact(r.Accuracy)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Result) UnmarshalJSON(b []byte) error {
	var v struct {
		plainResult
		Loss, Accuracy exact
	}
	err := json.Unmarshal(b, &v)
	*r = Result(v.plainResult)
	r.Loss, r.Accuracy = float64(v.Loss), float64(v.Accuracy)
	return err
}

// MarshalJSON writes the metric's name and value; a value that is none is the text "NaN".
func (m MetricValue) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name  string
		Value exact
	}{m.Name, exact(m.Value)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *MetricValue) UnmarshalJSON(b []byte) error {
	var v struct {
		Name  string
		Value exact
	}
	err := json.Unmarshal(b, &v)
	*m = MetricValue{v.Name, float64(v.Value)}
	return err
}
