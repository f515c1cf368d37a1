package display

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
)

// Sizes on the page, in pixels.
const (
	tileSide  = 96  // a smaller tile is enlarged about to this
	tileLarge = 160 // a larger one is shown smaller
	gridWidth = 860 // of all columns together
	maxTiles  = 64  // unless Max says otherwise
)

// Grid is pictures in rows and columns with labels, and with predictions in
// green where they are right and red where they are wrong.
//
//	display.Grid{Of: batch.Inputs, Labels: batch.Labels, Classes: names}
//	display.Grid{Of: batch.Inputs, Labels: batch.Labels, Predicted: model.Forward(batch.Inputs), Classes: names}
type Grid struct {
	// Of is []image.Image, []string of files' names, a slice of tensors that
	// are one picture each, a [Tensor] of shape [N C H W], [N H W C] or
	// [N H W], or a batch: a struct whose fields Inputs and Labels are tensors.
	// Of a [Loader] the first batch is shown, of [Examples] the first 24.
	Of any

	// Labels is one for each picture: []string, a slice of whole numbers, or a
	// tensor of N of them. Numbers are looked up in Classes.
	Labels any
	// Predicted is the same, or a tensor of scores of shape [N K] for K
	// classes, of which the greatest wins. Where a row of scores is
	// probabilities (not negative, sum 1) the winner's is shown too.
	Predicted any
	Classes   []string // the name of class 0, 1, …; empty shows the numbers

	Title   string
	Columns int        // 0 means as many as fit, at most 8
	Max     int        // how many pictures are shown; 0 means 64
	Worst   bool       // wrong predictions first, the surest of them on top
	Zoom    int        // as in [Picture]
	Mean    []float32  // as in [Picture]
	Std     []float32  // as in [Picture]
	Range   [2]float64 // as in [Picture]; the same for all pictures of one tensor
	Layout  string     // as in [Picture]
}

func (g Grid) bundle() (frame.Bundle, error) {
	sheet, text, err := g.sheet()
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Grid: %w", err)
	}
	if p := plotter(); p != nil {
		m, err := p.Sheet(sheet)
		if err != nil {
			return frame.Bundle{}, fmt.Errorf("display: Grid: %w", err)
		}
		return drawn(m, text)
	}
	return drawn(sheet.bare(), text)
}

// sheet lays the pictures out, and describes them in words.
func (g Grid) sheet() (Sheet, string, error) {
	g, _, err := g.read()
	if err != nil {
		return Sheet{}, "", err
	}
	if inputs, labels, ok := batchOf(g.Of); ok {
		g.Of = inputs
		if g.Labels == nil {
			g.Labels = labels
		}
	}
	all, note, err := g.images()
	if err != nil {
		return Sheet{}, "", err
	}
	total := len(all)
	labels, err := classesOf("Labels", g.Labels, total, g.Classes)
	if err != nil {
		return Sheet{}, "", err
	}
	predicted, err := classesOf("Predicted", g.Predicted, total, g.Classes)
	if err != nil {
		return Sheet{}, "", err
	}
	s := Sheet{Title: g.Title, Note: note}
	largest, right := 1, 0
	for _, i := range g.order(labels, predicted, total) {
		m, err := all[i]()
		if err != nil {
			return Sheet{}, "", fmt.Errorf("picture %d: %w", i, err)
		}
		m, width, height := fit(m, g.Zoom, tileSide, tileLarge)
		t := Tile{Picture: enlargeTo(m, width*scale, height*scale)}
		switch {
		case labels != nil && predicted != nil:
			t.Label, t.Color = predicted[i].String(), Green
			if predicted[i].name != labels[i].name {
				t.Label, t.Color = t.Label+"\nnot "+labels[i].name, Red
			}
		case predicted != nil:
			t.Label = predicted[i].String()
		case labels != nil:
			t.Label = labels[i].String()
		}
		largest = max(largest, width)
		s.Tiles = append(s.Tiles, t)
	}
	for i := 0; labels != nil && i < len(predicted); i++ {
		if labels[i].name == predicted[i].name {
			right++
		}
	}
	s.Columns = g.Columns
	if s.Columns <= 0 {
		s.Columns = max(1, min(8, gridWidth/(largest+8), len(s.Tiles)))
	}
	return s, g.text(s, total, labels != nil && predicted != nil, right), nil
}

