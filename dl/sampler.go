package dl

import (
	"fmt"
	"math"
	"slices"
)

// Sampler chooses which examples of a data set an epoch reads, and in which
// order. It takes the place of a loader's Shuffle.
type Sampler interface {
	// Len returns how many examples an epoch has.
	Len() int
	// Indices returns the examples of an epoch, counted from 0. The same epoch
	// gives the same indices.
	Indices(epoch int) ([]int, error)
}

// WeightedRandomSampler draws examples at random, each in proportion to its
// weight: rare classes can be seen as often as frequent ones. It is
// torch.utils.data.WeightedRandomSampler.
//
//	weights := dl.BalancedWeights(train.Targets())
//	loader := dl.DataLoader{Dataset: train, Sampler: dl.WeightedRandomSampler{Weights: weights}}
type WeightedRandomSampler struct {
	Weights    []float64 // one for each example, not below 0; they need not add up to 1
	NumSamples int       // examples in an epoch; 0 means as many as there are weights

	// NoReplacement draws no example twice in an epoch.
	NoReplacement bool
	Seed          uint64
}

// Len returns the number of examples in an epoch.
func (s WeightedRandomSampler) Len() int {
	if s.NumSamples == 0 {
		return len(s.Weights)
	}
	return max(s.NumSamples, 0)
}

// Indices draws the examples of an epoch. An error says which weight cannot
// be used, or that there are too few examples to draw without replacement.
//
// Without replacement the examples are those with the largest keys
// log(u)/weight, u uniform in (0, 1] (Efraimidis and Spirakis, 2006).
func (s WeightedRandomSampler) Indices(epoch int) ([]int, error) {
	n := s.Len()
	sums := make([]float64, len(s.Weights)) // of the weights so far
	total, usable := 0.0, 0
	for i, w := range s.Weights {
		if w < 0 || math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("dl: WeightedRandomSampler: weight %d is %v, want a finite number not below 0", i, w)
		}
		if w > 0 {
			usable++
		}
		total += w
		sums[i] = total
	}
	switch {
	case s.NumSamples < 0:
		return nil, fmt.Errorf("dl: WeightedRandomSampler: NumSamples is %d, want at least 1, or 0 for the number of weights", s.NumSamples)
	case usable == 0:
		return nil, fmt.Errorf("dl: WeightedRandomSampler: none of the %d weights is above 0: there is nothing to draw", len(s.Weights))
	case s.NoReplacement && n > usable:
		return nil, fmt.Errorf("dl: WeightedRandomSampler: NumSamples is %d with NoReplacement, want at most the %d examples with a weight above 0", n, usable)
	}
	r := rng(s.Seed, epoch, -1)
	out := make([]int, 0, n)
	if s.NoReplacement {
		keys := make([]float64, len(s.Weights))
		for i, w := range s.Weights {
			keys[i] = math.Inf(-1)
			if w > 0 {
				keys[i] = math.Log(1-r.Float64()) / w
			}
			out = append(out, i)
		}
		slices.SortStableFunc(out, func(a, b int) int {
			switch {
			case keys[a] > keys[b]:
				return -1
			case keys[a] < keys[b]:
				return 1
			}
			return 0
		})
		return out[:n], nil
	}
	for range n {
		at := r.Float64() * total
		i, _ := slices.BinarySearchFunc(sums, at, func(sum, at float64) int {
			if sum <= at {
				return -1
			}
			return 1
		})
		out = append(out, min(i, len(sums)-1))
	}
	return out, nil
}

// BalancedWeights returns a weight for each example, such that every class is
// drawn equally often: one over the number of examples with that label.
func BalancedWeights(labels []int) []float64 {
	count := map[int]float64{}
	for _, l := range labels {
		count[l]++
	}
	weights := make([]float64, len(labels))
	for i, l := range labels {
		weights[i] = 1 / count[l]
	}
	return weights
}
