package plot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/internal/frame"
)

// Names as data brings them, each an attack on a page that takes text for
// markup: in text, in an attribute, after a comment, in an unclosed tag.
var attacks = []string{
	`<img src=x onerror=alert(1)>`,
	`"><script>alert(1)</script>`,
	`' onmouseover='alert(1)`,
	`--><svg/onload=alert(1)>`,
	`</summary></details></td></table><iframe src="javascript:alert(1)">`,
	`<a href="javascript:alert(1)" data-commandlinker-command="a">&lt;b&gt;`,
	"<style>*{display:none}</style>\x00\u2028<",
}

// allowed is all the HTML that this package makes: its elements with their
// attributes. JupyterLab's sanitiser, GitHub's and nbconvert's leave these as
// they are, but for a Row's style and pictures, which GitHub's takes out.
var allowed = map[string][]string{
	"div": {"style"}, "img": {"src", "width", "height", "alt"}, "pre": nil, "table": nil, "caption": nil, "thead": nil, "tbody": nil, "tr": nil,
	"th": {"style"}, "td": {"style"}, "progress": {"value", "max"}, "details": nil, "summary": nil, "wbr": nil,
}

// showing are values of all kinds in which every name is s. The functions show
// their value by themselves.
func showing(s string) map[string]func() error {
	show := func(v any) func() error { return func() error { return display.Show(v) } }
	names := []string{s, s + "1"}
	labels := []int{0, 1, 1}
	of := tensor{shape: []int{3, 1, 2, 2}, values: make([]float32, 12)}
	scores := tensor{shape: []int{3, 2}, values: []float32{0.9, 0.1, 0.2, 0.8, 0.7, 0.3}}
	weights := tensor{shape: []int{2, 3, 3, 3}, values: make([]float32, 54)}
	matrix := tensor{shape: []int{2, 2}, values: []float32{1, -1, 0.5, 0}}
	r := &hostileRun{s, make(chan struct{})}
	close(r.done)
	finder := display.LRFinder{Title: s}
	for i := range 20 {
		finder.LR, finder.Loss = append(finder.LR, float64(i+1)), append(finder.Loss, float64(-i))
	}
	type record struct {
		Name string
		Any  any
	}
	return map[string]func() error{
		"string":           show(s),
		"error":            show(errors.New(s)),
		"map":              show(map[string]any{s: s}),
		"struct":           show(record{s, s}),
		"structs":          show([]record{{s, s}, {s, errors.New(s)}}),
		"Table":            show(display.Table{Rows: []map[string]string{{s: s}}, Title: s}),
		"Table, cut":       show(display.Table{Rows: names, Head: names[:1], Title: s, Max: 1}),
		"Tabler":           show(hostileTable(s)),
		"tensor, few":      show(spoken{matrix, s}),
		"tensor, matrix":   show(spoken{tensor{shape: []int{20, 20}, values: make([]float32, 400)}, s}),
		"tensor, filters":  show(spoken{weights, s}),
		"tensor, large":    show(spoken{tensor{shape: []int{2, 3, 64, 64}, values: make([]float32, 24576)}, s}),
		"Image":            show(display.Picture{Of: of.one(), Title: s}),
		"picture, named":   show(hostilePicture{image.NewGray(image.Rect(0, 0, 2, 2)), s}),
		"Grid":             show(display.Grid{Of: of, Labels: labels, Predicted: scores, Classes: names, Title: s}),
		"Grid, strings":    show(display.Grid{Of: of, Labels: []string{s, s, s}, Predicted: []string{s, "b", s}, Worst: true}),
		"Confusion":        show(display.Confusion{Labels: labels, Predicted: scores, Classes: names, Title: s}),
		"Report":           show(display.Report{Labels: labels, Predicted: scores, Classes: names, Title: s}),
		"ROC":              show(display.ROC{Labels: labels, Scores: scores, Classes: names, Title: s}),
		"PrecisionRecall":  show(display.PrecisionRecall{Labels: labels, Scores: scores, Classes: names, Title: s}),
		"Bars":             show(display.Bars{Of: map[string]int{s: 1}, Title: s}),
		"Bars, names":      show(display.Bars{Of: []int{1, 2}, Names: names, Title: s}),
		"Histogram":        show(display.Histogram{Of: of, Title: s}),
		"Histograms":       show(display.Histograms{Of: []display.Tensor{of}, Names: names, Title: s}),
		"Plot":             show(display.Plot(nil, map[string][]float64{s: {1, 2}})),
		"Scatter":          show(display.Scatter([]int{1, 2}, []int{1, 2}, []string{s, "b"})),
		"Row":              show(display.Row(s, display.Table{Rows: [][]any{{s}}}, display.Bar(map[string]int{s: 1}), display.Latex(s))),
		"Heatmap":          show(display.Heatmap{Of: matrix, Rows: names, Columns: names, Title: s, Numbers: true}),
		"Filters":          show(display.Filters{Of: weights, Title: s}),
		"FeatureMaps":      show(display.FeatureMaps{Of: tensor{shape: []int{3, 2, 2}, values: of.values}, Title: s}),
		"Weights":          show(display.Weights(hostileModel(s))),
		"WeightHistograms": show(display.WeightHistograms(hostileModel(s))),
		"Graph":            show(display.Graph(hostileModel(s))),
		"LRFinder":         show(finder),
		"Curves":           show(display.Curves{Of: r, Title: s, X: s}),
		"Figure":           show(display.Figure{Title: s, Panels: []display.Panel{{Title: s, X: s, Y: s, Lines: []display.Line{{Name: s, X: []float64{0, 1}, Y: []float64{0, 1}}}}}}),
		"run":              show(r),
		"Live": func() error {
			err := display.LivePlot{Title: s}.Live(r)
			frame.Flush()
			return err
		},
		"Replay": func() error { return display.LivePlot{Title: s}.Replay(r) },
		"LivePlot": func() error {
			p := display.LivePlot{Title: s, X: s}
			p.Status(s)
			p.Add(s, 0, 1)
			return p.Close()
		},
		"ProgressBar": func() error {
			b := display.ProgressBar{Title: s, Total: 2, Unit: s}
			b.Add(1)
			return b.Close()
		},
		"ShowBatch":    show(display.Grid{Of: hostileLoader{names, of}, Title: s}),
		"ShowExamples": show(display.Grid{Of: hostileSet{hostileLoader{names, of}}, Title: s}),
		"no file":      show(display.Image(s)),
		"escaped":      show(display.HTML("<div>" + display.Escape(s) + "</div>")),
		"panicked":     show(panicking(s)),
	}
}

