package ahead

import (
	"bufio"
	"encoding/gob"
	"errors"
	"io"
	"os"

	"github.com/holt-dl/holt/internal/pjrt"
)

// childEnv is set in the process that compiles: this program, started once more.
const childEnv = "HOLT_COMPILE_AHEAD"

func init() {
	if os.Getenv(childEnv) == "" {
		return
	}
	os.Unsetenv(childEnv)
	if err := compileAll(os.Stdin, os.Stdout); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Exit(0)
}

// order is the first message to the process: the plugin and the target. Programs follow.
type order struct {
	Plugin  string
	Target  string
	Hosts   int
	PerHost int
}

// answer is what it says of a program.
type answer struct {
	Cost    pjrt.Cost
	Problem string
}

// compileAll answers a program at a time, until there are no more.
func compileAll(in io.Reader, out io.Writer) error {
	from, to := gob.NewDecoder(bufio.NewReader(in)), gob.NewEncoder(out)
	var o order
	if err := from.Decode(&o); err != nil {
		return err
	}
	target, err := pjrt.DescribeTarget(o.Plugin, o.Target, o.Hosts, o.PerHost)
	if err != nil {
		return err
	}
	defer target.Close()
	for {
		var program []byte
		if err := from.Decode(&program); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var a answer
		if a.Cost, err = target.Compile(program); err != nil {
			a.Problem = err.Error()
		}
		if err := to.Encode(a); err != nil {
			return err
		}
	}
}
