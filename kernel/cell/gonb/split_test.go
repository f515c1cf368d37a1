package gonb

import (
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	tests := []struct{ name, code, commands, text string }{
		{"plain Go", "x := 1\n", "", "x := 1\n"},
		{"commands", "%env A=1\n!ls \\\n  -l\nx := 1", "1:%env A=1|2:!ls -l", "\n\n\nx := 1"},
		{"inside a raw string", "s := `\n%list\n!ls\n`", "", "s := `\n%list\n!ls\n`"},
		{"inside a comment", "/*\n%list\n*/\nx := 1", "", "/*\n%list\n*/\nx := 1"},
		{"inside brackets", "f(\n!ok,\n)", "", "f(\n!ok,\n)"},
		{"after a string with a bracket", "s := \"(\"\n%list", "2:%list", "s := \"(\"\n"},
		{"gonb prefix", "//gonb:%%\nfmt.Println(1)", "1:%%", "\nfmt.Println(1)"},
		{"main", "%%\nfmt.Println(1)", "1:%%", "\nfmt.Println(1)"},
		{"gonb prefix on every line", "//gonb:!a \\\n//gonb:b", "1:!a b", "\n"},
		{"package clause", "package p // q\nx := 1", "", "\nx := 1"},
		{"package in a string", "s := `\npackage p\n`", "", "s := `\npackage p\n`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Split(tt.code)
			var got []string
			for _, cmd := range c.Commands {
				got = append(got, string(rune('0'+cmd.Line))+":"+cmd.Text)
			}
			if g := strings.Join(got, "|"); g != tt.commands || c.Go != tt.text {
				t.Errorf("commands %q, Go %q; want %q, %q", g, c.Go, tt.commands, tt.text)
			}
		})
	}
	if c := Split("%%bash -e\necho 1\n"); c.Magic != "%%bash -e" || c.Body != "echo 1\n" {
		t.Errorf("magic %q, body %q", c.Magic, c.Body)
	}
}
