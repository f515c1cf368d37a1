package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/dl/backend"
	"github.com/holt-dl/holt/internal/pjrt"
	"github.com/holt-dl/holt/internal/plugins"
	"github.com/holt-dl/holt/kernel/machine/doctor"
)

// probeCmd loads a plugin and says what it says of itself. The doctor runs it in
// a process of its own, which a plugin may end, or keep for ever.
type probeCmd struct {
	Path string `arg:"" help:"The plugin's library."`
}

// Run writes the report as JSON.
func (c probeCmd) Run() error {
	known, _, err := plugins.FlagsFor(c.Path, os.Getenv(plugins.FlagsEnv))
	if err != nil {
		return err
	}
	os.Setenv(plugins.FlagsEnv, strings.Join(known, " "))
	r, err := pjrt.Probe(c.Path)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// probe asks a plugin in a process of its own, for as long as ctx lasts.
func probe(ctx context.Context, path string) (r pjrt.Report, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "probe", path)
	cmd.Env = append(os.Environ(), "TF_CPP_MIN_LOG_LEVEL=3")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	if ctx.Err() != nil {
		return r, errors.New("it did not open its devices in time")
	}
	if err != nil {
		line := lastLine(said.String())
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 1 && line != "" { // holt's own word
			return r, errors.New(strings.TrimPrefix(line, path+" "))
		}
		if line != "" {
			return r, fmt.Errorf("it ends its process (%w): %s", err, line)
		}
		return r, fmt.Errorf("it ends its process (%w)", err)
	}
	return r, json.Unmarshal(out.Bytes(), &r)
}

// lastLine is the last line of a text that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	line := strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "holt: ")
	if r := []rune(line); len(r) > 300 {
		line = string(r[:300]) + "…"
	}
	return line
}

// lookPlugin is what the doctor finds of a plugin that is installed.
func lookPlugin(ctx context.Context, kind, path string) doctor.Finding {
	if !pjrt.Loads {
		return doctor.Finding{OK: true, Detail: path + "; whether it works is not looked at, because this holt was built without cgo"}
	}
	fix := "holt backend install " + kind + "   (brings it again)"
	r, err := probe(ctx, path)
	switch {
	case err != nil:
		return doctor.Finding{Broken: true, Detail: fmt.Sprintf("%s does not work: %v", path, err), Fix: fix}
	case r.Problem != "":
		if kind == "cuda" {
			fix = driverFix(ctx, path)
		}
		return doctor.Finding{Broken: true, Detail: fmt.Sprintf("%s loads (%s) and opens no device: %s", path, r.API(), lastLine(r.Problem)), Fix: fix}
	case len(r.Devices) == 0:
		return doctor.Finding{Broken: true, Detail: fmt.Sprintf("%s loads (%s) and shows no device", path, r.API()), Fix: fix}
	}
	detail := fmt.Sprintf("%s: %s, %s", path, r.API(), cleanVersion(r))
	const most = 4
	shown := strings.Join(r.Devices[:min(len(r.Devices), most)], ", ")
	if n := len(r.Devices); n > most {
		shown += fmt.Sprintf(" and %d more", n-most)
	}
	return doctor.Finding{OK: true, Detail: detail + ", " + shown}
}

// driverFix is what to do where the plugin at path opens no GPU.
func driverFix(ctx context.Context, path string) string {
	d, ok := backend.FindDriver(ctx)
	if !ok {
		return "nvidia-smi   (shows whether the driver and a GPU are there)"
	}
	kind, why, err := d.CUDA()
	if err != nil {
		return strings.TrimPrefix(err.Error(), "backend: ")
	}
	if kind == "cuda12" && strings.HasPrefix(path, filepath.Join(backend.Dir(), "cuda")+string(filepath.Separator)) {
		return "holt backend remove cuda; holt backend install cuda   (brings " + why + ")"
	}
	return "nvidia-smi   (shows whether a GPU is there; the driver is " + d.Version + ")"
}

// cleanVersion is the platform with its version on one line.
func cleanVersion(r pjrt.Report) string {
	version := strings.Join(strings.Fields(r.Version), " ")
	if strings.HasPrefix(version, r.Platform) {
		return version
	}
	return strings.TrimSpace(r.Platform + " " + version)
}
