package session

import (
	"strings"
	"testing"
)

func TestCompleteCommand(t *testing.T) {
	tests := []struct{ code, start, want string }{
		{"x := 1\n%wi", "%wi", "%widgets %widgets_hb %with_inputs %with_password"},
		{"//gonb:%goworkf", "%goworkf", "%goworkfix"},
		{"  %%wri", "%%wri", "%%writefile"},
		{"x %wi", "", ""},
		{"%widgets ", "", ""},
		{"%tens", "%tens", "%tensorboard"},
		{"x\n%tensorboard --logdir runs --p", "--p", "--path_prefix --port --purge_orphaned_data"},
		{"%tensorboard ", "", ""},
		{"%widgets --p", "", ""},
		{"%nosuch", "", ""},
		{"fmt.Pr", "", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		c, ok := completeCommand(tt.code, len(tt.code))
		var got []string
		for _, m := range c.Matches {
			got = append(got, m.Text)
		}
		if s := strings.Join(got, " "); s != tt.want || ok != (tt.want != "") {
			t.Errorf("%q: got %q, want %q", tt.code, s, tt.want)
		} else if ok && tt.code[c.Start:c.End] != tt.start {
			t.Errorf("%q: completes %q, want %q", tt.code, tt.code[c.Start:c.End], tt.start)
		}
	}
}

func TestExplainCommand(t *testing.T) {
	got, ok := explainCommand("%capture -a out.txt", 3)
	if !ok || !strings.Contains(got["text/plain"], "copies what this cell prints and shows to a file") {
		t.Errorf("got %q, %v", got, ok)
	}
	for _, code := range []string{"%nosuch", "x %capture", "capture"} {
		if got, ok := explainCommand(code, 1); ok {
			t.Errorf("%q: got %q, want nothing", code, got)
		}
	}
}

func TestFlagsDefined(t *testing.T) {
	tests := []struct{ text, want string }{
		{`var x = flag.Int("x", 0, "value of x")`, "x"},
		{`flag.StringVar(&s, "name", "", "a \"name\""); flag.Parse()`, "name"},
		{`flag.Var(f(1, "inner"), "outer", "")`, "outer"},
		{`flag.Func("level", "", func(s string) error { return nil })`, "level"},
		{`a := flag.Lookup("x"); flag.Set("x", "1"); flag.Args()`, ""},
		{`flags.Int("x", 0, "")`, ""},
		{`fmt.Println("flag.Int(\"x\")") // flag.Int("y", 0, "")`, ""},
		{`flag.Int(name, 0, "how many")`, "how many"}, // not a name: nothing is called so
	}
	for _, tt := range tests {
		if got := strings.Join(flagsDefined(tt.text), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.text, got, tt.want)
		}
	}
}
