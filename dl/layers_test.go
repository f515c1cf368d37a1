package dl_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// layersReference is testdata/ref/layers.json.
type layersReference struct {
	Torch  string
	Layers []struct {
		Kind           string
		Settings       json.RawMessage
		Input, Shape   dl.Shape
		Train          bool
		Round, Ints    int
		Text           string
		Output, Grad   []float64
		Names          [][2]any
		Grads, Buffers map[string][]float64
	}
	Losses []struct {
		Kind         string
		Settings     json.RawMessage
		Input, Shape dl.Shape
		Target       struct {
			Labels []int64
			How    string
			Shape  dl.Shape
		}
		Value, Grad []float64
	}
	Attention []struct {
		Settings json.RawMessage
		Call     struct {
			Weights, EachHead, Causal, Padding bool
			Mask                               string
		}
		Q, K, V, Shape  dl.Shape
		Names           [][2]any
		Output, Weights []float64
		Grads           [][]float64
	}
	Transformer struct {
		Names  []string
		Output []float64
		Grads  [][]float64
	}
	LSTM struct {
		Output, H, C []float64
		Grads        [][]float64
	}
	Grids []struct {
		Theta         float64
		Image, Shape  dl.Shape
		Mode, Padding string
		Corners       bool

		Grid, Output, X, T []float64
	}
}

// readLayers reads what layers.py, pictures.py, recurrent.py and sequences.py wrote.
func readLayers(t *testing.T) (ref layersReference) {
	var pictures, recurrent, sequences layersReference
	for name, to := range map[string]*layersReference{"layers": &ref, "pictures": &pictures, "recurrent": &recurrent, "sequences": &sequences} {
		b, err := os.ReadFile("testdata/ref/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, to); err != nil {
			t.Fatal(err)
		}
	}
	ref.Layers = slices.Concat(ref.Layers, pictures.Layers, recurrent.Layers, sequences.Layers)
	ref.Losses, ref.Grids = slices.Concat(ref.Losses, pictures.Losses, sequences.Losses), pictures.Grids
	return ref
}

// kinds are the layers and losses by their names.
var kinds = map[string]any{}

func init() {
	for _, v := range []any{
		dl.Conv2d{}, dl.ConvTranspose2d{}, dl.Linear{}, dl.MaxPool2d{}, dl.AvgPool2d{}, dl.AdaptiveAvgPool2d{}, dl.BatchNorm1d{}, dl.BatchNorm2d{},
		dl.LayerNorm{}, dl.Dropout{}, dl.Embedding{}, dl.LSTM{}, dl.GRU{}, dl.RNN{}, dl.MultiheadAttention{}, dl.TransformerEncoderLayer{}, dl.ReLU{}, dl.LeakyReLU{}, dl.ELU{}, dl.GELU{}, dl.SiLU{}, dl.Sigmoid{},
		dl.Tanh{}, dl.Softmax{}, dl.LogSoftmax{}, dl.Flatten{},
		dl.InstanceNorm2d{}, dl.PixelShuffle{}, dl.PixelUnshuffle{}, dl.ReflectionPad2d{}, dl.ReplicationPad2d{}, dl.ZeroPad2d{}, dl.Upsample{}, dl.Dropout2d{}, dl.BCELoss{},
		dl.Conv1d{}, dl.MaxPool1d{}, dl.AvgPool1d{}, dl.AdaptiveAvgPool1d{}, dl.GroupNorm{}, dl.RMSNorm{}, dl.PReLU{}, dl.HuberLoss{},
		dl.CrossEntropyLoss{}, dl.NLLLoss{}, dl.MSELoss{}, dl.L1Loss{}, dl.SmoothL1Loss{}, dl.BCEWithLogitsLoss{}, dl.KLDivLoss{},
	} {
		kinds[reflect.TypeOf(v).Name()] = v
	}
}

// make fills a layer or loss from its settings.
func fromSettings[T any](t *testing.T, kind string, settings json.RawMessage) T {
	t.Helper()
	v := reflect.New(reflect.TypeOf(kinds[kind]))
	d := json.NewDecoder(strings.NewReader(string(settings)))
	d.DisallowUnknownFields()
	if err := d.Decode(v.Interface()); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return v.Elem().Interface().(T)
}

