package cell

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestNeeded writes what a cell for a browser needs of others, and the cell itself.
func TestNeeded(t *testing.T) {
	nb := New(newStdPackages())
	for i, text := range []string{
		"import \"strings\"",
		"const tail = \"!\"\nfunc other() { fmt.Println() }",
		"// A T is a text.\ntype T string\nfunc (t T) Up() string { return strings.ToUpper(string(t)) + tail }\nfunc (t T) Down() string { return \"\" }",
		"ts := []T{}\ntime := time.Now()",
	} {
		p, err := nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", i+1), Text: text})
		if err != nil {
			t.Fatal(err)
		}
		p.Commit(-1)
	}
	tests := []struct {
		names, declared string
		want, imports   string
	}{
		{"ts", "", `
// A T is a text.
type T string

func (t T) Down() string { return "" }

func (t T) Up() string { return strings.ToUpper(string(t)) + tail }

const tail = "!"

var ts []T
`, "strings=strings"},
		{"tail nothing", "", "\nconst tail = \"!\"\n", ""},
		{"other T", "tail T.Up", "\n// A T is a text.\ntype T string\n\nfunc (t T) Down() string { return \"\" }\n\nfunc other() { fmt.Println() }\n", "fmt=fmt"},
		{"time", "", "\nvar time holt_0.Time\n", "holt_0=time"},
		{"time", "time", "", ""},
	}
	for _, tt := range tests {
		declared := map[string]bool{}
		for _, name := range strings.Fields(tt.declared) {
			declared[name] = true
		}
		text, imports := Needed(nb.Scope(), strings.Fields(tt.names), declared)
		if sortedBlocks(text) != sortedBlocks(tt.want) {
			t.Errorf("%q need\n%s\nwant\n%s", tt.names, text, tt.want)
		}
		var list []string
		for _, name := range slices.Sorted(maps.Keys(imports)) {
			list = append(list, name+"="+imports[name])
		}
		if strings.Join(list, " ") != tt.imports {
			t.Errorf("%q import %q, want %q", tt.names, list, tt.imports)
		}
	}
}

// sortedBlocks puts declarations in the order of their text.
func sortedBlocks(text string) string {
	blocks := strings.Split(strings.TrimSpace(text), "\n\n")
	slices.Sort(blocks)
	return strings.Join(blocks, "\n\n")
}
