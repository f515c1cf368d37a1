package page_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/holt-dl/holt/internal/golden"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
	"github.com/holt-dl/holt/kernel/notebook/page"
)

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func write(t *testing.T, nb *ipynb.Notebook) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, nb, page.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func body(t *testing.T, nb *ipynb.Notebook) string {
	t.Helper()
	_, text, _ := strings.Cut(write(t, nb), "<main>")
	text, _, _ = strings.Cut(text, "</main>")
	return strings.ReplaceAll(text, "&#43;", "+") // of base64
}

func shows(outputs ...*ipynb.Output) *ipynb.Notebook {
	return &ipynb.Notebook{Cells: []*ipynb.Cell{{Type: ipynb.Code, Source: "x", Count: 2, Outputs: outputs}}}
}

func says(markdown string) *ipynb.Notebook {
	return &ipynb.Notebook{Cells: []*ipynb.Cell{{Type: ipynb.Markdown, Source: markdown, Attachments: map[string]any{
		"p.png": map[string]any{"image/png": pixel},
		"p.svg": map[string]any{"image/svg+xml": "<svg/>"},
	}}}}
}

func data(bundle map[string]any) *ipynb.Output {
	return &ipynb.Output{Type: ipynb.Result, Count: 2, Data: bundle, Metadata: map[string]any{"image/png": map[string]any{"width": 320, "height": 200.0}}}
}

func TestCells(t *testing.T) {
	tests := []struct {
		name     string
		nb       *ipynb.Notebook
		has, not string
	}{
		{"prompt", shows(), `<div class="prompt">[2]:</div>`, ""},
		{"code is coloured", shows(), `<span class="hl-nx">x</span>`, ""},
		{"stderr", shows(&ipynb.Output{Type: ipynb.Stream, Name: "stderr", Text: "a <b>"}), `<div class="row output stderr"><div class="prompt"></div><div class="body"><pre>a &lt;b&gt;</pre>`, ""},
		{"colours of an error", shows(&ipynb.Output{Type: ipynb.Failure, Traceback: []string{"\x1b[1;31mpanic\x1b[0m: <no>"}}), `<span class="ansi-bold ansi-fg-red">panic</span>: &lt;no&gt;`, ""},
		{"an error without a trace", shows(&ipynb.Output{Type: ipynb.Failure, ErrorName: "panic", ErrorValue: "no"}), "<pre>panic: no</pre>", ""},
		{"a progress bar shows its end", shows(&ipynb.Output{Type: ipynb.Stream, Name: "stdout", Text: "10%\r50%\r100%\nnext\r\n"}), "<pre>100%\nnext\n</pre>", "50%"},
		{"picture", shows(data(map[string]any{"image/png": pixel + "\n", "text/plain": `a "p"`})), `<img src="data:image/png;base64,` + pixel + `" alt="a &#34;p&#34;" width="320" height="200">`, "<pre>a"},
		{"no picture", shows(data(map[string]any{"image/png": `"><script>`, "text/plain": "text"})), "<pre>text</pre>", "<img"},
		{"HTML before text", shows(data(map[string]any{"text/html": "<table><tr><td style=\"text-align: left\">1</td></tr></table>", "text/plain": "one"})), `<td style="text-align: left">1</td>`, "one"},
		{"JSON", shows(data(map[string]any{"application/json": map[string]any{"a": "<b>"}})), `&#34;a&#34;: &#34;\u003cb\u003e&#34;`, ""},
		{"table of Markdown", says("| a | b |\n|---|--:|\n| 1 | 2 |"), `<th style="text-align: right">b</th>`, ""},
		{"code in Markdown", says("```go\nfunc f() {}\n```"), `<span class="hl-kd">func</span>`, ""},
		{"attachment", says("![p](attachment:p.png)"), `<img src="data:image/png;base64,` + pixel + `" alt="p"`, ""},
		{"HTML in Markdown", says("a <b>c</b> <details><summary>s</summary>d</details>"), "a <b>c</b> <details><summary>s</summary>d</details>", ""},
		{"formula", says("so $a_1 * b < *c*$ is"), `so <math display="inline"><mrow><msub><mi>a</mi><mn>1</mn></msub>`, "<em>"},
		{"formula of lines", says("$$\na_1\n= b\n$$"), `<math display="block"><mrow><msub><mi>a</mi><mn>1</mn></msub><mo>=</mo><mi>b</mi></mrow></math>`, "<em>"},
		{"lines of a formula", says(`$\begin{aligned}a &= b\end{aligned}$`), `<mtd columnalign="right" style="`, "&="},
		{"formula with an unknown command", says(`$\nosuch{a_1} * b * c$`), `<span class="math">$\nosuch{a_1} * b * c$</span>`, "<math"},
		{"formula without its end", says(`$\frac{1$`), `<span class="math">$\frac{1$</span>`, "<math"},
		{"formula as an output", shows(data(map[string]any{"text/latex": "$x^2$", "text/plain": "x²"})), `<msup><mi>x</mi><mn>2</mn></msup>`, "x²"},
		{"other LaTeX as an output", shows(data(map[string]any{"text/latex": `\begin{tabular}{l}a\end{tabular}`})), `<pre>\begin{tabular}`, "<math"},
		{"prices are no formulas", says("from $5 to $10 or 3 $ and $$"), "from $5 to $10 or 3 $ and $$", "math"},
		{"raw", &ipynb.Notebook{Cells: []*ipynb.Cell{{Type: ipynb.Raw, Source: "<i>"}}}, "<pre>&lt;i&gt;</pre>", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := body(t, tt.nb)
			if !strings.Contains(got, tt.has) || tt.not != "" && strings.Contains(got, tt.not) {
				t.Errorf("want %s, not %q, got\n%s", tt.has, tt.not, got)
			}
		})
	}
}

