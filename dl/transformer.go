package dl

// TransformerEncoderLayer is self-attention and two linear layers, each added to
// what came in and normalized, as torch.nn.TransformerEncoderLayer.
//
//	input      [L N In], or [N L In] with BatchFirst
//	self_attn  see [MultiheadAttention]
//	linear1    [Hidden In]
//	linear2    [In Hidden]
//	norm1, norm2
//	output     as the input
//
// Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
type TransformerEncoderLayer struct {
	In         int     // length of a vector; 0 takes what comes
	Heads      int     // required
	Hidden     int     // length between the linear layers, as dim_feedforward; 0 means 2048
	Dropout    float64 // 0 means 0.1
	GELU       bool    // between the linear layers GELU, not ReLU
	NormFirst  bool    // normalize what goes into attention and linear layers, not the sum behind them
	BatchFirst bool    // the first axis is the batch, not the sequence

	// Parts of the layer, whose settings follow from those above.
	SelfAttn MultiheadAttention `dl:"self_attn"`
	Linear1  Linear
	Drop     Dropout `dl:"dropout"`
	Linear2  Linear
	Norm1    LayerNorm
	Norm2    LayerNorm
	Drop1    Dropout `dl:"dropout1"`
	Drop2    Dropout `dl:"dropout2"`

	xavier bool // weights start as torch.nn.Transformer has them
}

// compose gives the parts their settings.
func (l *TransformerEncoderLayer) compose() {
	l.SelfAttn = attentionPart(l.SelfAttn, l.In, l.Heads, l.dropout(), l.BatchFirst, l.xavier)
	l.Linear1, l.Linear2 = feedForward(l.Linear1, l.Linear2, l.In, l.Hidden, l.xavier)
	l.Drop.P, l.Drop1.P, l.Drop2.P = l.dropout(), l.dropout(), l.dropout()
}

func (l *TransformerEncoderLayer) dropout() float64 { return dropoutOr(l.Dropout) }

// dropoutOr returns p, or what 0 means. Zero stays, for the layer that drops.
func dropoutOr(p float64) float64 {
	if p == 0 {
		return 0.1
	}
	return p
}

// Forward applies the layer to a sequence, whose places may all look at each other.
func (l TransformerEncoderLayer) Forward(x *Tensor) *Tensor { return l.Attend(x, Attention{}) }

// Attend applies the layer to a sequence whose places may look at what a says.
func (l TransformerEncoderLayer) Attend(x *Tensor, a Attention) *Tensor {
	l.In = or(l.In, lastOf(x))
	l.compose()
	look := func(x *Tensor) *Tensor {
		y, _ := l.SelfAttn.Attend(x, x, x, a)
		return l.Drop1.Forward(y)
	}
	think := func(x *Tensor) *Tensor {
		return l.Drop2.Forward(l.Linear2.Forward(l.Drop.Forward(bend(l.Linear1.Forward(x), l.GELU))))
	}
	x = residual(x, look, l.Norm1, l.NormFirst)
	return residual(x, think, l.Norm2, l.NormFirst)
}

// TransformerDecoderLayer is self-attention, attention to the encoder's output and
// two linear layers, each added to what came in and normalized, as
// torch.nn.TransformerDecoderLayer.
//
//	input           [L N In], or [N L In] with BatchFirst
//	memory          [S N In], or [N S In]: the encoder's output
//	self_attn, multihead_attn  see [MultiheadAttention]
//	linear1         [Hidden In]
//	linear2         [In Hidden]
//	norm1, norm2, norm3
//	output          as the input
type TransformerDecoderLayer struct {
	In         int     // length of a vector; 0 takes what comes
	Heads      int     // required
	Hidden     int     // length between the linear layers, as dim_feedforward; 0 means 2048
	Dropout    float64 // 0 means 0.1
	GELU       bool    // between the linear layers GELU, not ReLU
	NormFirst  bool    // normalize what goes into attention and linear layers, not the sum behind them
	BatchFirst bool    // the first axis is the batch, not the sequence

	// Parts of the layer, whose settings follow from those above.
	SelfAttn      MultiheadAttention `dl:"self_attn"`
	MultiheadAttn MultiheadAttention `dl:"multihead_attn"`
	Linear1       Linear
	Drop          Dropout `dl:"dropout"`
	Linear2       Linear
	Norm1         LayerNorm
	Norm2         LayerNorm
	Norm3         LayerNorm
	Drop1         Dropout `dl:"dropout1"`
	Drop2         Dropout `dl:"dropout2"`
	Drop3         Dropout `dl:"dropout3"`

	xavier bool // weights start as torch.nn.Transformer has them
}

