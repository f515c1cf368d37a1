package vision_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl/vision"
)

// Transforms side by side give what they give one after the other, for a
// picture in memory and for one in a file, which is decoded in part.
func TestViewsEqualOneByOne(t *testing.T) {
	crop, flip := vision.RandomCrop{Size: 24}, vision.RandomHorizontalFlip{}
	mean, std := []float32{0.485, 0.456, 0.406}, []float32{0.229, 0.224, 0.225}
	chains := [][]vision.Transform{
		{},
		{crop},
		{vision.Resize{Size: 32}, crop, vision.RandomHorizontalFlip{}, vision.ToTensor{}, vision.Normalize{Mean: mean, Std: std}},
		{vision.Resize{Size: 32}, vision.CenterCrop{Size: 25}},
		{vision.Resize{Size: 20}, vision.CenterCrop{Size: 25}},
		{vision.Resize{H: 100, W: 90}, crop, crop},
		{vision.Resize{H: 41, W: 40}, crop},
		{vision.Resize{H: 40, W: 59}, crop},
		{vision.Resize{H: 2, W: 200}, vision.RandomCrop{H: 1, W: 1}},
		{vision.Resize{Size: 32}, vision.Resize{Size: 28}, crop},
		{vision.RandomCrop{H: 30, W: 40}, vision.Resize{Size: 29}, crop},
		{vision.RandomCrop{Size: 50, Padding: 7}, vision.Resize{Size: 30}, crop},
		{vision.RandomResizedCrop{Size: 24}, vision.CenterCrop{Size: 20}, vision.ToTensor{}},
		{vision.CenterCrop{Size: 33}, vision.RandomResizedCrop{Size: 24}, vision.RandomResizedCrop{Size: 20}},
		{vision.ColorJitter{Hue: 0.2}, vision.Resize{Size: 32}, crop, vision.ToTensor{}, crop, vision.Normalize{Mean: mean[:1], Std: std[:1]}},
		{flip, vision.Resize{Size: 32}, crop},
		{vision.Resize{Size: 32}, flip, crop, flip, crop},
		{vision.Resize{H: 40, W: 41}, flip, crop},
		{vision.Resize{H: 41, W: 40}, crop, flip},
		{crop, flip, vision.RandomCrop{Size: 20}},
		{vision.RandomResizedCrop{Size: 24}, flip},
		{vision.ToTensor{}, flip, crop, flip},
		{vision.Compose(vision.Resize{Size: 32}, crop), crop},
	}
	root := t.TempDir()
	for i, size := range [][2]int{{41, 59}, {64, 41}, {100, 100}} {
		src := image.NewRGBA(image.Rect(0, 0, size[1], size[0]))
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		for k := range src.Pix {
			src.Pix[k] = uint8(k/40 + rng.IntN(60))
			if k%4 == 3 {
				src.Pix[k] = 255
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, src, nil); err != nil {
			t.Fatal(err)
		}
		write(t, root, fmt.Sprintf("all/%d.jpg", i), b.Bytes())
	}
	for k, c := range chains {
		d, err := vision.ImageFolder{Root: root, Transform: vision.Compose(c...)}.Open()
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.Len() {
			for seed := range uint64(8) {
				img, _, err := d.Picture(i)
				if err != nil {
					t.Fatal(err)
				}
				rng := rand.New(rand.NewPCG(seed, 7))
				inMemory, err := d.Transform.Apply(img, rand.New(rand.NewPCG(seed, 7)))
				if err != nil {
					t.Fatal(err)
				}
				inFile, err := d.GetRand(i, rand.New(rand.NewPCG(seed, 7)))
				if err != nil {
					t.Fatal(err)
				}
				for _, one := range c {
					if img, err = one.Apply(img, rng); err != nil {
						t.Fatal(err)
					}
				}
				if !slices.Equal(inMemory.Pix, img.Pix) || !slices.Equal(inMemory.Values, img.Values) {
					t.Errorf("chain %d, picture %d, seed %d: %v, and one by one %v", k, i, seed, inMemory, img)
				}
				if !slices.Equal(inFile.Input.Float32s(), img.Tensor().Float32s()) {
					t.Errorf("chain %d, picture %d, seed %d: from the file it differs", k, i, seed)
				}
			}
		}
	}
}

// A window of a scaled picture is that part of the whole, also where the
// filter is wide or the picture small.
func TestResizeWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for range 300 {
		in := gradient(1+2*rng.IntN(2), 1+rng.IntN(70), 1+rng.IntN(70))
		for i := range in.Pix {
			in.Pix[i] = uint8(rng.Uint32())
		}
		resize := vision.Resize{H: 1 + rng.IntN(70), W: 1 + rng.IntN(70)}
		crop := vision.CenterCrop{H: 1 + rng.IntN(resize.H), W: 1 + rng.IntN(resize.W)}
		whole, err := resize.Apply(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := crop.Apply(whole, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := vision.Compose(resize, crop).Apply(in, nil)
		if err != nil || !slices.Equal(got.Pix, want.Pix) {
			t.Fatalf("%v to %+v, of which %+v: %v, %v", in, resize, crop, got, err)
		}
	}
}

// The weights of very many pixels do not add up to one exactly, and what they
// give is still at most white.
func TestResizeManyPixels(t *testing.T) {
	for _, sides := range [][2]int{{1, 60_000}, {60_000, 1}} {
		in := &vision.Image{C: 1, H: sides[0], W: sides[1], Pix: bytes.Repeat([]byte{255}, 60_000)}
		out, err := vision.Resize{H: 1, W: 1}.Apply(in, nil)
		if err != nil || !slices.Equal(out.Pix, []uint8{255}) {
			t.Errorf("white of %v became %v, %v", sides, out.Pix, err)
		}
	}
}
