package dl

import "github.com/gomlx/gomlx/core/graph"

// Differentiate runs a layer with the given weights, and returns its output
// and the gradients of Σ output·by for the input and the weights.
func Differentiate(layer Layer, x *Tensor, weights []*Tensor, by *Tensor) (*Tensor, []*Tensor, error) {
	m, err := Build(layer, x.Shape())
	if err != nil {
		return nil, nil, err
	}
	on, err := current()
	if err != nil {
		return nil, nil, err
	}
	p, err := compile(callerContext(), on, "differentiate", func(g *graph.Graph) []*graph.Node {
		t := m.forward(g, true)
		in := t.input(Float32, x.shape)
		y := m.net.Forward(in)
		sum := graph.ReduceAllSum(graph.Mul(y.value(), t.input(Float32, by.shape).value()))
		wanted := []*graph.Node{in.value()}
		for _, s := range m.specs {
			wanted = append(wanted, t.params[s.name])
		}
		return append([]*graph.Node{y.value()}, graph.Gradient(sum, wanted...)...)
	})
	if err != nil {
		return nil, nil, err
	}
	out, err := p.run(append(append([]*Tensor{}, weights...), x, by)...)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1:], nil
}
