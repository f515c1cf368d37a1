package syntax

import (
	"go/scanner"
	"go/token"
)

// A Chunk is one top-level declaration or statement of a cell.
// A comment between chunks belongs to none.
type Chunk struct {
	Tok        token.Token // IMPORT, TYPE, FUNC, CONST or VAR for a declaration; ILLEGAL for a statement
	Start, End int         // byte offsets; end is before the terminating semicolon or newline
	Semi       bool        // ended by a semicolon that was written
}

// IsDecl reports whether the chunk stands at package level in the generated
// code. A var is a statement: it runs in its place.
// An import counts as one: it goes to the head of the file.
func (c Chunk) IsDecl() bool { return c.Tok != token.ILLEGAL && c.Tok != token.VAR }

// Split cuts a cell into chunks. Text that does not scan ends up in the last
// chunk, where the parser explains it. open reports that the text ends inside
// a bracket, a string or a comment, or after an operator.
//
// This comes before parsing, because go/parser knows files and no cells: the chunks say which
// part of the text is parsed at package level, and which in the body of a function.
//
//	x := 1; func f() int { return 2 }
//	for i := 0; i < 3; i++ { g(i) }
//
// are the three chunks x := 1, with Semi, the function and the loop.
//
// Only tokens are looked at: a chunk ends at a semicolon, which the scanner also puts in
// at the ends of lines as Go does, outside of all brackets. The head of a for, an if or a
// switch has semicolons of its own.
func Split(text []byte) (chunks []Chunk, open bool) {
	toks, unterminated := scan(text)
	// depth counts open brackets of all kinds; more closing ones than open ones are the
	// parser's concern. begin is the token that the chunk began with, or -1 between chunks.
	depth, begin := 0, -1
	header := false // between for, if or switch and its brace, where a semicolon ends nothing
	var last token.Token
	for i, t := range toks {
		// The scanner puts in semicolons as the specification's first rule ("Semicolons")
		// says, and gives them the literal "\n".
		if header && t.tok == token.SEMICOLON && t.lit != ";" {
			header = false // a line break: the header is not complete
		}
		if depth <= 0 && !header && t.tok == token.SEMICOLON || t.tok == token.EOF {
			// Empty statements, as of ;; or blank lines, make no chunk.
			if begin >= 0 {
				chunks = append(chunks, Chunk{Tok: kind(toks, begin), Start: toks[begin].off, End: min(t.off, len(text)),
					Semi: t.tok == token.SEMICOLON && t.lit == ";"})
			}
			begin = -1
			continue
		}
		if begin < 0 {
			begin = i
		}
		switch t.tok {
		// Inside brackets semicolons end nothing anyway. select has no header.
		case token.FOR, token.IF, token.SWITCH:
			header = header || depth <= 0
		case token.LPAREN, token.LBRACK:
			depth++
		case token.LBRACE:
			// The brace that begins the body. One inside of parentheses is of a composite
			// literal, which the specification allows in a header there alone.
			header = header && depth > 0
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		}
		last = t.tok
	}
	// The rule puts a semicolon behind a last token that can end a statement. Where it did
	// not, as after x := 1 +, a front end waits for another line.
	open = depth > 0 || unterminated
	if !open && len(toks) > 1 && toks[len(toks)-2].tok != token.SEMICOLON {
		// No semicolon was inserted at the end: the last token asks for more.
		open = last.IsOperator() || last.IsKeyword()
	}
	return chunks, open
}

// tok is a token of a cell and where it begins.
type tok struct {
	off int // of its first byte
	tok token.Token
	lit string // "\n" for a semicolon that the scanner put in
}

// scan returns the tokens of a text, EOF among them, and reports whether it ends inside of
// a string or a comment.
func scan(text []byte) (toks []tok, unterminated bool) {
	// The mode is 0: comments are skipped, and begin no chunk. Of the scanner's errors, these
	// two mean that the text goes on; the others are left to the parser, which finds them
	// again.
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	s.Init(file, text, func(_ token.Position, msg string) {
		switch msg {
		case "raw string literal not terminated", "comment not terminated":
			unterminated = true
		}
	}, 0)
	for {
		pos, t, lit := s.Scan()
		toks = append(toks, tok{file.Offset(pos), t, lit})
		if t == token.EOF {
			return toks, unterminated
		}
	}
}

// kind is the Tok of the chunk that begins at a token.
// An import, a type, a const or a var is known by its keyword. A func can begin a declaration
// or a call of a literal, as func() { … }().
func kind(toks []tok, begin int) token.Token {
	switch first := toks[begin].tok; first {
	case token.IMPORT, token.TYPE, token.CONST, token.VAR:
		return first
	case token.FUNC:
		if declaresFunc(func(i int) token.Token { return toks[min(i, len(toks)-1)].tok }, begin+1) {
			return token.FUNC
		}
	}
	return token.ILLEGAL
}

// declaresFunc tells a function declaration from a function literal that is
// called: at(i) is the token after func.
//
//	func f(                        a declaration
//	func (t T) m(                  a declaration
//	func (t T) m[A any](           a declaration
//	func(x int) int { … }(1)       a statement
//	func(x int) List[int] { … }(1) a statement
//	func() { … }()                 a statement
//
// Past the last token, at gives EOF.
func declaresFunc(at func(int) token.Token, i int) bool {
	if at(i) == token.IDENT {
		return true
	}
	if at(i) != token.LPAREN {
		return false
	}
	// What is in the brackets is the receiver, or the parameters of a literal. Behind them, a
	// method has its name and its parameters, and a literal its result and its body.
	if i = behind(at, i, token.LPAREN, token.RPAREN); at(i) != token.IDENT {
		return false
	}
	if i++; at(i) == token.LBRACK { // the type parameters of a method, or arguments of a result
		i = behind(at, i, token.LBRACK, token.RBRACK)
	}
	return at(i) == token.LPAREN
}

// behind returns the token behind the bracket that closes the one at i.
func behind(at func(int) token.Token, i int, opening, closing token.Token) int {
	for depth := 0; at(i) != token.EOF; i++ {
		switch at(i) {
		case opening:
			depth++
		case closing:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return i
}
