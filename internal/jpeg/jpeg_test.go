package jpeg_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/jpeg"
)

// reference is a file that testdata/ref/jpegs.py wrote, and the sum of the
// pixels that Pillow reads in it.
type reference struct {
	Name        string
	File        []byte
	Unsupported bool
	W, H        int
	Sum         uint32
}

func references(t testing.TB) (by string, rows []reference) {
	t.Helper()
	data, err := os.ReadFile("testdata/ref/jpegs.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		By   string
		Rows []reference
	}
	if err := json.Unmarshal(data, &ref); err != nil || len(ref.Rows) == 0 {
		t.Fatalf("%d rows, %v", len(ref.Rows), err)
	}
	return ref.By, ref.Rows
}

// file is the reference of that name.
func file(t testing.TB, name string) []byte {
	t.Helper()
	_, rows := references(t)
	i := slices.IndexFunc(rows, func(r reference) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("jpegs.json has no %q", name)
	}
	return rows[i].File
}

func decode(data []byte) (*jpeg.Picture, []byte, error) {
	p, err := jpeg.Parse(data)
	if err != nil {
		return nil, nil, err
	}
	pix, err := p.Pixels(image.Rect(0, 0, p.W, p.H))
	return p, pix, err
}

func TestPixelsEqualPillow(t *testing.T) {
	by, rows := references(t)
	for _, row := range rows {
		p, pix, err := decode(row.File)
		if row.Unsupported {
			if !errors.Is(err, jpeg.ErrUnsupported) {
				t.Errorf("%s: %v, want ErrUnsupported", row.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.Name, err)
			continue
		}
		if p.W != row.W || p.H != row.H || crc32.ChecksumIEEE(pix) != row.Sum {
			t.Errorf("%s: %d×%d, pixels differ from those of %s", row.Name, p.W, p.H, by)
		}
		windows(t, row.Name, p, pix)
	}
}

// The ants and bees: 396 photographs from many cameras and programs.
func TestHymenopteraEqualsPillow(t *testing.T) {
	const archive = "../../../shared/data/hymenoptera_data.zip"
	if _, err := os.Stat(archive); err != nil {
		t.Skip("needs the ants and bees in ../shared/data/hymenoptera_data.zip")
	}
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	sums, err := os.Open("testdata/ref/hymenoptera.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer sums.Close()
	n := 0
	for s := bufio.NewScanner(sums); s.Scan(); n++ {
		want, name, _ := strings.Cut(s.Text(), " ")
		f, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		p, pix, err := decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := fmt.Sprintf("%08x", crc32.ChecksumIEEE(pix)); got != want {
			t.Errorf("%s: sum of the pixels is %s, want Pillow's %s", name, got, want)
		}
		if n%20 == 0 {
			windows(t, name, p, pix)
		}
	}
	if n != 396 {
		t.Errorf("%d pictures, want 396", n)
	}
}

// windows compares random windows with the same part of the whole.
func windows(t *testing.T, name string, p *jpeg.Picture, whole []byte) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(p.W), uint64(p.H)))
	for range 8 {
		x, y := rng.IntN(p.W), rng.IntN(p.H)
		r := image.Rect(x, y, x+1+rng.IntN(p.W-x), y+1+rng.IntN(p.H-y))
		pix, err := p.Pixels(r)
		if err != nil {
			t.Errorf("%s: %v: %v", name, r, err)
			return
		}
		for i := range p.C * r.Dy() {
			c, y := i/r.Dy(), r.Min.Y+i%r.Dy()
			if want := whole[(c*p.H+y)*p.W+r.Min.X:][:r.Dx()]; !bytes.Equal(pix[i*r.Dx():][:r.Dx()], want) {
				t.Errorf("%s: row %d of the window %v differs from the whole picture's", name, y, r)
				return
			}
		}
	}
}

func TestWindowOutside(t *testing.T) {
	p, err := jpeg.Parse(file(t, "gray 8x8"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []image.Rectangle{image.Rect(0, 0, 9, 8), image.Rect(-1, 0, 3, 3), {}} {
		if _, err := p.Pixels(r); err == nil || !strings.HasSuffix(err.Error(), "want one inside of 8×8 pixels") {
			t.Errorf("window %v: %v", r, err)
		}
	}
}

// A file that ends early, anywhere, is said to be cut off.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"4:2:0 progressive 17x33", "4:4:4 restart each block 37x21"} {
		whole := file(t, name)
		for n := range len(whole) {
			_, _, err := decode(whole[:n])
			if n >= 2 && err != io.ErrUnexpectedEOF || err == nil {
				t.Fatalf("%s: %d of %d bytes: %v", name, n, len(whole), err)
			}
		}
	}
}

