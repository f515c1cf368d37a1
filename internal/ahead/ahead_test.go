package ahead

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		kind           string
		devices        int
		hosts, perHost int
		err            string
	}{
		{kind: "H100", devices: 1, hosts: 1, perHost: 1},
		{kind: "h100", devices: 8, hosts: 1, perHost: 8},
		{kind: "h100", devices: 16, hosts: 2, perHost: 8},
		{kind: "l4:4", devices: 16, hosts: 4, perHost: 4},
		{kind: "h100:16", devices: 12, hosts: 1, perHost: 12},
		{kind: "h100", devices: 12, err: "12 devices are not those of hosts of 8 GPUs each, want a multiple of that; h100:4 says that a host has 4"},
		{kind: "h100:0", devices: 1, err: `GPU is "h100:0", want a number of GPUs of each host behind the colon, such as h100:8`},
		{kind: "h99", devices: 1, err: `GPU is "h99", want one of h100, `},
	} {
		g, hosts, perHost, err := find(tt.kind, tt.devices)
		if tt.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("%d %s: error is %v, want %s", tt.devices, tt.kind, err, tt.err)
			}
			continue
		}
		if err != nil || hosts != tt.hosts || perHost != tt.perHost || !strings.HasPrefix(strings.ToLower(tt.kind), g.name) {
			t.Errorf("%d %s: %s on %d hosts of %d, %v", tt.devices, tt.kind, g.name, hosts, perHost, err)
		}
	}
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
	}{{"h100", 2}, {"l4", 1}, {"h100", 16}, {"h100:2", 16}} {
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
		if len(all[0].Collectives) > 0 {
			t.Errorf("%s: one GPU does %v with others", name, all[0].Collectives)
		}
		if c := all[1]; c.Err == nil || !strings.Contains(c.Err.Error(), "error: ") {
			t.Errorf("%s: a program that is none gives %+v", name, c)
		}
	}
}

// sharded is product2 of matrices that 16 GPUs have a part of along the axis that is added up.
var sharded = strings.NewReplacer(
	"module {\n", "module {\n  sdy.mesh @mesh = <[\"batch\"=16]>\n",
	"%p0: tensor<4x1024xf32>", `%p0: tensor<4x1024xf32> { sdy.sharding = #sdy.sharding<@mesh, [{}, {"batch"}]> }`,
	"%p1: tensor<64x1024xf32>", `%p1: tensor<64x1024xf32> { sdy.sharding = #sdy.sharding<@mesh, [{}, {"batch"}]> }`,
).Replace(product2)

// TestCompileHosts compiles for sixteen GPUs of one host, of two, and of four.
func TestCompileHosts(t *testing.T) {
	if _, ok := plugins.Compiler(); !ok {
		t.Skip("the compiler for CUDA is not installed; run holt backend install cuda-compiler")
	}
	for kind, hosts := range map[string]int{"h100:16": 1, "h100": 2, "h100:4": 4} {
		var got hooks.Compiled
		g, err := Compile(t.Context(), kind, 16, [][]byte{[]byte(sharded)}, func(_ int, c hooks.Compiled) { got = c })
		if err != nil || got.Err != nil {
			t.Fatal(err, got.Err)
		}
		want := []hooks.Collective{{Name: "all-reduce", Calls: 1, Bytes: 4 * 4 * 64, Hosts: hosts > 1}}
		if g.Hosts != hosts || !slices.Equal(got.Collectives, want) || got.Inputs != 4*(4+64)*1024/16 {
			t.Errorf("%s: %+v on %d hosts, want %v on %d", kind, got, g.Hosts, want, hosts)
		}
	}
}