type spoken struct {
	tensor
	line string
}

func (s spoken) String() string { return s.line }

func (t tensor) one() tensor { return tensor{shape: t.shape[1:], values: t.values[:4]} }

type hostileTable string

func (h hostileTable) Table() (head []string, rows [][]any) {
	return []string{string(h)}, [][]any{{string(h)}}
}
func (h hostileTable) Note() string { return string(h) }

type hostilePicture struct {
	image.Image
	name string
}

func (h hostilePicture) String() string { return h.name }

// hostileModel has layers and parameters of that name.
type hostileModel string

func (h hostileModel) Names() []string { return []string{string(h)} }
func (hostileModel) Param(string) tensor {
	return tensor{shape: []int{2, 2}, values: []float32{1, 2, 3, 4}}
}
func (h hostileModel) Graph() ([]display.Node, error) {
	return []display.Node{{Name: "input", Op: "Input", Shape: []int{1}}, {Name: string(h), Op: string(h), Inputs: []string{"input"}}}, nil
}

// hostileRun is a run that is over.
type hostileRun struct {
	name string
	done chan struct{}
}

func (h *hostileRun) Names() []string { return []string{h.name} }
func (h *hostileRun) Curve(string) (x, y []float64) {
	return []float64{0, 1}, []float64{1, 0.5}
}
func (h *hostileRun) Done() <-chan struct{}    { return h.done }
func (h *hostileRun) String() string           { return h.name }
func (h *hostileRun) Steps() (done, total int) { return 1, 2 }
func (h *hostileRun) XLabel() string           { return h.name }
func (h *hostileRun) Table() (head []string, rows [][]any) {
	return []string{h.name}, [][]any{{h.name}}
}

// hostileSet is a data set.
type hostileSet struct{ hostileLoader }

func (h hostileSet) First() {}

// hostileLoader is a loader and a data set.
type hostileLoader struct {
	Classes []string
	of      tensor
}
type hostileBatch struct{ Inputs, Labels tensor }
type hostileExample struct {
	Input tensor
	Label int
}

func (h hostileLoader) First() (hostileBatch, error) {
	return hostileBatch{h.of, tensor{shape: []int{3}, values: []float32{0, 1, 1}}}, nil
}
func (h hostileLoader) Len() int { return 2 }
func (h hostileLoader) Get(i int) (hostileExample, error) {
	return hostileExample{h.of.one(), i}, nil
}

type panicking string

func (p panicking) String() string { panic(string(p)) }

// bundles is all that f shows.
func bundles(t *testing.T, f func() error) (all []frame.Bundle, err error) {
	t.Helper()
	var mu sync.Mutex
	frame.SetSink(func(m frame.Message) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, *m.Bundle)
		return nil
	})
	defer frame.SetSink(nil)
	err = f()
	return all, err
}

// TestHostile shows names that are markup by every function there is, and
// reads the HTML as a browser does: there is nothing in it that the package
// did not put there. Pictures and texts hold no markup; their alternative
// texts are escaped by who writes a page, so they must only be text.
func TestHostile(t *testing.T) {
	for _, s := range attacks {
		for name, show := range showing(s) {
			all, err := bundles(t, show)
			if err != nil && name != "no file" {
				t.Errorf("%s of %q: %v", name, s, err)
			}
			if len(all) == 0 && err == nil {
				t.Errorf("%s of %q shows nothing", name, s)
			}
			for _, b := range all {
				checkBundle(t, name, s, b)
			}
		}
	}
}

