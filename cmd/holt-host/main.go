// Command holt-host is the process that cells are loaded into. The kernel
// builds it once per workspace, with package kernel/build, and starts it; it
// is the only program that joins kernel, display, dl and the backends.
//
// What it imports, cells share: a package that is not here is linked into the
// first cell that imports it, and comes from there for the later ones.
package main

import (
	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/display/plot"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/goxla"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/kernel/host"
)

func main() {
	hooks.Set(func(h *hooks.Hooks) {
		h.Context = host.Context
		h.Hold = host.Hold
		h.Notice = func(sentence string) { frame.Warn(sentence) }
		h.Plotter = plot.Gonum{}
	})
	goxla.Install()
	listenForever()
	inOrder()
	host.Main(host.Options{Render: display.Render, Leave: hooks.Leave})
}
