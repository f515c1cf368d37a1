package vision_test

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
)

// Pixels are those of torchvision on PIL pictures, every one of them.
// testdata/ref/transforms.py made the reference.
func TestTransformsEqualTorchvision(t *testing.T) {
	data, err := os.ReadFile("testdata/ref/transforms.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		By   string
		Rows []struct {
			Name      string
			Args      json.RawMessage
			In, Out   [2]int
			Pix, Want []byte
		}
	}
	if err := json.Unmarshal(data, &ref); err != nil || len(ref.Rows) == 0 {
		t.Fatal(err)
	}
	for _, row := range ref.Rows {
		var tf vision.Transform
		switch row.Name {
		case "Resize":
			tf, err = args[vision.Resize](row.Args)
		case "CenterCrop":
			tf, err = args[vision.CenterCrop](row.Args)
		case "RandomHorizontalFlip":
			tf, err = args[vision.RandomHorizontalFlip](row.Args)
		case "RandomVerticalFlip":
			tf, err = args[vision.RandomVerticalFlip](row.Args)
		case "Grayscale":
			tf, err = args[vision.Grayscale](row.Args)
		case "RandomGrayscale":
			tf, err = args[vision.RandomGrayscale](row.Args)
		case "Pad":
			tf, err = args[vision.Pad](row.Args)
		case "Erase":
			var at [4]int
			err = json.Unmarshal(row.Args, &at)
			tf = vision.Func(func(img *vision.Image, _ *rand.Rand) (*vision.Image, error) {
				values, err := vision.ToTensor{}.Apply(img, nil)
				vision.Erase(values, at[0], at[1], at[2], at[3])
				return vision.FromImage(values.Image()), err
			})
		default:
			step := map[string]func(*vision.Image, float64) *vision.Image{"Brighten": vision.Brighten, "Contrast": vision.Contrast,
				"Saturate": vision.Saturate, "TurnHue": vision.TurnHue, "Rotate": vision.Rotate}[row.Name]
			var v float64
			err = json.Unmarshal(row.Args, &v)
			tf = vision.Func(func(img *vision.Image, _ *rand.Rand) (*vision.Image, error) { return step(img, v), nil })
		}
		if err != nil {
			t.Fatal(err)
		}
		out, err := tf.Apply(&vision.Image{C: 3, H: row.In[0], W: row.In[1], Pix: row.Pix}, rand.New(rand.NewPCG(1, 1)))
		if err != nil {
			t.Errorf("%s%s of %v: %v", row.Name, row.Args, row.In, err)
			continue
		}
		if out.H != row.Out[0] || out.W != row.Out[1] || !slices.Equal(out.Pix, row.Want) {
			differ := 0
			for i := range min(len(out.Pix), len(row.Want)) {
				if out.Pix[i] != row.Want[i] {
					differ++
				}
			}
			t.Errorf("%s%s of %v: [%d %d], %d of %d bytes differ from %s", row.Name, row.Args, row.In, out.H, out.W, differ, len(row.Want), ref.By)
		}
	}
}

// args reads a transform's fields.
func args[T vision.Transform](fields []byte) (t T, err error) {
	err = json.Unmarshal(fields, &t)
	return t, err
}

func TestRandomResizedCrop(t *testing.T) {
	in := gradient(3, 40, 60)
	for seed := range uint64(500) {
		out, err := vision.RandomResizedCrop{Size: 16}.Apply(in, rand.New(rand.NewPCG(seed, 0)))
		if err != nil || out.C != 3 || out.H != 16 || out.W != 16 || len(out.Pix) != 3*16*16 {
			t.Fatalf("seed %d: %v, %v", seed, out, err)
		}
	}
	// No window fits: the largest in the middle, which for one row is 1×1.
	out, err := vision.RandomResizedCrop{Size: 2, Scale: [2]float64{1, 1}}.Apply(gradient(1, 1, 9), rand.New(rand.NewPCG(1, 0)))
	if err != nil || !slices.Equal(out.Pix, []uint8{4, 4, 4, 4}) {
		t.Errorf("from one row: %v, %v", out, err)
	}
}

