// interface values, type switches, comparison, nil
package main

import (
	"fmt"
	"io"
	"strings"
)

type animal interface{ sound() string }

type named interface {
	animal
	fmt.Stringer
}

type cat struct{ name string }

func (c cat) sound() string  { return "meow" }
func (c cat) String() string { return "cat " + c.name }

type cow struct{ n int }

func (c *cow) sound() string { return strings.Repeat("moo", c.n) }

type myInt int

func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case int, int64:
		return fmt.Sprintf("integer %v", v)
	case myInt:
		return fmt.Sprint("myInt ", int(v)+1)
	case named:
		return "named " + v.String()
	case animal:
		return "animal " + v.sound()
	case error:
		return "error " + v.Error()
	case func() int:
		return fmt.Sprint("func ", v())
	case []any:
		return fmt.Sprint("list of ", len(v))
	default:
		return fmt.Sprintf("other %T", v)
	}
}

type null struct{}

func (*null) Error() string { return "null" }

func mayFail(fail bool) error {
	var e *null
	if fail {
		return e
	}
	return nil
}

func main() {
	fmt.Println(kind(nil), kind(1), kind(int64(2)), kind(myInt(3)), kind(cat{"tom"}), kind(&cow{2}))
	fmt.Println(kind(io.EOF), kind(func() int { return 4 }), kind([]any{1, nil}), kind(cow{}), kind('x'))
	var a, b any = cat{"x"}, cat{"x"}
	fmt.Println(a == b, a != any(cat{"y"}), any(1) == any(1.0), any(nil) == nil)
	var s animal = &cow{1}
	_, isNamed := s.(named)
	_, isCow := s.(*cow)
	fmt.Println(isNamed, isCow, s == animal(&cow{1}))
	fmt.Println(mayFail(true) == nil, mayFail(false) == nil, mayFail(true))
	m := map[any]int{1: 1, "1": 2, cat{"k"}: 3, [2]int{1, 2}: 4}
	fmt.Println(m[1], m["1"], m[cat{"k"}], m[[2]int{1, 2}], m[1.0])
	zoo := []animal{cat{"a"}, &cow{1}}
	zoo[1].(*cow).n = 3
	for _, x := range zoo {
		fmt.Print(x.sound(), " ")
	}
	fmt.Println()
}
