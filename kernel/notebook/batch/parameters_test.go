package batch_test

import (
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/notebook/batch"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
)

func code(source string, tags ...any) *ipynb.Cell {
	c := &ipynb.Cell{Type: ipynb.Code, Source: source, Metadata: map[string]any{}}
	if len(tags) > 0 {
		c.Metadata["tags"] = tags
	}
	return c
}

func TestParseParameter(t *testing.T) {
	tests := []struct{ text, err string }{
		{"lr=0.1", ""},
		{"url=a=b", ""},
		{"lr", "-p lr: it has no value, want name=value, such as -p lr=0.1"},
		{"0x=1", `-p 0x=1: "0x" cannot name a variable of Go, want letters, digits and _`},
		{"func=1", `-p func=1: "func" cannot name a variable of Go, want letters, digits and _`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			p, err := batch.ParseParameter(tt.text)
			switch {
			case tt.err == "" && (err != nil || p.Name+"="+p.Value != tt.text):
				t.Errorf("got %+v, %v", p, err)
			case tt.err != "" && (err == nil || err.Error() != tt.err):
				t.Errorf("got  %v\nwant %s", err, tt.err)
			}
		})
	}
}

func TestInjectValues(t *testing.T) {
	const parameters = `
lr := 0.1
epochs := 3
name, on := "adam", false
var half float32 = 0.5
var title string
const batch = 64
const wide float64 = 1
sizes := []float64{1, 2}
any2 := []any{}
layers := map[string][]int{}
%env A=1
func f() { inner := 1; _ = inner }
`
	tests := []struct{ param, want string }{
		{"lr=1", "lr = 1"},
		{"lr=1e-3", "lr = 1e-3"},
		{"epochs=10", "epochs = 10"},
		{"epochs=0x10", "epochs = 0x10"},
		{"name=7", `name = "7"`},
		{`name="7"`, `name = "7"`},
		{"name=sgd", `name = "sgd"`},
		{"on=true", "on = true"},
		{"on=True", "on = true"},
		{"half=1", "half = 1"},
		{"title=true", `title = "true"`},
		{"batch=32", "const batch = 32"},
		{"wide=2", "const wide float64 = 2"},
		{"sizes=[1, 2.5]", "sizes = []float64{1, 2.5}"},
		{"any2=[1, [2]]", "any2 = []any{1, []int{2}}"},
		{`layers={"b": [1], "a": [2, 3]}`, `layers = map[string][]int{"a": {2, 3}, "b": {1}}`},
		{"inner=1", "inner := 1"},
		{"fresh=-1", "fresh := -1"},
		{"fresh=-.5", "fresh := -.5"},
		{"fresh=true", "fresh := true"},
		{"fresh=", `fresh := ""`},
		{`fresh=say "hi"`, `fresh := "say \"hi\""`},
		{"fresh=os.Exit(1)", `fresh := "os.Exit(1)"`},
		{"fresh=[]", "fresh := []any{}"},
		{"fresh=[1, 2.5]", "fresh := []float64{1, 2.5}"},
		{`fresh=[1, "a"]`, `fresh := []any{1, "a"}`},
		{"fresh=[[1], [2]]", "fresh := [][]int{{1}, {2}}"},
		{`fresh={"a": {"b": null}}`, `fresh := map[string]map[string]any{"a": {"b": nil}}`},
		{"fresh=[]int{1, 2}", "fresh := []int{1, 2}"},
		{"fresh=null", "var fresh any"},
	}
	for _, tt := range tests {
		t.Run(tt.param, func(t *testing.T) {
			p, err := batch.ParseParameter(tt.param)
			if err != nil {
				t.Fatal(err)
			}
			nb := &ipynb.Notebook{Minor: 5, Cells: []*ipynb.Cell{code(parameters, "parameters")}}
			batch.Inject(nb, []batch.Parameter{p})
			if got, want := nb.Cells[1].Source, "// Parameters\n"+tt.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestInjectPlaces(t *testing.T) {
	sources := func(nb *ipynb.Notebook) string {
		var list []string
		for _, c := range nb.Cells {
			list = append(list, strings.ReplaceAll(c.Source, "\n", " "))
		}
		return strings.Join(list, " | ")
	}
	tests := []struct {
		name          string
		cells         []*ipynb.Cell
		want, notices string
	}{
		{"after the tagged cell", []*ipynb.Cell{code("1"), code("x := 1", "parameters"), code("x")},
			"1 | x := 1 | // Parameters x = 5 | x", ""},
		{"in place of an earlier one", []*ipynb.Cell{code("x := 1", "parameters"), code("1"), code("x = 2", "injected-parameters")},
			"x := 1 | 1 | // Parameters x = 5", ""},
		{"first where nothing is tagged", []*ipynb.Cell{code("x := 1"), code("x")},
			"// Parameters x := 5 | x := 1 | x", "no cell has the tag parameters: the values are set in a new first cell"},
		{"a name that is not declared", []*ipynb.Cell{code("y := 1", "parameters")},
			"y := 1 | // Parameters x := 5", "the cell with the tag parameters does not declare x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			nb := &ipynb.Notebook{Minor: 5, Cells: tt.cells}
			notices := batch.Inject(nb, []batch.Parameter{{"x", "4"}, {"x", "5"}})
			if got := sources(nb); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := strings.Join(notices, " "); got != tt.notices {
				t.Errorf("notices %q, want %q", got, tt.notices)
			}
			for _, c := range nb.Cells {
				if c.Tagged("injected-parameters") && len(c.ID) != 8 {
					t.Errorf("the new cell's id is %q, want 8 digits", c.ID)
				}
			}
		})
	}
}
