package cell

import (
	"strings"
	"testing"
)

// TestPrints compares what cells print in every form with what Go prints.
func TestPrints(t *testing.T) {
	tests := []struct{ cell, want, text string }{
		{`fmt.Println("a", 1)`, "a 1\n", `fmt.Fprintln(ˣrt.Stdout, "a", 1)`},
		{`fmt.Println()`, "\n", "fmt.Fprintln(ˣrt.Stdout)"},
		{"fmt.Printf(\n\t\"%d\\n\",\n\t3,\n)", "3\n", "fmt.Fprintf(ˣrt.Stdout, "},
		{`list := []any{1, 2}; fmt.Print(list...); fmt.Println()`, "1 2\n", "fmt.Fprint(ˣrt.Stdout, Ħlist...)"},
		{`func two() (string, int) { return "%d\n", 2 }; fmt.Println(two())`, "%d\n 2\n", "return fmt.Fprintln(ˣrt.Stdout, ˣv...) })(Ħtwo())"},
		{`fmt.Printf(two())`, "2\n", "return fmt.Fprintf(ˣrt.Stdout, ˣf, ˣv...) })("},
		{`fmt.Print((two()))`, "%d\n2", "return fmt.Fprint(ˣrt.Stdout, ˣv...) })("},
		{`defer fmt.Println("deferred"); fmt.Fprintln(os.Stdout, "first")`, "first\ndeferred\n", `fmt.Fprintln(ˣrt.Stdout, "first")`},
		{`fmt.Fprint((os.Stderr), "x", two2(), "\n"); func two2() int { return 2 }`, "x2\n", `fmt.Fprint((ˣrt.Stderr), "x"`},
		{`import "io"; func where() (io.Writer, string) { return os.Stdout, "in w" }; fmt.Fprintln(where())`, "in w\n", "fmt.Fprintln(Ħwhere())"},
		{`say := fmt.Println; say("by value")`, "by value\n= 9\n", "fmt.Println"},
		{`if n, err := fmt.Println("n"); err == nil { fmt.Println(n) }`, "n\n2\n", `n, err := fmt.Fprintln(ˣrt.Stdout, "n")`},
	}
	n := newNotebook(t)
	for _, tt := range tests {
		n.cell("fmt.Println(`--`)")
		n.cell(tt.cell)
	}
	outputs := strings.Split(n.run(), "--\n")
	for i, tt := range tests {
		text := n.progs[2*i+1].Describe()
		if got := outputs[i+1]; got != tt.want {
			t.Errorf("%s: printed %q, want %q\n%s", tt.cell, got, tt.want, text)
		}
		if !strings.Contains(text, tt.text) {
			t.Errorf("%s: want %s in\n%s", tt.cell, tt.text, text)
		}
	}
}
