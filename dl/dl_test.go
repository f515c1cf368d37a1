package dl_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	_ "github.com/gomlx/compute/gobackend"
	_ "github.com/gomlx/go-xla/compute/xla"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/executables"
	"github.com/holt-dl/holt/internal/goxla"
	"github.com/holt-dl/holt/internal/plugins"
)

// cifarNet is the tutorial network of the benchmarks: three convolutions with
// pooling, two linear layers.
func cifarNet() dl.Sequential {
	return dl.Sequential{
		dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2},
		dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2},
		dl.Conv2d{Out: 64, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2},
		dl.Flatten{}, dl.Linear{Out: 64}, dl.Linear{Out: 10},
	}
}

// on runs a test on a backend, or skips it with a sentence. HOLT_TEST_XLA=cuda
// puts a GPU in the place of XLA on the processor.
func on(t testing.TB, backend string) {
	t.Helper()
	if other := os.Getenv("HOLT_TEST_XLA"); other != "" && backend == "cpu" {
		backend = other
	}
	if err := dl.Use(backend); err != nil {
		t.Skipf("backend %s is not here: %v", backend, err)
	}
}

// onGPU reports whether a GPU has taken the place of XLA on the processor.
func onGPU() bool { return strings.HasPrefix(dl.Backend(), "cuda") }

// eachBackend runs f on XLA:CPU and on the pure-Go backend.
func eachBackend(t *testing.T, f func(t *testing.T)) {
	for _, name := range []string{"cpu", "go"} {
		t.Run(name, func(t *testing.T) {
			on(t, name)
			f(t)
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestMain(m *testing.M) {
	if os.Getenv(executables.Env) == "" {
		os.Setenv(executables.Env, "0") // tests compile by themselves
	}
	flag.Parse()
	if _, is := os.LookupEnv(plugins.FlagsEnv); !is && flag.Lookup("test.bench").Value.String() == "" {
		// Tests share batches between devices; benchmarks have those of a user.
		os.Setenv(plugins.FlagsEnv, "--xla_force_host_platform_device_count=4")
	}
	goxla.Install()
	os.Exit(m.Run())
}

type Net struct {
	Features dl.Sequential
	Head     dl.Linear
}

func (n *Net) Forward(x *dl.Tensor) *dl.Tensor {
	return n.Head.Forward(n.Features.Forward(x).Flatten())
}

func TestModelOfOnesOwn(t *testing.T) {
	on(t, "go")
	m, err := dl.Build(&Net{
		Features: dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3, Padding: 1}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2}},
		Head:     dl.Linear{Out: 10},
	}, dl.Shape{2, 3, 8, 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + m.String())
	if got, want := strings.Join(m.Names(), " "), "features.0.weight features.0.bias head.weight head.bias"; got != want {
		t.Errorf("names are %s, want %s", got, want)
	}
}

// TestTrainsTutorialNetwork takes the same few steps on both backends.
func TestTrainsTutorialNetwork(t *testing.T) {
	losses := map[string][]float64{}
	for _, backend := range []string{"cpu", "go"} {
		on(t, backend)
		dl.Seed(1)
		m := must(dl.Build(cifarNet(), dl.Shape{4, 3, 32, 32}))
		step := dl.TrainStep(m, nil, dl.SGD{LR: 0.05})
		b := dl.Batch{Inputs: fill(1, 1, 4, 3, 32, 32), Labels: dl.FromSlice([]int64{1, 2, 3, 9})}
		for range 3 {
			losses[backend] = append(losses[backend], must(step.Run(b)).Loss)
		}
		if l := losses[backend]; l[2] >= l[0] {
			t.Errorf("%s: losses are %v, want them to fall", backend, l)
		}
	}
	near(t, "losses on go", losses["go"], losses["cpu"], 1e-5) // sums in another order
}
