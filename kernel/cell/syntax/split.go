package syntax

import (
	"go/scanner"
	"go/token"
)

// A Chunk is one top-level declaration or statement of a cell.
type Chunk struct {
	Tok        token.Token // IMPORT, TYPE, FUNC, CONST or VAR for a declaration; ILLEGAL for a statement
	Start, End int         // byte offsets; end is before the terminating semicolon or newline
	Semi       bool        // ended by a semicolon that was written
}

// IsDecl reports whether the chunk stands at package level in the generated
// code. A var is a statement: it runs in its place.
func (c Chunk) IsDecl() bool { return c.Tok != token.ILLEGAL && c.Tok != token.VAR }

// Split cuts a cell into chunks. Text that does not scan ends up in the last
// chunk, where the parser explains it. open reports that the text ends inside
// a bracket, a string or a comment, or after an operator.
func Split(text []byte) (chunks []Chunk, open bool) {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	unterminated := false
	s.Init(file, text, func(_ token.Position, msg string) {
		switch msg {
		case "raw string literal not terminated", "comment not terminated":
			unterminated = true
		}
	}, 0)

	type tok struct {
		off int
		tok token.Token
		lit string
	}
	var toks []tok
	for {
		pos, t, lit := s.Scan()
		toks = append(toks, tok{file.Offset(pos), t, lit})
		if t == token.EOF {
			break
		}
	}

	depth, begin := 0, -1
	header := false // between for, if or switch and its brace, where a semicolon ends nothing
	var last token.Token
	for i, t := range toks {
		if header && t.tok == token.SEMICOLON && t.lit != ";" {
			header = false // a line break: the header is not complete
		}
		ends := depth <= 0 && !header && t.tok == token.SEMICOLON || t.tok == token.EOF
		if ends {
			if begin >= 0 {
				end := min(t.off, len(text))
				c := Chunk{Start: toks[begin].off, End: end, Semi: t.tok == token.SEMICOLON && t.lit == ";"}
				switch first := toks[begin].tok; first {
				case token.IMPORT, token.TYPE, token.CONST, token.VAR:
					c.Tok = first
				case token.FUNC:
					c.Tok = token.ILLEGAL
					kinds := func(i int) token.Token { return toks[min(i, len(toks)-1)].tok }
					if declaresFunc(kinds, begin+1) {
						c.Tok = token.FUNC
					}
				default:
					c.Tok = token.ILLEGAL
				}
				chunks = append(chunks, c)
			}
			begin = -1
			if t.tok == token.EOF {
				break
			}
			continue
		}
		if begin < 0 {
			begin = i
		}
		switch t.tok {
		case token.FOR, token.IF, token.SWITCH:
			header = header || depth <= 0
		case token.LBRACE:
			header = header && depth > 0
		}
		switch t.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		}
		last = t.tok
	}
	open = depth > 0 || unterminated || begin >= 0
	if !open && len(toks) > 1 && toks[len(toks)-2].tok != token.SEMICOLON {
		// No semicolon was inserted at the end: the last token asks for more.
		open = last.IsOperator() || last.IsKeyword()
	}
	return chunks, open
}

// declaresFunc tells a function declaration from a function literal that is
// called: at(i) is the token after func.
func declaresFunc(at func(int) token.Token, i int) bool {
	if at(i) == token.IDENT {
		return true
	}
	if at(i) != token.LPAREN {
		return false
	}
	for depth := 0; at(i) != token.EOF; i++ {
		switch at(i) {
		case token.LPAREN:
			depth++
		case token.RPAREN:
			depth--
		}
		if depth == 0 {
			break
		}
	}
	// func (r T) Name( is a method; func (x int) T { is a literal.
	return at(i+1) == token.IDENT && (at(i+2) == token.LPAREN || at(i+2) == token.LBRACK)
}
