package vision_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/vision"
)

// sweepPicture is the picture of testdata/ref/sweep.py.
func sweepPicture(h, w int) *vision.Image {
	m := &vision.Image{C: 3, H: h, W: w, Pix: make([]uint8, 3*h*w)}
	i := 0
	for c := range 3 {
		for y := range h {
			for x := range w {
				m.Pix[i] = uint8(((x * (5 + c)) ^ (y * (3 + 2*c))) + x*y/(7+c) + (x*7919+y*104729+c*1299709)%23)
				i++
			}
		}
	}
	return m
}

// Many sizes and settings give torchvision's bytes, and after ToTensor and
// Normalize its float32 values to the last bit.
func TestSweepEqualsTorchvision(t *testing.T) {
	data, err := os.ReadFile("testdata/ref/sweep.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		By   string
		Rows []struct {
			Name string
			H, W int
			Args []float64
			Out  []int
			Sum  string
		}
	}
	if err := json.Unmarshal(data, &ref); err != nil || len(ref.Rows) < 543 {
		t.Fatalf("%d rows, %v; want at least 543", len(ref.Rows), err)
	}
	differ := map[string]int{}
	for _, row := range ref.Rows {
		n := make([]int, len(row.Args))
		floats := make([]float32, len(row.Args))
		for i, v := range row.Args {
			n[i], floats[i] = int(v), float32(v)
		}
		in := sweepPicture(row.H, row.W)
		apply := func(tf ...vision.Transform) (*vision.Image, error) {
			return vision.Compose(tf...).Apply(in, rand.New(rand.NewPCG(1, 1)))
		}
		var out *vision.Image
		name, mode, _ := strings.Cut(row.Name, " ")
		switch name {
		case "Resize":
			out, err = apply(vision.Resize{H: n[0], W: n[1]})
		case "Size":
			out, err = apply(vision.Resize{Size: n[0]})
		case "ResizedCrop":
			out, err = vision.ResizedCrop(in, n[0], n[1], n[2], n[3], n[4])
		case "ResizeCrop":
			out, err = vision.ResizeCrop(in, n[0], n[1], n[2], n[3], n[4], n[5])
		case "CenterCrop":
			out, err = apply(vision.CenterCrop{Size: n[0]})
		case "Pad":
			pad := vision.Pad{Left: n[0], Top: n[1], Right: n[2], Bottom: n[3], Mode: vision.PadMode(mode)}
			if mode == "constant" {
				pad.Fill = 7
			}
			out, err = apply(pad)
		case "Brighten":
			out = vision.Brighten(in, row.Args[0])
		case "Contrast":
			out = vision.Contrast(in, row.Args[0])
		case "Saturate":
			out = vision.Saturate(in, row.Args[0])
		case "TurnHue":
			out = vision.TurnHue(in, row.Args[0])
		case "Rotate":
			out = vision.Rotate(in, row.Args[0])
		case "Grayscale":
			out, err = apply(vision.Grayscale{Channels: n[0]})
		case "ToTensor":
			out, err = apply(vision.ToTensor{})
		case "Normalize":
			out, err = apply(vision.ToTensor{}, vision.Normalize{Mean: floats[:3], Std: floats[3:]})
		default:
			t.Fatalf("sweep.json has a row %s", row.Name)
		}
		if err != nil {
			t.Errorf("%s%v of %d×%d: %v", row.Name, row.Args, row.H, row.W, err)
			continue
		}
		b := slices.Clone(out.Pix)
		for _, v := range out.Values {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		sum := sha256.Sum256(b)
		if got := hex.EncodeToString(sum[:16]); got != row.Sum || !slices.Equal(row.Out, []int{out.C, out.H, out.W}) {
			differ[row.Name]++
			t.Errorf("%s%v of %d×%d is %v, want %v and %s's bytes", row.Name, row.Args, row.H, row.W, out, row.Out, ref.By)
		}
	}
	if len(differ) > 0 {
		t.Logf("differ: %v of %d", differ, len(ref.Rows))
	}
}
