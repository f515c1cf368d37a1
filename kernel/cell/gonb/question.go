package gonb

import (
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// Question is a line of a cell that asks what a name is, as in IPython:
// fmt.Println? or ?fmt.Println, with two question marks for the source, too.
type Question struct {
	Name   string
	Detail int // as an inspect_request has it
}

var asks = regexp.MustCompile(`^(\?{0,2})\s*([\pL_][\pL\pN_]*(?:\.[\pL_][\pL\pN_]*)*)(?:\(\))?\s*(\?{0,2})$`)

// Questions takes the questions out of a cell, whose other lines keep their
// numbers.
func Questions(code string) (rest string, asked []Question) {
	if !strings.Contains(code, "?") {
		return code, nil
	}
	parts := Split(code)
	marked := illegal(parts.Go)
	if parts.Magic != "" || len(marked) == 0 {
		return code, nil
	}
	lines := strings.Split(code, "\n")
	for i, line := range lines {
		if !marked[i+1] {
			continue
		}
		m := asks.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue // and the compiler says what it thinks of it
		}
		q := Question{Name: m[2]}
		if m[1] == "??" || m[3] == "??" {
			q.Detail = 1
		}
		asked = append(asked, q)
		lines[i] = ""
	}
	return strings.Join(lines, "\n"), asked
}

// illegal returns the lines of Go text with a question mark outside strings
// and comments, which Go has no use for.
func illegal(text string) map[int]bool {
	lines := map[int]bool{}
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, 0)
	for {
		pos, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return lines
		case tok == token.ILLEGAL && lit == "?":
			lines[file.Line(pos)] = true
		}
	}
}
