package backend_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/backend"
)

// child is set in the process that a test starts, because go-xla reads its
// environment when it is initialised.
const child = "HOLT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		os.Exit(compile())
	}
	os.Exit(m.Run())
}

// compile runs a program on XLA:CPU by its plain name.
func compile() int {
	b, err := compute.NewWithConfig("xla:cpu")
	if err != nil {
		println(err.Error())
		return 1
	}
	defer b.Finalize()
	out := graph.MustExecOnce(b, func(x *graph.Node) *graph.Node { return graph.ReduceAllSum(graph.Mul(x, x)) }, []float32{1, 2, 3})
	println(b.Description(), out.Value().(float32) == 14)
	return 0
}

// The plugin that is installed loads with go-xla and computes, after Setup
// and nothing else.
func TestSetupServesXLA(t *testing.T) {
	path, ok := backend.Find("cpu")
	if !ok {
		t.Skip("needs the XLA:CPU plugin; run holt backend install cpu")
	}
	backend.Setup()
	t.Cleanup(func() { os.Unsetenv("PJRT_PLUGIN_LIBRARY_PATH"); os.Unsetenv("GOMLX_NO_AUTO_INSTALL") })
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "true") || !strings.Contains(string(out), path) {
		t.Errorf("%v: %s", err, out)
	}
}
