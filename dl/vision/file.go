package vision

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"strings"

	"github.com/holt-dl/holt/internal/filetype"
	"github.com/holt-dl/holt/internal/imagefile"
	"github.com/holt-dl/holt/internal/jpeg"
	"github.com/holt-dl/holt/internal/thousands"
)

// file is a picture file that was read. A JPEG's pixels are decoded when they
// are asked for, and then only those.
type file struct {
	path   string
	format string        // as PIL says it
	turn   int           // the camera's orientation, by Exif
	jpeg   *jpeg.Picture // or
	other  image.Image   // a format that is decoded at once
	mode   string        // of other, as PIL says it
}

const (
	maxPixels = 89_478_485
	maxFile   = 1 << 30 // bytes, which are held in memory
)

// openFile reads a file of any format that the program knows.
func openFile(path string) (pic *file, err error) {
	defer func() {
		if r := recover(); r != nil { // decoders have met hostile files before
			pic, err = nil, fmt.Errorf("vision: %s: the decoder panics: %v", path, r)
		}
	}()
	pic = &file{path: path}
	data, err := pic.read()
	if err != nil {
		return nil, err
	}
	known, err := pic.parseJPEG(data)
	if errors.Is(err, jpeg.ErrUnsupported) { // image/jpeg reads some of them
		if other := pic.decodeOther(data); other == nil {
			return pic, nil
		}
	}
	if known || err != nil {
		return pic, err
	}
	return pic, pic.decodeOther(data)
}

// read returns what the file holds.
func (f *file) read() ([]byte, error) {
	from, err := os.Open(f.path)
	if err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return nil, f.explain(err)
	}
	switch {
	case info.Mode().IsRegular() && info.Size() == 0:
		return nil, f.explain(errors.New("the file is empty, want a picture; bring it again, or leave it out with the loader's SkipErrors"))
	case info.Size() > maxFile:
		return nil, f.explain(fmt.Errorf("it has %d bytes, want at most %d", info.Size(), maxFile))
	}
	data := make([]byte, info.Size())
	n, err := io.ReadFull(from, data)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF { // it may have become shorter
		return nil, f.explain(err)
	}
	return data[:n], nil
}

// parseJPEG reports false for another format.
func (f *file) parseJPEG(data []byte) (known bool, err error) {
	if !bytes.HasPrefix(data, []byte{0xff, 0xd8}) {
		return false, nil
	}
	m, err := jpeg.Parse(data)
	if err != nil {
		return true, f.explain(err)
	}
	f.jpeg = m
	f.format, f.turn = "JPEG", orientation(data)
	return true, f.fits(f.jpeg.W, f.jpeg.H)
}

// decodeOther decodes a file with what registered at package imagefile, or else
// at package image.
func (f *file) decodeOther(data []byte) error {
	if format, ok := imagefile.Find(data[:min(len(data), imagefile.HeadSize)]); ok {
		p, err := format.Decode(data, f.fits)
		if err != nil {
			return f.explain(err)
		}
		f.format, f.other, f.mode, f.turn = format.Name, p.Image, p.Mode, orientation(data)
		return nil
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err == image.ErrFormat {
		kind, known := filetype.Of(bytes.NewReader(data), int64(len(data)), f.path)
		if known && !strings.HasSuffix(kind.Name, "picture") { // which this program has no decoder of
			return f.explain(kind.Error(f.path, "a JPEG, PNG, GIF, WebP, BMP, TIFF or PPM picture", nil))
		}
		return fmt.Errorf("vision: %s: it begins with %q, as no picture does that can be read here, want a JPEG, PNG, GIF, WebP, BMP, TIFF or PPM file; "+
			"a Go program of your own imports dl/vision/formats", f.path, data[:min(len(data), 12)])
	}
	if err != nil {
		return f.explain(err)
	}
	if err := f.fits(config.Width, config.Height); err != nil {
		return err
	}
	if f.other, _, err = image.Decode(bytes.NewReader(data)); err != nil {
		return f.explain(err)
	}
	f.format, f.mode, f.turn = strings.ToUpper(format), mode(f.other), orientation(data)
	if format == "png" {
		f.other, f.mode = asPNG(f.other, data)
	}
	return nil
}

// fits refuses pictures that are too large to be meant.
func (f *file) fits(w, h int) error {
	if w < 1 || h < 1 || w > maxPixels/h {
		return fmt.Errorf("vision: %s: picture is %d×%d, want at most %s pixels", f.path, h, w, thousands.Text(maxPixels))
	}
	return nil
}

// explain names the file in a decoder's error, which may be that of fits.
func (f *file) explain(err error) error {
	if strings.HasPrefix(err.Error(), "vision: ") {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("vision: %s: the file is cut off (%w); bring it again, or leave it out with the loader's SkipErrors", f.path, err)
	}
	return fmt.Errorf("vision: %s: %w", f.path, err)
}

func (f *file) size() (h, w int) { return f.jpeg.H, f.jpeg.W }

// cut returns a part of a JPEG as three channels.
func (f *file) cut(part image.Rectangle) (*Image, error) {
	img, err := f.decode(part)
	if err != nil {
		return nil, err
	}
	return img.rgb(), nil
}

// decode returns a part of a JPEG, with its own channels. Inks become colours.
func (f *file) decode(part image.Rectangle) (*Image, error) {
	pix, err := f.jpeg.Pixels(part)
	if err != nil {
		return nil, f.explain(err)
	}
	img := &Image{C: f.jpeg.C, H: part.Dy(), W: part.Dx(), Pix: pix}
	if img.C == 4 {
		n := img.H * img.W
		for i, black := range pix[3*n:] {
			white := 255 - black
			for c := range 3 {
				pix[c*n+i] = white - times(pix[c*n+i], white)
			}
		}
		img.C, img.Pix = 3, pix[:3*n]
	}
	return img, nil
}

// inks returns a JPEG of four components as the file has it.
func (f *file) inks() (*image.CMYK, error) {
	m := image.NewCMYK(image.Rect(0, 0, f.jpeg.W, f.jpeg.H))
	pix, err := f.jpeg.Pixels(m.Rect)
	if err != nil {
		return nil, f.explain(err)
	}
	for i := range m.Pix {
		m.Pix[i] = pix[i%4*(len(pix)/4)+i/4]
	}
	return m, nil
}

// readPicture reads a file for a data set: as three channels, and turned
// upright when asked to.
func readPicture(path string, upright bool) (picture, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	if f.jpeg == nil {
		img := rgbOf(f.other, f.mode)
		if upright || f.format == "TIFF" {
			img = img.upright(f.turn)
		}
		return img, nil
	}
	if !upright || f.turn <= 1 {
		return f, nil
	}
	img, err := f.cut(whole(f.size()).part)
	if err != nil {
		return nil, err
	}
	return img.upright(f.turn), nil
}
