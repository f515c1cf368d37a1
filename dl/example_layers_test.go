package dl_test

import (
	"fmt"
	"log"
	"slices"

	"github.com/holt-dl/holt/dl"
)

// build makes a model of a layer.
func build(net any, inputs ...any) *dl.Model {
	m, err := dl.Build(net, inputs...)
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// The course's convolution by hand: a picture of 5×5, a filter of 3×3.
func ExampleTensor_Conv2d() {
	picture := dl.FromSlice([]float32{
		1, 2, 0, 3, 1,
		0, 1, 2, 3, 1,
		1, 2, 1, 0, 0,
		5, 2, 3, 1, 1,
		2, 1, 0, 1, 1}, 1, 1, 5, 5)
	filter := dl.FromSlice([]float32{
		1, 2, 1,
		0, 1, 0,
		2, 1, 0}, 1, 1, 3, 3)
	fmt.Println(picture.Conv2d(filter, nil, dl.Conv2d{}).Float32s())
	fmt.Println(picture.Conv2d(filter, nil, dl.Conv2d{Stride: 2}).Float32s())
	fmt.Println(picture.Conv2d(filter, nil, dl.Conv2d{Padding: 1}).Shape())
	// Output:
	// [10 12 12 18 16 16 13 9 3]
	// [10 12 13 3]
	// [1 1 5 5]
}

func ExampleConvTranspose2d() {
	up := dl.ConvTranspose2d{Out: 8, Kernel: 2, Stride: 2}
	fmt.Println(up.Output(dl.Shape{1, 16, 14, 14}))
	// Output: [1 8 28 28] <nil>
}

func ExampleAvgPool2d() {
	x := dl.FromSlice([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 1, 3, 3)
	fmt.Println(dl.AvgPool2d{Kernel: 2}.Forward(x).Float32s())
	fmt.Println(dl.AvgPool2d{Kernel: 2, Ceil: true}.Forward(x).Float32s())
	// Output:
	// [3]
	// [3 4.5 7.5 9]
}

func ExampleAdaptiveAvgPool2d() {
	fmt.Println(dl.AdaptiveAvgPool2d{Out: 7}.Output(dl.Shape{1, 512, 13, 9}))
	// Output: [1 512 7 7] <nil>
}

func ExampleBatchNorm2d() {
	fmt.Println(build(dl.BatchNorm2d{}, dl.Shape{8, 3, 4, 4}).Names())
	// Output: [weight bias running_mean running_var num_batches_tracked]
}

func ExampleBatchNorm1d() {
	fmt.Println(dl.BatchNorm1d{}.Output(dl.Shape{8, 3, 4, 4}))
	// Output: [] dl: BatchNorm1d: input is [8 3 4 4], want [N C] or [N C L]; use BatchNorm2d
}

func ExampleLayerNorm() {
	m := build(dl.LayerNorm{}, dl.Shape{1, 4})
	y, err := m.Predict(dl.FromSlice([]float32{1, 2, 3, 4}, 1, 4))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", y.Float32s())
	// Output: [-1.34 -0.45 0.45 1.34]
}

func ExampleDropout() {
	x := dl.FromSlice([]float32{1, 2, 3, 4}, 1, 4)
	y, err := build(dl.Dropout{P: 0.5}, dl.Shape{1, 4}).Predict(x) // prediction drops nothing
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Float32s())
	// Output: [1 2 3 4]
}

// A network that begins with an Embedding is built for integers.
func ExampleEmbedding() {
	m := build(dl.Sequential{dl.Embedding{In: 1000, Out: 16, PaddingIdx: new(0)}, dl.LSTM{Hidden: 32, BatchFirst: true}}, dl.Shape{8, 20}, dl.Int64)
	fmt.Println(m)
	// Output:
	//                                            output     params
	// Sequential(                                [8 20 32]
	//   (0): Embedding(1000, 16, padding_idx=0)  [8 20 16]  16,000
	//   (1): LSTM(16, 32, batch_first=True)      [8 20 32]   6,400
	// )
	// Input [8 20], 22,400 parameters
}

func ExampleLSTM() {
	fmt.Println(dl.LSTM{Hidden: 64, Bidirectional: true, BatchFirst: true}.Output(dl.Shape{8, 20, 16}))
	// Output: [8 20 128] <nil>
}

// A state goes from one piece of a sequence to the next.
func ExampleGRU() {
	gru := &dl.GRU{Hidden: 8, Layers: 2}
	build(gru, dl.Shape{20, 4, 3})
	y, h := gru.ForwardState(dl.Rand(20, 4, 3), nil)
	y, h = gru.ForwardState(dl.Rand(20, 4, 3), h)
	fmt.Println(y.Shape(), h.Shape())
	// Output: [20 4 8] [2 4 8]
}

func ExampleRNN() {
	fmt.Println(build(dl.RNN{Hidden: 8, Nonlinearity: "relu"}, dl.Shape{20, 4, 3}).Names())
	// Output: [weight_ih_l0 weight_hh_l0 bias_ih_l0 bias_hh_l0]
}

// Ten steps, each with the state of the last one.
func ExampleLSTMCell() {
	cell := &dl.LSTMCell{Hidden: 8}
	build(cell, dl.Shape{4, 3}, dl.Shape{4, 8}, dl.Shape{4, 8})
	x := dl.Rand(10, 4, 3)
	var h, c *dl.Tensor // nil is zeros
	for i := range 10 {
		h, c = cell.Forward(x.Index(i), h, c)
	}
	fmt.Println(h.Shape(), c.Shape())
	// Output: [4 8] [4 8]
}

func ExampleMultiheadAttention() {
	fmt.Println(build(dl.MultiheadAttention{Heads: 4}, dl.Shape{20, 8, 64}).Names())
	// Output: [in_proj_weight in_proj_bias out_proj.weight out_proj.bias]
}

func ExampleTransformerEncoder() {
	encoder := dl.TransformerEncoder{Layers: slices.Repeat([]dl.TransformerEncoderLayer{{Heads: 4, Hidden: 128, BatchFirst: true}}, 2)}
	fmt.Println(build(encoder, dl.Shape{8, 20, 64}).NumParams())
	// Output: 66944
}

func ExampleTransformer() {
	m := build(dl.Transformer{Heads: 4, Hidden: 128, BatchFirst: true}, dl.Shape{8, 20, 64}, dl.Shape{8, 15, 64})
	fmt.Println(m.Names()[:3], m.NumParams())
	// Output: [encoder.layers.0.self_attn.in_proj_weight encoder.layers.0.self_attn.in_proj_bias encoder.layers.0.self_attn.out_proj.weight] 502528
}

func ExampleLeakyReLU() {
	fmt.Println(dl.LeakyReLU{Slope: 0.1}.Forward(dl.FromSlice([]float32{-2, 3})).Float32s())
	// Output: [-0.2 3]
}

func ExampleELU() {
	fmt.Printf("%.4f\n", dl.ELU{}.Forward(dl.FromSlice([]float32{-1, 0, 1})).Float32s())
	// Output: [-0.6321 0.0000 1.0000]
}

func ExampleGELU() {
	fmt.Printf("%.4f\n", dl.GELU{}.Forward(dl.FromSlice([]float32{-1, 0, 1})).Float32s())
	// Output: [-0.1587 0.0000 0.8413]
}

func ExampleSiLU() {
	fmt.Printf("%.4f\n", dl.SiLU{}.Forward(dl.FromSlice([]float32{-1, 0, 1})).Float32s())
	// Output: [-0.2689 0.0000 0.7311]
}

func ExampleSigmoid() {
	fmt.Printf("%.4f\n", dl.Sigmoid{}.Forward(dl.FromSlice([]float32{-1, 0, 1})).Float32s())
	// Output: [0.2689 0.5000 0.7311]
}

func ExampleTanh() {
	fmt.Printf("%.4f\n", dl.Tanh{}.Forward(dl.FromSlice([]float32{-1, 0, 1})).Float32s())
	// Output: [-0.7616 0.0000 0.7616]
}

func ExampleSoftmax() {
	fmt.Printf("%.4f\n", dl.Softmax{}.Forward(dl.FromSlice([]float32{1, 2, 3}, 1, 3)).Float32s())
	// Output: [0.0900 0.2447 0.6652]
}

func ExampleLogSoftmax() {
	fmt.Printf("%.4f\n", dl.LogSoftmax{}.Forward(dl.FromSlice([]float32{1, 2, 3}, 1, 3)).Float32s())
	// Output: [-2.4076 -1.4076 -0.4076]
}

func ExampleCrossEntropyLoss() {
	scores := dl.FromSlice([]float32{2, 0, 0, 0, 3, 0}, 2, 3)
	labels := dl.FromSlice([]int64{0, 2})
	fmt.Printf("%.4f\n", scores.CrossEntropy(labels).Item())
	fmt.Printf("%.4f\n", scores.Loss(dl.CrossEntropyLoss{LabelSmoothing: 0.1}, labels).Item())
	fmt.Printf("%.4f\n", scores.Loss(dl.CrossEntropyLoss{Reduction: "none"}, labels).Float32s())
	// Output:
	// 1.6672
	// 1.6839
	// [0.2395 3.0949]
}

func ExampleNLLLoss() {
	scores := dl.FromSlice([]float32{2, 0, 0, 0, 3, 0}, 2, 3)
	fmt.Printf("%.4f\n", scores.LogSoftmax(1).Loss(dl.NLLLoss{}, dl.FromSlice([]int64{0, 2})).Item())
	// Output: 1.6672
}

func ExampleMSELoss() {
	fmt.Println(dl.FromSlice([]float32{1, 2, 4, 5}).Loss(dl.MSELoss{}, dl.FromSlice([]float32{1, 0, 3, 5})).Item())
	// Output: 1.25
}

func ExampleL1Loss() {
	fmt.Println(dl.FromSlice([]float32{1, 2, 4}).Loss(dl.L1Loss{Reduction: "sum"}, dl.FromSlice([]float32{1, 0, 3})).Float32s())
	// Output: [3]
}

func ExampleSmoothL1Loss() {
	fmt.Println(dl.FromSlice([]float32{1, 2, 3.5}).Loss(dl.SmoothL1Loss{Reduction: "none"}, dl.FromSlice([]float32{1, 0, 3})).Float32s())
	// Output: [0 1.5 0.125]
}

func ExampleBCEWithLogitsLoss() {
	fmt.Printf("%.4f\n", dl.FromSlice([]float32{0, 2}).Loss(dl.BCEWithLogitsLoss{}, dl.FromSlice([]float32{1, 1})).Item())
	// Output: 0.4100
}

func ExampleKLDivLoss() {
	p := dl.FromSlice([]float32{0.5, 0.5}, 1, 2)
	q := dl.FromSlice([]float32{0.25, 0.75}, 1, 2)
	fmt.Printf("%.4f\n", q.Log().Loss(dl.KLDivLoss{Reduction: "batchmean"}, p).Item())
	// Output: 0.1438
}

func ExampleGrad() {
	x := dl.FromSlice([]float32{1, 2, 3})
	g, err := dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return x[0].Pow(3).Sum() }, x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(g[0].Float32s())
	// Output: [3 12 27]
}

