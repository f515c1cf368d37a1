package host_test

import (
	"testing"

	"github.com/holt-dl/holt/kernel/host/hosttest"
)

func TestHello(t *testing.T) {
	h := hosttest.Start(t)
	if got := h.Must(`import "fmt"
var X = 40
func Run() { fmt.Println("hello") }`); got != "hello\n" {
		t.Errorf("got %q", got)
	}
	if got := h.Must(`import ("fmt"; c1 "notebook/c1")
func Run() { c1.X += 2; fmt.Println(c1.X) }`); got != "42\n" {
		t.Errorf("got %q", got)
	}
}
