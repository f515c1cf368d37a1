package board

import (
	"fmt"

	"github.com/holt-dl/holt/dl"
)

// AddGraph adds a model's graph: its layers and parameters, and what each of
// them uses.
func (w *Writer) AddGraph(model *dl.Model) error {
	if model == nil {
		return fmt.Errorf("board: AddGraph: the model is nil, want one that dl.Build made")
	}
	nodes, err := model.Graph()
	if err != nil {
		return fmt.Errorf("board: AddGraph: %w", err)
	}
	const producer = 22 // the version of GraphDef that PyTorch writes
	var def message
	for _, n := range nodes {
		node := message(nil).text(1, n.Name).text(2, n.Op)
		for _, in := range n.Inputs {
			node = node.text(3, in)
		}
		var shape message
		for _, size := range n.Shape {
			shape = shape.bytes(2, message(nil).int(1, int64(size)))
		}
		node = attribute(node, "_output_shapes", message(nil).bytes(1, message(nil).bytes(7, shape)))
		if n.Text != "" {
			node = attribute(node, "attr", message(nil).text(2, n.Text))
		}
		def = def.bytes(1, node)
	}
	def = def.bytes(4, message(nil).int(1, producer))
	return w.add(message(nil).bytes(eventGraphDef, def), 0)
}

// attribute adds an entry to a NodeDef's attr.
func attribute(node message, key string, value message) message {
	return node.bytes(5, message(nil).text(1, key).bytes(2, value))
}
