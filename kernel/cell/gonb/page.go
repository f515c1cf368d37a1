package gonb

import (
	"context"
	"fmt"
)

// pageCommands are about the notebook page.
//
// Both are GoNB's: notebooks that were written for it have them at their head.
var pageCommands = []command{
	{[]string{"widgets"}, "", "puts the script of widgets into the page; using a widget does so by itself", func(ctx context.Context, r *runner, c line) error {
		if err := c.none(); err != nil {
			return err
		}
		return r.nb.Widgets(ctx)
	}},
	{[]string{"widgets_hb"}, "", "asks the page whether it can be reached", func(ctx context.Context, r *runner, c line) error {
		if err := c.none(); err != nil {
			return err
		}
		ok, err := r.nb.Heartbeat(ctx)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%%widgets_hb: the page does not answer; reload it, or run %%widgets")
		}
		r.nb.Print("the page answers\n")
		return nil
	}},
}
