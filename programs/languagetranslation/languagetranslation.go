// Package languagetranslation translates sentences by a Transformer, as
// pytorch/examples/language_translation.
//
// Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
package languagetranslation

import (
	"math"

	"github.com/holt-dl/holt/dl"
)

// Numbers of words that stand for something else.
const (
	Unknown = iota
	Padding // behind a sentence that is shorter than others
	Begin
	End
)

// Longest is the length of the longest sentence.
const Longest = 5000

// Translator translates sentences, whose words are numbers.
type Translator struct {
	Source      dl.Embedding
	Target      dl.Embedding
	Position    dl.Buffer // [Longest 1 Size]
	Dropout     dl.Dropout
	Transformer dl.Transformer
	Out         dl.Linear
}

// New returns a network for two vocabularies.
func New(source, target, size, heads, layers, hidden int) *Translator {
	return &Translator{
		Source:   dl.Embedding{In: source, Out: size},
		Target:   dl.Embedding{In: target, Out: size},
		Position: dl.Buffer{Shape: dl.Shape{Longest, 1, size}, Init: Waves},
		Dropout:  dl.Dropout{P: 0.1},
		Transformer: dl.Transformer{
			Heads: heads, EncoderLayers: layers, DecoderLayers: layers, Hidden: hidden, Dropout: 0.1,
		},
		Out: dl.Linear{Out: target},
	}
}

// Waves fills a tensor [Places 1 Size] with sines and cosines, whose wavelengths
// grow along a vector.
func Waves(shape dl.Shape, _ func() float64, values []float32) {
	size := shape[2]
	for i := range values {
		place, k := i/size, i%size
		angle := float64(place) * math.Exp(-float64(k-k%2)*math.Log(10000)/float64(size))
		if k%2 == 0 {
			values[i] = float32(math.Sin(angle))
		} else {
			values[i] = float32(math.Cos(angle))
		}
	}
}

// embed makes vectors of embedded words [L N Size] that say where each one stands.
func (t *Translator) embed(x *dl.Tensor) *dl.Tensor {
	return t.Dropout.Forward(x.Add(t.Position.Value().Narrow(0, 0, x.Dim(0))))
}

// Encode reads sentences [S N].
func (t *Translator) Encode(source *dl.Tensor) *dl.Tensor {
	return t.Transformer.Encoder.Attend(t.embed(t.Source.Forward(source)), dl.Attention{KeyPadding: pads(source)})
}

// Decode returns the scores of the next word after each word of translations
// [L N], of sentences [S N] that Encode has read as memory.
func (t *Translator) Decode(target, memory, source *dl.Tensor) *dl.Tensor {
	self := dl.Attention{Causal: true, KeyPadding: pads(target)}
	cross := dl.Attention{KeyPadding: pads(source)}
	return t.Out.Forward(t.Transformer.Decoder.Attend(t.embed(t.Target.Forward(target)), memory, self, cross))
}

// Forward returns the scores of the next words, [L N Words], of sentences [S N] and
// the translations [L N] so far.
func (t *Translator) Forward(source, target *dl.Tensor) *dl.Tensor {
	return t.Decode(target, t.Encode(source), source)
}

// Loss is how badly each next word of translations [L N] is foreseen.
func (t *Translator) Loss(source, target *dl.Tensor) *dl.Tensor {
	n := target.Dim(0) - 1
	scores := t.Forward(source, target.Narrow(0, 0, n))
	next := target.Narrow(0, 1, n)
	return scores.Reshape(-1, scores.Dim(-1)).Loss(dl.CrossEntropyLoss{IgnoreIndex: new(Padding)}, next.Reshape(-1))
}

// pads tells which words of sentences [L N] are padding, as [N L].
func pads(x *dl.Tensor) *dl.Tensor {
	return x.Equal(dl.Scalar(int64(Padding))).Transpose(1, 0)
}
