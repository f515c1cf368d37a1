package gonb

import (
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// Question is a line of a cell that asks what a name is, as in IPython:
// fmt.Println? or ?fmt.Println, with two question marks for the source, too.
//
// The kernel answers it in the reply to the cell, as a payload that the page shows in a pager.
type Question struct {
	Name   string // with dots, as in fmt.Println
	Detail int    // as an inspect_request has it
}

// asks matches a line that is a question: question marks, a name with dots, an empty pair of
// brackets behind it, question marks. A line without any question mark would match, too, but
// is not given to it.
var asks = regexp.MustCompile(`^(\?{0,2})\s*([\pL_][\pL\pN_]*(?:\.[\pL_][\pL\pN_]*)*)(?:\(\))?\s*(\?{0,2})$`)

// Questions takes the questions out of a cell, whose other lines keep their
// numbers.
//
//	x := 1       x := 1
//	x??          (blank)            asked: {x 1}
//
// Without a question, code is returned as it is. Cells such as %%bash have none: a ? is a
// wildcard there. Callers take questions out before anything else reads the cell, since Go
// does not parse them.
func Questions(code string) (rest string, asked []Question) {
	if !strings.Contains(code, "?") {
		return code, nil
	}
	// Commands are taken out for the search alone: in !ls a? the mark is the shell's. Both
	// texts have the same lines, so that numbers found in one are good for the other.
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
		// The detail_level of an inspect_request: 1 asks for the source.
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
//
// The scanner of Go tells what is in a string or a comment; its errors do not matter, as the
// cell is checked later. Lines are numbered from 1.
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
