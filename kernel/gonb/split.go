package gonb

import "strings"

// Command is one special line of a cell.
type Command struct {
	Line int    // in the cell, from 1
	Text string // from the % or ! on; continued lines are joined
}

// Cell is a cell taken apart.
type Cell struct {
	Commands []Command
	Go       string // the cell with its commands blank: lines keep their numbers
	Magic    string // the first line of a cell that begins with %%name, such as %%bash; Go is empty then
	Body     string // what follows it
}

// Split takes the special lines out of a cell. A line is special when its
// first character that is not white space is % or !, outside brackets, raw
// strings and comments. A line that begins with //gonb: is read without that
// prefix. A special line that ends in a backslash goes on in the next.
//
// The line %% (or %main) begins what GoNB runs as main; here it is only a
// command, since every statement runs.
func Split(code string) Cell {
	var c Cell
	first := strings.TrimSpace(code)
	if name, ok := strings.CutPrefix(first, "%%"); ok && name != "" && name[0] != ' ' && name[0] != '\n' && name[0] != '\r' && name[0] != '\t' {
		c.Magic, c.Body, _ = strings.Cut(first, "\n")
		c.Magic = strings.TrimSpace(c.Magic)
		return c
	}
	lines := strings.SplitAfter(code, "\n")
	var out strings.Builder
	var lex lexer
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		text, special := "", false
		if lex.top() {
			text, special = specialLine(line)
		}
		if !special {
			lex.line(line)
			out.WriteString(line)
			continue
		}
		cmd := Command{Line: i + 1}
		blank(&out, line)
		for strings.HasSuffix(text, "\\") && i+1 < len(lines) {
			i++
			blank(&out, lines[i])
			text = strings.TrimSuffix(text, "\\") + strings.TrimSpace(lines[i])
		}
		cmd.Text = text
		c.Commands = append(c.Commands, cmd)
	}
	c.Go = out.String()
	return c
}

func specialLine(line string) (text string, ok bool) {
	text = strings.TrimSpace(line)
	text = strings.TrimPrefix(text, "//gonb:")
	if text == "" {
		return "", false
	}
	return text, text[0] == '%' || text[0] == '!' && !strings.HasPrefix(text, "!=")
}

func blank(out *strings.Builder, line string) {
	if strings.HasSuffix(line, "\n") {
		out.WriteByte('\n')
	}
}

// A lexer follows Go text line by line, as far as brackets, strings and
// comments go.
type lexer struct {
	depth   int
	raw     bool // inside `…`
	comment bool // inside /* … */
}

func (l *lexer) top() bool { return l.depth <= 0 && !l.raw && !l.comment }

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
		case strings.HasPrefix(rest, "//"):
			return
		case strings.HasPrefix(rest, "/*"):
			l.comment = true
			i++
		case s[i] == '`':
			l.raw = true
		case s[i] == '"' || s[i] == '\'':
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
