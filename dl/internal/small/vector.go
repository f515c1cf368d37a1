package small

import "github.com/gomlx/compute"

// Go's compiler writes no vector instructions, so a loop over float32 takes one number at a time.
// A processor may have faster loops for what small programs do most: vector_amd64.s has them for
// AVX2 with FMA, and for products also for AVX-512. Elsewhere the loops of loops.go run, which they
// equal bit for bit, but for products of matrices and sums, which add up in another order.

// vectors are the loops that this processor has. What is nil runs in Go.
type vectors struct {
	loops   map[compute.OpType]func(d, a, b []float32) // d[i] from a[i] and b[i]
	sign    func(d, a []float32)
	sum     func(a []float32) float64             // total; there with addWide
	addWide func(d []float64, a []float32)        // d[i] += a[i]
	product func(p dot, d, a, b, panel []float32) // of one pair of matrices; panel is scratch memory

	// eightRows is the part of product for eight rows at a time, nil where four are the most.
	eightRows func(c *float32, cm int, a *float32, am, ak int, b *float32, k int, begin bool)
}

var vector vectors

// An initializer of vector would depend on itself, since panels reads vector.
func init() { vector = processorVectors() }

// panelWidth is how many columns of the right matrix a product takes at a time, and panelDepth how
// many of its rows: so many that the panel stays in the first cache.
const panelWidth, panelDepth = 16, 256

// cacheLine is the length of a line of the cache in bytes, and of a panel's row.
const cacheLine = 4 * panelWidth
