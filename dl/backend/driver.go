package backend

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// The oldest drivers on Linux that CUDA's versions run with, all minor versions of one
// major version alike.
// https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/ (table "CUDA Toolkit and Minimum Required Driver Version")
const (
	driver13 = "580.65.06"
	driver12 = "525.60.13"
)

// oldest13 is the oldest compute capability that CUDA 13 has code for: Turing.
const oldest13 = "7.5"

// moduleVersion is where the driver's kernel module says its version.
var moduleVersion = "/sys/module/nvidia/version"

// Driver is NVIDIA's driver on this machine.
type Driver struct {
	Version    string   // such as 580.82.07
	Capability []string // compute capabilities of the GPUs, such as 9.0; none where they are not known
}

// FindDriver asks nvidia-smi for the driver's version, and the kernel module where that
// does not tell. ok is false where there is no driver.
func FindDriver(ctx context.Context) (d Driver, ok bool) {
	out, err := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=driver_version,compute_cap", "--format=csv,noheader").Output()
	if err == nil {
		for line := range strings.Lines(string(out)) {
			version, capability, _ := strings.Cut(strings.TrimSpace(line), ",")
			if numbersOf(version) == nil {
				continue
			}
			d.Version = version
			if c := strings.TrimSpace(capability); numbersOf(c) != nil {
				d.Capability = append(d.Capability, c)
			}
		}
	}
	if d.Version == "" {
		if text, err := os.ReadFile(moduleVersion); err == nil && numbersOf(strings.TrimSpace(string(text))) != nil {
			d.Version = strings.TrimSpace(string(text))
		}
	}
	return d, d.Version != ""
}

// CUDA returns which of the kinds "cuda", which is CUDA 13, and "cuda12" runs with the
// driver, and why, in a sentence. A driver that is too old for both is an error that says
// what it must be.
func (d Driver) CUDA() (kind, why string, err error) {
	for _, c := range d.Capability {
		if older(c, oldest13) && !older(d.Version, driver12) {
			return "cuda12", fmt.Sprintf("CUDA 12, because a GPU has compute capability %s, and CUDA 13 wants %s or newer", c, oldest13), nil
		}
	}
	switch {
	case !older(d.Version, driver13):
		return "cuda", fmt.Sprintf("CUDA 13, because NVIDIA's driver is %s, and it wants %s or newer", d.Version, driver13), nil
	case !older(d.Version, driver12):
		return "cuda12", fmt.Sprintf("CUDA 12, because NVIDIA's driver is %s, and CUDA 13 wants %s or newer", d.Version, driver13), nil
	}
	return "", "", fmt.Errorf("backend: NVIDIA's driver is %s, want %s or newer for CUDA 12, or %s for CUDA 13; update the driver, or use the backend cpu", d.Version, driver12, driver13)
}

// older reports whether version a is older than b.
func older(a, b string) bool {
	x, y := numbersOf(a), numbersOf(b)
	for i := range max(len(x), len(y)) {
		var m, n int
		if i < len(x) {
			m = x[i]
		}
		if i < len(y) {
			n = y[i]
		}
		if m != n {
			return m < n
		}
	}
	return false
}

// numbersOf returns the numbers of a version, nil where it is none.
func numbersOf(version string) (all []int) {
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}
