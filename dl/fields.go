package dl

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
)

// DatasetOf makes a data set of one whose examples are structs of your own, as
// PyTorch's loader takes dictionaries and data classes:
//
//	type Pair struct {
//		Image   *dl.Tensor // [C H W]
//		Caption []int64
//		Label   int
//	}
//	loader := dl.DataLoader{Dataset: dl.DatasetOf(pairs), BatchSize: 32, Shuffle: true}
//	for batch := range loader.Batches() {
//		loss := step.Call(batch.Get("Image"), batch.Get("Caption"), batch.Get("Label"))
//	}
//
// A batch has one tensor for each exported field, under its name, with the examples
// as first axis: [N C H W] of the tensors Image, [N T] of the slices Caption, [N]
// int64 of the numbers Label. A field may be a tensor, a number or bool, a slice or
// array of these, or of slices of one length; a struct of such fields, whose names
// follow its own after a dot; or anything of these in a map from strings. Numbers
// keep their type, int as int64. A tensor that is nil in all examples of a batch is
// not there. Fields tagged dl:"-" are left out; one of another type, such as a
// string, is an error that asks for that.
//
// The examples of a batch must have the same shapes: one that differs is an error
// that names the field and the example. DataLoader's Collate gets them, as
// [Example].Fields, before that, to pad them. The data set may also have a method
// GetRand(i int, rng *rand.Rand) (T, error), as a [RandomDataset] has.
func DatasetOf[T any](data interface {
	Len() int
	Get(i int) (T, error)
}) Dataset {
	return structs[T]{data}
}

// SliceDataset is [DatasetOf] of examples that are all in memory.
func SliceDataset[T any](examples []T) Dataset { return structs[T]{inMemory[T](examples)} }

type inMemory[T any] []T

func (m inMemory[T]) Len() int { return len(m) }

func (m inMemory[T]) Get(i int) (example T, err error) {
	if i < 0 || i >= len(m) {
		return example, fmt.Errorf("dl: SliceDataset: index is %d, want 0 to %d", i, len(m)-1)
	}
	return m[i], nil
}

// structs is a data set of structs.
type structs[T any] struct {
	of interface {
		Len() int
		Get(i int) (T, error)
	}
}

func (s structs[T]) Len() int { return s.of.Len() }

func (s structs[T]) Get(i int) (Example, error) {
	e, err := s.of.Get(i)
	return Example{Fields: e}, err
}

func (s structs[T]) GetRand(i int, rng *rand.Rand) (Example, error) {
	if r, ok := s.of.(interface {
		GetRand(i int, rng *rand.Rand) (T, error)
	}); ok {
		e, err := r.GetRand(i, rng)
		return Example{Fields: e}, err
	}
	return s.Get(i)
}

func (s structs[T]) Classes() []string { return classesOf(s.of) }

func (s structs[T]) String() string {
	if d, ok := s.of.(fmt.Stringer); ok {
		return d.String()
	}
	return fmt.Sprintf("%d examples of %v", s.Len(), reflect.TypeFor[T]())
}

// field is a tensor of an example of the user's.
type field struct {
	name string
	t    *Tensor // nil for a tensor that is not there
}

// fieldsOf takes an example of the user's apart.
func fieldsOf(example any) ([]field, error) {
	var all []field
	v := reflect.ValueOf(example)
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.Type() != tensorType {
		if v.IsNil() {
			return nil, fmt.Errorf("it is a nil %v, want a struct", v.Type())
		}
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() != reflect.Struct && !(v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String) {
		return nil, fmt.Errorf("it is %s, want a struct whose fields are tensors, numbers and slices of numbers; for one tensor and a label use dl.Example", goType(v))
	}
	if err := addFields(&all, "", v); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%v has no exported fields, so the batch would be empty; write their names with a capital", v.Type())
	}
	return all, nil
}

func addFields(all *[]field, name string, v reflect.Value) error {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	if v.Type() == tensorType {
		t, _ := v.Interface().(*Tensor)
		*all = append(*all, field{name, t})
		return nil
	}
	dotted := func(field string) string { return strings.TrimPrefix(name+"."+field, ".") }
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() || f.Tag.Get("dl") == "-" {
				continue
			}
			inner := dotted(f.Name)
			if f.Anonymous && f.Type.Kind() == reflect.Struct {
				inner = name // as Go promotes an embedded field's names
			}
			if err := addFields(all, inner, v.Field(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			break
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			if err := addFields(all, dotted(key.String()), v.MapIndex(key)); err != nil {
				return err
			}
		}
		return nil
	}
	t, err := numbersOf(v)
	if err != nil {
		return fmt.Errorf("field %s is %v, %w", name, v.Type(), err)
	}
	*all = append(*all, field{name, t})
	return nil
}

