package digits_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/dl/vision/digits"
)

func open(t testing.TB, d digits.Drawn) *vision.Images {
	t.Helper()
	images, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func TestDrawn(t *testing.T) {
	d := open(t, digits.Drawn{N: 500, Train: true})
	var _ dl.RandomDataset = d
	var counts [10]int
	for i := range d.Len() {
		p, label, err := d.Picture(i)
		if err != nil {
			t.Fatal(err)
		}
		counts[label]++
		var ink, most, edge int
		for k, v := range p.Pix {
			ink += int(v)
			most = max(most, int(v))
			if x, y := k%28, k/28; x == 0 || y == 0 || x == 27 || y == 27 {
				edge = max(edge, int(v))
			}
		}
		// A stroke is as bright as ink, covers part of the picture, and ends in it.
		if mean := ink / (28 * 28); most < 150 || mean < 8 || mean > 100 || edge > 220 {
			t.Errorf("picture %d, a %d: brightest %d, mean %d, brightest at the edge %d", i, label, most, mean, edge)
		}
	}
	if counts != [10]int{50, 50, 50, 50, 50, 50, 50, 50, 50, 50} {
		t.Errorf("of each class: %v, want 50", counts)
	}
	example, err := d.Get(3)
	if err != nil || example.Input.String() == "" || dl.Shape(example.Input.Shape()).Size() != 28*28 {
		t.Errorf("Get: %v %v", example, err)
	}
	if got, want := d.String(), "drawn digits train: 500 pictures in 10 classes (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSeed checks that the settings alone say what is drawn, on any number of
// processors.
func TestSeed(t *testing.T) {
	all := func(d digits.Drawn) []byte {
		images := open(t, d)
		var pix []byte
		for i := range images.Len() {
			p, label, err := images.Picture(i)
			if err != nil {
				t.Fatal(err)
			}
			pix = append(append(pix, p.Pix...), byte(label))
		}
		return pix
	}
	first := all(digits.Drawn{N: 60, Seed: 7})
	before := runtime.GOMAXPROCS(1)
	again := all(digits.Drawn{N: 60, Seed: 7})
	runtime.GOMAXPROCS(before)
	if !bytes.Equal(first, again) {
		t.Error("the same seed drew other digits")
	}
	for _, other := range []digits.Drawn{{N: 60, Seed: 8}, {N: 60, Seed: 7, Train: true}} {
		if bytes.Equal(first, all(other)) {
			t.Errorf("%+v drew the same digits as seed 7 for testing", other)
		}
	}
}

func TestUsualNumbers(t *testing.T) {
	if train, test := open(t, digits.Drawn{Train: true}).Len(), open(t, digits.Drawn{}).Len(); train != 10_000 || test != 2_000 {
		t.Errorf("%d and %d digits, want 10000 and 2000", train, test)
	}
	_, err := digits.Drawn{N: -1}.Open()
	if want := "digits: N is -1, want the number of digits to draw, or 0 for the usual number"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		open(b, digits.Drawn{Train: true}) // 10,000
	}
}
