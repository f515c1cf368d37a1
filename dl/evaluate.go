package dl

import (
	"context"
	"fmt"
	"iter"
	"reflect"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Source is data to evaluate on: a [Dataset], or [Batches] such as a loader.
type Source interface{ Len() int }

// Evaluate runs the model over all the data and returns the mean loss, accuracy
// and metrics, exact also when the last batch is smaller:
//
//	dl.Evaluate(model, test, dl.TopK{K: 5}, dl.F1{}, dl.ConfusionMatrix{})
//
// The loss is the one that the model was last trained with, [CrossEntropyLoss]
// for a model that was not; [Result.LossName] names it. Labels that the loss
// ignores do not count in the accuracy and the metrics.
//
// It uses the weights of one moment, those of the last whole step,
// also while the model is trained. The cell's interrupt ends it early.
func Evaluate(model *Model, data Source, metrics ...Metric) (Result, error) {
	var loss Loss = CrossEntropyLoss{}
	if model != nil {
		if last := model.loss.Load(); last != nil {
			loss = *last
		}
	}
	return evaluate(xla.Context(), model, data, loss, metrics)
}

func evaluate(ctx context.Context, m *Model, data Source, loss Loss, metrics []Metric) (Result, error) {
	if m == nil {
		return Result{}, fmt.Errorf("dl: Evaluate: the model is nil, want one that dl.Build made")
	}
	batches, err := batchesOf(data)
	if err != nil {
		return Result{}, during("Evaluate", err)
	}
	on, err := m.on()
	if err != nil {
		return Result{}, err
	}
	var meters []Meter
	for _, metric := range metrics {
		meter := metric.Start()
		if c, ok := meter.(*Confusion); ok && c.Classes == nil {
			c.Classes = classesOf(data)
		}
		meters = append(meters, meter)
	}
	moment, free := m.moment()
	defer free()
	var total tally
	var size int
	nth := -1
	for batch, err := range from(batches, 0, 0) {
		nth++
		if err != nil {
			return Result{}, during("Evaluate", err)
		}
		rows, err := batch.rows()
		if err == nil {
			err = errPart(batch)
		}
		if err != nil {
			return Result{}, during("Evaluate", err)
		}
		size = max(size, rows)
		score, output, err := moment.pass(ctx, on, batch, nth, loss, rows, size, len(meters) > 0)
		if err != nil {
			return Result{}, during("Evaluate", err)
		}
		for i, meter := range meters {
			scores, labels := counting(loss, output.first(rows), batch.Labels)
			if scores == nil {
				break // all of the batch is ignored
			}
			if err := meter.Add(scores, labels); err != nil {
				return Result{}, during("Evaluate", during(metrics[i].Name(), err))
			}
		}
		total.add(tallyOf(score.Float32s(), rows))
		score.Free()
		if output != nil {
			output.Free()
		}
	}
	if total.Rows == 0 {
		return Result{}, fmt.Errorf("dl: Evaluate: the data has no examples; check its folder, or DropLast of the loader")
	}
	r := total.result()
	r.LossName = lossName(loss)
	for i, meter := range meters {
		r.Metrics = append(r.Metrics, MetricValue{metrics[i].Name(), meter.Value()})
		if c, ok := meter.(*Confusion); ok {
			r.Confusion = c
		}
	}
	return r, nil
}

// pass evaluates the nth batch: the numbers of a tally, and the model's output where
// it is wanted.
func (m *Model) pass(ctx context.Context, on *xla.Device, batch Batch, nth int, loss Loss, rows, size int, outputs bool) (score, output *Tensor, err error) {
	r := m.record("evaluation", on)
	defer r.close()
	r.training, r.counted, r.nth = false, true, nth
	r.inParts()
	var n lossParts
	err = xla.Guard(func() {
		defer r.begin()()
		full := batch.fill(size)
		split := r.splits([]*Tensor{full.Inputs, full.Labels})
		b := &stepBatch{size: size, rows: rows, inputs: r.argument(full.Inputs, split), labels: r.argument(full.Labels, split)}
		r.batch, r.rows = size, r.argument(Scalar(float32(rows)), false)
		n = r.loss(m, loss, b)
	})
	if err != nil {
		return nil, nil, err
	}
	if err := batch.check(limits{classes: n.classes}, loss); err != nil {
		return nil, nil, err
	}
	wanted := []*Tensor{n.score}
	if outputs {
		wanted = append(wanted, n.output)
	}
	out, err := r.run(ctx, batch.of(size), wanted)
	if err != nil {
		return nil, nil, err
	}
	if outputs {
		output = out[1]
	}
	return out[0], output, nil
}

// counting leaves out the rows of which the loss ignores the label. It returns
// nil where none is left.
func counting(loss Loss, output, labels *Tensor) (*Tensor, *Tensor) {
	skips, ok := loss.(ignorer)
	if !ok || len(labels.shape) != 1 || !labels.dtype.IsInt() {
		return output, labels
	}
	var left []*Tensor
	var kept []int64
	all := labels.Int64s()
	for i, l := range all {
		if l != skips.ignored() {
			left, kept = append(left, output.Index(i)), append(kept, l)
		}
	}
	switch len(kept) {
	case len(all):
		return output, labels
	case 0:
		return nil, nil
	}
	return Stack(left), FromSlice(kept)
}

// lossName names a loss as it is written in a cell.
func lossName(loss Loss) string { return typeText(reflect.TypeOf(loss)) }

// batchesOf returns data as batches: itself, or a data set in order, 64
// examples at a time.
func batchesOf(data Source) (Batches, error) {
	switch d := data.(type) {
	case Batches:
		return d, nil
	case Dataset:
		return inOrder{d, 64}, nil
	}
	return nil, fmt.Errorf("data is %T, want a Dataset or a loader; give it Len and Get, or Len and Epoch", data)
}

// inOrder reads a data set from front to back.
type inOrder struct {
	Dataset
	size int
}

// Len returns the number of batches.
func (o inOrder) Len() int { return (o.Dataset.Len() + o.size - 1) / o.size }

// Epoch yields the batches, the same in every epoch.
func (o inOrder) Epoch(int) iter.Seq[Batch] {
	return func(yield func(Batch) bool) {
		for from := 0; from < o.Dataset.Len(); from += o.size {
			var examples []Example
			for i := from; i < min(from+o.size, o.Dataset.Len()); i++ {
				e, err := o.Get(i)
				if err != nil {
					panic(fmt.Errorf("example %d: %w", i, err))
				}
				if err := e.apart(); err != nil {
					panic(fmt.Errorf("example %d: %w", i, err))
				}
				if len(examples) > 0 {
					if err := fits(e, examples[0], from); err != nil {
						panic(fmt.Errorf("example %d: %w", i, err))
					}
				}
				examples = append(examples, e)
			}
			got := collate(examples)
			if got.err != nil {
				panic(got.err)
			}
			if !yield(got.batch) {
				return
			}
		}
	}
}
