package gonb

import (
	"context"
	"fmt"
	"strings"
)

// moduleCommands are about modules, and how cells are compiled.
//
// They change how the cells after this one are compiled, and this one, since its Go code comes
// after its commands.
var moduleCommands = []command{
	{[]string{"goflags"}, "[FLAGS]", "flags of go build for cells: -gcflags=…, -tags=…, -cover, -race;\n%goflags \"\" forgets them", func(ctx context.Context, r *runner, c line) error {
		// Without words the flags are shown; "" is a word that is empty, and gives no flags.
		if len(c.words) > 0 {
			var flags []string
			for _, w := range c.words {
				if w != "" {
					flags = append(flags, w)
				}
			}
			if err := r.nb.SetGoFlags(ctx, flags); err != nil {
				return fmt.Errorf("%%goflags: %w", err)
			}
		}
		r.nb.Print(fmt.Sprintf("%%goflags=%q\n", r.nb.GoFlags()))
		return nil
	}},
	{[]string{"autoget"}, "", "an import brings its module when it is not required yet; so it is at first", func(_ context.Context, r *runner, c line) error {
		// What is wrong with the line is said after it took effect; so it is with %noautoget.
		r.nb.AutoGet(true)
		return c.none()
	}},
	{[]string{"noautoget"}, "", "an import of a module that is not required is an error; see !*go get", func(_ context.Context, r *runner, c line) error {
		r.nb.AutoGet(false)
		return c.none()
	}},
	{[]string{"goworkfix"}, "", "replaces modules in go.mod by the folders that go.work in GONB_TMP_DIR uses", func(ctx context.Context, r *runner, c line) error {
		if err := c.none(); err != nil {
			return err
		}
		replaced, err := r.nb.UseWorkspace(ctx)
		if err != nil {
			return fmt.Errorf("%%goworkfix: %w", err)
		}
		for _, m := range replaced {
			r.nb.Print(fmt.Sprintf("go.mod: replace %s => %s\n", m[0], m[1]))
		}
		return nil
	}},
	{[]string{"track"}, "[PATH …]", "follows changes of files and folders, so that completion and the next cell\nsee them; alone, lists what is followed. Folders that go.mod replaces a module\nwith are followed by themselves", func(_ context.Context, r *runner, c line) error {
		// Each path by itself, and then the list, so that the person sees what else is
		// followed.
		for _, path := range c.words {
			if err := r.nb.Track(expand(r.nb, path)); err != nil {
				return fmt.Errorf("%%track: %w", err)
			}
		}
		list := r.nb.Tracked()
		if len(list) == 0 {
			r.nb.Print("nothing is tracked\n")
			return nil
		}
		r.nb.Print("tracked:\n  " + strings.Join(list, "\n  ") + "\n")
		return nil
	}},
	{[]string{"untrack"}, "PATH …", "follows them no longer; PATH... is for all that begin so", func(_ context.Context, r *runner, c line) error {
		if len(c.words) == 0 {
			return fmt.Errorf("%%untrack: no path, want what %%track lists, or a beginning of it with ... behind")
		}
		for _, path := range c.words {
			if r.nb.Untrack(expand(r.nb, path)) {
				r.nb.Print("no longer tracked: " + path + "\n")
			} else {
				// Not an error, so that the cell goes on: what was asked for is the case.
				r.nb.Warn(fmt.Sprintf("%%untrack: %s is not tracked; %%track lists what is\n", path))
			}
		}
		return nil
	}},
}
