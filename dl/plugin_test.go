package dl_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/plugins"
)

// pluginChild is set in the process that TestPluginTraps starts, since a flag
// that XLA does not know ends a process.
const pluginChild = "HOLT_TEST_PLUGIN_CHILD"

// TestPluginTraps opens XLA:CPU with flags that it does not know, from a folder
// whose name is CUDA's: it computes, and says what it was not given.
func TestPluginTraps(t *testing.T) {
	if os.Getenv(pluginChild) != "" {
		defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { fmt.Println("notice:", s) } })()
		if err := dl.Use("cpu"); err != nil {
			fmt.Println(err)
			return
		}
		x := dl.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
		fmt.Println(dl.Backend(), x.MatMul(x).Float32s(), "flags:", os.Getenv(plugins.FlagsEnv))
		return
	}
	path, ok := plugins.Find(plugins.SearchDirs(), "cpu")
	if !ok {
		t.Skip("the XLA plugin for cpu is not here")
	}
	dir := filepath.Join(t.TempDir(), "nvidia, cuda")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		err = os.Symlink(real, filepath.Join(dir, "pjrt_c_api_cpu_plugin.so"))
	}
	if err != nil {
		t.Fatal(err)
	}
	left := t.TempDir()
	for _, tt := range []struct{ flags, notice string }{
		{"", ""},
		{"--xla_cpu_enable_fast_math=false", ""},
		{"--xla_gpu_no_such_thing=1 --xla_cpu_enable_fast_math=false --nonsense",
			"notice: XLA_FLAGS: the cpu plugin, pjrt_c_api_cpu_plugin.so, does not know --xla_gpu_no_such_thing=1 --nonsense, and is opened without\n"},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPluginTraps$")
		cmd.Env = append(os.Environ(), pluginChild+"=1", plugins.FlagsEnv+"="+tt.flags, plugins.PathEnv+"="+dir, "TMPDIR="+left)
		out, err := cmd.CombinedOutput()
		if want := tt.notice + "cpu:0 [7 10 15 22] flags: " + tt.flags + "\nPASS\n"; err != nil || string(out) != want {
			t.Errorf("with %q: %v, %q\nwant %q", tt.flags, err, out, want)
		}
	}
	if entries, _ := os.ReadDir(left); len(entries) != 0 {
		t.Errorf("links are left behind: %v", entries)
	}
}

// TestProcessorDevices opens XLA:CPU in processes of their own: it has no more devices than
// cores, or as many as XLA's flag says, of which the plugin is not told.
func TestProcessorDevices(t *testing.T) {
	if os.Getenv(pluginChild) != "" {
		if err := dl.Use("cpu"); err != nil {
			fmt.Println(err)
			return
		}
		n := 0
		for _, d := range dl.Devices() {
			if strings.HasPrefix(d.Name, "cpu:") {
				n++
			}
		}
		fmt.Println(n, "devices")
		return
	}
	if _, ok := plugins.Find(plugins.SearchDirs(), "cpu"); !ok {
		t.Skip("the XLA plugin for cpu is not here")
	}
	const flag = "--xla_force_host_platform_device_count="
	for _, tt := range []struct{ flags, want string }{
		{"", fmt.Sprint(min(4, runtime.NumCPU()), " devices")},
		{flag + "1", "1 devices"},
		{"--xla_cpu_enable_fast_math=false " + flag + "6", "6 devices"},
		{flag + "none", `dl: backend cpu: XLA_FLAGS: --xla_force_host_platform_device_count is "none", want the number of devices, 1 or more; run holt backend install cpu`},
		{flag + "0", `dl: backend cpu: XLA_FLAGS: --xla_force_host_platform_device_count is "0", want the number of devices, 1 or more; run holt backend install cpu`},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestProcessorDevices$")
		cmd.Env = append(os.Environ(), pluginChild+"=1", plugins.FlagsEnv+"="+tt.flags)
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != tt.want+"\nPASS\n" {
			t.Errorf("with %q: %v, %q\nwant %q", tt.flags, err, out, tt.want)
		}
	}
}

