package imagenet_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/dl/vision/imagenet"
)

func Example() {
	classes := imagenet.Classes()
	fmt.Println(len(classes), classes[0], classes[999])

	img := &vision.Image{C: 3, H: 300, W: 400, Pix: make([]uint8, 3*300*400)}
	ready, err := imagenet.Transform(256, 224).Apply(img, rand.New(rand.NewPCG(0, 0)))
	fmt.Println(ready, err)
	fmt.Printf("%.4f\n", ready.Values[0])
	// Output:
	// 1000 tench toilet tissue
	// picture [3 224 224] float32 <nil>
	// -2.1179
}
