package vision_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/internal/limit"
)

// TestCutAndFlipped opens a picture of each format, cut at each 64th byte and
// with each of its first bits turned: an error that names the file, or a
// picture of a size that its bytes can have, in the memory that the largest
// allowed picture takes, and its garbage.
func TestCutAndFlipped(t *testing.T) {
	if !limit.Memory(t, 2<<30) {
		return
	}
	path := filepath.Join(t.TempDir(), "otter")
	open := func(content []byte) (*vision.Photo, error) {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return vision.Open(path)
	}
	seen := map[string]bool{}
	for _, p := range photos(t) {
		if seen[p.Format+p.Mode] {
			continue
		}
		seen[p.Format+p.Mode] = true
		for size := 0; size < len(p.File); size += 64 {
			if photo, err := open(p.File[:size]); err != nil && !strings.HasPrefix(err.Error(), "vision: "+path) {
				t.Errorf("%s of %d bytes: %v", p.Format, size, err)
			} else if err == nil && size < len(p.File)/2 {
				t.Errorf("%s of %d of %d bytes is %v, want an error", p.Format, size, len(p.File), photo)
			}
		}
		for at := range min(len(p.File), 128) {
			for bit := range 8 {
				b := bytes.Clone(p.File)
				b[at] ^= 1 << bit
				photo, err := open(b)
				if err == nil && photo.Width*photo.Height > 1<<26 {
					t.Errorf("%s: with bit %d of byte %d turned it is %v", p.Format, bit, at, photo)
				} else if err != nil && !strings.HasPrefix(err.Error(), "vision: "+path) {
					t.Errorf("%s: %v", p.Format, err)
				}
			}
		}
	}
	if len(seen) < 6 {
		t.Errorf("formats are %v", seen)
	}
}