// The controls of display.Interact look as they do elsewhere, and do nothing.
func TestControls(t *testing.T) {
	controls := `<fieldset disabled=""><label style="display: flex; align-items: center; gap: 8px">rate` +
		`<input type="range" min="0" max="1" step="0.1" value="0.3"><output>0.3</output></label>` +
		`<label><input type="checkbox" checked=""></label><label><select><option value="0" selected="">SGD</option></select></label>` +
		`<label><input type="text" value="a"></label></fieldset>`
	nb := says("text")
	nb.Cells = append(nb.Cells, &ipynb.Cell{Type: ipynb.Code, Outputs: []*ipynb.Output{data(map[string]any{"text/html": controls})}})
	if got := write(t, nb); !strings.Contains(got, controls) {
		t.Errorf("the page has no\n%s\nit is\n%s", controls, got)
	}
}

// Whatever a notebook holds, the page has no script, no handler, no frame, no
// form, and no address but of pictures and links.
func TestNothingBecomesScript(t *testing.T) {
	attacks := []string{
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg onload=alert(1)><script>1</script></svg>`,
		`<iframe srcdoc="<script>1</script>"></iframe>`, `<a href="javascript:alert(1)">a</a>`, `<form action="//x"><button>b</button></form>`,
		`<div style="background:url(javascript:alert(1))">`, `<div style="position:fixed;top:0">`, `<style>@import 'x'</style>`,
		`<object data="data:text/html,x"></object>`, `<embed src=x>`, `<base href="//x">`, `<meta http-equiv=refresh content="0;url=//x">`,
		`</pre></main><script>alert(1)</script>`, `"><script>alert(1)</script>`, "\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07", "\x1b[31m<script>alert(1)</script>",
		`[a](javascript:alert(1))`, `![a](data:text/html;base64,PHNjcmlwdD4=)`, `<a href="data:text/html,<script>1</script>">x</a>`,
		"```\"><script>alert(1)</script>\nx\n```", "$<script>alert(1)</script>$", `$\text{<script>alert(1)</script>}$`,
		`$\text{<img src=x onerror=alert(1)>}$`, `$\href{javascript:alert(1)}{a}$`, `$\text{</math><script>alert(1)</script>}$`,
		"# <img src=x onerror=alert(1)>", `<input type="image" src=x onclick=alert(1)>`,
		`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	}
	allowed := regexp.MustCompile(`^(data:image/|https?://|mailto:|#|x$|[a-z]+\.png$)`)
	for _, text := range attacks {
		nb := says(text)
		nb.Metadata = map[string]any{"kernelspec": map[string]any{"language": text}}
		nb.Cells = append(nb.Cells, &ipynb.Cell{Type: ipynb.Code, ID: text, Source: text, Outputs: []*ipynb.Output{
			{Type: ipynb.Stream, Name: text, Text: text},
			{Type: ipynb.Failure, ErrorName: text, ErrorValue: text, Traceback: []string{text}},
			data(map[string]any{"text/html": text}), data(map[string]any{"text/markdown": text}), data(map[string]any{"text/latex": text}),
			data(map[string]any{"text/plain": text}), data(map[string]any{"image/svg+xml": text}), data(map[string]any{"image/png": text}),
			data(map[string]any{"application/json": text}), data(map[string]any{"image/png": pixel, "text/plain": text}),
			data(map[string]any{"application/javascript": text}),
		}}, &ipynb.Cell{Type: ipynb.Raw, Source: text})
		doc, err := html.Parse(strings.NewReader(write(t, nb)))
		if err != nil {
			t.Fatal(err)
		}
		styles := 0
		for n := range doc.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			switch n.Data {
			case "script", "iframe", "object", "embed", "form", "button", "base", "svg", "link":
				t.Errorf("%s: the page has an element %s", text, n.Data)
			case "math":
				if !strings.HasPrefix(text, "$") {
					t.Errorf("%s: the page has an element %s", text, n.Data)
				}
			case "style":
				styles++
			case "meta":
				for _, a := range n.Attr {
					if a.Key == "http-equiv" && a.Val != "Content-Security-Policy" {
						t.Errorf("%s: the page has a meta %s", text, a.Val)
					}
				}
			}
			for _, a := range n.Attr {
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "srcdoc", a.Key == "action":
					t.Errorf("%s: %s has %s=%q", text, n.Data, a.Key, a.Val)
				case (a.Key == "href" || a.Key == "src") && !allowed.MatchString(a.Val):
					t.Errorf("%s: %s has the address %q", text, n.Data, a.Val)
				case a.Key == "style" && (strings.Contains(a.Val, "url") || strings.Contains(a.Val, "position")):
					t.Errorf("%s: %s has the style %q", text, n.Data, a.Val)
				}
			}
		}
		if styles != 1 {
			t.Errorf("%s: the page has %d style sheets, want its own", text, styles)
		}
	}
}

func TestNoteForScripts(t *testing.T) {
	got := body(t, shows(data(map[string]any{"text/html": "<div id=plot></div><script>draw()</script>"})))
	if !strings.Contains(got, "A script of this output is left out") || strings.Contains(got, "draw()") {
		t.Error(got)
	}
}

func TestSVGIsAPicture(t *testing.T) {
	svg := `<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`
	got := body(t, shows(data(map[string]any{"image/svg+xml": svg})))
	if !strings.Contains(got, `src="data:image/svg+xml;base64,`+base64.StdEncoding.EncodeToString([]byte(svg))) {
		t.Error(got)
	}
}

func TestTitle(t *testing.T) {
	if got := write(t, says("text\n\n## The <i>title</i>")); !strings.Contains(got, "<title>The &lt;i&gt;title&lt;/i&gt;</title>") {
		t.Error(got[:500])
	}
}

func TestWrite(t *testing.T) {
	file, err := os.Open("testdata/notebook.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	nb, err := ipynb.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "notebook.html", []byte(body(t, nb)))
}

// TestFormulasAreTheSame draws formulas whose signs have several attributes.
func TestFormulasAreTheSame(t *testing.T) {
	nb := says(`$$\left(\frac{a}{b}\right) \sum_{i} (x)$$`)
	first := write(t, nb)
	for range 50 {
		if again := write(t, nb); again != first {
			t.Fatalf("drawn again it is another:\n%s\n%s", again, first)
		}
	}
}

// Whatever stands between dollars, no element comes out of it but MathML's.
func FuzzFormula(f *testing.F) {
	for _, tex := range []string{`x^2`, `\frac{a}{b}`, `\text{<b>&amp;}`, `\begin{cases}x & y\\0\end{cases}`, `\left\lfloor x`, `\color{red}x`, `\\\\{}`, "<math>"} {
		f.Add(tex)
	}
	known := map[string]bool{"html": true, "head": true, "body": true, "span": true}
	for word := range strings.FieldsSeq(`math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle mpadded mphantom msub msup
		msubsup munder mover munderover mmultiscripts mprescripts mtable mtr mtd`) {
		known[word] = true
	}
	f.Fuzz(func(t *testing.T, tex string) {
		nb := shows(data(map[string]any{"text/latex": "$" + tex + "$"}))
		_, text, _ := strings.Cut(body(t, nb), `<div class="body">`)
		doc, err := html.Parse(strings.NewReader(text[:strings.LastIndex(text, "</div></div>")]))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Type == html.ElementNode && !known[n.Data] && n.Data != "pre" {
				t.Fatalf("%q gives an element %s in %s", tex, n.Data, text)
			}
		}
	})
}
