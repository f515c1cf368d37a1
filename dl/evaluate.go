package dl

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// Source is data to evaluate on: a [Dataset], or [Batches] such as a loader.
type Source interface{ Len() int }

// Evaluate runs the model over all the data and returns the mean loss
// ([CrossEntropyLoss]), accuracy and metrics, exact also when the last batch is
// smaller:
//
//	dl.Evaluate(model, test, dl.TopK{K: 5}, dl.F1{}, dl.ConfusionMatrix{})
//
// It uses the weights of one moment, those of the last whole step,
// also while the model is trained. The cell's interrupt ends it early.
func Evaluate(model *Model, data Source, metrics ...Metric) (Result, error) {
	return evaluate(callerContext(), model, data, CrossEntropyLoss{}, metrics)
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
	values, release := m.snapshot()
	defer release()
	var meters []Meter
	for _, metric := range metrics {
		meter := metric.Start()
		if c, ok := meter.(*Confusion); ok && c.Classes == nil {
			c.Classes = classesOf(data)
		}
		meters = append(meters, meter)
	}
	var total tally
	var size int
	for batch, err := range batches.Epoch(0) {
		if err != nil {
			return Result{}, during("Evaluate", err)
		}
		rows, err := batch.rows()
		if err != nil {
			return Result{}, during("Evaluate", err)
		}
		size = max(size, rows)
		p, err := m.programs.get(fmt.Sprintf("evaluate %s %s %v", on.label(), batch.key(size, loss), len(meters) > 0), func() (*program, error) {
			var needs limits
			p, err := compile(ctx, on, "evaluation", batch.of(size), func(g *graph.Graph) []*graph.Node {
				n := m.forward(g, false).loss(m, loss, batch, size)
				needs = n.needs
				if len(meters) == 0 {
					return []*graph.Node{n.score}
				}
				return []*graph.Node{n.score, n.output.value()}
			})
			if err == nil {
				p.limits = needs
			}
			return p, err
		})
		if err != nil {
			return Result{}, during("Evaluate", err)
		}
		var out []*Tensor
		err = await(ctx, func() error {
			if err := batch.check(p.limits, loss); err != nil {
				return err
			}
			full := batch.fill(size)
			var err error
			if out, err = p.run(append(slices.Clone(values), full.Inputs, full.Labels, Scalar(float32(rows)))...); err != nil {
				return err
			}
			for i, meter := range meters {
				if err := meter.Add(out[1].first(rows), batch.Labels); err != nil {
					return during(metrics[i].Name(), err)
				}
			}
			return nil
		})
		if err != nil {
			return Result{}, during("Evaluate", err)
		}
		total.add(tallyOf(out[0].Float32s(), rows))
		for _, t := range out {
			t.Free()
		}
	}
	if total.rows == 0 {
		return Result{}, fmt.Errorf("dl: Evaluate: the data has no examples; check its folder, or DropLast of the loader")
	}
	r := total.result()
	for i, meter := range meters {
		r.Metrics = append(r.Metrics, MetricValue{metrics[i].Name(), meter.Value()})
		if c, ok := meter.(*Confusion); ok {
			r.Confusion = c
		}
	}
	return r, nil
}

// first returns the first rows along the first axis, without copying.
func (t *Tensor) first(rows int) *Tensor {
	n := t.Size() / t.shape[0]
	return &Tensor{shape: append(Shape{rows}, t.shape[1:]...), dtype: t.dtype, host: cut(t.flat(), 0, rows*n)}
}

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
func (o inOrder) Epoch(int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for from := 0; from < o.Dataset.Len(); from += o.size {
			var inputs []*Tensor
			var labels []int64
			for i := from; i < min(from+o.size, o.Dataset.Len()); i++ {
				e, err := o.Get(i)
				if err != nil {
					yield(Batch{}, fmt.Errorf("example %d: %w", i, err))
					return
				}
				inputs, labels = append(inputs, e.Input), append(labels, int64(e.Label))
			}
			var b Batch
			if err := guard(func() { b = Batch{Stack(inputs), FromSlice(labels)} }); err != nil {
				yield(Batch{}, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}
