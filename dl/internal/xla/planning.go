package xla

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/internal/hooks"
)

// A program can be written for a GPU that is not there: it is recorded and lowered as for
// any device, and where the compiler would begin, its text is kept instead. The text is
// the one that CUDA's plugin would get, since go-xla asks only a plugin's name what to
// write.

// Planned returns a device whose programs are written for CUDA and never run. The name is
// for messages.
func Planned(name string) (*Device, error) {
	devices.Lock()
	tf32 := devices.cuda.TF32
	devices.Unlock()
	b, err := cudaWriter(tf32)
	if err != nil {
		return nil, err
	}
	return &Device{Kind: name, Backend: b, planned: true}, nil
}

// Plans reports whether the device's programs are written and never run.
func (d *Device) Plans() bool { return d.planned }

func cudaWriter(tf32 bool) (compute.Backend, error) {
	f := hooks.Get().CUDAWriter
	if f == nil {
		return nil, errors.New(`programs for CUDA cannot be written, since go-xla is not linked into this program; import _ "github.com/gomlx/go-xla/compute/xla"`)
	}
	b, ok := f(tf32).(compute.Backend)
	if !ok {
		return nil, errors.New("programs for CUDA cannot be written with this version of go-xla")
	}
	return b, nil
}

// written is the executable of a program that is only written.
type written struct {
	compute.Executable
	text []byte
}

// Finalize does nothing.
func (written) Finalize() {}

// Text returns the program in StableHLO, where its device is a planned one.
func (p *Program) Text() []byte { return p.exec.Executable.(written).text }

// ProgramsEnv is a folder into which every program that is compiled or planned, for whatever device,
// is written as CUDA's plugin would get it: what make cuda compiles.
const ProgramsEnv = "HOLT_PROGRAMS"

// forCUDA is the device of the programs in that folder.
var forCUDA = sync.OnceValues(func() (*Device, error) { return Planned("cuda") })

// keepText writes a program into a folder. The name of its file has the number of devices and the
// checksum of the text, so that equal programs are there once.
func keepText(folder string, group *Group, results []Layout, name string, build func(g *graph.Graph) []*graph.Node) error {
	on, err := forCUDA()
	if err != nil {
		return err
	}
	devices := 1
	if group != nil {
		devices = len(group.Devices)
		if group, err = on.Group(devices, group.model); err != nil {
			return err
		}
	}
	p, compile, _, err := writeGraph(on, group, results, name, asXLA, build)
	if err == nil {
		err = compile()
	}
	if err != nil {
		return err
	}
	text := programName.ReplaceAll(p.Text(), []byte("module {"))
	sum := sha256.Sum256(text)
	file := filepath.Join(folder, fmt.Sprintf("%d-%x-%s.mlir", devices, sum[:6], notLetters.ReplaceAllString(name, "_")))
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

var (
	programName = regexp.MustCompile(`(?m)^module @\S+ \{`)
	notLetters  = regexp.MustCompile(`[^A-Za-z0-9]+`)
)
