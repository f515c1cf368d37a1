package page

import (
	"bytes"
	"html/template"
	"regexp"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

var converter = goldmark.New(
	goldmark.WithExtensions(extension.GFM),
	goldmark.WithParserOptions(
		parser.WithAutoHeadingID(),
		parser.WithInlineParsers(util.Prioritized(formulaParser{}, 150)), // before emphasis and links
	),
	goldmark.WithRendererOptions(
		html.WithUnsafe(), // the sanitiser judges it
		renderer.WithNodeRenderers(util.Prioritized(blocks{}, 100)),
	),
)

// markdown renders a Markdown text. Attachments are the pictures that it
// names as attachment:NAME.
func markdown(source string, attachments map[string]any) template.HTML {
	src := []byte(source)
	doc := converter.Parser().Parse(text.NewReader(src))
	ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if image, ok := n.(*ast.Image); ok && entering {
			if name, ok := strings.CutPrefix(string(image.Destination), "attachment:"); ok {
				image.Destination = attachment(name, attachments)
			}
		}
		return ast.WalkContinue, nil
	})
	var b bytes.Buffer
	if err := converter.Renderer().Render(&b, src, doc); err != nil {
		return template.HTML(template.HTMLEscapeString(source))
	}
	return template.HTML(drawFormulas(string(sanitise(b.String()))))
}

// attachment is the address of an attached picture.
func attachment(name string, attachments map[string]any) []byte {
	bundle, _ := attachments[name].(map[string]any)
	for mime, data := range bundle {
		if s, ok := data.(string); ok && pictures[mime] && mime != "image/svg+xml" {
			return []byte("data:" + mime + ";base64," + strings.Join(strings.Fields(s), ""))
		}
	}
	return nil
}

// sanitise leaves of HTML what can do nothing: no scripts, no handlers, no
// forms, no frames, no style that moves things over the page.
func sanitise(source string) template.HTML {
	return template.HTML(policy().Sanitize(source))
}

var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.UGCPolicy()
	p.AllowDataURIImages()
	p.AllowAttrs("class").Matching(bluemonday.SpaceSeparatedTokens).Globally()
	p.AllowAttrs("style").Globally()
	p.AllowStyles("text-align", "vertical-align", "color", "background-color", "background", "width", "height", "max-width",
		"font-weight", "font-style", "font-family", "font-size", "white-space", "padding", "margin", "border", "border-collapse",
		"border-radius", "display", "align-items", "gap", "flex-wrap", "opacity", "line-height", "min-width", "min-height", "overflow").MatchingHandler(harmless).Globally()
	p.AllowElements("progress", "meter", "figure", "figcaption", "section", "summary", "details", "center", "font")
	p.AllowAttrs("value", "max", "min").OnElements("progress", "meter")
	p.AllowAttrs("open").OnElements("details")
	p.AllowAttrs("color").OnElements("font")
	p.AllowAttrs("align", "valign").OnElements("td", "th", "tr", "table", "p", "div", "img", "h1", "h2", "h3")
	// Task lists have boxes, and display.Interact shows controls, which do nothing without its script.
	p.AllowNoAttrs().OnElements("fieldset", "label", "select", "option", "output")
	p.AllowAttrs("type").Matching(regexp.MustCompile("^(checkbox|range|text)$")).OnElements("input")
	p.AllowAttrs("checked", "min", "max", "step").OnElements("input")
	p.AllowAttrs("value").OnElements("input", "option")
	p.AllowAttrs("selected").OnElements("option")
	p.AllowAttrs("disabled").OnElements("input", "fieldset")
	return p
})

// harmless refuses values of styles that load something.
func harmless(value string) bool {
	value = strings.ToLower(value)
	return !strings.ContainsAny(value, `\<>@`) && !strings.Contains(value, "url") && !strings.Contains(value, "expression")
}

// blocks renders code in colours, and formulas.
type blocks struct{}

// RegisterFuncs implements goldmark's NodeRenderer.
func (blocks) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		block := n.(*ast.FencedCodeBlock)
		var code bytes.Buffer
		for i := range block.Lines().Len() {
			line := block.Lines().At(i)
			code.Write(line.Value(source))
		}
		w.WriteString(`<pre><code class="` + prefix + `chroma">`)
		w.WriteString(string(highlight(code.String(), string(block.Language(source)))))
		w.WriteString("</code></pre>\n")
		return ast.WalkSkipChildren, nil
	})
	r.Register(kindFormula, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			f := n.(*formula)
			class := "math"
			if strings.HasPrefix(f.tex, "$$") {
				class = "math display"
			}
			w.WriteString(`<span class="` + class + `">` + template.HTMLEscapeString(f.tex) + "</span>")
		}
		return ast.WalkContinue, nil
	})
}
