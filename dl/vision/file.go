package vision

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"

	"github.com/holt-dl/holt/internal/jpeg"
)

// file is a picture file that was read. A JPEG's pixels are decoded when they
// are asked for, and then only those.
type file struct {
	path   string
	format string        // as package image names it
	turn   int           // the camera's orientation, by Exif
	jpeg   *jpeg.Picture // or
	other  image.Image   // a format that is decoded at once
}

const (
	maxPixels = 89_478_485
	maxFile   = 1 << 30 // bytes of a JPEG, which is held in memory
)

// openFile reads a file of any format that the program knows.
func openFile(path string) (pic *file, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	defer f.Close()
	defer func() {
		if r := recover(); r != nil { // decoders have met hostile files before
			pic, err = nil, fmt.Errorf("vision: %s: the decoder panics: %v", path, r)
		}
	}()
	pic = &file{path: path}
	if known, err := pic.readJPEG(f); known || err != nil {
		return pic, err
	}
	return pic, pic.readOther(f)
}

// readJPEG reports false for another format, and for a kind of JPEG that is
// left to image/jpeg.
func (f *file) readJPEG(from *os.File) (known bool, err error) {
	info, err := from.Stat()
	if err != nil {
		return false, f.explain(err)
	}
	start := make([]byte, 2)
	if _, err := io.ReadFull(from, start); err != nil || !bytes.Equal(start, []byte{0xff, 0xd8}) {
		return false, nil // too short for any format, which another decoder says
	}
	if info.Size() > maxFile {
		return true, f.explain(fmt.Errorf("it has %d bytes, want at most %d", info.Size(), maxFile))
	}
	data := make([]byte, max(info.Size(), 2))
	n, err := from.ReadAt(data, 0)
	if err != nil && err != io.EOF {
		return true, f.explain(err)
	}
	f.jpeg, err = jpeg.Parse(data[:n])
	if errors.Is(err, jpeg.ErrUnsupported) {
		return false, nil
	}
	if err != nil {
		return true, f.explain(err)
	}
	f.format, f.turn = "jpeg", jpegOrientation(data[2:n])
	return true, f.fits(f.jpeg.W, f.jpeg.H)
}

// readOther decodes a file with what registered at package image.
func (f *file) readOther(from *os.File) error {
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return f.explain(err)
	}
	r := bufio.NewReaderSize(from, 64<<10)
	config, format, err := image.DecodeConfig(r)
	if err == image.ErrFormat {
		begin := make([]byte, 12)
		n, _ := from.ReadAt(begin, 0)
		return fmt.Errorf("vision: %s: it begins with %q, as no picture does that can be read here, want a JPEG, PNG, GIF, WebP, BMP or TIFF file; "+
			"a Go program of your own imports image/png and the like", f.path, begin[:n])
	}
	if err != nil {
		return fmt.Errorf("vision: %s: %w", f.path, err)
	}
	if err := f.fits(config.Width, config.Height); err != nil {
		return err
	}
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return f.explain(err)
	}
	f.format, f.turn = format, orientation(from)
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return f.explain(err)
	}
	r.Reset(from)
	if f.other, _, err = image.Decode(r); err != nil {
		return f.explain(err)
	}
	return nil
}

// fits refuses pictures that are too large to be meant.
func (f *file) fits(w, h int) error {
	if w < 1 || h < 1 || w > maxPixels/h {
		return fmt.Errorf("vision: %s: picture is %d×%d, want at most %s pixels", f.path, h, w, thousands(maxPixels))
	}
	return nil
}

// explain names the file in a decoder's error.
func (f *file) explain(err error) error {
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

// decode returns a part of a JPEG, with its own channels.
func (f *file) decode(part image.Rectangle) (*Image, error) {
	pix, err := f.jpeg.Pixels(part)
	if err != nil {
		return nil, f.explain(err)
	}
	return &Image{C: f.jpeg.C, H: part.Dy(), W: part.Dx(), Pix: pix}, nil
}

// readPicture reads a file for a data set: as three channels, and turned
// upright when asked to.
func readPicture(path string, upright bool) (picture, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	if f.jpeg == nil {
		img := FromImage(f.other).rgb()
		if upright || f.format == "tiff" {
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