// TestProfile takes a profile of the processor in a process of its own while XLA multiplies, and
// looks for signals that XLA's threads would take.
func TestProfile(t *testing.T) {
	if os.Getenv(pluginChild) == "" {
		on(t, "cpu")
		cmd := exec.Command(os.Args[0], "-test.run=^TestProfile$")
		cmd.Env = append(os.Environ(), pluginChild+"=1", plugins.FlagsEnv+"=")
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != "PASS\n" {
			t.Errorf("%v, %s", err, out)
		}
		return
	}
	m := must(dl.Build(dl.Sequential{dl.Linear{Out: 64}, dl.Linear{Out: 10}}, dl.Shape{64, 1024}))
	x := fill(1, 1, 64, 1024)
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		must(m.Predict(x)).Free()
	}
	pprof.StopCPUProfile()
	threads := 0
	for _, status := range must(filepath.Glob("/proc/self/task/*/status")) {
		text, err := os.ReadFile(status)
		if err != nil || !strings.Contains(string(text), "tf_XLA") {
			continue
		}
		threads++
		_, blocked, _ := strings.Cut(string(text), "SigBlk:\t")
		blocked, _, _ = strings.Cut(blocked, "\n")
		mask := must(strconv.ParseUint(blocked, 16, 64))
		has := func(s syscall.Signal) bool { return mask>>(s-1)&1 == 1 }
		if !has(syscall.SIGPROF) || !has(syscall.SIGINT) || has(syscall.SIGSEGV) {
			t.Errorf("a thread of XLA's blocks %x", mask)
		}
	}
	if runtime.GOOS == "linux" && threads == 0 {
		t.Error("XLA has no threads")
	}
}

func TestCUDASettings(t *testing.T) {
	on(t, "go")
	for _, tt := range []struct{ name, err string }{
		{"cpu,memory_fraction=0.5", `dl: Use: backend "cpu" has no settings, only cuda has, and it is given "memory_fraction=0.5"`},
		{"cuda,memory=1", `dl: Use: setting is "memory", want one of tf32, deterministic, preallocate, memory_fraction, allocator, visible_devices`},
		{"cuda,memory_fraction=x", `dl: Use: memory_fraction is "x", want a number above 0 and at most 1`},
		{"cuda,memory_fraction=0", `dl: Use: memory_fraction is "0", want a number above 0 and at most 1`},
		{"cuda,memory_fraction=1.5", `dl: Use: memory_fraction is 1.5, want above 0 and at most 1`},
		{"cuda,tf32=perhaps", `dl: Use: tf32 is "perhaps", want true or false`},
		{"cuda,allocator=mine", `dl: Use: allocator is "mine", want bfc, cuda_async, platform or vmm`},
		{"cuda,visible_devices=0,1", `dl: Use: "1" is no setting, want such as memory_fraction=0.9; between devices stands a semicolon: visible_devices=0;1`},
		{"cuda,visible_devices=0;0", `dl: Use: visible_devices are [0 0], want each number once`},
		{"cuda,visible_devices=a", `dl: Use: visible_devices is "a", want numbers such as 0;1`},
	} {
		if err := dl.Use(tt.name); err == nil || err.Error() != tt.err {
			t.Errorf("Use(%q) is %v\nwant %s", tt.name, err, tt.err)
		}
	}
	if err := (dl.CUDA{MemoryFraction: -1}).Use(); err == nil || err.Error() != "dl: CUDA.Use: memory_fraction is -1, want above 0 and at most 1" {
		t.Errorf("error is %v", err)
	}
	if !dl.CUDAAvailable() {
		if err := (dl.CUDA{TF32: true}).Use(); err == nil || !strings.HasPrefix(err.Error(), "dl: backend cuda: ") || dl.Backend() != "go:0" {
			t.Errorf("error is %v, and the backend %s", err, dl.Backend())
		}
	}
}
