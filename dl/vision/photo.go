package vision

import (
	"fmt"
	"image"
	"image/color"
	"strings"
)

// Photo is a picture file that was opened. It is an image.Image, so that a
// notebook shows it.
type Photo struct {
	image.Image

	Path   string
	Format string // JPEG, PNG, GIF, WEBP, BMP or TIFF, as PIL says it
	Mode   string // of the pixels, as PIL says it: L gray, RGB, RGBA, P palette, CMYK, I;16 gray of 16 bits
	Width  int    // pixels
	Height int    // pixels

	// Orientation is the camera's, by Exif: 1 upright, 3 upside down, 6 and 8
	// on its side, the others mirrored. [Photo.ExifTranspose] applies it.
	Orientation int
}

// Open reads a picture file. Its format is found by its first bytes, among
// those that the program has linked: a notebook has all that are named at
// [Photo]. JPEG is always there, with the pixels that PIL reads. A picture of
// more than 89,478,485 pixels, the size from which Pillow warns of a bomb, is
// refused before it is decoded.
func Open(path string) (*Photo, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	src := f.other
	if f.jpeg != nil {
		img, err := f.decode(whole(f.size()).part)
		if err != nil {
			return nil, err
		}
		src = img.rgba()
	}
	pixels := mode(src)
	if f.format == "tiff" && f.turn > 1 { // part of the format, which Pillow applies at once
		src, f.turn = FromImage(src).upright(f.turn).Image(), 1
	}
	return &Photo{Image: src, Path: path, Format: strings.ToUpper(f.format), Mode: pixels,
		Width: src.Bounds().Dx(), Height: src.Bounds().Dy(), Orientation: f.turn}, nil
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

// RGB returns the picture as three channels, whatever it was, as PIL's
// convert("RGB") does. Orientation is not applied.
func (p *Photo) RGB() *Image {
	return FromImage(p.Image).rgb()
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
