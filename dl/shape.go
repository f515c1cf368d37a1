package dl

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
