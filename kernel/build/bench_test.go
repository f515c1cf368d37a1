package build_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/kernel/build"
)

// BenchmarkCell compiles and links one cell against the whole host:
//
//	go test -bench=Cell -benchtime=20x -run=^$ ./kernel/build
func BenchmarkCell(b *testing.B) {
	w, err := build.Open(context.Background(), build.Options{Source: holt.Source, Progress: func(s string) { b.Log(s) }})
	if err != nil {
		b.Fatal(err)
	}
	cells := []struct{ name, text string }{
		{"fmt", "import \"fmt\"\nvar X int\nfunc Run() { fmt.Println(\"hi\", X) }"},
		{"graph", "import (\n\"fmt\"\n\"github.com/gomlx/gomlx/core/graph\"\n\"github.com/gomlx/gomlx/ml/train\"\n)\nvar X *graph.Node\nvar T *train.Trainer\nfunc Run() { fmt.Println(\"hi\", X, T, graph.Add(X, X)) }"},
		{"dl", "import (\n\"fmt\"\n\"github.com/holt-dl/holt/dl\"\n\"github.com/holt-dl/holt/display\"\n)\nvar X dl.Shape\nfunc Run() { fmt.Println(\"hi\", X, dl.Devices()); display.Show(X) }"},
	}
	for _, c := range cells {
		b.Run(c.name, func(b *testing.B) {
			var compile, link float64
			dir := b.TempDir()
			n := 0
			for b.Loop() {
				n++
				built, err := w.Build(context.Background(), build.Unit{
					Path:  fmt.Sprintf("notebook/c%d", n),
					Files: []build.File{{Name: "cell.go", Text: fmt.Appendf(nil, "package c%d\n%s\n", n, c.text)}},
					Dir:   fmt.Sprintf("%s/c%d", dir, n),
				})
				if err != nil {
					b.Fatal(err)
				}
				compile += built.CompileTime.Seconds()
				link += built.LinkTime.Seconds()
			}
			b.ReportMetric(compile/float64(n)*1e3, "compile-ms")
			b.ReportMetric(link/float64(n)*1e3, "link-ms")
		})
	}
}
