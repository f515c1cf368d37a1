package dl_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/plugins"
)

// llama is a network with the shapes and names of Llama 2. Touvron et al., "Llama 2: Open
// Foundation and Fine-Tuned Chat Models", arXiv:2307.09288.
type llama struct {
	Embed  dl.Embedding `dl:"embed_tokens"`
	Layers []llamaLayer
	Norm   dl.RMSNorm
	Head   dl.Linear `dl:"lm_head"`
}

type llamaLayer struct {
	InputNorm  dl.RMSNorm `dl:"input_layernorm"`
	Q          dl.Linear  `dl:"q_proj"`
	K          dl.Linear  `dl:"k_proj"`
	V          dl.Linear  `dl:"v_proj"`
	O          dl.Linear  `dl:"o_proj"`
	OutputNorm dl.RMSNorm `dl:"post_attention_layernorm"`
	Gate       dl.Linear  `dl:"gate_proj"`
	Up         dl.Linear  `dl:"up_proj"`
	Down       dl.Linear  `dl:"down_proj"`

	heads int
}

func newLlama(words, layers, width, hidden, heads int) *llama {
	linear := func(out int) dl.Linear { return dl.Linear{Out: out, NoBias: true} }
	norm := dl.RMSNorm{Epsilon: 1e-5}
	n := &llama{Embed: dl.Embedding{In: words, Out: width}, Norm: norm, Head: linear(words)}
	for range layers {
		n.Layers = append(n.Layers, llamaLayer{
			InputNorm: norm, Q: linear(width), K: linear(width), V: linear(width), O: linear(width),
			OutputNorm: norm, Gate: linear(hidden), Up: linear(hidden), Down: linear(width), heads: heads,
		})
	}
	return n
}

// llamaPlan is that of PyTorch's tutorial on tensor parallel training of Llama 2.
var llamaPlan = dl.ParallelPlan{
	"embed_tokens": dl.Rowwise, "*.q_proj": dl.Colwise, "*.k_proj": dl.Colwise, "*.v_proj": dl.Colwise, "*.o_proj": dl.Rowwise,
	"*.gate_proj": dl.Colwise, "*.up_proj": dl.Colwise, "*.down_proj": dl.Rowwise, "lm_head": dl.Colwise,
}

// Forward returns scores [N words T] of words [N T].
func (n *llama) Forward(x *dl.Tensor) *dl.Tensor {
	length := x.Shape()[1]
	y := n.Embed.Forward(x)
	width := y.Shape()[2]
	cos, sin := rotations(length, width/n.Layers[0].heads)
	for i := range n.Layers {
		y = n.Layers[i].forward(y, cos, sin)
	}
	return n.Head.Forward(n.Norm.Forward(y)).Transpose(0, 2, 1)
}

// rotations are the cosines and sines of rotary embeddings, [T D].
func rotations(length, width int) (cos, sin *dl.Tensor) {
	c, s := make([]float32, length*width), make([]float32, length*width)
	for t := range length {
		for d := range width {
			angle := float64(t) * math.Pow(10000, -2*float64(d%(width/2))/float64(width))
			c[t*width+d], s[t*width+d] = float32(math.Cos(angle)), float32(math.Sin(angle))
		}
	}
	return dl.FromSlice(c, length, width), dl.FromSlice(s, length, width)
}

func (l *llamaLayer) forward(x, cos, sin *dl.Tensor) *dl.Tensor {
	shape := x.Shape()
	n, length, width := shape[0], shape[1], shape[2]
	size := width / l.heads
	split := func(x *dl.Tensor) *dl.Tensor { return x.Reshape(n, length, l.heads, size).Transpose(0, 2, 1, 3) }
	rotate := func(x *dl.Tensor) *dl.Tensor {
		halves := x.Chunk(2, 3)
		return x.Mul(cos.As(x.DType())).Add(dl.Concat(3, halves[1].Neg(), halves[0]).Mul(sin.As(x.DType())))
	}
	y := l.InputNorm.Forward(x)
	q, k, v := rotate(split(l.Q.Forward(y))), rotate(split(l.K.Forward(y))), split(l.V.Forward(y))
	scores := q.MatMul(k.Transpose(0, 1, 3, 2)).Scale(1 / math.Sqrt(float64(size)))
	later := dl.Full(-1e9, length, length).Triu(1).As(x.DType())
	y = scores.Add(later).Softmax(3).MatMul(v).Transpose(0, 2, 1, 3).Reshape(n, length, width)
	x = x.Add(l.O.Forward(y))
	y = l.OutputNorm.Forward(x)
	return x.Add(l.Down.Forward(l.Gate.Forward(y).SiLU().Mul(l.Up.Forward(y))))
}

// TestPlanLlama plans a training of Llama 2's 7 billion weights on eight GPUs, none of which could
// hold them with what Adam keeps. No weight is made.
func TestPlanLlama(t *testing.T) {
	on(t, "cpu")
	if _, ok := plugins.Compiler(); !ok {
		t.Skip("the compiler for CUDA is not installed; run holt backend install cuda-compiler")
	}
	const rows, length = 8, 2048
	words := dl.FromSlice(make([]int64, rows*length), rows, length)
	m := must(dl.Build(newLlama(32000, 32, 4096, 11008, 32), words))
	if n := m.NumParams(); n != 6_738_415_616 {
		t.Errorf("%d weights, want those of Llama 2", n)
	}
	step := dl.TrainStep(m, nil, dl.AdamW{}).With(dl.Options{Devices: 8, Shard: dl.FSDP, Precision: dl.BFloat16})
	p, err := dl.PlanBatch(step, "h100", dl.Batch{Inputs: words, Labels: words})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + p.String())
	// An eighth of the weights and of Adam's two slots, before a step and after.
	least := dl.Bytes(2 * 3 * 4 * m.NumParams() / 8)
	if line := p.Lines[0]; !line.Fits || line.Peak < least || line.Peak > 3*least {
		t.Errorf("plan is %+v, want at least %v, and that it fits", p, least)
	}
}

// TestLlama trains a small network of that kind on four devices by the plan of PyTorch's tutorial, as
// on one.
func TestLlama(t *testing.T) {
	fourDevices(t)
	words := make([]int64, 4*8)
	for i := range words {
		words[i] = int64(i * i % 16)
	}
	x := dl.FromSlice(words, 4, 8)
	losses := func(o dl.Options) (all []float64) {
		dl.Seed(1)
		m := must(dl.Build(newLlama(16, 1, 16, 32, 4), x))
		if err := m.Parallelize(llamaPlan); err != nil {
			t.Fatal(err)
		}
		step := dl.TrainStep(m, nil, dl.AdamW{LR: 0.01}).With(o)
		for range 3 {
			all = append(all, must(step.Run(dl.Batch{Inputs: x, Labels: x})).Loss)
		}
		return all
	}
	want := losses(dl.Options{})
	for _, o := range []dl.Options{
		{Devices: 4, Shard: dl.FSDP}, {Devices: 4, TensorParallel: 4}, {Devices: 4, TensorParallel: 2, Shard: dl.FSDP},
	} {
		near(t, fmt.Sprintf("losses of %+v", o), losses(o), want, 1e-4) // sums in another order
	}
}
