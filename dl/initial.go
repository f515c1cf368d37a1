package dl

import "math"

// initializer fills a new parameter.
type initializer func(random func() float64, values []float32)

// uniform starts a layer's weights as PyTorch does: evenly in ±1/√fan, where
// fan is the number of inputs of one output. (kaiming_uniform_ with a=√5.)
func uniform(fan int) initializer { return within(1 / math.Sqrt(float64(max(fan, 1)))) }

// xavier starts a matrix evenly in ±√(6/(in+out)), as xavier_uniform_ does.
// Glorot and Bengio, "Understanding the difficulty of training deep
// feedforward neural networks", AISTATS 2010.
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