func TestFormatErrors(t *testing.T) {
	whole := file(t, "4:2:0 restart each block 37x21")
	marker := func(kind byte) int { return bytes.Index(whole, []byte{0xff, kind}) }
	frame, scan, tables, restart := marker(0xc0), marker(0xda), marker(0xdb), marker(0xd0)
	tests := []struct {
		name string
		at   int
		put  []byte
		err  string
	}{
		{"no picture", 0, []byte("GIF89a"), "invalid JPEG format: missing SOI marker"},
		{"a second start", frame, []byte{0xff, 0xd8}, "invalid JPEG format: a second SOI marker"},
		{"short segment", frame + 2, []byte{0, 1}, "invalid JPEG format: short segment length"},
		{"12 bits", frame + 4, []byte{12}, "JPEG with 12 bits a sample is not read here; convert it, to an ordinary JPEG for example"},
		{"lossless", frame + 1, []byte{0xc3}, "JPEG with lossless or hierarchical coding is not read here; convert it, to an ordinary JPEG for example"},
		{"height for later", frame + 5, []byte{0, 0}, "JPEG with a height that comes after the picture is not read here; convert it, to an ordinary JPEG for example"},
		{"no width", frame + 7, []byte{0, 0}, "invalid JPEG format: picture of no width"},
		{"two components", frame + 9, []byte{2}, "JPEG with 2 components is not read here; convert it, to an ordinary JPEG for example"},
		{"one component", frame + 9, []byte{1}, "invalid JPEG format: SOF has wrong length"},
		{"a component twice", frame + 13, []byte{1}, "invalid JPEG format: repeated component identifier"},
		{"sampling of 0", frame + 11, []byte{0x02}, "invalid JPEG format: luma/chroma subsampling ratio"},
		{"sampling of 3 to 2", frame + 11, []byte{0x33, 0, 2, 0x22}, "JPEG with colours of an uneven subsampling is not read here; convert it, to an ordinary JPEG for example"},
		{"table 4", frame + 12, []byte{4}, "invalid JPEG format: bad Tq value"},
		{"quantization of 24 bits", tables + 4, []byte{0x20}, "invalid JPEG format: bad Pq value"},
		{"components of a scan", scan + 4, []byte{2}, "invalid JPEG format: SOS has wrong length"},
		{"another component", scan + 5, []byte{9}, "invalid JPEG format: unknown component selector"},
		{"component of a scan twice", scan + 7, []byte{1}, "invalid JPEG format: repeated component selector"},
		{"Huffman table 3", scan + 6, []byte{0x33}, "invalid JPEG format: uninitialized Huffman table"},
		{"Huffman table 5", scan + 6, []byte{0x50}, "invalid JPEG format: bad Td value"},
		{"restarts mixed up", restart + 1, []byte{0xd5}, "invalid JPEG format: bad RST marker"},
		{"scan ends early", restart - 1, []byte{0xff, 0xd9}, "invalid JPEG format: short Huffman data"},
		{"width forged", frame + 7, []byte{0xff, 0xff}, "unexpected EOF"},
	}
	for _, tt := range tests {
		data := slices.Clone(whole)
		copy(data[tt.at:], tt.put)
		if _, _, err := decode(data); err == nil || err.Error() != tt.err {
			t.Errorf("%s: error is %v, want %s", tt.name, err, tt.err)
		}
	}
}

// A small file cannot ask for much memory, nor for much time: sizes that its
// bytes cannot fill are refused, and so are scans without end.
func TestBombs(t *testing.T) {
	for _, name := range []string{"gray progressive 33x17", "4:4:4 progressive 35x20"} {
		data := slices.Clone(file(t, name))
		at := bytes.Index(data, []byte{0xff, 0xc2})
		copy(data[at+5:], []byte{0x24, 0, 0x24, 0})
		allocated := testing.AllocsPerRun(1, func() {
			if _, _, err := decode(data); err != io.ErrUnexpectedEOF {
				t.Errorf("%s of 9216×9216: %v", name, err)
			}
		})
		if allocated > 20 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
	}
	data := file(t, "gray progressive 33x17")
	from := bytes.Index(data, []byte{0xff, 0xda})
	to := from + 2 + bytes.Index(data[from+2:], []byte{0xff, 0xc4})
	scan := data[from:to] // the first one, which may be repeated
	data = slices.Concat(data[:from], bytes.Repeat(scan, 501), data[to:])
	if _, _, err := decode(data); err == nil || err.Error() != "invalid JPEG format: too many scans" {
		t.Errorf("500 scans: %v", err)
	}
}
