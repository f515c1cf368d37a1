package build_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// asmModule has what assembly of popular modules has: a function that calls Go, tables and
// variables that it reads, and functions that it declares and lacks, with dead code
// that uses them.
var asmModule = map[string]string{
	"go.mod": "module example.com/asm\n\ngo 1.26\n",
	"asm.go": `package asm

type TypeMismatch struct{ Want string }

func (e *TypeMismatch) Error() string { return "want " + e.Want }

var Calls int

func Add(a, b int) int
func Twice(n int) int // calls Double
func Prime(i int) int
func Count() int // adds to Calls

func Double(n int) int { Calls++; return 2 * n }

func Check(n int) error {
	if n < 0 {
		return &TypeMismatch{"a positive number"}
	}
	return nil
}

func missing(n int) int
func Missing(n int) int

type Dead struct{ f func(int) int }

func (d *Dead) Call(n int) int { return d.f(n) + missing(n) }
func dead(n int) int           { return deader(n) + len(deadTable) }
func deader(n int) int         { return missing(n) + Missing(n) }

var deadTable = [...]func(int) int{missing, deader}
`,
	"asm_amd64.s": `#include "textflag.h"

DATA primes<>+0(SB)/8, $2
DATA primes<>+8(SB)/8, $3
DATA primes<>+16(SB)/8, $5
GLOBL primes<>(SB), RODATA|NOPTR, $24

TEXT ·Add(SB), NOSPLIT, $0-24
	MOVQ a+0(FP), AX
	ADDQ b+8(FP), AX
	MOVQ AX, ret+16(FP)
	RET

TEXT ·Twice(SB), $16-16
	MOVQ n+0(FP), AX
	MOVQ AX, 0(SP)
	CALL ·Double(SB)
	MOVQ 8(SP), AX
	MOVQ AX, ret+8(FP)
	RET

TEXT ·Prime(SB), NOSPLIT, $0-16
	MOVQ i+0(FP), CX
	LEAQ primes<>(SB), AX
	MOVQ (AX)(CX*8), AX
	MOVQ AX, ret+8(FP)
	RET

TEXT ·Count(SB), NOSPLIT, $0-8
	INCQ ·Calls(SB)
	MOVQ ·Calls(SB), AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·unused(SB), $16-16
	CALL ·missing(SB)
	RET
`,
}

// TestBoundAssembly: a package with assembly that a cell brings is bound to the host
// and shared by later cells.
func TestBoundAssembly(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the assembly is amd64's")
	}
	hosttest.Proxy(t, map[string]map[string]string{"example.com/asm@v1.0.0": asmModule})
	w := smallWorld(t, cache, nil)
	if _, err := w.Add(context.Background(), []string{"example.com/asm@v1.0.0"}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOLT_LINK", "bound")
	h := hosttest.StartIn(t, w, proc.Options{})
	h.Must("import \"example.com/asm\"\nvar Sum = asm.Add(1, 2) + asm.Twice(3)\nvar Err error = &asm.TypeMismatch{\"x\"}\nfunc Run() {}")
	if got := h.Must(`import ("errors"; "fmt"; "example.com/asm"; "notebook/c1")
func Run() {
	var e *asm.TypeMismatch
	fmt.Println(c1.Sum, asm.Prime(2), asm.Count(), asm.Calls, errors.As(asm.Check(-1), &e), e, c1.Err)
}`); got != "9 5 2 2 true want a positive number want x\n" {
		t.Errorf("got %q", got)
	}
}

// TestBoundWrappers: the host has methods of a struct without a name, as a package
// whose function returns it does, and lacks the type, which a cell or a package that it
// brings is the first to need.
func TestBoundWrappers(t *testing.T) {
	hosttest.Proxy(t, map[string]map[string]string{
		"example.com/q@v1.0.0": {"go.mod": "module example.com/q\n\ngo 1.26\n", "q.go": `package q

import "bytes"

func Wrap(s string) struct{ *bytes.Buffer } { return struct{ *bytes.Buffer }{bytes.NewBufferString(s)} }

func Both(s string) struct { *bytes.Buffer; N int } { return struct { *bytes.Buffer; N int }{bytes.NewBufferString(s), len(s)} }
`},
		"example.com/p@v1.0.0": {"go.mod": "module example.com/p\n\ngo 1.26\n\nrequire example.com/q v1.0.0\n", "p.go": `package p

import (
	"fmt"

	"example.com/q"
)

func Get() fmt.Stringer { return q.Both("p") }
`},
	})
	w := smallWorld(t, t.TempDir(), map[string]string{
		"go.mod":                "module github.com/holt-dl/holt\n\ngo 1.26\n\nrequire example.com/q v1.0.0\n",
		"cmd/holt-host/more.go": "package main\n\nimport _ \"example.com/q\"\n",
	})
	if _, err := w.Add(context.Background(), []string{"example.com/p@v1.0.0"}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOLT_LINK", "bound")
	h := hosttest.StartIn(t, w, proc.Options{})
	h.Must("import (\"io\"; \"example.com/q\")\nvar W io.ReadWriter = q.Wrap(\"cell\")\nfunc Run() { W.Write([]byte(\"!\")) }")
	if got := h.Must(`import ("fmt"; "reflect"; "example.com/p"; "example.com/q"; "notebook/c1")
func Run() {
	fmt.Println(c1.W, p.Get(), c1.W.(fmt.Stringer).String(), reflect.TypeOf(c1.W) == reflect.TypeOf(q.Wrap("")))
	v := reflect.ValueOf(p.Get()).MethodByName("Len").Interface().(func() int)
	fmt.Println(v(), reflect.ValueOf(c1.W).MethodByName("String").Call(nil)[0])
}`); got != "cell! p cell! true\n1 cell!\n" {
		t.Errorf("got %q", got)
	}
}