// TestPictureBombs opens small files that would become large.
func TestPictureBombs(t *testing.T) {
	if !limit.Memory(t, 256<<20) {
		return
	}
	chunk := func(kind string, body []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		b = append(append(b, kind...), body...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	squeeze := func(n int) []byte { // n zeros
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		zeros := make([]byte, 1<<20)
		for ; n > 0; n -= len(zeros) {
			w.Write(zeros[:min(n, len(zeros))])
		}
		w.Close()
		return b.Bytes()
	}
	side := func(w, h uint32, depth, kind byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, w)
		b = binary.BigEndian.AppendUint32(b, h)
		return chunk("IHDR", append(b, depth, kind, 0, 0, 0))
	}
	png := func(parts ...[]byte) []byte {
		return append([]byte("\x89PNG\r\n\x1a\n"), bytes.Join(append(parts, chunk("IEND", nil)), nil)...)
	}
	tiff := func(w, h uint32, data []byte) []byte {
		b := append([]byte("II*\x00"), 8, 0, 0, 0)
		entries := [][3]uint32{{256, 4, w}, {257, 4, h}, {258, 3, 8}, {259, 3, 8}, {262, 3, 1}, {273, 4, 0}, {277, 3, 1}, {278, 4, h}, {279, 4, uint32(len(data))}}
		start := 8 + 2 + 12*len(entries) + 4
		b = binary.LittleEndian.AppendUint16(b, uint16(len(entries)))
		for _, e := range entries {
			if e[0] == 273 {
				e[2] = uint32(start)
			}
			b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
			b = binary.LittleEndian.AppendUint16(b, uint16(e[1]))
			b = binary.LittleEndian.AppendUint32(b, 1)
			b = binary.LittleEndian.AppendUint32(b, e[2])
		}
		return append(append(b, 0, 0, 0, 0), data...)
	}
	frames := func() []byte {
		m := image.NewPaletted(image.Rect(0, 0, 100, 100), color.Palette{color.Black, color.White})
		g := &gif.GIF{}
		for range 5000 {
			g.Image, g.Delay = append(g.Image, m), append(g.Delay, 0)
		}
		var b bytes.Buffer
		if err := gif.EncodeAll(&b, g); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	bomb := squeeze(300 << 20)
	for name, tt := range map[string]struct {
		file []byte
		err  string // "" where the picture is good and the rest is not read
	}{
		"a PNG of 4·10⁹ sides":       {png(side(0xffff_fff0, 0x7fff_ffff, 8, 6), chunk("IDAT", squeeze(10))), ""},
		"a PNG of 65535 sides":       {png(side(65535, 65535, 16, 6), chunk("IDAT", squeeze(10))), "picture is 65535×65535, want at most 89,478,485 pixels"},
		"a PNG that grows to 300 MB": {png(side(1, 1, 8, 0), chunk("IDAT", bomb)), ""},
		"a PNG whose text does":      {png(side(1, 1, 8, 0), chunk("zTXt", append([]byte("a\x00\x00"), bomb...)), chunk("IDAT", squeeze(2))), ""},
		"a TIFF of 65535 sides":      {tiff(65535, 65535, squeeze(10)), "picture is 65535×65535, want at most"},
		"a TIFF that grows":          {tiff(8, 8, bomb), ""},
		"a GIF of 5,000 frames":      {frames(), ""},
		"a BMP of 2³¹ sides":         {append([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\x00\x18\x00"), make([]byte, 24)...), "want at most 89,478,485 pixels"},
		"a JPEG of 65500 sides":      {[]byte("\xff\xd8\xff\xc0\x00\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00\x00\xff\xd9"), "picture is 65500×65500, want at most"},
		"a progressive one":          {[]byte("\xff\xd8\xff\xc2\x00\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00\x00\xff\xd9"), "picture is 65500×65500, want at most"},
	} {
		path := filepath.Join(t.TempDir(), "bomb")
		if err := os.WriteFile(path, tt.file, 0o644); err != nil {
			t.Fatal(err)
		}
		photo, err := vision.Open(path)
		if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %v, %v, want %s", name, photo, err, tt.err)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "vision: "+path) || len(err.Error()) > 500) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// FuzzCIFAR100 reads hostile records and names of classes.
func FuzzCIFAR100(f *testing.F) {
	names := strings.Repeat("otter\n", 100)
	f.Add([]byte{0, 99}, names)
	f.Add([]byte{20, 100}, names)
	f.Add([]byte{0, 0}, "\x00\xff")
	f.Fuzz(func(t *testing.T, head []byte, names string) {
		t.Setenv("HOLT_DATA", "")
		root := t.TempDir()
		b := make([]byte, 3074*10_000)
		copy(b, head)
		write(t, root, "cifar-100-binary/test.bin", b)
		write(t, root, "cifar-100-binary/fine_label_names.txt", []byte(names))
		d, err := vision.CIFAR100{Root: root}.Open()
		if err != nil {
			return
		}
		for i := 0; i < d.Len(); i += 997 {
			if e, err := d.Get(i); err != nil || e.Label < 0 || e.Label >= len(d.Classes) {
				t.Errorf("example %d: %v, %v", i, e, err)
			}
		}
	})
}

// FuzzLabel reads any bytes as the label of a picture.
func FuzzLabel(f *testing.F) {
	f.Add([]byte("ants\n"))
	f.Add([]byte("\ufeff bees \r\nmore"))
	f.Add(bytes.Repeat([]byte("a"), 2000))
	f.Fuzz(func(t *testing.T, text []byte) {
		root := t.TempDir()
		write(t, root, "image/a.png", []byte{})
		write(t, root, "label/a.txt", text)
		d, err := vision.LabelFolder{Images: filepath.Join(root, "image"), Labels: filepath.Join(root, "label")}.Open()
		if err != nil {
			return
		}
		if c := d.Classes; len(c) != 1 || c[0] == "" || strings.ContainsAny(c[0], "\n") || len(c[0]) > 1024 {
			t.Errorf("classes are %q", fmt.Sprint(c))
		}
	})
}