func checkBundle(t *testing.T, name, s string, b frame.Bundle) {
	t.Helper()
	for mime, data := range b.Data {
		switch mime {
		case "text/html":
			checkMarkup(t, name, s, data.(string))
		case "text/plain", "image/png":
		case vegaLite:
			checkSpec(t, name, s, data)
		default:
			t.Errorf("%s of %q is shown as %s", name, s, mime)
		}
	}
	if _, ok := b.Data["text/plain"].(string); !ok {
		t.Errorf("%s of %q has no text", name, s)
	}
	for mime, v := range b.Metadata {
		for key, value := range v.(map[string]any) {
			switch value := value.(type) {
			case int:
			case string:
				if key != "alt" || strings.Contains(value, "\n") {
					t.Errorf("%s of %q: metadata of %s says %s: %q, want a line of alternative text", name, s, mime, key, value)
				}
			default:
				t.Errorf("%s of %q: metadata of %s says %s: %v", name, s, mime, key, value)
			}
		}
	}
}

const vegaLite = "application/vnd.vegalite.v5+json"

// texts are the places of a specification that are drawn as text, whatever stands there.
// All others are read as code, as addresses, or as words of the language.
var texts = regexp.MustCompile(`^(/description|(/concat/\d+)?/title(/(text|subtitle))?|/params/\d+/value/\d+|.*/title|.*/data/values/\d+/(name|line|t)|.*/color/(scale/domain/\d+))$`)

// checkSpec looks for the name s in a Vega-Lite specification where it would be more than text.
func checkSpec(t *testing.T, name, s string, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case string:
			if strings.ContainsAny(v, "<>\x00") && !texts.MatchString(path) {
				t.Errorf("%s of %q: the specification says %q at %s", name, s, v, path)
			}
		case []any:
			for i, e := range v {
				walk(fmt.Sprint(path, "/", i), e)
			}
		case map[string]any:
			for key, e := range v {
				if key == "href" || key == "url" {
					t.Errorf("%s of %q: the specification has an address: %v", name, s, e)
				}
				walk(path+"/"+key, e)
			}
		}
	}
	walk("", v)
}

// checkMarkup parses HTML as it stands inside a page.
func checkMarkup(t *testing.T, name, s, markup string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(markup))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		switch n.Type {
		case html.TextNode:
			continue
		case html.ElementNode:
		default:
			t.Errorf("%s of %q has a node of type %v: %q\n%s", name, s, n.Type, n.Data, markup)
			continue
		}
		if n.Data == "html" || n.Data == "head" || n.Data == "body" {
			continue // the parser's own
		}
		attributes, ok := allowed[n.Data]
		if !ok || n.Namespace != "" {
			t.Errorf("%s of %q has the element <%s>\n%s", name, s, n.Data, markup)
		}
		for _, a := range n.Attr {
			if a.Key == "alt" && n.Data == "img" {
				continue // a text, in which all may stand
			}
			if !slices.Contains(attributes, a.Key) || strings.ContainsAny(a.Val, `"'<>()`) || a.Key == "src" && !strings.HasPrefix(a.Val, "data:image/png;base64,") {
				t.Errorf("%s of %q has the attribute %s=%q of <%s>\n%s", name, s, a.Key, a.Val, n.Data, markup)
			}
		}
	}
}

// TestPages writes the HTML of everything above, of honest and of hostile
// names, into the file that HOLT_PAGES names: tests/sanitiser gives it to
// JupyterLab's sanitiser.
func TestPages(t *testing.T) {
	path := os.Getenv("HOLT_PAGES")
	if path == "" {
		t.Skip("HOLT_PAGES is not set: tests/sanitiser sets it")
	}
	pages := map[string]string{}
	for _, s := range append([]string{"otter & 水獺"}, attacks...) {
		values := showing(s)
		for _, name := range slices.Sorted(maps.Keys(values)) {
			all, _ := bundles(t, values[name]) // TestHostile looks at errors
			for i, b := range all {
				if markup, ok := b.Data["text/html"].(string); ok {
					pages[fmt.Sprintf("%s %d of %q", name, i, s)] = markup
				}
			}
		}
	}
	var bar display.ProgressBar // of unknown length, and a table of times
	all, _ := bundles(t, func() error {
		bar.Add(1)
		return display.Show(display.Table{Rows: [][]any{{"a", time.Second, 1.5, nil}}, Head: []string{"x"}, Title: "T"})
	})
	for i, b := range all {
		pages[fmt.Sprint("more ", i)] = b.Data["text/html"].(string)
	}
	bar.Close()
	if len(pages) < 50 {
		t.Errorf("%d pages, want at least 50", len(pages))
	}
	raw, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}
