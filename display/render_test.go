package display_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/golden"
)

// hostile is a class name that must come out as text everywhere.
const hostile = `<img src=x onerror=alert(1)>`

type point struct {
	X int
	Y float64
}
type named struct {
	Name string
	Wait time.Duration
	wait time.Duration
	Next *named
	Any  any
}
type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f °C", float64(c)) }

type broken struct{ p *int }

func (b broken) String() string { return fmt.Sprint(*b.p) }

type needsReceiver struct{ n int }

func (n *needsReceiver) String() string { return fmt.Sprint("n=", n.n) }

type page struct{}

func (page) HTML() string { return "<p>a &lt;page&gt;</p><table><tr><td>1</td><td>2</td></tr></table>" }

type drawing struct{}

func (drawing) PNG() []byte { return []byte("\x89PNG") }

type everything struct{}

func (everything) Bundle() map[string]any {
	return map[string]any{"image/jpeg": []byte("\xff\xd8"), "application/json": map[string]any{"a": 1}}
}

// tensor is the smallest thing that display takes for a tensor.
type tensor struct {
	shape  []int
	values []float32
}

func (t tensor) Shape() []int        { return t.shape }
func (t tensor) Float32s() []float32 { return t.values }

type speaking struct{ tensor }

func (speaking) String() string { return "[2] float32 cpu 1 2" }

func plainText(b frame.Bundle) string { s, _ := b.Data["text/plain"].(string); return s }

func TestRenderText(t *testing.T) {
	cycle := &named{Name: "a"}
	cycle.Next = cycle
	many := make([]int, 150)
	long := strings.Repeat("é", 400)
	var noError error
	tenth := 0.1
	var noReceiver *needsReceiver
	tests := []struct {
		name string
		v    any
		want string
	}{
		{"nil", nil, "<nil>"},
		{"nil error", noError, "<nil>"},
		{"nil pointer with a method", noReceiver, "<nil>"},
		{"number", 42, "42"},
		{"sum", tenth + 0.2, "0.30000000000000004"},
		{"float32", float32(0.1), "0.1"},
		{"NaN", math.NaN(), "NaN"},
		{"complex", 1 + 2i, "(1+2i)"},
		{"string", "two\nlines", "two\nlines"},
		{"strings", []string{"a", "b c"}, `["a" "b c"]`},
		{"bytes", []byte("hi"), "[104 105]"},
		{"nil slice", []int(nil), "[]"},
		{"cut slice", many, "[" + strings.Repeat("0 ", 100) + "… 50 more]"},
		{"long string inside", []string{long}, `["` + strings.Repeat("é", 250) + `"… 300 more bytes]`},
		{"array", [2]bool{true, false}, "[true false]"},
		{"map inside", []map[string]int{{"b": 2, "a": 1}}, `[map["a":1 "b":2]]`},
		{"map of slices", map[int][]string{10: {"x"}, 9: {"y"}}, `map[9:["y"] 10:["x"]]`},
		{"map of any", map[any]int{2: 1, "k": 2}, `map["k":2 2:1]`},
		{"struct", point{1, 2.5}, "point{X:1 Y:2.5}"},
		{"pointer", &point{1, 2.5}, "&point{X:1 Y:2.5}"},
		{"structs in a map", map[string]point{"a": {1, 2}}, `map["a":{X:1 Y:2}]`},
		{"fields with methods", named{Name: "n", Wait: time.Second, wait: time.Minute, Any: celsius(3)},
			`named{Name:"n" Wait:1s wait:1m0s Next:<nil> Any:3.0 °C}`},
		{"cycle", cycle, `&named{Name:"a" Wait:0s wait:0s Next:&named{…} Any:<nil>}`},
		{"Stringer", celsius(21.55), "21.6 °C"},
		{"duration", 1500 * time.Millisecond, "1.5s"},
		{"error", fmt.Errorf("open: %w", errors.New("no such file")), "open: no such file"},
		{"panicking method", broken{}, "<broken: its method panicked: runtime error: invalid memory address or nil pointer dereference>"},
		{"panicking method inside", []any{broken{}, 1}, "[<broken: its method panicked: runtime error: invalid memory address or nil pointer dereference> 1]"},
		{"function", strings.Repeat, "<func(string, int) string>"},
		{"channel", make(chan int), "<chan int>"},
		{"pointer to a number", new(int), "&0"},
		{"pointers inside", []*int{new(int)}, "[<*int>]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := display.Render(tt.v)
			if got := plainText(b); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if len(b.Data) != 1 {
				t.Errorf("%d representations, want text/plain alone", len(b.Data))
			}
		})
	}
}

