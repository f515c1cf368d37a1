// reflect on types of one's own
package main

import (
	"fmt"
	"reflect"
)

type inner struct{ N int }

type sample struct {
	Name  string `unit:"none"`
	Count int    `unit:"pieces"`
	inner
	fn func()
}

func (s sample) Hello(n int) string { return fmt.Sprint("hello ", s.Name, n) }
func (s *sample) Rename(n string)   { s.Name = n }

type stringer interface{ String() string }

type box[T any] struct{ V T }

func (b box[T]) String() string { return fmt.Sprintf("[%v]", b.V) }

func describe(v any) {
	t := reflect.TypeOf(v)
	fmt.Print(t.Kind(), " ", t.NumMethod(), " ")
	if t.Kind() == reflect.Struct {
		for f := range t.NumField() {
			fmt.Print(t.Field(f).Name, "/", t.Field(f).Tag.Get("unit"), " ")
		}
	}
	fmt.Println()
}

func main() {
	s := sample{Name: "x", Count: 2, inner: inner{5}}
	describe(s)
	describe(&s)
	describe([]sample{s})
	v := reflect.ValueOf(&s).Elem()
	v.FieldByName("Count").SetInt(9)
	out := reflect.ValueOf(s).MethodByName("Hello").Call([]reflect.Value{reflect.ValueOf(3)})
	fmt.Println(s.Count, out[0], v.FieldByName("N").Int())
	reflect.ValueOf(&s).MethodByName("Rename").Call([]reflect.Value{reflect.ValueOf("new")})
	fmt.Println(s.Name, reflect.TypeFor[stringer]().Kind(), reflect.TypeOf(box[int]{}).Implements(reflect.TypeFor[stringer]()))
	fmt.Println(reflect.TypeOf(s) == reflect.TypeFor[sample](), reflect.DeepEqual(s, sample{Name: "new"}))
	made := reflect.New(reflect.TypeOf(s)).Interface().(*sample)
	list := reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(s)), 2, 2).Interface().([]sample)
	m := reflect.MakeMap(reflect.MapOf(reflect.TypeOf(""), reflect.TypeOf(s))).Interface().(map[string]sample)
	m["k"] = *made
	fmt.Println(made.Name == "", len(list), len(m), box[[]int]{[]int{1}}, box[string]{"q"}.String())
}
