package board_test

import (
	"fmt"
	"os"

	"github.com/holt-dl/holt/dl/board"
)

func Example() {
	dir, err := os.MkdirTemp("", "runs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	w := board.Open(dir)
	for step, loss := range []float64{2.3, 1.5, 1.25} {
		w.AddScalar("train/loss", loss, step)
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}

	log, err := board.Read(dir) // display.Replay(log) draws it
	if err != nil {
		fmt.Println(err)
		return
	}
	_, y := log.Curve("train/loss")
	fmt.Println(log.Names(), len(y), "points, the last", y[2])
	// Output: [train/loss] 3 points, the last 1.25
}