// rounded is make.py's input with ties and zeros.
func rounded(x *dl.Tensor, times int) *dl.Tensor {
	v := x.Float32s()
	for i := range v {
		v[i] = float32(math.RoundToEven(float64(v[i] * float32(times))))
	}
	return dl.FromSlice(v, x.Shape()...)
}

// whole is layers.py's input of integers.
func whole(x *dl.Tensor, below int) *dl.Tensor {
	out := make([]int64, x.Size())
	for i, v := range x.Float32s() {
		out[i] = int64(float32(math.Abs(float64(v)))*1e4) % int64(below)
	}
	return dl.FromSlice(out, x.Shape()...)
}

func names(pairs [][2]any) string {
	var out []string
	for _, p := range pairs {
		out = append(out, p[0].(string))
	}
	return strings.Join(out, " ")
}

// TestLayersLikePyTorch compares names, text, output, gradients and buffers.
func TestLayersLikePyTorch(t *testing.T) {
	ref := readLayers(t)
	tested := map[string]bool{}
	eachBackend(t, func(t *testing.T) {
		for _, c := range ref.Layers {
			tested[c.Kind] = true
			name := fmt.Sprintf("%s%s %v train=%v", c.Kind, c.Settings, c.Input, c.Train)
			t.Run(c.Kind, func(t *testing.T) {
				t.Parallel() // it is the compiler that takes time
				layer := fromSettings[dl.Layer](t, c.Kind, c.Settings)
				x, dtype := fill(1, 1, c.Input...), dl.Float32
				switch {
				case c.Ints > 0:
					x, dtype = whole(x, c.Ints), dl.Int64
				case c.Round > 0:
					x = rounded(x, c.Round)
				}
				m, err := dl.Build(layer, c.Input, dtype)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				if got, want := strings.Join(m.Names(), " "), names(c.Names); got != want {
					t.Errorf("%s: names are %s, want %s", name, got, want)
					return
				}
				if got := tree(m); got != c.Text {
					t.Errorf("%s: text is %s\nwant %s", name, got, c.Text)
				}
				dict := m.StateDict()
				for i, n := range m.Names() {
					shape := dict[n].Shape()
					switch {
					case dict[n].DType() == dl.Int64:
						dict[n] = dl.Scalar(int64(3))
					case strings.HasSuffix(n, "running_var"):
						dict[n] = fill(20+i, 1, shape...).Abs().Shift(0.5)
					default:
						dict[n] = fill(20+i, 0.5, shape...)
					}
				}
				if err := m.LoadStateDict(dict); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				d, err := dl.Differentiate(m, x, fill(9, 1, c.Shape...), c.Train)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				if got := dl.Shape(d.Output.Shape()); !got.Equal(c.Shape) {
					t.Errorf("%s: output is %v, want %v", name, got, c.Shape)
				}
				if o, ok := layer.(interface {
					Output(dl.Shape) (dl.Shape, error)
				}); ok {
					if got, err := o.Output(c.Input); err != nil || !got.Equal(c.Shape) {
						t.Errorf("%s: Output returns %v, %v, want %v", name, got, err, c.Shape)
					}
				}
				near(t, name+" output", brief(d.Output), c.Output, 2e-6) // float32, sums in another order
				if c.Grad != nil {
					near(t, name+" gradient of the input", brief(d.Input), c.Grad, 5e-6) // two sums, one after the other
				}
				for n, want := range c.Grads {
					near(t, name+" gradient of "+n, brief(d.Params[n]), want, 5e-6) // as above
				}
				for n, want := range c.Buffers {
					near(t, name+" buffer "+n, brief(d.Buffers[n]), want, 1e-6) // float32
				}
			})
		}
	})
	for kind, v := range kinds {
		if _, ok := v.(dl.Layer); ok && !tested[kind] {
			t.Errorf("%s has no reference", kind)
		}
	}
}

// tree is a model's text without the columns beside it.
func tree(m *dl.Model) string {
	lines := strings.Split(m.String(), "\n")
	at := strings.Index(lines[0], "output")
	var out []string
	for _, l := range lines[1 : len(lines)-1] {
		out = append(out, strings.TrimRight(l[:min(at, len(l))], " "))
	}
	return strings.Join(out, "\n")
}

