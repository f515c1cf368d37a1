package vision

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"slices"
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
// [Photo]. A picture of more than 89,478,485 pixels, the size from which
// Pillow warns of a bomb, is refused before it is decoded.
func Open(path string) (photo *Photo, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	defer f.Close()
	defer func() {
		if r := recover(); r != nil { // decoders have met hostile files before
			photo, err = nil, fmt.Errorf("vision: %s: the decoder panics: %v", path, r)
		}
	}()
	r := bufio.NewReaderSize(f, 64<<10)
	config, format, err := image.DecodeConfig(r)
	if err == image.ErrFormat {
		return nil, fmt.Errorf("vision: %s: its format is not known; a program reads those it imports, such as image/jpeg", path)
	}
	if err != nil {
		return nil, fmt.Errorf("vision: %s: %w", path, err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		return nil, fmt.Errorf("vision: %s: picture is %d×%d, want at most %s pixels", path, config.Height, config.Width, thousands(maxPixels))
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	turn := orientation(f)
	if _, err := f.Seek(0, 0); err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	r.Reset(f)
	src, _, err := image.Decode(r)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("vision: %s: the file is cut off (%w); bring it again, or leave it out with the loader's SkipErrors", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("vision: %s: %w", path, err)
	}
	pixels := mode(src)
	if format == "tiff" && turn > 1 { // part of the format, which Pillow applies at once
		src, turn = FromImage(src).upright(turn).Image(), 1
	}
	return &Photo{Image: src, Path: path, Format: strings.ToUpper(format), Mode: pixels,
		Width: src.Bounds().Dx(), Height: src.Bounds().Dy(), Orientation: turn}, nil
}

const maxPixels = 89_478_485

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
	img := FromImage(p.Image)
	if img.C == 1 {
		img.Pix, img.C = slices.Concat(img.Pix, img.Pix, img.Pix), 3
	}
	return img
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
func ReadImage(path string) (*Image, error) { return readImage(path, false) }

func readImage(path string, upright bool) (*Image, error) {
	p, err := Open(path)
	if err != nil {
		return nil, err
	}
	if upright {
		return p.ExifTranspose(), nil
	}
	return p.RGB(), nil
}