// What is drawn stays in its range, and reaches near both ends.
func TestColorJitterRange(t *testing.T) {
	in := &vision.Image{C: 3, H: 1, W: 1, Pix: []uint8{100, 100, 100}}
	low, high := 255, 0
	for seed := range uint64(500) {
		out, err := vision.ColorJitter{Brightness: 0.4, Saturation: 2, Contrast: 3, Hue: 0.5}.Apply(in, rand.New(rand.NewPCG(seed, 0)))
		if err != nil {
			t.Fatal(err)
		}
		v := int(out.Pix[0]) // the others leave a gray picture of one pixel as it is
		low, high = min(low, v), max(high, v)
	}
	if low < 60 || low > 62 || high > 140 || high < 138 {
		t.Errorf("100 became %d to %d, want 60 to 140", low, high)
	}
	flat := gradient(1, 9, 9)
	for seed := range uint64(100) {
		out, err := vision.RandomRotation{Degrees: 180}.Apply(flat, rand.New(rand.NewPCG(seed, 0)))
		if err != nil || out.Pix[4*9+4] != flat.Pix[4*9+4] {
			t.Fatalf("the middle moved: %v, %v", out, err)
		}
	}
}

func TestResizeErrors(t *testing.T) {
	tests := []struct {
		tf  vision.Transform
		err string
	}{
		{vision.Resize{}, "vision: Resize: picture of 2×3 would become 0×0, want sides of 1 to 65536; set Size, or H and W"},
		{vision.Resize{H: 5}, "vision: Resize: picture of 2×3 would become 5×0, want sides of 1 to 65536; set Size, or H and W"},
		{vision.CenterCrop{Size: -1}, "vision: CenterCrop: window is -1×-1, want Size of 1 to 65536"},
		{vision.RandomResizedCrop{}, "vision: RandomResizedCrop: Size is 0, Scale [0.08 1], Ratio [0.75 1.3333333333333333], want a size of 1 to 65536 and rising positive ranges"},
		{vision.ColorJitter{Hue: 0.6}, "vision: ColorJitter: {Brightness:0 Contrast:0 Saturation:0 Hue:0.6}, want no negative number and Hue of at most 0.5"},
		{vision.Compose(vision.ToTensor{}, vision.ColorJitter{Hue: 0.1}), "vision: ColorJitter: picture has float32 values, want bytes; put ToTensor after it"},
		{vision.RandomRotation{From: 3, To: 2}, "vision: RandomRotation: angle is 3 to 2 degrees, want a rising range"},
		{vision.Compose(vision.ToTensor{}, vision.Resize{Size: 4}), "vision: Resize: picture has float32 values, want bytes; put ToTensor after it"},
	}
	for _, tt := range tests {
		if _, err := tt.tf.Apply(gradient(1, 2, 3), rand.New(rand.NewPCG(1, 1))); err == nil || err.Error() != tt.err {
			t.Errorf("error is %v, want %s", err, tt.err)
		}
	}
}

