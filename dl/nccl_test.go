package dl_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/fakenccl"
)

// TestNCCL trains in jobs whose processes add up by NCCL's functions, which here are those of a
// library for tests, in the memory of XLA's buffers on the processor.
func TestNCCL(t *testing.T) {
	on(t, "cpu")
	env := fakenccl.Build(t)
	job := func(t *testing.T, p plan, n int, of1 ...string) []trained {
		t.Helper()
		p.NCCL = true
		return p.launchAs(t, n, func(rank int) []string {
			if rank == 1 {
				return append(env[:len(env):len(env)], of1...)
			}
			return env
		})
	}
	both := func(t *testing.T, p plan, n int, want trained, bits bool) {
		t.Helper()
		all := job(t, p, n)
		for rank, r := range all {
			if r.Err != "" || r.Weights != all[0].Weights || r.Adds != "NCCL" || len(r.Notices) > 0 {
				t.Fatalf("rank %d: %q, weights %s and %s, by %s, %q", rank, r.Err, r.Weights, all[0].Weights, r.Adds, r.Notices)
			}
			near(t, fmt.Sprintf("losses of rank %d", rank), r.Losses, want.Losses, 1e-6)
		}
		near(t, "weights", wide(all[0].First), wide(want.First), 1e-5)
		if bits && all[0].Weights != want.Weights {
			t.Error("two processes have other bits than by the ring")
		}
	}
	one := plan{Net: "tutorial"}.train(t)
	for _, tt := range []struct {
		p         plan
		processes int
	}{{plan{}, 4}, {plan{Shard: dl.ZeRO1}, 3}, {plan{Hosts: true}, 2}, {plan{Hosts: true, Shard: dl.FSDP}, 2}} {
		tt.p.Net = "tutorial"
		t.Run(fmt.Sprintf("as one process: %d processes, %v, several devices %t", tt.processes, tt.p.Shard, tt.p.Hosts), func(t *testing.T) {
			both(t, tt.p, tt.processes, one, false)
		})
	}
	for what, p := range map[string]plan{
		"batch normalization": {Net: "norm"},
		"clipped and divided": {Net: "tutorial", Shard: dl.ZeRO1, Rule: "adam", Accum: 2},
	} {
		t.Run("as the ring: "+what, func(t *testing.T) { both(t, p, 2, p.launch(t, 2)[0], true) })
	}
	t.Run("lost", func(t *testing.T) {
		all := job(t, plan{Net: "tutorial", Kill: 1}, 2, "FAKE_NCCL_DIES=5")
		if want := "dl: training step: rank 1 is lost: its process has ended"; all[0].Err != want {
			t.Errorf("rank 0 says %q, want %q", all[0].Err, want)
		}
	})
	for _, tt := range []struct{ what, variable, notice string }{
		{"not wanted", "HOLT_NCCL=0", ""},
		{"no library", "LD_LIBRARY_PATH=", "rank 1: libnccl.so.2 is not installed, which holt backend install cuda brings"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			all := job(t, plan{Net: "tutorial"}, 2, tt.variable)
			notices := "[]"
			if tt.notice != "" {
				notices = "[gradients go from GPU to GPU through the processors, not by NCCL: " + tt.notice + "]"
			}
			if got := fmt.Sprint(all[0].Notices); all[0].Err != "" || all[0].Adds != "ring" || got != notices || len(all[1].Notices) > 0 {
				t.Errorf("%q, by %s, with %s, want %s", all[0].Err, all[0].Adds, got, notices)
			}
		})
	}
}

// TestNoNCCL names what keeps processes from adding up by NCCL.
func TestNoNCCL(t *testing.T) {
	all := func(of ...dl.Offer) []dl.Offer { return of }
	gpus := func(names ...string) dl.Offer { return dl.Offer{Kind: "cuda", Version: "2.32.3", GPUs: names} }
	for _, tt := range []struct {
		all  []dl.Offer
		want string
	}{
		{all(gpus("a"), gpus("b")), ""},
		{all(gpus("a", "b"), gpus("c", "d")), ""},
		{all(gpus("a"), gpus("b"), gpus("a")), "ranks 0 and 2 use the same GPU"},
		{all(gpus("a"), gpus("b", "c")), "the numbers of GPUs of ranks 0 and 1 are 1 and 2"},
		{all(gpus("a"), dl.Offer{Kind: "cuda", Version: "2.27.3"}), "rank 0 has NCCL 2.32.3, and rank 1 2.27.3"},
		{all(gpus("a"), dl.Offer{Kind: "cpu", Why: "it uses cpu:0"}), "rank 1: it uses cpu:0"},
	} {
		if got := dl.NoNCCL(tt.all); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.all, got, tt.want)
		}
	}
}

// aloneEnv is set in the process of TestNCCLAlone that has the library for tests.
const aloneEnv = "HOLT_TEST_NCCL_ALONE"

// TestNCCLAlone calls NCCL in a job of one process, and so for real on one GPU.
func TestNCCLAlone(t *testing.T) {
	on(t, "cpu")
	if os.Getenv(aloneEnv) == "" && !onGPU() {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNCCLAlone$")
		cmd.Env = append(append(os.Environ(), aloneEnv+"=1"), fakenccl.Build(t)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	x := dl.Randn(1000, 1003).Mul(dl.Scalar[float32](2)) // on the device
	want := slices.Clone(x.Float32s())
	version, err := dl.AloneByNCCL(x)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("NCCL", version)
	if !slices.Equal(x.Float32s(), want) {
		t.Error("a process alone has other numbers afterwards")
	}
}