// numbersOf makes a tensor of a number, or of a slice or array of numbers or of
// slices of one length.
func numbersOf(v reflect.Value) (*Tensor, error) {
	shape := Shape{}
	element := v.Type()
	for at := v; element.Kind() == reflect.Slice || element.Kind() == reflect.Array; element = element.Elem() {
		n := 0
		if at.IsValid() {
			n = at.Len()
		}
		shape = append(shape, n)
		if n > 0 {
			at = at.Index(0)
		} else {
			at = reflect.Value{}
		}
	}
	to, ok := elementTypes[element.Kind()]
	if !ok {
		return nil, fmt.Errorf(`want a tensor, a number, a bool, or slices of these; leave it out of batches with the tag dl:"-"`)
	}
	flat := reflect.MakeSlice(reflect.SliceOf(to), 0, shape.Size())
	var add func(v reflect.Value, shape Shape) error
	add = func(v reflect.Value, shape Shape) error {
		if len(shape) == 0 {
			flat = reflect.Append(flat, v.Convert(to))
			return nil
		}
		if v.Len() != shape[0] {
			return fmt.Errorf("whose slices have %d and %d elements, want one length", shape[0], v.Len())
		}
		if len(shape) == 1 && v.Kind() == reflect.Slice && v.Type().Elem() == to {
			flat = reflect.AppendSlice(flat, v)
			return nil
		}
		for i := range v.Len() {
			if err := add(v.Index(i), shape[1:]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := add(v, shape); err != nil {
		return nil, err
	}
	return tensorOf(flat.Interface(), shape), nil
}

// elementTypes are the types of tensors' elements by the kinds of Go's numbers.
var elementTypes = map[reflect.Kind]reflect.Type{
	reflect.Bool: reflect.TypeFor[bool](), reflect.Float32: reflect.TypeFor[float32](), reflect.Float64: reflect.TypeFor[float64](),
	reflect.Int: reflect.TypeFor[int64](), reflect.Int8: reflect.TypeFor[int8](), reflect.Int16: reflect.TypeFor[int16](),
	reflect.Int32: reflect.TypeFor[int32](), reflect.Int64: reflect.TypeFor[int64](), reflect.Uint8: reflect.TypeFor[uint8](),
	reflect.Uint16: reflect.TypeFor[uint16](), reflect.Uint32: reflect.TypeFor[uint32](), reflect.Uint64: reflect.TypeFor[uint64](),
}

// tensorOf makes a tensor of a flat slice whose type is known at run time only.
func tensorOf(flat any, shape Shape) *Tensor {
	switch flat := flat.(type) {
	case []bool:
		return newTensor(flat, shape)
	case []float32:
		return newTensor(flat, shape)
	case []float64:
		return newTensor(flat, shape)
	case []int8:
		return newTensor(flat, shape)
	case []int16:
		return newTensor(flat, shape)
	case []int32:
		return newTensor(flat, shape)
	case []int64:
		return newTensor(flat, shape)
	case []uint8:
		return newTensor(flat, shape)
	case []uint16:
		return newTensor(flat, shape)
	case []uint32:
		return newTensor(flat, shape)
	case []uint64:
		return newTensor(flat, shape)
	}
	panic(fmt.Errorf("dl: no tensor holds %T", flat))
}

// fieldsFit tells why an example cannot be stacked with the first of its batch.
func fieldsFit(e, with []field, first int) error {
	for i, f := range e {
		if i >= len(with) || f.name != with[i].name {
			return fmt.Errorf("it has a field %s, which example %d of its batch has not; give all examples the same fields", f.name, first)
		}
		a, b := f.t, with[i].t
		switch {
		case a == nil && b == nil:
		case a == nil || b == nil:
			return fmt.Errorf("field %s is nil in one of it and example %d of its batch, want a tensor in both or none", f.name, first)
		case !a.shape.Equal(b.shape) || a.dtype != b.dtype:
			return fmt.Errorf("field %s is %v %s, want %v %s as in example %d of its batch; pad or crop them to one shape, or do it in the loader's Collate",
				f.name, a.shape, typeName(a.dtype), b.shape, typeName(b.dtype), first)
		}
	}
	if len(e) < len(with) {
		return fmt.Errorf("it has no field %s, which example %d of its batch has; give all examples the same fields", with[len(e)].name, first)
	}
	return nil
}

// collateFields makes a batch of examples that fit one another.
func collateFields(examples []Example) (b Batch) {
	b.Fields = map[string]*Tensor{}
	for i, f := range examples[0].fields {
		if f.t == nil {
			continue
		}
		ts := make([]*Tensor, len(examples))
		for k, e := range examples {
			ts[k] = e.fields[i].t
		}
		b.Fields[f.name] = Stack(ts)
	}
	return b
}

// apart takes an example of the user's apart, and says whether there is something
// in the example.
func (e *Example) apart() (err error) {
	switch {
	case e.Fields != nil:
		e.fields, err = fieldsOf(e.Fields)
	case e.Input == nil:
		err = fmt.Errorf("Input is nil, want a tensor")
	}
	return err
}