// compose gives the parts their settings.
func (l *TransformerDecoderLayer) compose() {
	p := dropoutOr(l.Dropout)
	l.SelfAttn = attentionPart(l.SelfAttn, l.In, l.Heads, p, l.BatchFirst, l.xavier)
	l.MultiheadAttn = attentionPart(l.MultiheadAttn, l.In, l.Heads, p, l.BatchFirst, l.xavier)
	l.Linear1, l.Linear2 = feedForward(l.Linear1, l.Linear2, l.In, l.Hidden, l.xavier)
	l.Drop.P, l.Drop1.P, l.Drop2.P, l.Drop3.P = p, p, p, p
}

// Forward applies the layer to a sequence and the encoder's output, without masks.
func (l TransformerDecoderLayer) Forward(x, memory *Tensor) *Tensor {
	return l.Attend(x, memory, Attention{}, Attention{})
}

// Attend applies the layer to a sequence, whose places may look at each other as
// self says, and at the encoder's output as cross says.
func (l TransformerDecoderLayer) Attend(x, memory *Tensor, self, cross Attention) *Tensor {
	l.In = or(l.In, lastOf(x))
	l.compose()
	look := func(x *Tensor) *Tensor {
		y, _ := l.SelfAttn.Attend(x, x, x, self)
		return l.Drop1.Forward(y)
	}
	remember := func(x *Tensor) *Tensor {
		y, _ := l.MultiheadAttn.Attend(x, memory, memory, cross)
		return l.Drop2.Forward(y)
	}
	think := func(x *Tensor) *Tensor {
		return l.Drop3.Forward(l.Linear2.Forward(l.Drop.Forward(bend(l.Linear1.Forward(x), l.GELU))))
	}
	x = residual(x, look, l.Norm1, l.NormFirst)
	x = residual(x, remember, l.Norm2, l.NormFirst)
	return residual(x, think, l.Norm3, l.NormFirst)
}

// TransformerEncoder is layers that follow one another, as
// torch.nn.TransformerEncoder.
//
//	dl.TransformerEncoder{Layers: slices.Repeat([]dl.TransformerEncoderLayer{{Heads: 4}}, 6)}
type TransformerEncoder struct {
	Layers []TransformerEncoderLayer
	Norm   *LayerNorm // behind the last layer; nil for none
}

// Forward applies the layers to a sequence.
func (e TransformerEncoder) Forward(x *Tensor) *Tensor { return e.Attend(x, Attention{}) }

// Attend is Forward for a sequence whose places may look at what a says.
func (e TransformerEncoder) Attend(x *Tensor, a Attention) *Tensor {
	for _, l := range e.Layers {
		x = l.Attend(x, a)
	}
	if e.Norm != nil {
		x = e.Norm.Forward(x)
	}
	return x
}

// TransformerDecoder is layers that follow one another, as
// torch.nn.TransformerDecoder.
type TransformerDecoder struct {
	Layers []TransformerDecoderLayer
	Norm   *LayerNorm // behind the last layer; nil for none
}

// Forward applies the layers to a sequence and the encoder's output.
func (d TransformerDecoder) Forward(x, memory *Tensor) *Tensor {
	return d.Attend(x, memory, Attention{}, Attention{})
}

// Attend is Forward for a sequence whose places may look at each other as self
// says, and at the encoder's output as cross says.
func (d TransformerDecoder) Attend(x, memory *Tensor, self, cross Attention) *Tensor {
	for _, l := range d.Layers {
		x = l.Attend(x, memory, self, cross)
	}
	if d.Norm != nil {
		x = d.Norm.Forward(x)
	}
	return x
}

