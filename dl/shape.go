package dl

import "fmt"

// Shape is the length of each axis of a tensor, outermost first.
type Shape []int

// Size returns the number of elements: the product of the axes, 1 for a
// scalar.
func (s Shape) Size() int {
	size := 1
	for _, n := range s {
		size *= n
	}
	return size
}

// Equal tells whether two shapes have the same axes.
func (s Shape) Equal(other Shape) bool {
	if len(s) != len(other) {
		return false
	}
	for i, n := range s {
		if n != other[i] {
			return false
		}
	}
	return true
}

// sequences describes the shape of sequences of vectors, whose length has a
// name where it is not known, for messages.
func sequences(name string, length int, batchFirst bool) string {
	if length > 0 {
		name = fmt.Sprint(length)
	}
	if batchFirst {
		return "[N L " + name + "]"
	}
	return "[L N " + name + "]"
}
