package display

import (
	"errors"
	"fmt"
	"iter"
	"reflect"

	"github.com/holt-dl/holt/internal/frame"
)

// Loader is what ShowBatch reads: Epoch yields the batches of one epoch. A
// batch B is a struct whose fields Inputs, [N C H W], and Labels, [N], are
// tensors. Holt's dl.DataLoader is one.
type Loader[B any] interface {
	Epoch(epoch int) iter.Seq2[B, error]
}

// Examples is what ShowExamples reads: a data set of Len examples. An example
// E is a struct whose field Input is a tensor of one picture and whose field
// Label is a whole number. Holt's dl.Dataset is one.
type Examples[E any] interface {
	Len() int
	Get(i int) (E, error)
}

// ShowBatch shows the pictures of a loader's first batch with their labels.
// The loader is not moved on.
//
//	display.ShowBatch(loader)
//	display.ShowBatch(loader, display.Grid{Mean: mean, Std: std, Max: 16})
//
// Names of classes are looked for in the field Classes of the loader's
// Dataset, unless the settings give them; Of and Labels of the settings are
// not used.
func ShowBatch[B any](loader Loader[B], settings ...Grid) error {
	if isNil(loader) {
		return errors.New("display: ShowBatch: the loader is nil")
	}
	for batch, err := range loader.Epoch(0) {
		if err != nil {
			return fmt.Errorf("display: ShowBatch: %w", err)
		}
		g := gridOf(settings)
		inputs, labels, ok := batchOf(batch)
		if !ok {
			return fmt.Errorf("display: ShowBatch: a batch is a %s, want a struct with tensors Inputs and Labels", kindName(batch))
		}
		g.Of, g.Labels = inputs, labels
		if g.Classes == nil {
			g.Classes = classNames(reflect.ValueOf(loader), 3)
		}
		return showGrid("ShowBatch", g)
	}
	return errors.New("display: ShowBatch: the loader has no batches; its data set may be smaller than one batch while DropLast is set")
}

// ShowExamples shows the first examples of a data set with their labels, as
// ShowBatch shows a batch.
func ShowExamples[E any](data Examples[E], settings ...Grid) error {
	if isNil(data) {
		return errors.New("display: ShowExamples: the data set is nil")
	}
	g := gridOf(settings)
	most := g.Max
	if most <= 0 {
		most = 24
	}
	var inputs []Tensor
	var labels []int64
	for i := range min(data.Len(), most) {
		example, err := data.Get(i)
		if err != nil {
			return fmt.Errorf("display: ShowExamples: example %d: %w", i, err)
		}
		input, label, ok := exampleOf(example)
		if !ok {
			return fmt.Errorf("display: ShowExamples: an example is a %s, want a struct with a tensor Input and a whole number Label", kindName(example))
		}
		inputs, labels = append(inputs, input), append(labels, label)
	}
	g.Of, g.Labels = inputs, labels
	if g.Classes == nil {
		g.Classes = classNames(reflect.ValueOf(data), 3)
	}
	return showGrid("ShowExamples", g)
}

func gridOf(settings []Grid) Grid {
	if len(settings) == 0 {
		return Grid{}
	}
	return settings[0]
}

func showGrid(name string, g Grid) error {
	b, err := g.bundle()
	if err != nil {
		return err
	}
	if err := frame.Display(b); err != nil {
		return fmt.Errorf("display: %s: %w", name, err)
	}
	return nil
}

func exampleOf(v any) (input Tensor, label int64, ok bool) {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Struct {
		return nil, 0, false
	}
	in, lab := rv.FieldByName("Input"), rv.FieldByName("Label")
	if !in.IsValid() || !in.CanInterface() || !lab.IsValid() || !lab.CanInt() {
		return nil, 0, false
	}
	input, ok = in.Interface().(Tensor)
	return input, lab.Int(), ok
}

// classNames looks for a method or a field Classes of type []string in a value,
// or in the field Dataset of it.
func classNames(v reflect.Value, depth int) []string {
	for (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = v.Elem()
	}
	if v.IsValid() && v.CanInterface() {
		if named, ok := v.Interface().(interface{ Classes() []string }); ok {
			return named.Classes()
		}
	}
	if v.Kind() != reflect.Struct || depth == 0 {
		return nil
	}
	if f := v.FieldByName("Classes"); f.IsValid() && f.CanInterface() {
		if names, ok := f.Interface().([]string); ok {
			return names
		}
	}
	if f := v.FieldByName("Dataset"); f.IsValid() {
		return classNames(f, depth-1)
	}
	return nil
}
