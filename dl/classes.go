package dl

import (
	"reflect"
	"slices"
)

// Classes returns the names of the whole data set's classes, nil where it has
// none.
func (s Subset) Classes() []string { return classesOf(s.Dataset) }

// Classes returns the names of the parts' classes where all have the same,
// else nil: label 1 of one part would be another class than that of the next.
func (c ConcatDataset) Classes() []string {
	if len(c) == 0 {
		return nil
	}
	names := classesOf(c[0])
	for _, d := range c[1:] {
		if !slices.Equal(names, classesOf(d)) {
			return nil
		}
	}
	return names
}

// classesOf returns the names that data gives its labels: by a method Classes,
// as [Subset] has, by a field, as data sets of pictures have, or by those of
// its field Dataset, as a loader.
func classesOf(data any) []string {
	if d, ok := data.(interface{ Classes() []string }); ok {
		return d.Classes()
	}
	v := reflect.ValueOf(data)
	for (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	if f := v.FieldByName("Classes"); f.IsValid() && f.CanInterface() {
		names, _ := f.Interface().([]string)
		return names
	}
	if f := v.FieldByName("Dataset"); f.IsValid() && f.CanInterface() && f.Kind() == reflect.Interface && !f.IsNil() {
		return classesOf(f.Interface())
	}
	return nil
}
