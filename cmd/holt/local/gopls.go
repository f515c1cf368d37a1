package local

import (
	"context"
	"fmt"

	"github.com/holt-dl/holt/kernel/session/assist"
)

type goplsCmd struct {
	Quiet bool `short:"q" help:"Print nothing but errors."`
}

// Run builds gopls in Holt's own folder.
func (c goplsCmd) Run(ctx context.Context) error {
	file, err := assist.Install(ctx)
	if err == nil && !c.Quiet {
		fmt.Println(file)
	}
	return err
}
