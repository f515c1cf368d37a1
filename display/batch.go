package display

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/holt-dl/holt/internal/frame"
)

// Loader is what ShowBatch reads. A batch B is a struct whose fields Inputs,
// [N C H W], and Labels, [N], are tensors. Holt's dl.DataLoader is one.
type Loader[B any] interface {
	First() (B, error) // the first batch
}

// Examples is what ShowExamples reads: a data set of Len examples. An example
// E is a struct whose field Input is a tensor of one picture and whose field
// Label is a whole number. Holt's dl.Dataset is one.
type Examples[E any] interface {
	Len() int
	Get(i int) (E, error)
}

// ShowBatch shows the pictures of a loader's first batch with their labels.
// The loader is not moved on. Names of classes are looked for in the field
// Classes of the loader's Dataset. A [Grid] of the loader has settings:
//
//	display.ShowBatch(loader)
//	display.Grid{Of: loader, Mean: mean, Std: std, Max: 16}
func ShowBatch[B any](loader Loader[B]) error { return showGrid("ShowBatch", loader) }

// ShowExamples shows the first 24 examples of a data set with their labels, as
// ShowBatch shows a batch. A [Grid] of the data set has settings.
func ShowExamples[E any](data Examples[E]) error { return showGrid("ShowExamples", data) }

func showGrid(name string, of any) error {
	if isNil(of) {
		what := "loader"
		if name == "ShowExamples" {
			what = "data set"
		}
		return fmt.Errorf("display: %s: the %s is nil", name, what)
	}
	g, _, err := Grid{Of: of}.read()
	if err != nil {
		return fmt.Errorf("display: %s: %w", name, err)
	}
	b, err := g.bundle()
	if err != nil {
		return err
	}
	if err := frame.Display(b); err != nil {
		return fmt.Errorf("display: %s: %w", name, err)
	}
	return nil
}

// read puts the first batch of a loader, or the first examples of a data set, in
// the place of Of, with their labels and the names of classes. It reports
// whether Of is one of them.
func (g Grid) read() (Grid, bool, error) {
	v := reflect.ValueOf(g.Of)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return g, false, nil
	}
	classes := func() {
		if g.Classes == nil {
			g.Classes = classNames(v, 3)
		}
	}
	if first := v.MethodByName("First"); first.IsValid() && first.Type().NumIn() == 0 && first.Type().NumOut() == 2 && first.Type().Out(1) == errorType {
		found := first.Call(nil)
		if err, _ := found[1].Interface().(error); err != nil {
			return g, true, err
		}
		batch := found[0].Interface()
		inputs, labels, ok := batchOf(batch)
		if !ok {
			return g, true, fmt.Errorf("a batch is a %s, want a struct with tensors Inputs and Labels", kindName(batch))
		}
		classes()
		g.Of, g.Labels = inputs, labels
		return g, true, nil
	}
	sized, ok := g.Of.(interface{ Len() int })
	get := v.MethodByName("Get")
	if !ok || !get.IsValid() || get.Type().NumIn() != 1 || get.Type().In(0).Kind() != reflect.Int || get.Type().NumOut() != 2 || get.Type().Out(1) != errorType {
		return g, false, nil
	}
	most := g.Max
	if most <= 0 {
		most = 24
	}
	var inputs []Tensor
	var labels []int64
	for i := range min(sized.Len(), most) {
		found := get.Call([]reflect.Value{reflect.ValueOf(i)})
		if err, _ := found[1].Interface().(error); err != nil {
			return g, true, fmt.Errorf("example %d: %w", i, err)
		}
		example := found[0].Interface()
		input, label, ok := exampleOf(example)
		if !ok {
			return g, true, fmt.Errorf("an example is a %s, want a struct with a tensor Input and a whole number Label", kindName(example))
		}
		inputs, labels = append(inputs, input), append(labels, label)
	}
	if len(inputs) == 0 {
		return g, true, errors.New("the data set is empty")
	}
	classes()
	g.Of, g.Labels = inputs, labels
	return g, true, nil
}

var errorType = reflect.TypeFor[error]()

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
