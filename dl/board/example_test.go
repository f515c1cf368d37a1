package board_test

import (
	"fmt"
	"image"
	"os"
	"path/filepath"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/board"
)

// folder is a folder for the logs of an example, and what removes it.
func folder() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "runs")
	if err != nil {
		panic(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

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

// Each call makes a file of its own, and TensorBoard shows those of one folder together.
func ExampleOpen() {
	dir, remove := folder()
	defer remove()
	for range 2 { // a training, and another after a restart
		w := board.Open(filepath.Join(dir, "cifar"))
		w.AddScalar("train/loss", 1, 0)
		w.Close()
	}
	files, err := filepath.Glob(filepath.Join(dir, "cifar", "events.out.tfevents.*"))
	fmt.Println(len(files), err)
	// Output: 2 <nil>
}

// A writer does not fail when it is made, so that it fits into a setting. Err
// and Close tell what went wrong since.
func ExampleWriter_Err() {
	w := board.Open(os.DevNull) // no folder
	w.AddScalar("train/loss", 1, 0)
	fmt.Println(w.Err())
	fmt.Println(w.Close())
	// Output:
	// board: open /dev/null: mkdir /dev/null: not a directory
	// board: open /dev/null: mkdir /dev/null: not a directory
}

func ExampleWriter_Dir() {
	dir, remove := folder()
	defer remove()
	w := board.Open(filepath.Join(dir, "cifar"))
	defer w.Close()
	fmt.Println(filepath.Base(w.Dir()))
	// Output: cifar
}

func ExampleWriter_AddScalar() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	for step := range 3 {
		w.AddScalar("train/loss", 1/float64(1+step), step)
	}
	w.Close()
	log, err := board.Read(dir)
	fmt.Println(log.Names(), err)
	// Output: [train/loss] <nil>
}

// The curves of one diagram are runs inside of the run.
func ExampleWriter_AddScalars() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	w.AddScalars("speed", map[string]float64{"go": 3, "python": 2}, 0)
	w.Close()
	log, err := board.Read(dir)
	fmt.Println(log.Names(), err)
	// Output: [speed_go/speed speed_python/speed] <nil>
}

func ExampleWriter_AddImage() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	defer w.Close()
	picture := dl.FromSlice(make([]float32, 3*8*8), 3, 8, 8) // CHW, 0 to 1
	fmt.Println(w.AddImage("picture", picture, 0))
	fmt.Println(w.AddImage("channels last", board.Layout{Of: dl.FromSlice(make([]uint8, 8*8*3), 8, 8, 3), Axes: "HWC"}, 0))
	fmt.Println(w.AddImage("Go's", image.NewGray(image.Rect(0, 0, 8, 8)), 0))
	fmt.Println(w.AddImage("wrong", dl.FromSlice(make([]uint8, 8*8*3), 8, 8, 3), 0))
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// board: AddImage: wrong: the picture is [8 8 3], which has 8 channels as CHW, want 1, 3 or 4, and no axis of 0; name the axes: board.Layout{Of: x, Axes: "HWC"}
}

func ExampleWriter_AddImages() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	defer w.Close()
	batch := dl.FromSlice(make([]float32, 16*3*8*8), 16, 3, 8, 8) // NCHW: two rows of eight
	fmt.Println(w.AddImages("batch", batch, 0))
	// Output: <nil>
}

// A figure is a plot, a drawing or the bytes of a PNG file.
func ExampleWriter_AddFigure() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	defer w.Close()
	fmt.Println(w.AddFigure("drawing", image.NewNRGBA(image.Rect(0, 0, 64, 48)), 0))
	// Output: <nil>
}

func ExampleWriter_AddHistogram() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	defer w.Close()
	var weights board.Array = dl.FromSlice([]float32{-1, 0, 0.5, 2}, 2, 2)
	fmt.Println(w.AddHistogram("0.weight", weights, 0))
	// Output: <nil>
}

func ExampleWriter_AddText() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	w.AddText("notes", "**lr** 0.01", 0)
	w.Close()
	log, err := board.Read(dir)
	fmt.Println(log.Text("notes"), err)
	// Output: **lr** 0.01 <nil>
}

func ExampleWriter_AddGraph() {
	dir, remove := folder()
	defer remove()
	model, err := dl.Build(dl.Sequential{dl.Linear{Out: 8}, dl.ReLU{}, dl.Linear{Out: 2}}, dl.Shape{16, 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := board.Open(dir)
	defer w.Close()
	fmt.Println(w.AddGraph(model))
	// Output: <nil>
}

func ExampleWriter_AddHParams() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	for _, lr := range []float64{0.1, 0.01} {
		w.AddHParams(map[string]any{"lr": lr, "optimizer": "Adam"}, map[string]float64{"hparam/accuracy": 1 - lr}, fmt.Sprint("lr", lr))
	}
	w.Close()
	log, err := board.Read(dir)
	fmt.Println(log.Names(), err)
	// Output: [lr0.01/hparam/accuracy lr0.1/hparam/accuracy] <nil>
}

// A training that crashed after it had saved step 2 goes on from there.
func ExampleWriter_PurgeStep() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	for step := range 5 {
		w.AddScalar("train/loss", 9, step)
	}
	w.Close()

	w = board.Open(dir)
	w.PurgeStep(2)
	w.AddScalar("train/loss", 1, 2)
	w.Close()
	log, err := board.Read(dir)
	fmt.Println(log.Curve("train/loss"))
	fmt.Println(err)
	// Output:
	// [0 1 2] [9 9 1]
	// <nil>
}

func ExampleWriter_Flush() {
	dir, remove := folder()
	defer remove()
	w := board.Open(dir)
	w.AddScalar("train/loss", 1, 0) // in the file now, and shown by TensorBoard
	fmt.Println(w.Flush())          // on the disk, too
	fmt.Println(w.Close())
	// Output:
	// <nil>
	// <nil>
}

func ExampleRead() {
	log, err := board.Read("testdata/events") // which PyTorch wrote
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range log.Names() {
		x, y := log.Curve(name)
		fmt.Println(name, x, y)
	}
	_, err = board.Read("testdata/none")
	fmt.Println(err)
	// Output:
	// negative step [-1] [-3]
	// run/hparam/accuracy [0] [0.75]
	// speed_both_go/speed/both [7] [3]
	// speed_both_python/speed/both [7] [2]
	// train/loss [0 1] [2.5 1.25]
	// board: read testdata/none: file does not exist, want a folder that board.Open was given; testdata has events
}

func ExampleLog_String() {
	log, err := board.Read("testdata/events/run")
	fmt.Println(log, err)
	fmt.Println(log.XLabel())
	<-log.Done() // nothing is added to it
	// Output:
	// testdata/events/run: 5 events in 0s  hparam/accuracy 0.75 <nil>
	// step
}
