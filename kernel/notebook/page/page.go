package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/alecthomas/chroma/v2"
	chromahtml "github.com/alecthomas/chroma/v2/formatters/html"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/alecthomas/chroma/v2/styles"

	"github.com/holt-dl/holt/kernel/notebook/ipynb"
)

// Options are the settings of a page; the zero value works.
type Options struct {
	Title string // of the page; empty means the notebook's first heading, or else "Notebook"
	Links []Link // to other pages, shown above and below the cells
}

// Link leads to another page.
type Link struct {
	Text, Address string
}

//go:embed page.html
var source string

var page = template.Must(template.New("page").Parse(source))

// view is the notebook as the template sees it.
type view struct {
	Title       string
	Links       []Link
	Light, Dark template.CSS // colours of code
	Cells       []cellView
}

type cellView struct {
	Kind    string // of the cell
	ID      string
	Prompt  string // "[3]:"
	Code    template.HTML
	Text    template.HTML // of a Markdown cell
	Raw     string        // of a raw cell
	Outputs []outputView
}

// Write writes the notebook as a page.
func Write(w io.Writer, nb *ipynb.Notebook, opt Options) error {
	v := view{Title: opt.Title, Links: opt.Links, Light: colours("github"), Dark: colours("github-dark")}
	if v.Title == "" {
		v.Title = heading(nb)
	}
	for _, c := range nb.Cells {
		cv := cellView{Kind: c.Type, ID: c.ID}
		switch c.Type {
		case ipynb.Code:
			cv.Prompt = prompt(c.Count)
			cv.Code = highlight(c.Source, language(nb, c))
			for _, o := range c.Outputs {
				cv.Outputs = append(cv.Outputs, output(o))
			}
		case ipynb.Markdown:
			cv.Text = markdown(c.Source, c.Attachments)
		default:
			cv.Raw = c.Source
		}
		v.Cells = append(v.Cells, cv)
	}
	return page.Execute(w, v)
}

func prompt(count int) string {
	if count == 0 {
		return "[ ]:"
	}
	return fmt.Sprintf("[%d]:", count)
}

// heading is the text of the first Markdown heading.
func heading(nb *ipynb.Notebook) string {
	for _, c := range nb.Cells {
		if c.Type != ipynb.Markdown {
			continue
		}
		for line := range strings.Lines(c.Source) {
			if text := strings.TrimLeft(line, "#"); text != line && strings.HasPrefix(text, " ") {
				return strings.TrimSpace(text)
			}
		}
	}
	return "Notebook"
}

// language is the name by which the highlighter knows a cell's language.
func language(nb *ipynb.Notebook, c *ipynb.Cell) string {
	if magic, ok := strings.CutPrefix(c.Source, "%%"); ok {
		for _, shell := range []string{"bash", "sh"} {
			if rest, ok := strings.CutPrefix(magic, shell); ok && (rest == "" || strings.ContainsRune(" \n", rune(rest[0]))) {
				return "bash"
			}
		}
	}
	if lang := nb.Language(); lang != "" {
		return lang
	}
	return "go"
}

// Classes of code begin so, which those of the page do not.
const prefix = "hl-"

func formatter() *chromahtml.Formatter {
	return chromahtml.New(chromahtml.WithClasses(true), chromahtml.ClassPrefix(prefix), chromahtml.WithPreWrapper(bare{}))
}

// bare leaves out the <pre> that chroma would write: it has attributes that a
// page does not need.
type bare struct{}

// Start implements chroma's PreWrapper.
func (bare) Start(bool, string) string { return "" }

// End implements chroma's PreWrapper.
func (bare) End(bool) string { return "" }

// highlight colours code. What no lexer knows stays plain text.
func highlight(code, lang string) template.HTML {
	plain := template.HTML(template.HTMLEscapeString(code))
	lexer := lexers.Get(lang)
	if lexer == nil {
		return plain
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, code)
	if err != nil {
		return plain
	}
	var b bytes.Buffer
	if err := formatter().Format(&b, styles.Fallback, tokens); err != nil {
		return plain
	}
	return template.HTML(b.String())
}

// colours is the style sheet of code in one of chroma's styles.
func colours(style string) template.CSS {
	var b bytes.Buffer
	if err := formatter().WriteCSS(&b, styles.Get(style)); err != nil {
		panic(err) // a buffer takes everything
	}
	return template.CSS(b.String())
}