// TestRenderBounded gives Render values that are too large to be shown whole.
func TestRenderBounded(t *testing.T) {
	deep := any(1)
	for range 10_000 {
		deep = []any{deep, deep}
	}
	wide := make([][][]string, 200)
	for i := range wide {
		wide[i] = make([][]string, 200)
		for j := range wide[i] {
			wide[i][j] = make([]string, 200)
		}
	}
	for name, v := range map[string]any{"deep": deep, "wide": wide, "string": strings.Repeat("x", 1<<24), "map": map[string]any{"a": wide, "b": wide}} {
		start := time.Now()
		s := plainText(display.Render(v))
		if len(s) > 1<<17 || time.Since(start) > time.Minute {
			t.Errorf("%s: %d bytes in %v", name, len(s), time.Since(start))
		}
		if !strings.Contains(s, "more") {
			t.Errorf("%s: does not say that something was left out: %.80s", name, s)
		}
	}
}

func TestRenderLines(t *testing.T) {
	type config struct {
		Name   string
		Layers []point
		Extra  map[string][]string
	}
	v := config{Name: "a rather long name for a network", Layers: []point{{1, 2}, {3, 4}},
		Extra: map[string][]string{"first": {strings.Repeat("a", 60), strings.Repeat("b", 60)}, "second": {"c"}}}
	golden.Check(t, "lines", []byte(plainText(display.Render(v))+"\n"))
}

func TestRenderOwn(t *testing.T) {
	b := display.Render(page{})
	if got, want := plainText(b), "a <page>\n1 2"; got != want {
		t.Errorf("text of HTML is %q, want %q", got, want)
	}
	if b := display.Render(drawing{}); b.Data["image/png"] != base64.StdEncoding.EncodeToString([]byte("\x89PNG")) || plainText(b) != "a drawing" {
		t.Errorf("a value with PNG is %v", b.Data)
	}
	b = display.Render(everything{})
	if b.Data["image/jpeg"] != "/9g=" || plainText(b) != "a everything" || fmt.Sprint(b.Data["application/json"]) != "map[a:1]" {
		t.Errorf("a value with Bundle is %v", b.Data)
	}
	given := frame.Bundle{Data: map[string]any{"text/plain": "as it is"}, DisplayID: "x"}
	if b := display.Render(given); plainText(b) != "as it is" || b.DisplayID != "x" {
		t.Errorf("a bundle became %v", b)
	}
}

func TestMarkup(t *testing.T) {
	tests := []struct {
		v          any
		mime, want string
		text       string
	}{
		{display.HTML("<b>bold</b> &amp; <i>more</i><br>next"), "text/html", "<b>bold</b> &amp; <i>more</i><br>next", "bold & more\nnext"},
		{display.HTML("1 < 2"), "text/html", "1 < 2", "1 < 2"},
		{display.Markdown("# Title"), "text/markdown", "# Title", "# Title"},
		{display.Latex("$x^2$"), "text/latex", "$x^2$", "$x^2$"},
	}
	for _, tt := range tests {
		b := display.Render(tt.v)
		if b.Data[tt.mime] != tt.want || plainText(b) != tt.text {
			t.Errorf("%v became %v, want %s %q and text %q", tt.v, b.Data, tt.mime, tt.want, tt.text)
		}
	}
	if got, want := display.Escape(hostile+`"'`), "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;"; got != want {
		t.Errorf("Escape gives %s, want %s", got, want)
	}
}

