package ahead

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// CUDA's plugin does not tell what a program costs where there is no device, so that the
// products of matrices and the convolutions are counted in the program's own text, which
// go-xla writes an attribute a line.

// Operations counts the floating-point operations of a program's products and convolutions:
// a multiplication and an addition for each pair of numbers, without those with the zeros
// that a convolution's gradient puts between pixels. loops reports whether there are loops, whose
// operations are counted once.
func Operations(mlir []byte) (flops float64, loops bool) {
	var inside *counted
	for line := range bytes.Lines(mlir) {
		switch {
		case inside == nil && bytes.Contains(line, []byte(`"stablehlo.while"`)):
			loops = true
		case inside == nil && bytes.Contains(line, []byte(`"stablehlo.dot_general"(`)):
			inside = &counted{}
		case inside == nil && bytes.Contains(line, []byte(`"stablehlo.convolution"(`)):
			inside = &counted{convolution: true}
		}
		if inside == nil {
			continue
		}
		if inside.read(string(line)) {
			flops += inside.flops()
			inside = nil
		}
	}
	return flops, loops
}

// counted is a product or a convolution.
type counted struct {
	convolution bool
	summed      []int  // axes of the first operand of a product
	filter      string // the axes of a convolution's filters, such as 0, 1, i, o
	spread      []int
	shapes      [][]int // of the two operands and the result
}

var (
	contracting = regexp.MustCompile(`lhs_contracting_dimensions = \[([0-9, ]*)\]`)
	filterAxes  = regexp.MustCompile(`x\[([0-9io, ]+)\]->`)
	dilation    = regexp.MustCompile(`lhs_dilation = array<i64: ([0-9, ]+)>`)
	types       = regexp.MustCompile(`\} : \(tensor<([^>]*)>, tensor<([^>]*)>\) -> tensor<([^>]*)>`)
)

// read reads a line, and reports whether it is the last one.
func (c *counted) read(line string) bool {
	if m := contracting.FindStringSubmatch(line); m != nil {
		c.summed = numbers(m[1], ",")
	}
	if m := filterAxes.FindStringSubmatch(line); m != nil {
		c.filter = m[1]
	}
	if m := dilation.FindStringSubmatch(line); m != nil {
		c.spread = numbers(m[1], ",")
	}
	m := types.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	for _, t := range m[1:] { // such as 64x10xf32
		c.shapes = append(c.shapes, numbers(t, "x"))
	}
	return true
}

func (c *counted) flops() float64 {
	pairs := product(c.shapes[2])
	if !c.convolution {
		for _, axis := range c.summed {
			pairs *= float64(c.shapes[0][axis])
		}
		return 2 * pairs
	}
	for i, axis := range strings.Split(c.filter, ",") {
		if strings.TrimSpace(axis) != "o" {
			pairs *= float64(c.shapes[1][i])
		}
	}
	return 2 * pairs / product(c.spread)
}

func numbers(list, separator string) (all []int) {
	for text := range strings.SplitSeq(list, separator) {
		if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func product(dims []int) float64 {
	n := 1.0
	for _, d := range dims {
		n *= float64(d)
	}
	return n
}
