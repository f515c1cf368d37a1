package ahead

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/plugins"
)

const product2 = `module {
  func.func @main(%p0: tensor<4x1024xf32>, %p1: tensor<64x1024xf32>) -> (tensor<4x64xf32>) {
    %0 = "stablehlo.dot_general"(%p0, %p1) {
      dot_dimension_numbers = #stablehlo.dot<
  lhs_batching_dimensions = [],
  rhs_batching_dimensions = [],
  lhs_contracting_dimensions = [1],
  rhs_contracting_dimensions = [1]
>,
      precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]
    } : (tensor<4x1024xf32>, tensor<64x1024xf32>) -> tensor<4x64xf32>
    "stablehlo.return"(%0) : (tensor<4x64xf32>) -> ()
  }
}
`

const gradient = `    %2 = "stablehlo.convolution"(%0, %1) {
      dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, o, i]->[b, 0, 1, f]>,
      lhs_dilation = array<i64: 2, 2>,
    } : (tensor<8x16x16x32xf32>, tensor<3x3x16x32xf32>) -> tensor<8x32x32x16xf32>
    %3 = "stablehlo.while"(%2) ({
`

func TestCount(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		flops      float64
		loops      bool
	}{
		{"product", product2, 2 * 4 * 64 * 1024, false},
		{"gradient of a convolution with stride 2", gradient, 2 * 8 * 32 * 32 * 16 * 3 * 3 * 32 / 4, true},
		{"neither", `%1 = "stablehlo.add"(%0, %0) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>`, 0, false},
	} {
		if flops, loops := Operations([]byte(tt.text)); flops != tt.flops || loops != tt.loops {
			t.Errorf("%s: %v operations, %v; want %v, %v", tt.name, flops, loops, tt.flops, tt.loops)
		}
	}
}

// compile is Compile for h100, with what it calls done with.
func compile(t *testing.T, programs ...string) ([]hooks.Compiled, error) {
	t.Helper()
	var texts [][]byte
	for _, p := range programs {
		texts = append(texts, []byte(p))
	}
	all := make([]hooks.Compiled, len(programs))
	_, err := Compile(context.Background(), "H100", 1, texts, func(i int, c hooks.Compiled) { all[i] = c })
	return all, err
}

// TestPlugins compiles with plugins that are none, or end their process.
func TestPlugins(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(plugins.HomeEnv, folder)
	t.Setenv(plugins.PathEnv, folder)
	if _, err := Basis("h100", 1); !errors.Is(err, ErrNoCompiler) {
		t.Errorf("error is %v, want %v", err, ErrNoCompiler)
	}
	if _, err := compile(t, product2); !errors.Is(err, ErrNoCompiler) {
		t.Errorf("error is %v, want %v", err, ErrNoCompiler)
	}
	library := filepath.Join(folder, "pjrt_c_api_cuda_plugin.so")
	if err := os.WriteFile(library, []byte("no library"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := compile(t, product2); err == nil || !strings.HasPrefix(err.Error(), library+" cannot be loaded: ") {
		t.Errorf("error is %v", err)
	}
	source := filepath.Join(folder, "ends.c")
	if err := os.WriteFile(source, []byte("#include <stdio.h>\n#include <stdlib.h>\nvoid *GetPjrtApi(void) { fprintf(stderr, \"F0000 check failed\\n\"); abort(); }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	one, err := Basis("h100", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []struct {
		gpu   string
		count int
	}{{"h100", 2}, {"l4", 1}} {
		if b, err := Basis(other.gpu, other.count); err != nil || bytes.Equal(b, one) {
			t.Errorf("the basis of %v is that of one h100, or %v", other, err)
		}
	}
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if b, err := Basis("h100", 1); err != nil || bytes.Equal(b, one) {
		t.Errorf("the basis of another plugin is the same, or %v", err)
	}
	all, err := compile(t, product2, product2)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range all {
		if c.Err == nil || c.Err.Error() != "the compiler ends its process (exit status 2): F0000 check failed" {
			t.Errorf("program %d: error is %v", i, c.Err)
		}
	}
}

// TestCompile compiles for every GPU, with the plugin, where it is.
func TestCompile(t *testing.T) {
	if _, ok := plugins.Compiler(); !ok {
		t.Skip("the compiler for CUDA is not installed; run holt backend install cuda-compiler")
	}
	for _, name := range Names() {
		var all [2]hooks.Compiled
		kind, err := Compile(t.Context(), name, 1, [][]byte{[]byte(product2), []byte("module {")}, func(i int, c hooks.Compiled) { all[i] = c })
		if err != nil {
			t.Fatal(err)
		}
		const inputs, outputs = 4 * (4 + 64) * 1024, 4 * 4 * 64
		if c := all[0]; c.Err != nil || c.Inputs != inputs || c.Outputs != outputs || c.Memory < inputs+outputs || kind.Memory < 16e9 {
			t.Errorf("%s: %+v, %+v", name, kind, c)
		}
		if c := all[1]; c.Err == nil || !strings.Contains(c.Err.Error(), "error: ") {
			t.Errorf("%s: a program that is none gives %+v", name, c)
		}
	}
}