func TestTensor(t *testing.T) {
	ramp := func(n int) (v []float32) {
		for i := range n {
			v = append(v, float32(i)-float32(n)/2)
		}
		return v
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct {
		name string
		v    display.Tensor
		want string
	}{
		{"image", tensor{[]int{3, 32, 32}, ramp(3072)}, "[3 32 32] x∈[-1536, 1535] μ=-0.5 σ=887"},
		{"scalar", tensor{nil, []float32{2.5}}, "[] 2.5"},
		{"empty", tensor{[]int{0, 3}, nil}, "[0 3] empty"},
		{"not finite", tensor{[]int{200}, append(ramp(197), nan, inf, inf)}, "[200] x∈[-98.5, 97.5] μ=-0.5 σ=56.9 1 NaN 2 Inf"},
		{"only NaN", tensor{[]int{1, 1, 1}, []float32{nan}}, "[1 1 1] 1 NaN"},
		{"small", tensor{[]int{2, 3}, []float32{1, -2, 3, 0.5, 0, 1e-7}}, "[2 3] x∈[-2, 3] μ=0.417 σ=1.48\n    1    -2     3\n  0.5     0 1e-07"},
		{"its own line", speaking{tensor{[]int{2}, []float32{1, 2}}}, "[2] float32 cpu 1 2\n1 2"},
		{"values gone", tensor{[]int{2, 2}, nil}, "[2 2] empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plainText(display.Render(tt.v)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	filters := display.Render(tensor{[]int{8, 3, 5, 5}, ramp(600)})
	if got, want := plainText(filters), "[8 3 5 5] x∈[-300, 299] μ=-0.5 σ=173"; got != want || filters.Data["image/png"] == nil {
		t.Errorf("filters are %q, want %q and a picture", got, want)
	}
	large := display.Render(tensor{[]int{2, 3, 32, 32}, ramp(6144)})
	golden.Check(t, "tensor-large.html", []byte(large.Data["text/html"].(string)))
	golden.Check(t, "tensor.html", []byte(display.Render(tests[5].v).Data["text/html"].(string)))
}

func TestShowErrors(t *testing.T) {
	tests := []struct {
		name string
		v    any
		err  string
	}{
		{"no file", display.Image("no/such.png"), "display: Image: open no/such.png: no such file or directory"},
		{"no picture", display.Image("render_test.go"), "display: Image: render_test.go: image: unknown format; want a PNG or JPEG file"},
		{"two axes too many", display.Image(tensor{[]int{2, 5, 7, 9, 9}, nil}),
			"display: Image: a tensor of shape [2 5 7 9 9] is no picture; want [H W], [C H W] or [H W C] with 1, 3 or 4 channels"},
		{"a batch", display.Image(tensor{[]int{8, 3, 2, 2}, make([]float32, 96)}),
			"display: Image: a tensor of shape [8 3 2 2] is 8 pictures; use display.Grid{Of: …} for all, or take one of them"},
		{"values missing", display.Image(tensor{[]int{3, 2, 2}, make([]float32, 5)}), "display: Image: a tensor of shape [3 2 2] has 5 values, want 12"},
		{"three means", display.Picture{Of: tensor{[]int{1, 2, 2}, make([]float32, 4)}, Mean: []float32{1, 2, 3}},
			"display: Image: Mean and Std have 3 and 0 values, want 1 or 1: one for each channel"},
		{"nothing", display.Image(nil), "display: Image: Of is nil, want a file's name, an image.Image, a tensor, or rows of numbers such as a [][]float64"},
		{"a number", display.Image(3), "display: Image: Of is a int, want a file's name, an image.Image, a tensor, or rows of numbers such as a [][]float64"},
		{"no rows", display.Imshow([][]int{}), "display: Image: Of has no rows"},
		{"no columns", display.Imshow([][]int{{}, {}}), "display: Image: a tensor of shape [2 0] is no picture; want [H W], [C H W] or [H W C] with 1, 3 or 4 channels"},
		{"rows that differ", display.Imshow([][]int{{1, 2}, {3}}), "display: Image: row 1 has 1 numbers, want 2 as row 0 has"},
		{"empty grid", display.Grid{Of: []image.Image{}}, "display: Grid: there are no pictures: Of is empty"},
		{"labels missing", display.Grid{Of: tensor{[]int{2, 3, 1, 1}, make([]float32, 6)}, Labels: []string{"a"}},
			"display: Grid: Labels has 1 values, want 2: one for each picture"},
		{"scores of others", display.Grid{Of: tensor{[]int{2, 3, 1, 1}, make([]float32, 6)}, Predicted: tensor{[]int{3, 10}, make([]float32, 30)}},
			"display: Grid: Predicted has shape [3 10], want [2 K]: a row of scores for each picture"},
		{"labels of floats", display.Grid{Of: tensor{[]int{1, 3, 1, 1}, make([]float32, 3)}, Labels: []float64{1}},
			"display: Grid: Labels is a []float64, want []string, whole numbers or a tensor"},
		{"table of a number", display.Table{Rows: 3}, "display: Table: Rows is a int, want a slice, a map or a struct"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := display.Show(tt.v); err == nil || err.Error() != tt.err {
				t.Errorf("Show: got %v\nwant %s", err, tt.err)
			}
			if got := plainText(display.Render(tt.v)); got != tt.err {
				t.Errorf("Render: got %s\nwant %s", got, tt.err)
			}
		})
	}
}

func TestPixels(t *testing.T) {
	decode := func(v any) image.Image {
		t.Helper()
		b := display.Render(v)
		s, ok := b.Data["image/png"].(string)
		if !ok {
			t.Fatal(plainText(b))
		}
		m, _, err := image.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(s)))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	// Two pixels, red then blue, in each layout that stands for them.
	chw := []float32{1, 0, 0, 0, 0, 1}
	hwc := []float32{1, 0, 0, 0, 0, 1}
	bytes := []float32{255, 0, 0, 0, 0, 255}
	var normal []float32
	mean, std := []float32{0.5, 0.4, 0.3}, []float32{0.2, 0.25, 0.5}
	for i, v := range chw {
		normal = append(normal, (v-mean[i/2])/std[i/2])
	}
	pictures := map[string]any{
		"CHW":        display.Picture{Of: tensor{[]int{3, 1, 2}, chw}, Zoom: 1},
		"NCHW":       display.Picture{Of: tensor{[]int{1, 3, 1, 2}, chw}, Zoom: 1},
		"HWC":        display.Picture{Of: tensor{[]int{1, 2, 3}, hwc}, Zoom: 1, Layout: "HWC"},
		"bytes":      display.Picture{Of: tensor{[]int{3, 1, 2}, bytes}, Zoom: 1},
		"normalised": display.Picture{Of: tensor{[]int{3, 1, 2}, normal}, Zoom: 1, Mean: mean, Std: std},
	}
	for name, v := range pictures {
		m := decode(v)
		want := []color.NRGBA{{255, 0, 0, 255}, {0, 0, 255, 255}}
		n := m.Bounds().Dx() / 2
		for i := range 2 {
			if got := color.NRGBAModel.Convert(m.At(i*n, 0)); got != want[i] {
				t.Errorf("%s: pixel %d is %v, want %v", name, i, got, want[i])
			}
		}
	}
	// Zoom repeats pixels; sizes on the page are half of the PNG's.
	b := display.Render(display.Picture{Of: tensor{[]int{2, 2}, []float32{0, 1, 1, 0}}, Zoom: 5})
	if got := fmt.Sprint(b.Metadata["image/png"]); got != "map[alt:picture of 2 × 2 pixels height:10 width:10]" {
		t.Errorf("shown at %s, want 10 × 10", got)
	}
	m := decode(display.Picture{Of: tensor{[]int{2, 2}, []float32{0, 1, 1, 0}}, Zoom: 5})
	if m.Bounds().Dx() != 20 {
		t.Errorf("the PNG is %v, want 20 × 20", m.Bounds())
	}
	for y := range 20 {
		for x := range 20 {
			want := uint32(0xffff)
			if (x < 10) == (y < 10) {
				want = 0
			}
			if r, _, _, _ := m.At(x, y).RGBA(); r != want {
				t.Fatalf("pixel (%d, %d) is %x, want %x: edges must stay sharp", x, y, r, want)
			}
		}
	}
	// A large picture is shrunk to 800 on the page, 1600 in the file.
	b = display.Render(image.NewGray(image.Rect(0, 0, 4000, 1000)))
	if got := fmt.Sprint(b.Metadata["image/png"]); got != "map[alt:picture of 4000 × 1000 pixels height:200 width:800]" {
		t.Errorf("shown at %s, want 800 × 200", got)
	}
	if m := decode(image.NewGray(image.Rect(0, 0, 4000, 1000))); m.Bounds().Dx() != 1600 {
		t.Errorf("the PNG is %v, want 1600 wide", m.Bounds())
	}
	if got, want := plainText(display.Render(display.Image(tensor{[]int{3, 1, 2}, normal}))), "picture of 2 × 1 pixels; black -2.5, white 2.5"; !strings.HasPrefix(got, "picture of 2 × 1 pixels; black -2.5, white") {
		t.Errorf("text is %q, want %q", got, want)
	}
}

func TestGridText(t *testing.T) {
	of := tensor{[]int{4, 1, 2, 2}, make([]float32, 16)}
	g := display.Grid{Of: of, Labels: []int64{0, 1, 1, 7}, Classes: []string{"cat", hostile}, Columns: 2,
		Predicted: tensor{[]int{4, 2}, []float32{0.9, 0.1, 0.3, 0.7, 0.8, 0.2, 1, 0}}}
	want := "4 pictures, 2 of 4 right\ncat 90% | " + hostile + " 70%\ncat 80%, not " + hostile + " | cat 100%, not 7"
	if got := plainText(display.Render(g)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	lines := display.Grid{Of: of, Labels: []string{"a\nb", "c", "\r", "d"}}
	if got, want := plainText(display.Render(lines)), "4 pictures\na b | c |  | d"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	g.Predicted = tensor{[]int{4, 2}, []float32{5, 1, -3, 7, 8, 2, 1, 0}} // scores, not probabilities
	if got, want := plainText(display.Render(g)), "4 pictures, 2 of 4 right\ncat | "; !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s…", got, want)
	}
}

func TestTable(t *testing.T) {
	type layer struct {
		Name   string
		Params int
		Share  float32
		Note   any
	}
	layers := []layer{{"conv1", 2432, 0.0166, nil}, {hostile, 51264, 0.35, errors.New("a & b")}, {"head", 100000000, 0.6334, []int{1, 2}}}
	long := display.Render(display.Table{Rows: make([]point, 11), Max: 10}).Data["text/html"].(string)
	if want := `<tr><td colspan="2" style="text-align:left">… 1 more rows</td></tr>`; strings.Count(long, "<tr>") != 12 || !strings.Contains(long, want) || strings.HasSuffix(long, "</div>") {
		t.Errorf("a long table is %s, want 10 rows and one with %s", long, want)
	}
	golden.Check(t, "table.html", []byte(display.Render(display.Table{Rows: layers, Title: "Layers of <Net>"}).Data["text/html"].(string)))
	tests := []struct {
		name string
		v    any
		want string
	}{
		{"structs", layers, "Name                             Params   Share  Note\nconv1                              2432  0.0166\n" + hostile + "      51264    0.35  a & b\nhead                          100000000  0.6334  [1 2]"},
		{"pointers", []*point{{1, 2}, nil, {3, 4}}, "X  Y\n1  2\n\n3  4"},
		{"map", display.Table{Rows: map[string]float64{"loss": 0.31, "accuracy": 0.9}}, "key       value\naccuracy    0.9\nloss       0.31"},
		{"struct", display.Table{Rows: &point{1, 2}}, "field  value\nX          1\nY          2"},
		{"slices", display.Table{Rows: [][]any{{1, "a"}, {22}}, Head: []string{"n", "s"}}, " n  s\n 1  a\n22"},
		{"wide letters", display.Table{Rows: map[string]int{"水獺": 1, "수달 🦦": 22, "cafe\u0301": 3}, Head: []string{"otter", "n"}}, "otter     n\ncafe\u0301      3\n水獺      1\n수달 🦦  22"},
		{"maps", display.Table{Rows: []map[string]int{{"a": 1}, {"b": 2}}}, "a  b\n1\n   2"},
		{"cut", display.Table{Rows: []int{1, 2, 3}, Max: 2, Title: "T"}, "T\n1\n2\n… 1 more rows"},
		{"cut, with the last rows", display.Table{Rows: [12]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, Max: 10}, " 1\n 2\n 3\n 4\n 5\n… 2 more rows\n 8\n 9\n10\n11\n12"},
		{"long", display.Table{Rows: []string{strings.Repeat("x", 50) + "\n"}}, strings.Repeat("x", 39) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plainText(display.Render(tt.v)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestBomb opens files that claim to be enormous, or lie.
func TestBomb(t *testing.T) {
	dir := t.TempDir()
	header := func(w, h uint32) []byte {
		ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
		ihdr = append(ihdr, 8, 2, 0, 0, 0)
		file := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), ihdr...)
		return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(ihdr))
	}
	tests := []struct {
		name string
		file []byte
		err  string
	}{
		{"huge.png", header(60000, 60000), "the png picture is 60000 × 60000 pixels, want at most 67108864 altogether"},
		{"short.png", header(4, 4), "unexpected EOF"},
	}
	for _, tt := range tests {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, tt.file, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, want := plainText(display.Render(display.Image(path))), "display: Image: "+path+": "+tt.err; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestHostile puts markup into every name that data can bring.
func TestHostile(t *testing.T) {
	values := map[string]any{
		"table":        display.Table{Rows: []map[string]string{{hostile: hostile}}, Title: hostile},
		"table head":   display.Table{Rows: [][]string{{hostile}}, Head: []string{hostile}},
		"tensor":       titled{tensor{[]int{2}, []float32{1, 2}}},
		"struct table": []struct{ A string }{{hostile}},
		"error":        errors.New(hostile),
		"string":       hostile,
		"map":          map[string]string{hostile: hostile},
		"picture":      display.Image(hostile),
	}
	for name, v := range values {
		b := display.Render(v)
		if html, ok := b.Data["text/html"].(string); ok && strings.Contains(html, "<img") {
			t.Errorf("%s: markup came through: %s", name, html)
		}
		for mime := range b.Data {
			if mime != "text/html" && mime != "text/plain" && mime != "image/png" {
				t.Errorf("%s: shown as %s", name, mime)
			}
		}
	}
}

type titled struct{ tensor }

func (titled) String() string { return hostile }

// photo is a picture that says what it is; stamp one that has to be asked.
type photo struct{ image.Image }

func (photo) String() string { return "otter.jpg: JPEG picture" }

type stamp struct{}

func (stamp) Image() image.Image { return image.NewGray(image.Rect(0, 0, 3, 2)) }

func TestPictureTypes(t *testing.T) {
	for _, tt := range []struct {
		v    any
		text string
	}{
		{photo{image.NewGray(image.Rect(0, 0, 3, 2))}, "otter.jpg: JPEG picture"},
		{stamp{}, "picture of 3 × 2 pixels"},
	} {
		b := display.Render(tt.v)
		if b.Data["text/plain"] != tt.text || b.Data["image/png"] == nil {
			t.Errorf("%T is shown as %v, want a picture and %q", tt.v, b.Data["text/plain"], tt.text)
		}
	}
}

// A list that says what it is needs no table, and times in one are short.
type fleet []struct{ Name string }

func (fleet) String() string { return "two boats" }

func TestTableOrText(t *testing.T) {
	if got := plainText(display.Render(fleet{{"a"}, {"b"}})); got != "two boats" {
		t.Errorf("shown as %q", got)
	}
	if got := plainText(display.Render(display.Table{Rows: [][]any{{1, 428743830 * time.Nanosecond}}})); got != "1  429ms" {
		t.Errorf("shown as %q", got)
	}
}
