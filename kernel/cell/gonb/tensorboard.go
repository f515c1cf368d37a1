package gonb

import (
	"context"
	"fmt"
	"strings"

	"github.com/holt-dl/holt/kernel/machine/tensorboard"
)

// options are the options of commands that completion knows, sorted.
//
// [Complete] reads it. The keys are names as they are typed.
var options = map[string][]string{"%tensorboard": tensorboard.Options}

// boardCommands are IPython's words for TensorBoard.
//
// A notebook from Colab runs as it is: %load_ext tensorboard and then %tensorboard --logdir
// runs.
var boardCommands = []command{
	{[]string{"tensorboard"}, "--logdir DIR [--port N] [--host NAME] [--height PIXELS] [OPTIONS]", "shows TensorBoard here, of the logs that board.Open wrote in DIR or below:\none that runs already, or a new one, which ends with the kernel. OPTIONS are\nTensorBoard's, which --help lists", func(ctx context.Context, r *runner, c line) error {
		// Both kinds of quotes, as IPython reads this line by a shell's rules.
		request, err := tensorboard.Parse(split(c.rest, `"'`), func(file string) string { return expand(r.nb, file) })
		if err != nil {
			return err
		}
		return r.nb.TensorBoard(ctx, request)
	}},
	{[]string{"load_ext", "reload_ext"}, "tensorboard", "nothing: %tensorboard is there without it", func(_ context.Context, r *runner, c line) error {
		// Older notebooks load tensorboard.notebook.
		if name, _, _ := strings.Cut(c.rest, "."); name != "tensorboard" {
			return fmt.Errorf("%%%s: %q is an extension of IPython, which is for Python; %%help lists what Holt has", c.name, c.rest)
		}
		r.nb.Print(fmt.Sprintf("%%%s: nothing needs to be loaded; go on with %%tensorboard --logdir DIR\n", c.name))
		return nil
	}},
}