// put writes a picture of one colour.
func put(t *testing.T, path string, c color.Color) {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, 4, 3), color.Palette{c})
	os.MkdirAll(filepath.Dir(path), 0o755)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if strings.HasSuffix(path, ".gif") {
		err = gif.Encode(f, m, nil)
	} else {
		err = png.Encode(f, m)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestImageFolder(t *testing.T) {
	root := t.TempDir()
	red := color.RGBA{255, 0, 0, 255}
	put(t, filepath.Join(root, "bees", "b.png"), red)
	put(t, filepath.Join(root, "ants", "deep", "a.PNG"), color.Gray{128})
	put(t, filepath.Join(root, "ants", "imageNotFound.gif"), red) // left out, as torchvision does
	os.WriteFile(filepath.Join(root, "ants", "notes.txt"), []byte("x"), 0o644)
	os.WriteFile(filepath.Join(root, "README"), []byte("x"), 0o644)
	d, err := vision.ImageFolder{Root: root}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if want := "ImageFolder " + root + ": 2 pictures in 2 classes (ants, bees)"; d.String() != want {
		t.Errorf("it prints %q, want %q", d, want)
	}
	for i, want := range []struct {
		path  string
		label int
		rgb   []uint8
	}{{"ants/deep/a.PNG", 0, []uint8{128, 128, 128}}, {"bees/b.png", 1, []uint8{255, 0, 0}}} {
		img, label, err := d.Picture(i)
		if err != nil || label != want.label || d.Path(i) != filepath.Join(root, want.path) || img.H != 3 || img.W != 4 ||
			!slices.Equal([]uint8{img.Pix[0], img.Pix[12], img.Pix[24]}, want.rgb) {
			t.Errorf("picture %d is %v from %s with label %d, %v", i, img, d.Path(i), label, err)
		}
	}
	os.WriteFile(filepath.Join(root, "bees", "b.png"), []byte("\x89PNG\r\n\x1a\nrest is lost"), 0o644)
	if _, err := d.Get(1); err == nil || !strings.HasPrefix(err.Error(), "vision: "+filepath.Join(root, "bees", "b.png")+": ") {
		t.Errorf("error is %v", err)
	}
	os.WriteFile(filepath.Join(root, "bees", "b.png"), []byte("hello"), 0o644)
	want := "vision: " + filepath.Join(root, "bees", "b.png") + `: it is a text that begins with "hello", want a JPEG, PNG, GIF, WebP, BMP, TIFF or PPM picture; give the file itself; where it was downloaded, download it again, and look at what the address gives`
	if _, err := d.Get(1); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	os.Mkdir(filepath.Join(root, "wasps"), 0o755)
	if _, err := (vision.ImageFolder{Root: root}).Open(); err == nil || !strings.HasPrefix(err.Error(), "vision: ImageFolder: class wasps has no picture in ") {
		t.Errorf("error is %v", err)
	}
	if _, err := (vision.ImageFolder{Root: filepath.Join(root, "wasps")}).Open(); err == nil || !strings.Contains(err.Error(), "no folder in ") {
		t.Errorf("error is %v", err)
	}
	os.Symlink("..", filepath.Join(root, "wasps", "loop"))
	if _, err := (vision.ImageFolder{Root: root}).Open(); err == nil || !strings.Contains(err.Error(), "more than 32 deep") && !strings.Contains(err.Error(), "too many") {
		t.Errorf("error of a loop is %v", err)
	}
}

// The ants and bees of the transfer-learning tutorial.
func TestImageFolderAntsBees(t *testing.T) {
	root := filepath.Join(os.Getenv("HOLT_DATA"), "hymenoptera_data")
	if _, err := os.Stat(root); err != nil {
		t.Skip("needs hymenoptera_data in the folder that HOLT_DATA names")
	}
	tf := vision.Compose(vision.Resize{Size: 256}, vision.CenterCrop{Size: 224})
	for _, tt := range []struct {
		split string
		n     int
	}{{"train", 244}, {"val", 153}} { // imageNotFound.gif does not count
		d, err := vision.ImageFolder{Root: filepath.Join(root, tt.split), Transform: tf}.Open()
		if err != nil {
			t.Fatal(err)
		}
		if d.Len() != tt.n || !slices.Equal(d.Classes, []string{"ants", "bees"}) {
			t.Errorf("%v, want %d pictures of ants and bees", d, tt.n)
		}
		some, err := dl.RandomSplit(d, 1, 32) // a picture takes about 15 ms to read
		if err != nil {
			t.Fatal(err)
		}
		for batch := range (dl.DataLoader{Dataset: some[0], BatchSize: 16}).Epoch(0) {
			if !slices.Equal(batch.Inputs.Shape()[1:], []int{3, 224, 224}) {
				t.Fatal(batch.Inputs)
			}
		}
	}
}

// A header that promises a huge picture is refused before it is decoded.
func TestReadImageBomb(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bomb.png")
	put(t, path, color.Black)
	b, _ := os.ReadFile(path)
	copy(b[16:], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // 65,536 × 65,536; the CRC no longer fits, so mend it
	fixCRC(b)
	os.WriteFile(path, b, 0o644)
	want := "vision: " + path + ": picture is 65536×65536, want at most 89,478,485 pixels"
	if _, err := vision.ReadImage(path); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func FuzzReadImage(f *testing.F) {
	for _, name := range []string{"a.png", "a.gif"} {
		path := filepath.Join(f.TempDir(), name)
		w, _ := os.Create(path)
		m := image.NewGray(image.Rect(0, 0, 3, 3))
		if name == "a.gif" {
			gif.Encode(w, m, nil)
		} else {
			png.Encode(w, m)
		}
		w.Close()
		b, _ := os.ReadFile(path)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x")
		os.WriteFile(path, b, 0o644)
		img, err := vision.ReadImage(path)
		if err == nil && (img.C != 3 || len(img.Pix) != 3*img.H*img.W) {
			t.Errorf("%v with %d bytes", img, len(img.Pix))
		}
	})
}

// fixCRC mends the checksum of a PNG's header.
func fixCRC(b []byte) {
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
}
