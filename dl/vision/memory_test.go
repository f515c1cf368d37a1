package vision_test

import (
	"testing"

	"github.com/holt-dl/holt/dl/vision"
)

func TestInMemory(t *testing.T) {
	gray := &vision.Image{C: 1, H: 2, W: 2, Pix: []uint8{0, 51, 102, 255}}
	d, err := vision.InMemory{Name: "squares", Pictures: []*vision.Image{gray, gray}, Labels: []int{1, 0}}.Open()
	if err != nil {
		t.Fatal(err)
	}
	example, err := d.Get(0)
	if err != nil {
		t.Fatal(err)
	}
	if got := example.Input.Float32s(); example.Label != 1 || got[1] != 0.2 || got[3] != 1 {
		t.Errorf("label %d, values %v", example.Label, got)
	}
	if got, want := d.String(), "squares: 2 pictures in 2 classes (0, 1)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, tt := range []struct {
		set  vision.InMemory
		want string
	}{
		{vision.InMemory{Pictures: []*vision.Image{gray}}, "vision: InMemory: pictures has 0 labels, want 1, one for each picture"},
		{vision.InMemory{Pictures: []*vision.Image{gray}, Labels: []int{2}, Classes: []string{"a", "b"}}, "vision: InMemory: picture 0 of pictures has label 2, want 0 to 1"},
		{vision.InMemory{Pictures: []*vision.Image{gray}, Labels: []int{-1}}, "vision: InMemory: picture 0 of pictures has label -1, want 0 or more"},
		{vision.InMemory{Pictures: []*vision.Image{nil}, Labels: []int{0}}, "vision: InMemory: picture 0 of pictures is nil"},
		{vision.InMemory{Pictures: []*vision.Image{{C: 3, H: 2, W: 2, Pix: make([]uint8, 4)}}, Labels: []int{0}},
			"vision: InMemory: picture 0 of pictures has 4 bytes in Pix, want C·H·W = 3·2·2 and more than none"},
	} {
		if _, err := tt.set.Open(); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