// Transformer is an encoder and a decoder, as torch.nn.Transformer.
//
//	source  [S N In], or [N S In] with BatchFirst
//	target  [L N In], or [N L In]
//	output  as the target
//
// Weights of attention and linear layers start uniform in ±√(6/(in+out)).
type Transformer struct {
	In            int     // length of a vector; 0 takes what comes
	Heads         int     // 0 means 8
	EncoderLayers int     // 0 means 6
	DecoderLayers int     // 0 means 6
	Hidden        int     // length between the linear layers, as dim_feedforward; 0 means 2048
	Dropout       float64 // 0 means 0.1
	GELU          bool    // between the linear layers GELU, not ReLU
	NormFirst     bool    // normalize what goes into attention and linear layers, not the sum behind them
	BatchFirst    bool    // the first axis is the batch, not the sequence

	// Parts, whose settings follow from those above.
	Encoder TransformerEncoder
	Decoder TransformerDecoder
}

// TransformerMasks says what may look at what, in [Transformer.Attend].
type TransformerMasks struct {
	Source Attention // the source at itself: src_mask and src_key_padding_mask
	Target Attention // the target at itself: tgt_mask and tgt_key_padding_mask
	Memory Attention // the target at the source: memory_mask and memory_key_padding_mask
}

// compose makes the layers, and gives them their settings.
func (t *Transformer) compose() {
	if t.Encoder.Layers == nil {
		t.Encoder = TransformerEncoder{make([]TransformerEncoderLayer, or(t.EncoderLayers, 6)), &LayerNorm{}}
	}
	if t.Decoder.Layers == nil {
		t.Decoder = TransformerDecoder{make([]TransformerDecoderLayer, or(t.DecoderLayers, 6)), &LayerNorm{}}
	}
	for i := range t.Encoder.Layers {
		l := &t.Encoder.Layers[i]
		l.In, l.Heads, l.Hidden, l.Dropout = t.In, or(t.Heads, 8), t.Hidden, t.Dropout
		l.GELU, l.NormFirst, l.BatchFirst, l.xavier = t.GELU, t.NormFirst, t.BatchFirst, true
	}
	for i := range t.Decoder.Layers {
		l := &t.Decoder.Layers[i]
		l.In, l.Heads, l.Hidden, l.Dropout = t.In, or(t.Heads, 8), t.Hidden, t.Dropout
		l.GELU, l.NormFirst, l.BatchFirst, l.xavier = t.GELU, t.NormFirst, t.BatchFirst, true
	}
}

// Forward runs the encoder on a source and the decoder on a target, without masks.
func (t Transformer) Forward(source, target *Tensor) *Tensor {
	return t.Attend(source, target, TransformerMasks{})
}

// Attend is Forward with masks.
func (t Transformer) Attend(source, target *Tensor, masks TransformerMasks) *Tensor {
	memory := t.Encoder.Attend(source, masks.Source)
	return t.Decoder.Attend(target, memory, masks.Target, masks.Memory)
}

// or returns n, or what 0 means.
func or(n, zero int) int {
	if n == 0 {
		return zero
	}
	return n
}

func attentionPart(m MultiheadAttention, in, heads int, dropout float64, batchFirst, xavier bool) MultiheadAttention {
	m.In, m.Heads, m.Dropout, m.BatchFirst, m.xavier = in, heads, dropout, batchFirst, xavier
	return m
}

func feedForward(first, second Linear, in, hidden int, xavier bool) (Linear, Linear) {
	first.In, first.Out, first.xavier = in, or(hidden, 2048), xavier
	second.In, second.Out, second.xavier = first.Out, in, xavier
	return first, second
}

// bend is what is between a layer's two linear layers.
func bend(x *Tensor, gelu bool) *Tensor {
	if gelu {
		return x.GELU()
	}
	return x.ReLU()
}

// residual adds f of x to x, with normalization in front of f or behind the sum.
func residual(x *Tensor, f func(x *Tensor) *Tensor, norm LayerNorm, first bool) *Tensor {
	if first {
		return x.Add(f(norm.Forward(x)))
	}
	return norm.Forward(x.Add(f(x)))
}

// lastOf returns the length of the last axis, 0 where there is none.
func lastOf(x *Tensor) int {
	if x.Rank() == 0 {
		return 0
	}
	return x.Dim(-1)
}
