package wasm

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"regexp"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/parse"
)

// noPackages knows no package.
type noPackages struct{}

func (noPackages) Import(path string) (*types.Package, error) {
	return nil, errors.New("no package " + path)
}
func (noPackages) Add(context.Context, []string) error                    { return nil }
func (noPackages) Guess(context.Context, string, []string) (string, bool) { return "", false }
func (noPackages) Names() []string                                        { return nil }
func (noPackages) Name(path string) string                                { return path }

var blanks = regexp.MustCompile(` +\n`)

// TestProgram writes a cell with what it needs of others as one program.
func TestProgram(t *testing.T) {
	nb := cell.New(noPackages{})
	for i, text := range []string{
		"const tail = \"!\"\nconst other = 1",
		"type T string\nfunc (t T) Up() string { return string(t) + tail }\nfunc (t T) Down() string { return `` }",
		"n, k := 1, T(`a`)",
	} {
		p, err := nb.Check(context.Background(), parse.Source{Name: fmt.Sprintf("cell[%d]", i+1), Text: text})
		if err != nil {
			t.Fatal(err)
		}
		p.Commit(-1)
	}
	got, err := Program(context.Background(), nb.Scope(), noPackages{}, parse.Source{Name: "cell[4]", Text: "var n = 2; x := k\nfunc (t T) Down() string { return dir }\nprintln(x.Up(), n)"}, map[string]string{"dir": "d"})
	if err != nil {
		t.Fatal(err)
	}
	const want = `package main

const dir = "d"

type T string

func (t T) Up() string { return string(t) + tail }

var k T

const tail = "!"

//line cell[4]:1

func (t T) Down() string { return dir }

//line cell[4]:1
var n = 2;


func main() {
//line cell[4]:1
           x := k

println(x.Up(), n)
}
`
	got = blanks.ReplaceAllString(got, "\n")
	if got != want {
		t.Errorf("the program is\n%q\nwant\n%q", got, want)
	}
	got, err = Program(context.Background(), nb.Scope(), noPackages{}, parse.Source{Name: "cell[5]", Text: "import . \"strings\"\nimport _ \"embed\"\nprintln(ToUpper(`a`))"}, nil)
	if err != nil || !strings.Contains(got, "import . \"strings\"\nimport _ \"embed\"\n") {
		t.Errorf("got %v\n%s", err, got)
	}
	if _, err := Program(context.Background(), nb.Scope(), noPackages{}, parse.Source{Name: "cell[5]", Text: "a := 1\nb := )"}, nil); err == nil || err.Error() != "cell[5]:2:6: syntax error: expected operand, found ')'" {
		t.Errorf("the error is %v, want one of cell[5], line 2", err)
	}
}
