// Package ahead compiles programs for GPUs that need not be there, on a machine that
// needs neither GPU nor driver: what a program would take of a GPU's memory, and whether
// XLA can compile it at all, is known before one is rented. The compiler is the plugin
// for CUDA, which Holt has as the backend cuda, or as cuda-compiler without the
// libraries that running needs.
//
// The plugin is loaded by a process of its own, since it ends its process where it is
// asked for what it does not expect. That process is this program, started once more
// (child.go), so that whatever imports this package must not do anything before
// its main function that a second process must not do.
package ahead

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/plugins"
)

// ErrNoCompiler is wrapped by the error of a machine without the plugin.
var ErrNoCompiler = errors.New("the compiler for NVIDIA's GPUs is not installed; run holt backend install cuda-compiler")

// Names lists the GPUs that are known.
func Names() []string {
	var names []string
	for _, g := range gpus {
		names = append(names, g.name)
	}
	return names
}

// Compile compiles programs in StableHLO for so many GPUs of a kind, one after the other, and calls
// done with what each would take, or with why it cannot be compiled. The kind is one of [Names],
// whose hosts have eight of them, or has their number, such as h100:4. More GPUs than that are those
// of several hosts. Cancelling ctx stops it.
func Compile(ctx context.Context, kind string, devices int, programs [][]byte, done func(i int, c hooks.Compiled)) (hooks.GPU, error) {
	g, hosts, perHost, err := find(kind, devices)
	if err != nil {
		return hooks.GPU{}, err
	}
	known := hooks.GPU{Name: g.name, Product: g.product, Memory: g.bytes(), Hosts: hosts}
	plugin, ok := plugins.Compiler()
	if !ok {
		return known, ErrNoCompiler
	}
	for i := 0; i < len(programs); {
		n, err := compileSome(ctx, order{plugin, g.target(), hosts, perHost}, programs[i:], func(k int, c hooks.Compiled) { done(i+k, c) })
		if err != nil {
			return known, err
		}
		i += n
	}
	return known, nil
}

// Basis is a checksum of all that a program's results depend on besides the program: the compiler,
// the GPU, how many of them on how many hosts, and the flags of XLA. Results of equal programs on
// an equal basis are equal.
func Basis(kind string, devices int) ([]byte, error) {
	g, hosts, perHost, err := find(kind, devices)
	if err != nil {
		return nil, err
	}
	plugin, ok := plugins.Compiler()
	if !ok {
		return nil, ErrNoCompiler
	}
	flags, err := flagsFor(plugin)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(plugin)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %dx%d ", g.target(), flags, hosts, perHost)
	if _, err := io.Copy(sum, f); err != nil {
		return nil, err
	}
	return sum.Sum(nil), nil
}

// compileSome compiles programs in one process, and returns of how many it called done: fewer where
// the last one of them ended the process.
func compileSome(ctx context.Context, o order, programs [][]byte, done func(i int, c hooks.Compiled)) (n int, err error) {
	c, err := start(ctx, o)
	if err != nil {
		return 0, err
	}
	defer c.stop()
	for i, p := range programs {
		a, err := c.compile(p)
		if ctx.Err() != nil {
			return i, ctx.Err()
		}
		if err != nil && i == 0 && c.refused() {
			return 0, err
		}
		switch {
		case err != nil:
			done(i, hooks.Compiled{Err: err})
			return i + 1, nil
		case a.Problem != "":
			done(i, hooks.Compiled{Err: errors.New(firstLines(a.Problem))})
		default:
			flops, loops := Operations(p)
			k := a.Cost
			done(i, hooks.Compiled{FLOPs: flops, Loops: loops, Inputs: k.Arguments, Outputs: k.Outputs, Temporary: k.Temporary, Memory: k.Memory(), Calls: k.Calls, Collectives: k.Collectives})
		}
	}
	return len(programs), nil
}

// compiler is a process that compiles.
type compiler struct {
	cmd  *exec.Cmd
	to   *gob.Encoder
	from *gob.Decoder
	shut func() error
	said bytes.Buffer
}

func start(ctx context.Context, o order) (*compiler, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	flags, err := flagsFor(o.Plugin)
	if err != nil {
		return nil, err
	}
	c := &compiler{cmd: exec.CommandContext(ctx, self)}
	c.cmd.Env = append(os.Environ(), childEnv+"=1", plugins.FlagsEnv+"="+flags, "TF_CPP_MIN_LOG_LEVEL=3")
	c.cmd.Stderr = &c.said
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.to, c.from, c.shut = gob.NewEncoder(in), gob.NewDecoder(out), in.Close
	return c, c.to.Encode(o)
}

// flagsFor are the flags of XLA that the user sets, where the plugin finds NVIDIA's
// files, and that it tries no kernels out, which takes minutes and finds nothing where there is no
// device to measure them on.
func flagsFor(plugin string) (string, error) {
	value := os.Getenv(plugins.FlagsEnv)
	flags, _, err := plugins.FlagsFor(plugin, value)
	if err != nil {
		return "", err
	}
	for _, flag := range plugins.OwnFlags(plugin, value) {
		if strings.HasPrefix(flag, "--xla_gpu_cuda_data_dir=") {
			flags = append(flags, flag)
		}
	}
	if !strings.Contains(value, "--xla_gpu_autotune_level=") {
		flags = append(flags, "--xla_gpu_autotune_level=0")
	}
	return strings.Join(flags, " "), nil
}

// compile compiles a program. An error is the end of the process.
func (c *compiler) compile(program []byte) (a answer, err error) {
	if err = c.to.Encode(program); err == nil {
		err = c.from.Decode(&a)
	}
	if err != nil {
		err = c.ended()
	}
	return a, err
}

// ended waits for the process, which ended too early, and says why.
func (c *compiler) ended() error {
	c.shut()
	err := c.cmd.Wait()
	said := strings.TrimSpace(c.said.String())
	if c.refused() && said != "" {
		return errors.New(firstLines(said))
	}
	if said == "" {
		return fmt.Errorf("the compiler ends its process (%v)", err)
	}
	line, _, _ := strings.Cut(said, "\n") // a trace of Go's follows
	return fmt.Errorf("the compiler ends its process (%v): %s", err, firstLines(line))
}

// refused reports whether the process ended in its own words.
func (c *compiler) refused() bool {
	return c.cmd.ProcessState != nil && c.cmd.ProcessState.ExitCode() == 1
}

func (c *compiler) stop() {
	c.shut()
	if c.cmd.ProcessState == nil {
		c.cmd.Wait()
	}
}

// firstLines is the beginning of a long message.
func firstLines(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 300 {
		text = string(r[:300]) + "…"
	}
	return text
}