func (g Grid) text(s Sheet, total int, judged bool, right int) string {
	var b strings.Builder
	if g.Title != "" {
		b.WriteString(g.Title + ": ")
	}
	fmt.Fprintf(&b, "%d pictures", total)
	if total == 1 {
		b.Reset()
		b.WriteString("1 picture")
	}
	if len(s.Tiles) < total {
		which := "first"
		if g.Worst {
			which = "worst"
		}
		fmt.Fprintf(&b, ", the %s %d shown", which, len(s.Tiles))
	}
	if judged {
		fmt.Fprintf(&b, ", %d of %d right", right, total)
	}
	if s.Note != "" {
		b.WriteString("; " + s.Note)
	}
	if s.Tiles[0].Label == "" {
		return b.String()
	}
	for i, t := range s.Tiles {
		b.WriteString(" | ")
		if i%s.Columns == 0 {
			b.WriteString("\n")
		}
		b.WriteString(strings.ReplaceAll(t.Label, "\n", ", "))
	}
	return strings.ReplaceAll(b.String(), " | \n", "\n")
}

// order is which pictures are shown, first to last.
func (g Grid) order(labels, predicted []class, total int) []int {
	order := make([]int, total)
	for i := range order {
		order[i] = i
	}
	if g.Worst && labels != nil && predicted != nil {
		rank := func(i int) float64 { // the surest mistake is lowest
			share := predicted[i].share
			if math.IsNaN(share) {
				share = 0
			}
			if labels[i].name != predicted[i].name {
				return -1 - share
			}
			return share
		}
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(rank(i), rank(j)) })
	}
	most := g.Max
	if most <= 0 {
		most = maxTiles
	}
	return order[:min(total, most)]
}

// images returns what makes each picture, and what must be said of them all.
func (g Grid) images() (all []func() (image.Image, error), note string, err error) {
	p := Picture{Mean: g.Mean, Std: g.Std, Range: g.Range, Layout: g.Layout}
	if t, ok := g.Of.(Tensor); ok {
		ms, note, err := p.tensor(t, false)
		for _, m := range ms {
			all = append(all, func() (image.Image, error) { return m, nil })
		}
		return all, note, err
	}
	v := reflect.ValueOf(g.Of)
	if g.Of == nil || v.Kind() != reflect.Slice {
		return nil, "", fmt.Errorf("Of is a %s, want []image.Image, files' names, a batch, or a tensor of shape [N C H W]", kindName(g.Of))
	}
	if v.Len() == 0 {
		return nil, "", errors.New("there are no pictures: Of is empty")
	}
	for i := range v.Len() {
		all = append(all, func() (image.Image, error) {
			p.Of = v.Index(i).Interface()
			m, _, err := p.image()
			return m, err
		})
	}
	return all, "", nil
}

// batchOf takes a batch apart: a struct whose fields Inputs and Labels are
// tensors.
func batchOf(v any) (inputs, labels Tensor, ok bool) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Struct {
		return nil, nil, false
	}
	field := func(name string) (Tensor, bool) {
		f := rv.FieldByName(name)
		if !f.IsValid() || !f.CanInterface() {
			return nil, false
		}
		t, ok := f.Interface().(Tensor)
		return t, ok && !isNil(t)
	}
	if inputs, ok = field("Inputs"); !ok {
		return nil, nil, false
	}
	if labels, ok = field("Labels"); !ok {
		return nil, nil, false
	}
	return inputs, labels, true
}

func kindName(v any) string {
	if v == nil {
		return "nil"
	}
	return typeName(reflect.TypeOf(v))
}