// TestLossesLikePyTorch compares values and gradients, on tensors at once.
func TestLossesLikePyTorch(t *testing.T) {
	ref := readLayers(t)
	tested := map[string]bool{}
	eachBackend(t, func(t *testing.T) {
		for _, c := range ref.Losses {
			tested[c.Kind] = true
			name := fmt.Sprintf("%s%s %v", c.Kind, c.Settings, c.Input)
			loss := fromSettings[dl.Loss](t, c.Kind, c.Settings)
			x := fill(1, 2, c.Input...)
			if c.Kind == "NLLLoss" || c.Kind == "KLDivLoss" {
				x = x.LogSoftmax(1)
			}
			if c.Kind == "BCELoss" {
				x = x.Sigmoid()
			}
			var y *dl.Tensor
			if c.Target.Labels != nil {
				y = dl.FromSlice(c.Target.Labels, c.Target.Shape...)
			} else {
				y = fill(5, 2, c.Target.Shape...)
				switch c.Target.How {
				case "softmax":
					y = y.Softmax(1)
				case "logsoftmax":
					y = y.LogSoftmax(1)
				case "unit":
					y = y.Abs().Scale(0.5)
				case "zeros":
					v := y.Softmax(1).Float32s()
					for i := range v {
						if v[i] <= 0.2 {
							v[i] = 0
						}
					}
					y = dl.FromSlice(v, c.Target.Shape...)
				}
			}
			near(t, name, brief(x.Loss(loss, y)), c.Value, 1e-6) // float32
			g, err := dl.Grad(func(x ...*dl.Tensor) *dl.Tensor {
				target := fixed(y)
				v := x[0].Loss(loss, target)
				if v.Rank() > 0 {
					v = v.Mul(fixed(fill(9, 1, c.Shape...)))
				}
				return v.Sum()
			}, x)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			near(t, name+" gradient", brief(g[0]), c.Grad, 2e-6) // float32
		}
	})
	for kind, v := range kinds {
		if _, ok := v.(dl.Loss); ok && !tested[kind] {
			t.Errorf("%s has no reference", kind)
		}
	}
}

// attends is a network that calls Attend with a query, key and value that
// stand one after the other in its input.
type attends struct {
	Attention dl.MultiheadAttention
	f         func(m dl.MultiheadAttention, x *dl.Tensor) *dl.Tensor
}

func (a *attends) Forward(x *dl.Tensor) *dl.Tensor { return a.f(a.Attention, x) }

func TestAttentionLikePyTorch(t *testing.T) {
	ref := readLayers(t)
	eachBackend(t, func(t *testing.T) {
		for _, c := range ref.Attention {
			name := fmt.Sprintf("%s %+v", c.Settings, c.Call)
			parts := []*dl.Tensor{fill(1, 1, c.Q...), fill(2, 1, c.K...), fill(3, 1, c.V...)}
			x := flat(parts...)
			weights := false
			net := &attends{Attention: fromSettings[dl.MultiheadAttention](t, "MultiheadAttention", c.Settings), f: func(m dl.MultiheadAttention, x *dl.Tensor) *dl.Tensor {
				q := x.Narrow(0, 0, c.Q.Size()).Reshape(c.Q...)
				k := x.Narrow(0, c.Q.Size(), c.K.Size()).Reshape(c.K...)
				v := x.Narrow(0, c.Q.Size()+c.K.Size(), c.V.Size()).Reshape(c.V...)
				a := dl.Attention{Causal: c.Call.Causal, Weights: c.Call.Weights, EachHead: c.Call.EachHead}
				mask := fill(7, 1, 4, 5)
				switch c.Call.Mask {
				case "float":
					a.Mask = fixed(mask)
				case "bool":
					never := make([]bool, 20)
					for i, v := range mask.Float32s() {
						never[i] = v > 0.6 && i%5 > 0
					}
					a.Mask = fixed(dl.FromSlice(never, 4, 5))
				}
				if c.Call.Padding {
					a.KeyPadding = fixed(dl.FromSlice([]bool{false, false, false, true, true, false, false, false, false, true}, 2, 5))
				}
				y, w := m.Attend(q, k, v, a)
				if weights {
					return w
				}
				if w == nil != (c.Weights == nil) {
					t.Errorf("%s: weights are %v", name, w)
				}
				return y
			}}
			m, err := dl.Build(net, x.Shape())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got, want := strings.ReplaceAll(strings.Join(m.Names(), " "), "attention.", ""), names(c.Names); got != want {
				t.Errorf("%s: names are %s, want %s", name, got, want)
			}
			for i, n := range m.Names() {
				m.Param(n).Set(fill(20+i, 0.5, m.Param(n).Shape()...))
			}
			d, err := dl.Differentiate(m, x, fill(9, 1, c.Shape...), true)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			near(t, name+" output", brief(d.Output), c.Output, 2e-6) // float32
			at := 0
			for i, p := range parts {
				near(t, fmt.Sprint(name, " gradient of input ", i), brief(d.Input.Narrow(0, at, p.Size())), c.Grads[i], 5e-6) // float32, through a softmax
				at += p.Size()
			}
			for i, n := range m.Names() {
				near(t, name+" gradient of "+n, brief(d.Params[n]), c.Grads[3+i], 5e-6) // as above
			}
			if c.Weights != nil {
				weights = true
				near(t, name+" weights", brief(must(m.Predict(x))), c.Weights, 1e-6) // float32
			}
		}
	})
}

