package hint

import (
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// syntaxHints are about lines that are no Go, by what they match.
//
// The first line that matches decides, so that the special come before the general: for x in
// xs: is a loop before it is a block without braces. They look at one line and see no types;
// what is said must be right for all that the expression matches.
//
//	while x < 3 { x++ }   →   Go's while is for: for x < 3 { … }
var syntaxHints = []struct {
	line *regexp.Regexp
	hint string
}{
	{regexp.MustCompile(`^\s*while\b`), "Go's while is for: for x < 3 { … }"},
	{regexp.MustCompile(`^\s*def\s+\w+`), "a function is written func f(x int) int { … }"},
	{regexp.MustCompile(`^\s*class\s+\w+`), "Go has no classes: write type T struct { … }, and functions func (t T) name() for its methods"},
	{regexp.MustCompile(`^\s*(from\s+\S+\s+)?import\s+[\w.]+(\s|$)`), `a package is imported by its path in quotes, import "path", and those that are known need no import`},
	{regexp.MustCompile(`^\s*for\s+\w+(\s*,\s*\w+)?\s+in\b`), "write for i, x := range xs { … }"},
	// Before the line for with, which would only speak of braces.
	{regexp.MustCompile(`\b(no_grad|inference_mode)\b`), wordsOf("no_grad", "torch")},
	{regexp.MustCompile(`^\s*(if|for|elif|else|try|except|with)\b.*:\s*(#.*)?$`), "Go's blocks stand in braces: if x > 3 { … }"},
	// A block in the same line: if x > 3: x = 2.
	{regexp.MustCompile(`^\s*(if|for|while|elif)\b[^{]*:\s*[^=\s]`), "Go's blocks stand in braces: if x > 3 { … }"},
	{regexp.MustCompile(`\w\.type\s*\(`), wordsOf("type", "syntax")},
	{regexp.MustCompile(`\btorch\.func\b`), wordsOf("func", "syntax")},
	{regexp.MustCompile(`^\s*range\s*\(`), wordsOf("range", "python")},
	// A tuple of one number, as torchvision's Normalize((0.5,), (0.5,)) has.
	{regexp.MustCompile(`\(\s*[-\d.]+\s*,\s*\)`), "a list is written []float32{0.5}"},
	{regexp.MustCompile(`^\s*assert\b`), "Go has no assert: if x != y { panic(\"…\") }"},
	{regexp.MustCompile(`^\s*type\s*\(`), `fmt.Printf("%T\n", x) prints a type`},
	{regexp.MustCompile(`\bf["']`), `a value goes into a text by fmt.Printf("loss: %.3f\n", loss)`},
	// Where byKeyword could not read the call.
	{keyword, wordsOf("keyword", "syntax")},
	// The product of matrices; a decorator begins its line and has nothing before it.
	{regexp.MustCompile(`[\w)\]]\s*@\s*[\w(]`), wordsOf("@", "syntax")},
	{regexp.MustCompile(`\w\[[^\]]*,[^\]]*\]`), wordsOf("index", "syntax")},
	{regexp.MustCompile(`[(,=!]\s*\[[^\]]*\]?\s*\)?\s*$`), wordsOf("list", "syntax")},
	{regexp.MustCompile(`,\s*\(\s*\d+\s*,`), wordsOf("shape", "syntax")},
	{regexp.MustCompile(`(\+\+|--)\w`), "x++ stands behind its variable, and is a statement of its own"},
	{regexp.MustCompile(`=.*\bif\b.*\belse\b`), "Go has no such expression: use if and else with braces"},
	{regexp.MustCompile(`^\s*(try|catch|except|raise|throw)\b`), "Go has no exceptions: functions return an error, and a cell's top level takes it"},
	{regexp.MustCompile(`^\s*(let|auto|int|float|float32|float64|double|string)\s+\w+\s*=`), "a variable is defined by x := 3, or var x float64 = 3"},
	{regexp.MustCompile(`\blambda\b`), "a function without a name is written func(x int) int { return x + 1 }"},
	// A ? that follows a comparison is no conditional expression.
	{regexp.MustCompile(`[^=!<>]\?.*:`), "Go has no ?: operator: use if and else"},
	{regexp.MustCompile(`=\s*\w+(\+\+|--)\s*$`), "x++ is a statement in Go, and has no value"},
	{regexp.MustCompile(`^\s*#`), "a comment begins with //"},
	{regexp.MustCompile(`^\s*\w+\s*:?=\s*\[`), "a list is written []int{1, 2, 3} or []string{…}"},
	{regexp.MustCompile(`^\s+func\s+\w+\s*\(`), "a function inside a function has no name of its own: name := func() { … }"},
	{regexp.MustCompile(`^\s*print\s+["'\w]`), "print by fmt.Println(…)"},
	{regexp.MustCompile(`^\s*else\b`), "else stands on the line of the brace before it: } else {"},
}

// Syntax says what may be meant by a line that does not parse, or returns "". Msg
// is the parser's message; open says that a bracket of the cell is not closed; names
// are for lines with arguments by name, and nil leaves those to the others.
//
// line is the text of the line that the parser stopped in, which is often not where the
// mistake is: then no hint matches, or one for another thing in it.
func Syntax(names Names, msg, line string, open bool) string {
	if keyword.MatchString(line) {
		if hint := byKeyword(names, line); hint != "" {
			return hint
		}
	}
	return syntaxHint(msg, line, open)
}

// syntaxHint is Syntax without arguments by name. It also explains a line that parses but
// cannot be meant, such as try { … }: see File.undefined.
func syntaxHint(msg, line string, open bool) string {
	switch {
	// go/scanner's messages for quotes say more than the line's look: 'abc' is a string in
	// Python.
	case strings.Contains(msg, "rune literal"):
		return "; a string stands in double quotes, as in \"abc\""
	case strings.Contains(msg, "string literal not terminated"):
		return "; a string of several lines stands in back quotes: `…`"
	}
	for _, h := range syntaxHints {
		if h.line.MatchString(line) {
			return "; " + h.hint
		}
	}
	if open {
		return "; a bracket is not closed"
	}
	return ""
}

// Unfinished says what is missing behind the last word of a text whose brackets
// are closed, or returns "".
//
//	x := 1 +    →   the cell ends after +: a value is missing there
//	fmt.        →   the cell ends after .: a name is missing there
//	f(1,        →   nothing: the bracket is open
//
// The parser itself would speak of a brace that is found, which is one that the cell does not
// have: it is put behind the cell's statements.
func Unfinished(text string) string {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), []byte(text), func(token.Position, string) {}, 0)
	depth, last := 0, token.ILLEGAL
	for _, t, lit := s.Scan(); t != token.EOF; _, t, lit = s.Scan() {
		switch t {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		}
		// Semicolons that the scanner puts in are not what a person wrote last.
		if t != token.SEMICOLON || lit == ";" {
			last = t
		}
	}
	what := ""
	switch {
	case depth != 0 || last == token.SEMICOLON:
		return ""
	case last == token.PERIOD:
		what = "a name is missing there"
	case last == token.COMMA:
		what = "one more is missing there, or the comma is one too many"
	// A label, or a block of Python's, which syntaxHints know.
	case last == token.COLON:
		return ""
	// Closing brackets are operators for go/token, and end an operand; so do ++ and --.
	case last.IsOperator() && last != token.RPAREN && last != token.RBRACK && last != token.RBRACE && last != token.INC && last != token.DEC:
		what = "a value is missing there"
	// These four may end a statement.
	case last.IsKeyword() && last != token.RETURN && last != token.BREAK && last != token.CONTINUE && last != token.FALLTHROUGH:
		what = "the rest of it is missing"
	default:
		return ""
	}
	return "the cell ends after " + last.String() + ": " + what
}