// bare puts the tiles together without labels, for want of fonts.
func (s Sheet) bare() image.Image {
	const gap = 4 * scale
	w, h := 0, 0
	for _, t := range s.Tiles {
		w, h = max(w, t.Picture.Bounds().Dx()), max(h, t.Picture.Bounds().Dy())
	}
	columns := max(1, min(s.Columns, len(s.Tiles)))
	rows := (len(s.Tiles) + columns - 1) / columns
	out := image.NewNRGBA(image.Rect(0, 0, columns*(w+gap)-gap, rows*(h+gap)-gap))
	for i, t := range s.Tiles {
		b := t.Picture.Bounds()
		x0, y0 := i%columns*(w+gap)+(w-b.Dx())/2, i/columns*(h+gap)+(h-b.Dy())/2
		for y := range b.Dy() {
			for x := range b.Dx() {
				out.SetNRGBA(x0+x, y0+y, at(t.Picture, b.Min.X+x, b.Min.Y+y))
			}
		}
	}
	return out
}

// class is what one picture shows, or is thought to show.
type class struct {
	name  string
	index int     // -1 where only the name is known
	share float64 // its probability; NaN where it is not known
}

func (c class) String() string {
	if math.IsNaN(c.share) {
		return c.name
	}
	return fmt.Sprintf("%s %.0f%%", c.name, 100*c.share)
}

// classesOf reads labels or predictions for n pictures, whose names are in
// classes. It returns nil for nil.
func classesOf(field string, v any, n int, classes []string) ([]class, error) {
	if v == nil || isNil(v) {
		return nil, nil
	}
	var out []class
	add := func(i int64) {
		c := class{name: fmt.Sprint(i), index: int(i), share: math.NaN()}
		if i >= 0 && int(i) < len(classes) {
			c.name = oneLine(classes[i], 80)
		}
		out = append(out, c)
	}
	if t, ok := v.(Tensor); ok {
		shape := t.Shape()
		if len(shape) == 2 && shape[1] > 1 {
			return winners(field, t, n, classes, add, &out)
		}
		for _, x := range t.Float32s() {
			add(int64(x))
		}
	} else {
		rv := reflect.ValueOf(v)
		if rv.Kind() != reflect.Slice {
			return nil, fmt.Errorf("%s is a %s, want []string, whole numbers or a tensor", field, kindName(v))
		}
		for i := range rv.Len() {
			switch e := rv.Index(i); {
			case e.Kind() == reflect.String:
				out = append(out, class{name: oneLine(e.String(), 80), index: -1, share: math.NaN()})
			case e.CanInt():
				add(e.Int())
			case e.CanUint():
				add(int64(e.Uint()))
			default:
				return nil, fmt.Errorf("%s is a %s, want []string, whole numbers or a tensor", field, kindName(v))
			}
		}
	}
	if len(out) != n {
		return nil, fmt.Errorf("%s has %d values, want %d: one for each picture", field, len(out), n)
	}
	return out, nil
}

// count is how many labels v holds.
func count(v any) int {
	if t, ok := v.(Tensor); ok && !isNil(v) {
		n := 1
		for _, d := range t.Shape() {
			n *= d
		}
		return n
	}
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Slice {
		return rv.Len()
	}
	return 0
}

// winners takes the class of the greatest score in each row.
func winners(field string, t Tensor, n int, classes []string, add func(int64), out *[]class) ([]class, error) {
	shape, scores := t.Shape(), t.Float32s()
	k := shape[1]
	if shape[0] != n || len(scores) != n*k {
		return nil, fmt.Errorf("%s has shape %v, want [%d K]: a row of scores for each picture", field, shape, n)
	}
	for row := range n {
		best, sum, least := 0, 0.0, 0.0
		for i, s := range scores[row*k : (row+1)*k] {
			if s > scores[row*k+best] {
				best = i
			}
			sum += float64(s)
			least = math.Min(least, float64(s))
		}
		add(int64(best))
		if least >= 0 && math.Abs(sum-1) < 1e-3 { // float32 probabilities of up to a thousand classes add up so well
			(*out)[row].share = float64(scores[row*k+best])
		}
	}
	return *out, nil
}