// flat joins tensors to one of one axis.
func flat(ts ...*dl.Tensor) *dl.Tensor {
	var all []float32
	for _, t := range ts {
		all = append(all, t.Float32s()...)
	}
	return dl.FromSlice(all)
}

type remembers struct {
	LSTM dl.LSTM
	f    func(l dl.LSTM, x *dl.Tensor) *dl.Tensor
}

func (r *remembers) Forward(x *dl.Tensor) *dl.Tensor { return r.f(r.LSTM, x) }

// TestLSTMStateLikePyTorch begins with a state and uses the states at the end.
func TestLSTMStateLikePyTorch(t *testing.T) {
	ref := readLayers(t).LSTM
	eachBackend(t, func(t *testing.T) {
		shapes := []dl.Shape{{5, 2, 3}, {4, 2, 4}, {4, 2, 4}}
		var parts []*dl.Tensor
		for i, s := range shapes {
			parts = append(parts, fill(1+i, 1, s...))
		}
		out := 0
		net := &remembers{LSTM: dl.LSTM{Hidden: 4, Layers: 2, Bidirectional: true}, f: func(l dl.LSTM, x *dl.Tensor) *dl.Tensor {
			var in []*dl.Tensor
			at := 0
			for _, s := range shapes {
				in, at = append(in, x.Narrow(0, at, s.Size()).Reshape(s...)), at+s.Size()
			}
			y, h, c := l.ForwardState(in[0], in[1], in[2])
			if out > 0 {
				return []*dl.Tensor{y, h, c}[out-1]
			}
			return dl.Concat(0, y.Reshape(-1), h.Reshape(-1), c.Reshape(-1))
		}}
		x := flat(parts...)
		m := must(dl.Build(net, x.Shape()))
		for i, n := range m.Names() {
			m.Param(n).Set(fill(20+i, 0.5, m.Param(n).Shape()...))
		}
		d := must(dl.Differentiate(m, x, flat(fill(9, 1, 5, 2, 8), fill(10, 1, 4, 2, 4), fill(11, 1, 4, 2, 4)), true))
		at := 0
		for i, want := range [][]float64{ref.Output, ref.H, ref.C} {
			size := []int{80, 32, 32}[i]
			near(t, fmt.Sprint("output ", i), brief(d.Output.Narrow(0, at, size)), want, 1e-6) // float32
			at += size
		}
		at = 0
		for i, p := range parts {
			near(t, fmt.Sprint("gradient of input ", i), brief(d.Input.Narrow(0, at, p.Size())), ref.Grads[i], 5e-6) // five steps of float32
			at += p.Size()
		}
		for i, n := range m.Names() {
			near(t, "gradient of "+n, brief(d.Params[n]), ref.Grads[3+i], 5e-6) // as above
		}
	})
}
