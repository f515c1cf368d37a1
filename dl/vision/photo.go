package vision

import (
	"fmt"
	"image"
	"image/color"
	"slices"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/imagefile"
)

// Photo is a picture file that was opened. It is an image.Image, so that a
// notebook shows it. Its modes are
//
//	1         black and white, one bit
//	L LA      gray, and with transparency
//	RGB RGBA  colours, and with transparency; of 16 bits a channel the upper 8
//	P         a palette
//	CMYK      inks
//	I;16      gray of 16 bits, without a sign
//	I F       gray of 32 bits: whole numbers, floating point
//
// and rarer ones that PIL has. [Photo.RGB] makes three channels of all of
// them; [Photo.Tensor] keeps the values of the wide ones.
type Photo struct {
	image.Image

	Path   string
	Format string // JPEG, PNG, GIF, WEBP, BMP, TIFF or PPM, as PIL says it
	Mode   string // of the file's pixels, as PIL says it: see below
	Width  int    // pixels
	Height int    // pixels

	// Orientation is the camera's, by Exif: 1 upright, 3 upside down, 6 and 8
	// on its side, the others mirrored. [Photo.ExifTranspose] applies it.
	Orientation int
}

// Open reads a picture file. Its format is found by its first bytes, among
// those that the program has linked: a notebook has all that are named at
// [Photo], a Go program of your own JPEG, and the others when it imports
// dl/vision/formats. Pixels are those that PIL reads. A picture of
// more than 89,478,485 pixels, the size from which Pillow warns of a bomb, is
// refused before it is decoded.
func Open(path string) (*Photo, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	src, pixels := f.other, f.mode
	if f.jpeg != nil && f.jpeg.C == 4 {
		m, err := f.inks()
		if err != nil {
			return nil, err
		}
		src, pixels = m, "CMYK"
	} else if f.jpeg != nil {
		img, err := f.decode(whole(f.size()).part)
		if err != nil {
			return nil, err
		}
		src = img.rgba()
		pixels = mode(src)
	}
	if f.format == "TIFF" && f.turn > 1 { // part of the format, which Pillow applies at once
		src, f.turn = turned(src, f.turn), 1
	}
	return &Photo{Image: src, Path: path, Format: f.format, Mode: pixels,
		Width: src.Bounds().Dx(), Height: src.Bounds().Dy(), Orientation: f.turn}, nil
}

// turned returns a picture upright; a wide one stays wide.
func turned(src image.Image, orientation int) image.Image {
	b := src.Bounds()
	w, h, at := quarter(orientation, b.Dx(), b.Dy())
	switch m := src.(type) {
	case *image.Gray16:
		out := image.NewGray16(image.Rect(0, 0, w, h))
		for i := range w * h {
			x, y := at(i%w, i/w)
			out.SetGray16(i%w, i/w, m.Gray16At(b.Min.X+x, b.Min.Y+y))
		}
		return out
	case *imagefile.Numbers:
		out := &imagefile.Numbers{W: w, H: h, Pix: make([]float32, w*h)}
		for i := range out.Pix {
			x, y := at(i%w, i/w)
			out.Pix[i] = m.Pix[y*m.W+x]
		}
		return out
	}
	return FromImage(src).upright(orientation).Image()
}

// mode is PIL's word for a decoder's pixels.
func mode(src image.Image) string {
	switch m := src.(type) {
	case *image.Gray:
		return "L"
	case *image.Gray16:
		return "I;16"
	case *image.CMYK:
		return "CMYK"
	case *image.Paletted:
		return "P"
	case *image.NRGBA, *image.NRGBA64, *image.NYCbCrA:
		return "RGBA"
	default:
		if m.ColorModel() == color.AlphaModel {
			return "A"
		}
		return "RGB"
	}
}

// asPNG gives the pixels of a PNG file the mode that its header says: image/png
// gives most kinds of transparency alike.
func asPNG(src image.Image, file []byte) (image.Image, string) {
	if len(file) < 26 {
		return src, mode(src)
	}
	const gray, colours, indexed, grayAlpha = 0, 2, 3, 4
	switch depth := file[24]; file[25] {
	case gray:
		switch depth {
		case 1:
			return src, "1"
		case 16:
			if m, ok := src.(*image.NRGBA64); ok { // one gray is transparent
				out := image.NewGray16(m.Rect)
				for i := range len(out.Pix) / 2 {
					copy(out.Pix[2*i:2*i+2], m.Pix[8*i:])
				}
				src = out
			}
			return src, "I;16"
		}
		return src, "L"
	case colours:
		return src, "RGB"
	case indexed:
		return src, "P"
	case grayAlpha:
		if depth == 8 {
			return src, "LA"
		}
	}
	return src, "RGBA"
}

// RGB returns the picture as three channels, whatever it was, as PIL's
// convert("RGB") does. Orientation is not applied.
//
// Of the wide modes I;16, I and F that cuts values off to 0 to 255, in PIL as
// here: a photograph of 16 bits becomes nearly white, and a depth map whose
// values are all below 256 stays what it is. Use [Photo.Tensor] for those.
func (p *Photo) RGB() *Image { return rgbOf(p.Image, p.Mode) }

// Tensor returns the values that the file stores as float32 [C H W], neither
// scaled nor cut off, as torchvision's pil_to_tensor does: of mode I;16 0 to
// 65535, of I and F whatever the file holds, of the others 0 to 255. C is 1
// for gray of any kind, and 3 for the rest. To train with 16 bits, give them
// to the network in a unit of your choice:
//
//	depth := photo.Tensor().Scale(1. / 1000) // millimetres to metres
//
// Whole numbers of mode I beyond 2²⁴ are rounded to float32. Orientation is
// not applied.
func (p *Photo) Tensor() *dl.Tensor {
	b := p.Bounds()
	switch m := p.Image.(type) {
	case *imagefile.Numbers:
		return dl.FromSlice(slices.Clone(m.Pix), 1, b.Dy(), b.Dx())
	case *image.Gray16:
		values := make([]float32, 0, b.Dx()*b.Dy())
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				values = append(values, float32(m.Gray16At(x, y).Y))
			}
		}
		return dl.FromSlice(values, 1, b.Dy(), b.Dx())
	}
	img := FromImage(p.Image)
	values := make([]float32, len(img.Pix))
	for i, v := range img.Pix {
		values[i] = float32(v)
	}
	return dl.FromSlice(values, img.C, img.H, img.W)
}

// ExifTranspose returns the picture as three channels, upright.
func (p *Photo) ExifTranspose() *Image { return p.RGB().upright(p.Orientation) }

// String says what the file is: "ants.jpg: JPEG picture, mode RGB, 768×512".
func (p *Photo) String() string {
	s := fmt.Sprintf("%s: %s picture, mode %s, %d×%d", p.Path, p.Format, p.Mode, p.Width, p.Height)
	if p.Orientation > 1 {
		s += fmt.Sprintf(", Exif orientation %d", p.Orientation)
	}
	return s
}

// ReadImage reads a picture file as three channels: Open and [Photo.RGB]. EXIF
// orientation is not applied, as in torchvision.
func ReadImage(path string) (*Image, error) {
	p, err := readPicture(path, false)
	if err != nil {
		return nil, err
	}
	return p.cut(whole(p.size()).part)
}
