package dl

// ReLU replaces negative values by 0, as torch.nn.ReLU does. Its gradient at
// 0 is 0. Any shape.
type ReLU struct{ place }

// Forward applies the layer.
func (l ReLU) Forward(x *Node) *Node { return l.seen("ReLU()", x, x.ReLU()) }

// Flatten joins all axes after the first into one, as torch.nn.Flatten does:
// [N C H W] becomes [N C·H·W]. An input without axes is a [*ShapeError].
type Flatten struct{ place }

// Forward applies the layer.
func (l Flatten) Forward(x *Node) *Node {
	if x.Rank() == 0 {
		panic(&ShapeError{Op: l.label("Flatten"), Got: x.Shape(), Want: "[N …]"})
	}
	return l.seen("Flatten(start_dim=1, end_dim=-1)", x, x.Flatten())
}
