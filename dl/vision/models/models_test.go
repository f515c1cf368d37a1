package models_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	_ "github.com/gomlx/compute/gobackend"
	_ "github.com/gomlx/go-xla/compute/xla"

	"github.com/holt-dl/holt/dl"
	_ "github.com/holt-dl/holt/dl/vision/fetch"
	"github.com/holt-dl/holt/dl/vision/imagenet"
	"github.com/holt-dl/holt/dl/vision/models"
	"github.com/holt-dl/holt/internal/executables"
	"github.com/holt-dl/holt/internal/goxla"
	"github.com/holt-dl/holt/internal/hooks"
)

// TestMain gives dl what a kernel's host gives it: without, the benchmark would have no calls of
// oneDNN, and make cuda no programs.
func TestMain(m *testing.M) {
	if os.Getenv(executables.Env) == "" {
		os.Setenv(executables.Env, "0") // tests compile by themselves
	}
	goxla.Install()
	os.Exit(m.Run())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// onXLA runs a test on XLA for the processor, or skips it.
func onXLA(t *testing.T) {
	t.Helper()
	if err := dl.Use("cpu"); err != nil {
		t.Skipf("skipped: XLA for the processor is not here: %v", err)
	}
}

// pattern gives numbers in [-1, 1) that follow from the name and the place, as
// testdata/logits.py does.
func pattern(name string, n int) []float64 {
	values := make([]float64, n)
	first := uint64(crc32.ChecksumIEEE([]byte(name))) << 20
	for i := range values {
		h := (uint64(i) + first) * 0x9E3779B97F4A7C15
		h ^= h >> 32
		h *= 0xD6E8FEB86659FD93
		values[i] = float64(h>>40)/(1<<23) - 1
	}
	return values
}

// patterned is the state dict that logits.py gives a network.
func patterned(m *dl.Model) dl.StateDict {
	dict := dl.StateDict{}
	for name, t := range m.StateDict() {
		if strings.HasSuffix(name, "num_batches_tracked") {
			dict[name] = dl.Scalar(int64(0))
			continue
		}
		shape := t.Shape()
		bound := 1.0
		if len(shape) >= 2 {
			bound = math.Sqrt(6 / float64(t.Size()/shape[0]))
		}
		p := pattern(name, t.Size())
		flat := make([]float32, len(p))
		for i, v := range p {
			switch {
			case len(shape) >= 2:
				v *= bound
			case strings.HasSuffix(name, "running_var"), strings.HasSuffix(name, "weight"):
				v = 1 + v/2
			default:
				v /= 10
			}
			flat[i] = float32(v)
		}
		dict[name] = dl.FromSlice(flat, shape...)
	}
	return dict
}

// TestLikeTorchvision gives each network and torchvision's the same weights
// and pictures: the names of the parameters and what comes out are the same.
func TestLikeTorchvision(t *testing.T) {
	onXLA(t)
	var ref map[string]struct {
		Names     []string
		Params    int
		Logits    [][]float64
		Deviation float64
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/logits.json")), &ref); err != nil {
		t.Fatal(err)
	}
	picture := pattern("picture", 2*3*64*64)
	flat := make([]float32, len(picture))
	for i, v := range picture {
		flat[i] = float32(v)
	}
	x := dl.FromSlice(flat, 2, 3, 64, 64)
	for _, tt := range []struct {
		name string
		net  dl.Layer
	}{
		{"alexnet", models.AlexNet(1000)},
		{"vgg16", models.VGG16(1000)},
		{"vgg16_bn", models.VGG16BN(1000)},
		{"resnet18", models.ResNet18(1000)},
		{"resnet34", models.ResNet34(1000)},
		{"resnet50", models.ResNet50(1000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if big := strings.HasPrefix(tt.name, "vgg"); big && testing.Short() {
				t.Skip("skipped: 2 GB of memory")
			}
			want := ref[tt.name]
			m := must(dl.Build(tt.net, dl.Shape{2, 3, 64, 64}))
			if !slices.Equal(m.Names(), want.Names) {
				t.Errorf("parameters are %v, want %v", m.Names(), want.Names)
			}
			if m.NumParams() != want.Params {
				t.Errorf("%d parameters, want %d", m.NumParams(), want.Params)
			}
			if err := m.LoadStateDict(patterned(m)); err != nil {
				t.Fatal(err)
			}
			y := must(m.Predict(x)).Float64s()
			worst := 0.0
			for n, row := range want.Logits {
				for i, v := range row {
					worst = max(worst, math.Abs(y[1000*n+i]-v)/want.Deviation)
				}
			}
			t.Logf("differs by at most %.1e of the outputs' deviation", worst)
			if worst > 1e-4 { // sums of float32 over up to 53 layers, in another order
				t.Errorf("the outputs differ by %.1e of their deviation", worst)
			}
		})
	}
}

// TestLoad reads weights as published: older ones of batch normalization have
// no num_batches_tracked.
func TestLoad(t *testing.T) {
	if err := dl.Use("go"); err != nil {
		t.Fatal(err)
	}
	build := func() *dl.Model { return must(dl.Build(models.Narrow(8, 32, 10), dl.Shape{1, 3, 32, 32})) }
	dl.Seed(1)
	m, other := build(), build()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := models.Load(other, path); err != nil {
		t.Fatal(err)
	}
	for name, want := range m.StateDict() {
		if !slices.Equal(other.Param(name).Float32s(), want.Float32s()) {
			t.Errorf("%s differs", name)
		}
	}
	norm := must(dl.Build(dl.Sequential{dl.BatchNorm2d{}}, dl.Shape{1, 3, 4, 4}))
	dict := norm.StateDict()
	delete(dict, "0.num_batches_tracked")
	if err := dl.SaveStateDict(path, dict); err != nil {
		t.Fatal(err)
	}
	if err := models.Load(norm, path); err != nil {
		t.Error(err)
	}
	err := models.Load(m, path)
	if err == nil || !strings.HasPrefix(err.Error(), "models: load "+path+": the weights lack features.0.weight, ") {
		t.Errorf("error is %v", err)
	}
	if err := models.Load(nil, path); err == nil || err.Error() != "models: load "+path+": the model is nil, want one that dl.Build made" {
		t.Errorf("error is %v", err)
	}
}

// TestWeights finds weights in torch.hub's folder, and says how to get them.
func TestWeights(t *testing.T) {
	defer hooks.Set(func(h *hooks.Hooks) { h.Weights = nil })() // else it downloads
	home := t.TempDir()
	t.Setenv("TORCH_HOME", home)
	w := models.ResNet18Weights
	path := filepath.Join(home, "hub/checkpoints/resnet18-f37072fd.pth")
	if got := must(w.Path()); got != path {
		t.Errorf("the path is %s, want %s", got, path)
	}
	if err := dl.Use("go"); err != nil {
		t.Fatal(err)
	}
	m := must(dl.Build(models.Narrow(8, 32, 10), dl.Shape{1, 3, 32, 32}))
	err := w.Load(m)
	want := fmt.Sprintf(`models: ResNet18_Weights.IMAGENET1K_V1: %s is not there, and this program has no network code; import _ "github.com/holt-dl/holt/dl/vision/fetch", or put https://download.pytorch.org/models/resnet18-f37072fd.pth there`, path)
	if err == nil || err.Error() != want {
		t.Errorf("error is %v\nwant %s", err, want)
	}
	if w.Downloaded() {
		t.Error("Downloaded is true, and the file is not there")
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	if !w.Downloaded() {
		t.Error("Downloaded is false, and the file is there")
	}
}

// TestWeightsAreTorchvisions compares the table with torchvision's own: names,
// addresses and checksums, which torchvision keeps in the files' names.
func TestWeightsAreTorchvisions(t *testing.T) {
	var table []struct {
		Name, URL            string
		Params, Resize, Crop int
		Mebibytes            float64
		Mean, Std            []float32
		First, Last          string
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/weights.json")), &table); err != nil {
		t.Fatal(err)
	}
	ours := []models.Weights{models.AlexNetWeights, models.VGG16Weights, models.VGG16BNWeights, models.ResNet18Weights,
		models.ResNet34Weights, models.ResNet50Weights, models.ResNet50WeightsV2}
	if len(table) != len(ours) {
		t.Fatalf("%d weights, torchvision's table has %d", len(ours), len(table))
	}
	classes := imagenet.Classes()
	for i, want := range table {
		w := ours[i]
		if w.Name != want.Name || w.URL != want.URL {
			t.Errorf("%s is at %s, torchvision's %s is at %s", w.Name, w.URL, want.Name, want.URL)
		}
		// torch.hub takes the checksum from the name: -([a-f0-9]*)\. (HASH_REGEX in torch/hub.py)
		if sum := regexp.MustCompile(`-([a-f0-9]*)\.pth$`).FindStringSubmatch(want.URL); sum == nil || w.SHA256 != sum[1] || len(w.SHA256) < 8 {
			t.Errorf("%s: the checksum begins with %q, torchvision's with %v", w.Name, w.SHA256, sum)
		}
		if size := float64(want.Params) * 4 / (1 << 20); math.Abs(size-want.Mebibytes) > 0.01*size { // float32, and a little beside
			t.Errorf("%s: %.1f MiB of parameters in a file of %.1f", w.Name, size, want.Mebibytes)
		}
		if want.Crop != 224 || !slices.Equal(want.Mean, imagenet.Mean) || !slices.Equal(want.Std, imagenet.Std) {
			t.Errorf("%s: torchvision crops to %d and takes the mean %v and std %v", w.Name, want.Crop, want.Mean, want.Std)
		}
		if resize := map[bool]int{false: 256, true: 232}[strings.HasSuffix(w.Name, "V2")]; want.Resize != resize {
			t.Errorf("%s: torchvision resizes to %d, Transform's comment says %d", w.Name, want.Resize, resize)
		}
		if want.First != classes[0] || want.Last != classes[999] {
			t.Errorf("%s: the classes go from %q to %q, ours from %q to %q", w.Name, want.First, want.Last, classes[0], classes[999])
		}
	}
}
