package tensorboard

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Request is what a line %tensorboard asks for.
type Request struct {
	Args   []string // for the program, as they were typed, without --height
	LogDir string   // the folder of the logs; empty where --logdir_spec or --db names them
	Host   string   // the name that it serves under; empty for localhost
	Port   int      // 0 for any that is free
	Height int      // of the frame in the notebook, in pixels
	// Tell says that the program is to print something and end, as --help asks.
	Tell bool

	wide bool // it serves all networks
}

// Options are the options that a line %tensorboard completes: the frame's
// height, and those of TensorBoard's that notebooks have a use for.
var Options = []string{
	"--bind_all", "--height", "--help", "--host", "--inspect", "--load_fast", "--logdir", "--logdir_spec", "--max_reload_threads",
	"--path_prefix", "--port", "--purge_orphaned_data", "--reload_interval", "--reload_multifile", "--samples_per_plugin", "--version_tb", "--window_title",
}

const (
	defaultHeight = 800 // pixels, as TensorBoard's own magic has it
	leastHeight   = 100
)

// Parse reads the words of a line. Those that it does not know are for
// TensorBoard. Expand replaces ~ and $NAME in the name of the folder.
func Parse(words []string, expand func(string) string) (Request, error) {
	r := Request{Height: defaultHeight}
	elsewhere, bare := false, ""
	for i := 0; i < len(words); i++ {
		name, value, joined := strings.Cut(words[i], "=")
		switch name {
		case "--logdir", "--host", "--port", "--height":
			if !joined {
				if i++; i == len(words) {
					return Request{}, fmt.Errorf("%%tensorboard: %s is the last word, want a value after it", name)
				}
				value = words[i]
			}
			if name == "--logdir" {
				value = expand(value)
			}
			if err := r.set(name, value); err != nil {
				return Request{}, err
			}
			switch {
			case name == "--height": // is not TensorBoard's
			case joined:
				r.Args = append(r.Args, name+"="+value)
			default:
				r.Args = append(r.Args, name, value)
			}
			continue
		case "--bind_all":
			r.wide = true
		case "--logdir_spec", "--db":
			elsewhere = true
		case "--help", "-h", "--helpfull", "--version", "--version_tb", "--inspect":
			r.Tell = true
		default:
			if !strings.HasPrefix(name, "-") && bare == "" && i == 0 && name != "serve" {
				bare = words[i]
			}
		}
		r.Args = append(r.Args, words[i])
	}
	if r.LogDir == "" && !elsewhere && !r.Tell {
		if bare == "" {
			bare = "runs"
		}
		return Request{}, fmt.Errorf("%%tensorboard: no --logdir, want the folder that board.Open was given, or one above it; try %%tensorboard --logdir %s", bare)
	}
	return r, nil
}

// set takes over the value of an option.
func (r *Request) set(name, value string) error {
	switch name {
	case "--logdir":
		if value == "" {
			return errors.New(`%tensorboard: --logdir is "", want a folder; . is the one of the notebook`)
		}
		r.LogDir = value
	case "--host":
		r.Host = value
		r.wide = slices.Contains([]string{"0.0.0.0", "::"}, value)
	case "--port":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 0xffff {
			return fmt.Errorf("%%tensorboard: --port is %q, want a number up to 65535; leave it out for one that is free", value)
		}
		r.Port = n
	case "--height":
		n, err := strconv.Atoi(value)
		if err != nil || n < leastHeight {
			return fmt.Errorf("%%tensorboard: --height is %q, want pixels, %d or more, such as %d", value, leastHeight, defaultHeight)
		}
		r.Height = n
	}
	return nil
}
