package display

import (
	"html"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
)

// HTML is markup that is shown as it is. Notebooks run it through a
// sanitiser: scripts, style sheets and SVG are dropped. Text that comes from
// elsewhere belongs through [Escape] first.
type HTML string

// Markdown is text in Jupyter's Markdown, mathematics between dollars
// included.
type Markdown string

// Latex is a formula, with its dollars or \begin{…}:
//
//	display.Latex(`$\nabla_\theta L$`)
type Latex string

// Escape makes s safe inside HTML, also within a quoted attribute.
func Escape(s string) string { return html.EscapeString(s) }

func (h HTML) bundle() (frame.Bundle, error) {
	return frame.Bundle{Data: map[string]any{"text/html": string(h), "text/plain": plain(string(h))}}, nil
}

func (m Markdown) bundle() (frame.Bundle, error) {
	return frame.Bundle{Data: map[string]any{"text/markdown": string(m), "text/plain": string(m)}}, nil
}

func (l Latex) bundle() (frame.Bundle, error) {
	return frame.Bundle{Data: map[string]any{"text/latex": string(l), "text/plain": string(l)}}, nil
}

// plain is the text of a piece of HTML: what is between its tags.
func plain(markup string) string {
	var b strings.Builder
	for markup != "" {
		before, rest, found := strings.Cut(markup, "<")
		b.WriteString(before)
		if !found {
			break
		}
		tag, after, closed := strings.Cut(rest, ">")
		if !closed {
			b.WriteString("<" + rest) // no tag after all
			break
		}
		name := strings.ToLower(strings.TrimLeft(tag, "/"))
		for _, block := range []string{"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "table"} {
			if name == block || strings.HasPrefix(name, block+" ") || name == block+"/" {
				b.WriteByte('\n')
			}
		}
		if name == "td" || name == "th" || strings.HasPrefix(name, "td ") || strings.HasPrefix(name, "th ") {
			b.WriteByte(' ')
		}
		markup = after
	}
	var lines []string
	for line := range strings.Lines(html.UnescapeString(b.String())) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
