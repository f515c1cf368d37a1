package plot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/display/plot"
	"github.com/holt-dl/holt/internal/golden"
)

// layer adds a layer with its weights to a network and returns its name.
func layer(n *display.Network, path, kind string, shape []int, params int, uses ...string) string {
	name := path + "/" + kind
	if params > 0 {
		n.Nodes = append(n.Nodes, display.Node{Name: path + "/weight", Op: "Parameter", Shape: []int{params}})
		uses = append(uses, path+"/weight")
	}
	n.Nodes = append(n.Nodes, display.Node{Name: name, Op: kind, Inputs: uses, Shape: shape})
	return name
}

func block(n *display.Network, path, from string, down bool) string {
	shape := []int{8, 64, 16, 16}
	x := layer(n, path+"/conv1", "Conv2d", shape, 36864, from)
	x = layer(n, path+"/bn1", "BatchNorm2d", shape, 128, x)
	x = layer(n, path+"/relu", "ReLU", shape, 0, x)
	x = layer(n, path+"/conv2", "Conv2d", shape, 36864, x)
	x = layer(n, path+"/bn2", "BatchNorm2d", shape, 128, x)
	short := from
	if down {
		short = layer(n, path+"/downsample/0", "Conv2d", shape, 4096, from)
		short = layer(n, path+"/downsample/1", "BatchNorm2d", shape, 128, short)
	}
	return layer(n, path+"/relu_1", "ReLU", shape, 0, x, short)
}

// residual is a network with so many blocks, each with a way around it.
func residual(blocks int) display.Network {
	var n display.Network
	n.Nodes = append(n.Nodes, display.Node{Name: "input", Op: "Input", Shape: []int{8, 3, 32, 32}})
	x := layer(&n, "conv1", "Conv2d", []int{8, 64, 16, 16}, 9408, "input")
	for i := range blocks {
		x = block(&n, fmt.Sprintf("layer%d", i+1), x, i%2 == 1)
	}
	x = layer(&n, "avgpool", "AdaptiveAvgPool2d", []int{8, 64, 1, 1}, 0, x)
	x = layer(&n, "fc", "Linear", []int{8, 10}, 650, x)
	n.Nodes = append(n.Nodes, display.Node{Name: "output", Op: "Output", Inputs: []string{x}, Shape: []int{8, 10}})
	return n
}

func TestDiagram(t *testing.T) {
	golden.CheckPNG(t, "network", pngOf(t, residual(2)), rounding)
	golden.CheckPNG(t, "network-folded", pngOf(t, residual(6)), rounding)

	// Four ways between two layers, of which two cross if they are drawn as
	// they come, and one goes past all.
	var n display.Network
	n.Title = `<b>hostile</b> 水獺`
	n.Nodes = append(n.Nodes, display.Node{Name: "input", Op: "Input", Shape: []int{1, 8}})
	in := layer(&n, hostile, hostile, []int{1, 8}, 64, "input")
	a := layer(&n, "a", "Linear", []int{1, 8}, 64, in)
	b := layer(&n, "b", "Linear", []int{1, 8}, 64, in)
	b2 := layer(&n, "b2", "GELU", []int{1, 8}, 0, b)
	a2 := layer(&n, "a2", "SiLU", []int{1, 8}, 0, a)
	x := layer(&n, "join", "Linear", []int{1, 8}, 64, a2, b2, in)
	n.Nodes = append(n.Nodes, display.Node{Name: "output", Op: "Output", Inputs: []string{x, in}, Shape: []int{1, 8}})
	golden.CheckPNG(t, "network-ways", pngOf(t, n), rounding)
}

// Numbers are whole, and every layer has its place, where the widest box is not wider than a page.
func TestBoxText(t *testing.T) {
	for _, b := range []display.Box{
		{Name: "BatchNorm2d", Place: "1", Note: "[64 16 32 32]  1,216"},
		{Name: "Conv2d", Place: "layer1.0.downsample.0", Note: "[64 512 16 16]  1,180,160"},
		{Name: "Linear", Place: "classifier.0", Note: "[64 4096]  102,764,544"},
	} {
		if name, place, note := plot.BoxText(b); name != b.Name || place != b.Place || note != b.Note {
			t.Errorf("drawn as %q %q %q, want %q %q %q", name, place, note, b.Name, b.Place, b.Note)
		}
	}
	long := display.Box{Name: strings.Repeat("Otter", 40), Place: "0", Note: "[64 4096]  102,764,544"}
	if _, _, note := plot.BoxText(long); note != long.Note {
		t.Errorf("beside a long name the numbers are %q, want %q", note, long.Note)
	}
}
