package host_test

import (
	"context"
	"os"
	"strconv"
	"testing"

	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// callLoop calls f of the cell before from many goroutines.
const callLoop = `import "notebook/c1"
func Run() {
	c := make(chan bool, 100)
	for range 100 {
		go func() {
			for range 10000 { c1.F() }
			c <- true
		}()
	}
	for range 100 { <-c }
}`

// TestReflectFuncs: functions that reflect makes leave the heap whole. A host
// linked from archives made with -dynlink ended in one run of two to eight; HOLT_RUNS
// asks for more runs than the few that show it.
func TestReflectFuncs(t *testing.T) {
	runs := 10
	if n, err := strconv.Atoi(os.Getenv("HOLT_RUNS")); err == nil {
		runs = n
	}
	tests := []struct{ name, made string }{
		{"MakeFunc", `import "reflect"
func sub(args []reflect.Value) []reflect.Value { return []reflect.Value{reflect.ValueOf([2]int{1, 2})} }
var F func() any
func Run() { F = reflect.MakeFunc(reflect.TypeOf((func() any)(nil)), sub).Interface().(func() any) }`},
		{"method value", `import "reflect"
type M struct{ n int }
func (m M) Get() any { return [2]int{m.n, 2} }
var F func() any
func Run() { F = reflect.ValueOf(M{3}).Method(0).Interface().(func() any) }`},
	}
	for _, link := range []string{"bound", "plain"} {
		for _, tt := range tests {
			t.Run(link+" "+tt.name, func(t *testing.T) {
				t.Setenv("HOLT_LINK", link)
				var cells []proc.Unit
				first := hosttest.Start(t)
				for _, text := range []string{tt.made, callLoop} {
					u, err := first.Compile(text)
					if err != nil {
						t.Fatal(err)
					}
					cells = append(cells, u)
				}
				failed := 0
				for range runs {
					h := hosttest.Start(t)
					for _, u := range cells {
						if d, err := h.Run(context.Background(), u); err != nil || d.Result != msg.OK {
							failed++
							t.Logf("got %+v, %v", d, err)
							break
						}
					}
					h.Kill()
					h.Wait()
				}
				if failed > 0 {
					t.Errorf("%d of %d hosts ended", failed, runs)
				}
			})
		}
	}
}
