package session

import (
	"strings"
	"testing"
)

func TestOutsideGo(t *testing.T) {
	for _, tt := range []struct {
		code string // with | where the cursor is
		want bool
	}{
		{"!l|", true}, {"%cd /tm|", true}, {"x := 1\n!cat a|", true}, {"// acc.|", true}, {"x. // acc.|\ny := 2", true},
		{"/* fmt.| */", true}, {"/* a */ fmt.|", false}, {"s := \"fmt.|\"", true}, {"s := `fmt.|`", true}, {"s := \"fmt.|", true},
		{"r := 'f|'", true}, {"fmt.|", false}, {"s := \"a\" + strings.|", false}, {"import \"enc|\"", false}, {"import (\n\t\"fmt\"\n\t\"enc|\"\n)", false},
		{"x := 1 // a\nfmt.|", false}, {"a % b|", false}, {"!ls\nfmt.|", false}, {"|", false},
		{"import (\n\t\"fmt\"\n)\ns := \"fmt.|\"", true}, {"import (\"fmt\"; \"enc|\")", false}, {"import \"fmt\"; s := f(\"fmt.|\")", true},
	} {
		at := strings.Index(tt.code, "|")
		if got := outsideGo(tt.code[:at]+tt.code[at+1:], at); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.code, got, tt.want)
		}
	}
}

func TestIsCompleteOfCommands(t *testing.T) {
	s := &Session{}
	for code, want := range map[string]string{
		"!ls \\": "incomplete", "!ls": "complete", "%cd /tmp": "complete", "!ls \\\n  -l": "complete", "x := 1\n!ls \\": "incomplete", "1 +": "incomplete",
	} {
		if got, _ := s.IsComplete(code); got != want {
			t.Errorf("%q: got %s, want %s", code, got, want)
		}
	}
}
