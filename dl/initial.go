package dl

import (
	"fmt"
	"math"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Init fills a new parameter: values, in row-major order, are those of a tensor
// of the given shape; random returns even numbers in [0, 1). The functions of
// this file are those of torch.nn.init.
type Init func(shape Shape, random func() float64, values []float32)

// Apply calls f with each trained parameter of a model, network or layer and its
// name in the model, to start them in another way than [Build] does:
//
//	dl.Apply(model, func(name string, p *dl.Tensor) {
//		if strings.HasSuffix(name, "weight") {
//			p.Init(dl.Normal(0, 0.02))
//		}
//	})
//
// It returns the error that f panics with.
func Apply(net any, f func(name string, p *Tensor)) error {
	all, err := namedParameters(net)
	if err != nil {
		return fmt.Errorf("dl: Apply: %w", err)
	}
	return xla.Guard(func() {
		for _, p := range all {
			f(p.name, p.tensor)
		}
	})
}

// Constant starts with one value, such as 0 or 1.
func Constant(v float64) Init {
	return func(_ Shape, random func() float64, values []float32) { constant(float32(v))(random, values) }
}

// Uniform starts evenly in [low, high).
func Uniform(low, high float64) Init {
	return func(_ Shape, random func() float64, values []float32) {
		for i := range values {
			values[i] = float32(low + (high-low)*random())
		}
	}
}

// Normal starts with a normal distribution.
func Normal(mean, deviation float64) Init {
	return func(_ Shape, random func() float64, values []float32) {
		normal(random, values)
		for i, v := range values {
			values[i] = float32(mean + deviation*float64(v))
		}
	}
}

// XavierUniform starts evenly in ±√(6/(in+out)). Glorot and Bengio,
// "Understanding the difficulty of training deep feedforward neural networks",
// AISTATS 2010.
func XavierUniform(shape Shape, random func() float64, values []float32) {
	in, out := fans(shape)
	xavier(in, out)(random, values)
}

// XavierNormal starts with a normal distribution of deviation √(2/(in+out)).
func XavierNormal(shape Shape, random func() float64, values []float32) {
	in, out := fans(shape)
	Normal(0, math.Sqrt(2/float64(in+out)))(shape, random, values)
}

// KaimingUniform starts evenly in ±√(6/in), for networks with ReLU. He et al.,
// "Delving Deep into Rectifiers", ICCV 2015.
func KaimingUniform(shape Shape, random func() float64, values []float32) {
	in, _ := fans(shape)
	within(math.Sqrt(6/float64(in)))(random, values)
}

// KaimingNormal starts with a normal distribution of deviation √(2/in), for
// networks with ReLU.
func KaimingNormal(shape Shape, random func() float64, values []float32) {
	in, _ := fans(shape)
	Normal(0, math.Sqrt(2/float64(in)))(shape, random, values)
}

// Orthogonal starts with rows at right angles, each of length gain: √2 for networks
// with ReLU, 1 otherwise. Rows are the first axis, with all others joined; where
// there are more rows than columns, the columns are at right angles. Saxe,
// McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
// deep linear neural networks", ICLR 2014.
func Orthogonal(gain float64) Init {
	return func(shape Shape, random func() float64, values []float32) {
		if len(shape) < 2 {
			panic(&ShapeError{Op: "Orthogonal", Got: shape, Want: "at least two axes"})
		}
		normal(random, values)
		rows := shape[0]
		columns := len(values) / max(rows, 1)
		at := func(vector, i int) int { return vector*columns + i }
		vectors, length := rows, columns
		if rows > columns {
			at = func(vector, i int) int { return i*columns + vector }
			vectors, length = columns, rows
		}
		// Gram-Schmidt, twice for the roundings, in double precision.
		all := make([][]float64, vectors)
		for k := range all {
			v := make([]float64, length)
			for i := range v {
				v[i] = float64(values[at(k, i)])
			}
			for range 2 {
				for _, u := range all[:k] {
					along := dot(u, v)
					for i := range v {
						v[i] -= along * u[i]
					}
				}
			}
			size := math.Sqrt(dot(v, v))
			for i := range v {
				v[i] /= size
				values[at(k, i)] = float32(gain * v[i])
			}
			all[k] = v
		}
	}
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// fans returns how many inputs and outputs a weight [Out In …] connects.
func fans(shape Shape) (in, out int) {
	if len(shape) < 2 {
		n := max(shape.Size(), 1)
		return n, n
	}
	field := Shape(shape[2:]).Size()
	return shape[1] * field, shape[0] * field
}

// initializer fills a new parameter.
type initializer func(random func() float64, values []float32)

// uniform starts a layer's weights as PyTorch does: evenly in ±1/√fan, where
// fan is the number of inputs of one output. (kaiming_uniform_ with a=√5.)
func uniform(fan int) initializer { return within(1 / math.Sqrt(float64(max(fan, 1)))) }

// xavier starts a matrix evenly in ±√(6/(in+out)), as xavier_uniform_ does.
func xavier(in, out int) initializer { return within(math.Sqrt(6 / float64(in+out))) }

// within fills evenly in ±bound.
func within(bound float64) initializer {
	return func(random func() float64, values []float32) {
		for i := range values {
			values[i] = float32((2*random() - 1) * bound)
		}
	}
}

// normal fills with a normal distribution of mean 0 and deviation 1.
// Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958.
func normal(random func() float64, values []float32) {
	for i := range values {
		values[i] = float32(math.Sqrt(-2*math.Log(1-random())) * math.Cos(2*math.Pi*random()))
	}
}

// constant fills with one value.
func constant(v float32) initializer {
	return func(_ func() float64, values []float32) {
		for i := range values {
			values[i] = v
		}
	}
}
