package vision

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Resize scales a picture with a triangle filter that widens when it shrinks
// (bilinear with antialiasing), as torchvision does with PIL pictures: bytes
// are equal to Pillow's. It works on bytes, so it comes before [ToTensor].
type Resize struct {
	Size int // the shorter side becomes this, in pixels; the other keeps the ratio
	H, W int // or both sides
}

// Apply scales the picture.
func (t Resize) Apply(img *Image, _ *rand.Rand) (*Image, error) {
	h, w := t.H, t.W
	if t.Size > 0 && h == 0 && w == 0 { // torchvision rounds the longer side down
		if img.W <= img.H {
			h, w = t.Size*img.H/img.W, t.Size
		} else {
			h, w = t.Size, t.Size*img.W/img.H
		}
	}
	if h < 1 || w < 1 || h > maxSide || w > maxSide {
		return nil, fmt.Errorf("vision: Resize: picture of %d×%d would become %d×%d, want sides of 1 to %d; set Size, or H and W", img.H, img.W, h, w, maxSide)
	}
	return img.resize("Resize", h, w)
}

// A picture of more pixels a side is refused: it would be a mistake.
const maxSide = 1 << 16

// CenterCrop cuts a window out of the middle of a picture. A picture that is
// smaller gets black edges, as in torchvision.
type CenterCrop struct {
	Size int // side of the window, in pixels; required unless H and W are given
	H, W int // sides of a window that is not square
}

// Apply cuts the window.
func (t CenterCrop) Apply(img *Image, _ *rand.Rand) (*Image, error) {
	h, w := t.H, t.W
	if t.Size != 0 {
		h, w = t.Size, t.Size
	}
	if h < 1 || w < 1 || h > maxSide || w > maxSide {
		return nil, fmt.Errorf("vision: CenterCrop: window is %d×%d, want Size of 1 to %d", h, w, maxSide)
	}
	return img.window(middle(img.H, h), middle(img.W, w), h, w, 0), nil
}

// middle is where a window of size begins in n pixels. Torchvision rounds
// half to even in a picture, and pads the smaller half first.
func middle(n, size int) int {
	if size > n {
		return -((size - n) / 2)
	}
	return int(math.RoundToEven(float64(n-size) / 2))
}

// RandomResizedCrop cuts a random window of random size and shape and scales
// it: the usual augmentation of ImageNet.
type RandomResizedCrop struct {
	Size  int        // side of the result, in pixels; required
	Scale [2]float64 // area of the window as a part of the picture's; zero means 0.08 to 1
	Ratio [2]float64 // width over height of the window; zero means 3/4 to 4/3
}

// Apply cuts and scales. The choice follows torchvision's get_params: ten
// tries, then the largest window in the middle with an allowed shape.
func (t RandomResizedCrop) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	scale, ratio := t.Scale, t.Ratio
	if scale == ([2]float64{}) {
		scale = [2]float64{0.08, 1}
	}
	if ratio == ([2]float64{}) {
		ratio = [2]float64{3. / 4, 4. / 3}
	}
	if t.Size < 1 || t.Size > maxSide || scale[0] <= 0 || scale[1] < scale[0] || ratio[0] <= 0 || ratio[1] < ratio[0] {
		return nil, fmt.Errorf("vision: RandomResizedCrop: Size is %d, Scale %v, Ratio %v, want a size of 1 to %d and rising positive ranges", t.Size, scale, ratio, maxSide)
	}
	low, high := math.Log(ratio[0]), math.Log(ratio[1])
	area := float64(img.H * img.W)
	for range 10 {
		target := area * (scale[0] + rng.Float64()*(scale[1]-scale[0]))
		r := math.Exp(low + rng.Float64()*(high-low))
		w := int(math.RoundToEven(math.Sqrt(target * r)))
		h := int(math.RoundToEven(math.Sqrt(target / r)))
		if w > 0 && w <= img.W && h > 0 && h <= img.H {
			y, x := rng.IntN(img.H-h+1), rng.IntN(img.W-w+1)
			return img.window(y, x, h, w, 0).resize("RandomResizedCrop", t.Size, t.Size)
		}
	}
	h, w := img.H, img.W
	switch whole := float64(w) / float64(h); {
	case whole < ratio[0]:
		h = int(math.RoundToEven(float64(w) / ratio[0]))
	case whole > ratio[1]:
		w = int(math.RoundToEven(float64(h) * ratio[1]))
	}
	return img.window((img.H-h)/2, (img.W-w)/2, h, w, 0).resize("RandomResizedCrop", t.Size, t.Size)
}