func ExampleModel_Features() {
	m := build(dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}, dl.ReLU{}, dl.Flatten{}, dl.Linear{Out: 2}}, dl.Shape{1, 1, 8, 8})
	maps, err := m.Features("1", dl.FromSlice(make([]float32, 64), 1, 1, 8, 8))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(maps.Shape())
	// Output: [1 4 6 6]
}

func ExampleModel_Eval() {
	m := build(dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}, dl.BatchNorm2d{}, dl.Flatten{}, dl.Linear{Out: 2}}, dl.Shape{2, 1, 8, 8})
	m.Eval("1") // keeps its running mean while the rest is trained
	step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
	if _, err := step.Run(dl.Batch{Inputs: dl.FromSlice(make([]float32, 128), 2, 1, 8, 8), Labels: dl.FromSlice([]int64{0, 1})}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Param("1.running_mean").Float32s())
	// Output: [0 0 0 0]
}

func ExampleModel_Summary() {
	m := build(dl.Sequential{dl.Conv2d{Out: 8, Kernel: 3, Padding: 1}, dl.BatchNorm2d{}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2}, dl.Flatten{}, dl.Linear{Out: 10}}, dl.Shape{1, 3, 32, 32})
	fmt.Println(m.Summary())
	// Output:
	// layer               output       parameters     MACs
	// 0      Conv2d       [1 8 32 32]         224  221,184
	// 1      BatchNorm2d  [1 8 32 32]          16
	// 2      ReLU         [1 8 32 32]
	// 3      MaxPool2d    [1 8 16 16]
	// 4      Flatten      [1 2048]
	// 5      Linear       [1 10]           20,490   20,480
	// sum                                  20,730  241,664
	// Input [1 3 32 32]: 12.3 kB; parameters 83.0 kB, outputs of all layers 114.7 kB
}

func ExampleScan() {
	// Compound interest, year by year.
	money, years := dl.Scan(func(money, rate *dl.Tensor) (*dl.Tensor, *dl.Tensor) {
		money = money.Mul(rate.Shift(1))
		return money, money
	}, dl.Full(100), dl.FromSlice([]float32{0.5, 0.5, 1}))
	fmt.Println(money.Item(), years.Float32s())
	// Output: 450 [150 225 450]
}

func ExampleWhile() {
	limit := dl.Full(100)
	n := dl.While(
		func(n *dl.Tensor) *dl.Tensor { return n.Less(limit) },
		func(n *dl.Tensor) *dl.Tensor { return n.Scale(3) },
		dl.Full(1))
	fmt.Println(n.Item()) // 243; the pure-Go backend has no While
}
