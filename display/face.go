package display

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/holt-dl/holt/internal/frame"
)

// facePictures is how many pictures of a loader, a data set or a batch are shown when it
// is the last expression of a cell. [ShowBatch] and [Grid] show more.
const facePictures = 16

// faceOf is a picture or a table of a value that has a meaning in training: a loader, a data
// set, a batch, an example, a map. Its text is that of the value. Ok is false for other
// values, and where there are no pictures to be drawn.
func faceOf(v any) (b frame.Bundle, ok bool) {
	defer func() {
		if recover() != nil { // a method of the value's: its text says what can be said
			b, ok = frame.Bundle{}, false
		}
	}()
	if t, ok := mapTable(v); ok {
		if b, err := t.bundle(); err == nil {
			b.Data["text/plain"] = text(v)
			return b, true
		}
		return b, false
	}
	g, ok := gridOf(v)
	if !ok {
		return b, false
	}
	b, err := g.bundle()
	if err != nil {
		return b, false
	}
	b.Data["text/plain"] = text(v) + "\n" + b.Data["text/plain"].(string)
	if meta, ok := b.Metadata["image/png"].(map[string]any); ok {
		meta["alt"] = frame.Alt(b.Data["text/plain"].(string))
	}
	return b, true
}

// gridOf is the first pictures of a loader or a data set, a batch, or an example.
func gridOf(v any) (Grid, bool) {
	g := Grid{Of: v, Max: facePictures}
	if reads(v, "First", "Inputs", "Labels") || reads(v, "Get", "Input", "Label") {
		g, ok, err := g.read()
		return g, ok && err == nil
	}
	if inputs, labels, ok := batchOf(v); ok {
		g.Of, g.Labels = inputs, labels
		return g, true
	}
	if input, label, ok := exampleOf(v); ok && !isNil(input) {
		g.Of, g.Labels = []Tensor{input}, []int64{label}
		return g, true
	}
	return g, false
}

// reads reports whether a method returns a struct with two fields: no method of a type that only
// happens to have one of the same name is called.
func reads(v any, method, a, b string) bool {
	m := reflect.ValueOf(v).MethodByName(method)
	if !m.IsValid() || m.Type().NumOut() != 2 || m.Type().Out(0).Kind() != reflect.Struct {
		return false
	}
	_, hasA := m.Type().Out(0).FieldByName(a)
	_, hasB := m.Type().Out(0).FieldByName(b)
	return hasA && hasB
}

// mapTable is the table of a map that is not empty, from names or numbers to values that a row can
// hold: numbers, texts, or tensors, of which it says the shape and how their values lie.
func mapTable(v any) (t Table, ok bool) {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Map || rv.Len() == 0 {
		return t, false
	}
	if _, ok := method(rv); ok {
		return t, false
	}
	switch key := rv.Type().Key(); {
	case key.Kind() == reflect.String, key.Kind() >= reflect.Int && key.Kind() <= reflect.Uint64:
	default:
		return t, false
	}
	if rv.Type().Elem().Implements(reflect.TypeFor[Tensor]()) {
		tensors := namedTensors{}
		for _, key := range rv.MapKeys() {
			value, ok := rv.MapIndex(key).Interface().(Tensor)
			if !ok || isNil(value) {
				return t, false
			}
			tensors[fmt.Sprint(key)] = value
		}
		t := Weights(tensors)
		t.Head, t.Title = append([]string{"tensor"}, t.Head[1:]...), ""
		return t, true
	}
	switch elem := rv.Type().Elem(); {
	case elem.Kind() >= reflect.Bool && elem.Kind() <= reflect.Float64, elem.Kind() == reflect.String:
		return Table{Rows: v}, true
	}
	return t, false
}

// namedTensors is what [Weights] reads.
type namedTensors map[string]Tensor

func (n namedTensors) Names() []string          { return slices.Sorted(maps.Keys(n)) }
func (n namedTensors) Param(name string) Tensor { return n[name] }
