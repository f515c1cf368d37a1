package dl_test

import (
	"fmt"
	"log"

	"github.com/holt-dl/holt/dl"
)

// A data set may have examples of any struct; a batch has a tensor for each field.
func ExampleDatasetOf() {
	type Question struct {
		Words  []int64
		Answer int
		Weight float32
	}
	questions := dl.SliceDataset([]Question{
		{Words: []int64{4, 7, 1}, Answer: 2, Weight: 1},
		{Words: []int64{9, 2, 0}, Answer: 0, Weight: 0.5},
	})
	loader := dl.DataLoader{Dataset: questions, BatchSize: 2}
	for batch := range loader.Batches() {
		words, answer, weight := batch.Get("Words"), batch.Get("Answer"), batch.Get("Weight")
		fmt.Println(words.Shape(), words.Int64s())
		fmt.Println(answer.Shape(), answer.Int64s())
		fmt.Println(weight.Shape(), weight.Float32s())
	}
	if err := dl.Use("go"); err != nil {
		log.Fatal(err)
	}
	mean := dl.Compile(func(b dl.Batch) *dl.Tensor { return b.Get("Weight").Mean() })
	fmt.Println(mean.Call(dl.Batch{Fields: map[string]*dl.Tensor{"Weight": dl.FromSlice([]float32{1, 2})}}).Item())
	// Output:
	// [2 3] [4 7 1 9 2 0]
	// [2] [2 0]
	// [2] [1 0.5]
	// 1.5
}
