// Package classify calculates what a confusion matrix says of a classifier:
// accuracy, and precision, recall and F1 as scikit-learn has them. dl's metrics and
// display's tables read their numbers here. It imports nothing, because every cell
// links it.
package classify

// Counts is a confusion matrix, [label][prediction]: how many examples of each class
// were taken for each class.
type Counts [][]int

// New returns a matrix of so many classes that has counted nothing.
func New(classes int) Counts {
	c := make(Counts, classes)
	for i := range c {
		c[i] = make([]int, classes)
	}
	return c
}

// Right returns how many examples were taken for what they are, of how many.
func (c Counts) Right() (right, examples int) {
	for i, row := range c {
		right += row[i]
		for _, n := range row {
			examples += n
		}
	}
	return right, examples
}

// Accuracy returns the share of the examples that are right, which is NaN of none.
func (c Counts) Accuracy() float64 {
	right, examples := c.Right()
	return float64(right) / float64(examples)
}

// Class is what was counted of one class against the others.
type Class struct {
	Right int // examples of the class that were taken for it
	Taken int // examples that were taken for it
	There int // examples of it
}

// Class returns the numbers of class k.
func (c Counts) Class(k int) Class {
	one := Class{Right: c[k][k]}
	for i := range c {
		one.Taken += c[i][k]
		one.There += c[k][i]
	}
	return one
}

// Precision returns the share of what was taken for the class that is of it, and
// false where nothing was.
func (c Class) Precision() (share float64, ok bool) { return Share(c.Right, c.Taken) }

// Recall returns the share of the class that was taken for it, and false where there
// is none of it.
func (c Class) Recall() (share float64, ok bool) { return Share(c.Right, c.There) }

// F1 returns the harmonic mean of precision and recall, and false where the class
// does not occur.
func (c Class) F1() (share float64, ok bool) { return Share(2*c.Right, c.Taken+c.There) }

// Share returns a part of a whole; of nothing it is 0 and false.
func Share(part, whole int) (share float64, ok bool) {
	if whole == 0 {
		return 0, false
	}
	return float64(part) / float64(whole), true
}

// Mean returns the mean of a value over the classes, or that mean weighted by their
// examples. Classes that are neither among the labels nor the predictions do not
// count, and a share of nothing counts 0. It is NaN where no class counts.
func (c Counts) Mean(value func(Class) (share float64, ok bool), weighted bool) float64 {
	sum, weights := 0.0, 0.0
	for k := range c {
		one := c.Class(k)
		if one.Taken+one.There == 0 {
			continue
		}
		weight := 1.0
		if weighted {
			weight = float64(one.There)
		}
		share, _ := value(one)
		sum, weights = sum+weight*share, weights+weight
	}
	return sum / weights
}
