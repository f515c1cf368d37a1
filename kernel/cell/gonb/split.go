package gonb

import (
	"regexp"
	"strings"
)

// Command is one special line of a cell.
//
// It is not looked up in the table yet: a name that is not known is found by [Run].
type Command struct {
	Line int    // in the cell, from 1
	Text string // from the % or ! on; continued lines are joined by a space
}

// Cell is a cell taken apart.
//
// Either Magic is set, or Go and Commands are.
type Cell struct {
	Commands []Command
	Go       string // the cell with its commands blank: lines keep their numbers
	Main     int    // the line of %% or %main, from 1; 0 where there is none
	Magic    string // the first line of a cell that begins with %%name, such as %%bash; Go is empty then
	Body     string // what follows it
}

// packageClause matches a package clause that has its line to itself, perhaps with a comment.
var packageClause = regexp.MustCompile(`^package\s+[\pL_][\pL\pN_]*\s*;?\s*(//.*)?$`)

// Split takes the special lines out of a cell. A line is special when its
// first character that is not white space is % or !, outside brackets, raw
// strings and comments. A line that begins with //gonb: is read without that
// prefix. A special line that ends in a backslash goes on in the next.
//
//	%env A=1            1: %env A=1
//	!ls \               2: !ls -l
//	  -l
//	s := `
//	%list               no command: inside a raw string
//	`
//
// In the Go text the first three lines are empty, and the others as they were.
//
// The line %% (or %main) begins what GoNB runs as main; here it is only a
// command, since every statement runs. A package clause, which GoNB ignores so
// that a cell can be a file too, is blank in Go.
func Split(code string) Cell {
	var c Cell
	// A cell of another kind is known by its first line alone; %% followed by space is the
	// command.
	first := strings.TrimPrefix(strings.TrimSpace(code), prefix)
	if name, ok := strings.CutPrefix(first, "%%"); ok && name != "" && !strings.ContainsRune(" \t\r\n", rune(name[0])) {
		c.Magic, c.Body, _ = strings.Cut(strings.TrimLeft(code, " \t\r\n"), "\n")
		c.Magic = strings.TrimPrefix(strings.TrimSpace(c.Magic), prefix)
		return c
	}
	lines := strings.SplitAfter(code, "\n")
	var out strings.Builder
	// Not go/scanner, which wants the text of the whole cell: a command such as !echo it's
	// would open a literal that swallows the lines below. Whether a line is a command depends
	// on the Go lines above it, so both are found out line by line.
	var lex lexer
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		text, special := "", false
		if lex.top() {
			text, special = specialLine(line)
		}
		if !special {
			// A comment of several lines that begins behind the clause would not match.
			if lex.top() && packageClause.MatchString(strings.TrimSpace(line)) {
				blank(&out, line)
				continue
			}
			lex.line(line)
			out.WriteString(line)
			continue
		}
		// Line is that of its beginning, also of a command of several lines.
		cmd := Command{Line: i + 1}
		blank(&out, line)
		// Each continued line may have the prefix again, as a comment of a Go file has its
		// slashes.
		for strings.HasSuffix(text, "\\") && i+1 < len(lines) {
			i++
			blank(&out, lines[i])
			text = strings.TrimRight(strings.TrimSuffix(text, "\\"), " \t") + " " + strings.TrimPrefix(strings.TrimSpace(lines[i]), prefix)
		}
		cmd.Text = text
		c.Commands = append(c.Commands, cmd)
		if name, _, _ := strings.Cut(text, " "); name == "%%" || name == "%main" {
			// Of several, the last counts.
			c.Main = cmd.Line
		}
	}
	c.Go = out.String()
	return c
}

// prefix may stand before a special line, so that other tools take it for a
// comment.
const prefix = "//gonb:"

// specialLine returns a line without the prefix and space around it, and whether it is
// special. A line that begins with != is left to Go, which explains what is wrong with it.
func specialLine(line string) (text string, ok bool) {
	text = strings.TrimSpace(line)
	text = strings.TrimPrefix(text, prefix)
	if text == "" {
		return "", false
	}
	return text, text[0] == '%' || text[0] == '!' && !strings.HasPrefix(text, "!=")
}

// blank writes a line without its text, but with its line break, if it has one.
func blank(out *strings.Builder, line string) {
	if strings.HasSuffix(line, "\n") {
		out.WriteByte('\n')
	}
}

// A lexer follows Go text line by line, as far as brackets, strings and
// comments go.
//
// It need not find what is wrong: all it must know is whether a line begins inside of
// something.
type lexer struct {
	depth   int  // open brackets of all kinds; below 0 after too many closing ones
	raw     bool // inside `…`
	comment bool // inside /* … */
}

// top reports whether the next line begins outside of everything. After a closing bracket too
// many it still does, so that a slip does not turn all commands below into Go.
func (l *lexer) top() bool { return l.depth <= 0 && !l.raw && !l.comment }

// line takes in one line of Go text.
func (l *lexer) line(s string) {
	for i := 0; i < len(s); i++ {
		rest := s[i:]
		switch {
		case l.raw:
			l.raw = s[i] != '`'
		case l.comment:
			if strings.HasPrefix(rest, "*/") {
				l.comment = false
				i++
			}
		// The rest is a comment, whatever brackets are in it.
		case strings.HasPrefix(rest, "//"):
			return
		case strings.HasPrefix(rest, "/*"):
			l.comment = true
			i++
		case s[i] == '`':
			l.raw = true
		case s[i] == '"' || s[i] == '\'':
			// To the quote that closes it, or to the end of the line: strings and runes end
			// there in Go, so that one that is not closed does not reach into the next line.
			q := s[i]
			for i++; i < len(s) && s[i] != q && s[i] != '\n'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case strings.IndexByte("([{", s[i]) >= 0:
			l.depth++
		case strings.IndexByte(")]}", s[i]) >= 0:
			l.depth--
		}
	}
}