// resize is Pillow's Image.resize with BILINEAR for 8 bits a channel
// (libImaging/Resample.c): a horizontal pass and a vertical one, each with
// weights of 22 bits, each rounded to bytes.
func (m *Image) resize(op string, h, w int) (*Image, error) {
	if m.Pix == nil {
		return nil, fmt.Errorf("vision: %s: picture has float32 values, want bytes; put ToTensor after it", op)
	}
	out := &Image{C: m.C, H: h, W: w, Pix: m.Pix}
	rows := m.H
	if w != m.W {
		f := weights(m.W, w)
		pix := make([]uint8, m.C*rows*w)
		for y := range m.C * rows {
			f.row(pix[y*w:(y+1)*w], out.Pix[y*m.W:(y+1)*m.W])
		}
		out.Pix = pix
	}
	if h != rows {
		f := weights(rows, h)
		pix := make([]uint8, m.C*h*w)
		sum := make([]int32, w)
		for c := range m.C {
			f.columns(pix[c*h*w:(c+1)*h*w], out.Pix[c*rows*w:(c+1)*rows*w], w, sum)
		}
		out.Pix = pix
	}
	return out, nil
}

// filter holds the weights of each output pixel: those of pixel i are
// w[i*size:], for the inputs from[i] and following, n[i] of them.
type filter struct {
	size    int
	from, n []int
	w       []int32
}

const weightBits = 32 - 8 - 2 // Pillow's PRECISION_BITS

func weights(in, out int) filter {
	scale := float64(in) / float64(out)
	support := max(scale, 1) // half the width of the triangle, in input pixels
	inverse := 1 / support
	f := filter{size: int(math.Ceil(support))*2 + 1, from: make([]int, out), n: make([]int, out)}
	f.w = make([]int32, out*f.size)
	k := make([]float64, f.size)
	for i := range out {
		center := float64((float64(i) + 0.5) * scale) // rounded before the next step, also where a processor could join them
		from := max(int(center-support+0.5), 0)
		n := min(int(center+support+0.5), in) - from
		total := 0.0
		for x := range n {
			k[x] = max(0, 1-math.Abs((float64(x+from)-center+0.5)*inverse))
			total += k[x]
		}
		for x := range n {
			f.w[i*f.size+x] = int32(k[x]/total*(1<<weightBits) + 0.5)
		}
		f.from[i], f.n[i] = from, n
	}
	return f
}

// row filters one row.
func (f filter) row(dst, src []uint8) {
	for i := range dst {
		w := f.w[i*f.size : i*f.size+f.n[i]]
		in := src[f.from[i] : f.from[i]+len(w)]
		sum := int32(1 << (weightBits - 1))
		for x, b := range in {
			sum += int32(b) * w[x]
		}
		dst[i] = clip(sum)
	}
}

// columns filters every column of a plane whose rows are w bytes, row by row.
func (f filter) columns(dst, src []uint8, w int, sum []int32) {
	for i := range f.from {
		for x := range sum {
			sum[x] = 1 << (weightBits - 1)
		}
		for k := range f.n[i] {
			weight := f.w[i*f.size+k]
			for x, b := range src[(f.from[i]+k)*w:][:w] {
				sum[x] += int32(b) * weight
			}
		}
		to := dst[i*w:][:w]
		for x, s := range sum {
			to[x] = clip(s)
		}
	}
}

func clip(sum int32) uint8 { return uint8(min(max(sum>>weightBits, 0), 255)) }
