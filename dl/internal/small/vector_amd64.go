package small

import (
	"github.com/gomlx/compute"
	"golang.org/x/sys/cpu"
)

func processorVectors() vectors {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return vectors{}
	}
	v := vectors{
		loops: map[compute.OpType]func(d, a, b []float32){
			compute.OpTypeAdd: eights(addVector, add),
			compute.OpTypeSub: eights(subtractVector, subtract),
			compute.OpTypeMul: eights(multiplyVector, multiply),
			compute.OpTypeDiv: eights(divideVector, divide),
			compute.OpTypeMax: eights(largerVector, larger),
			compute.OpTypeMin: eights(smallerVector, smaller),
		},
		sum: func(a []float32) (s float64) {
			n := len(a) &^ 15
			if n > 0 {
				s = sumVector(&a[0], n)
			}
			for _, v := range a[n:] {
				s += float64(v)
			}
			return s
		},
		addWide: func(d []float64, a []float32) {
			n := len(a) &^ 7
			if n > 0 {
				addWideVector(&d[:n][0], &a[0], n)
			}
			for i, v := range a[n:] {
				d[n+i] += float64(v)
			}
		},
		sign: func(d, a []float32) {
			a = a[:len(d)]
			n := len(d) &^ 7
			if n > 0 {
				signVector(&d[0], &a[0], n)
			}
			if n < len(d) {
				signs(d[n:], a[n:])
			}
		},
		product: panels,
	}
	if cpu.X86.HasAVX512F {
		v.eightRows = eightRows
	}
	return v
}

// eights runs a loop of eight numbers at a time, and the other for what is left.
func eights(vector func(d, a, b *float32, n int), loop func(d, a, b []float32)) func(d, a, b []float32) {
	return func(d, a, b []float32) {
		a, b = a[:len(d)], b[:len(d)]
		n := len(d) &^ 7
		if n > 0 {
			vector(&d[0], &a[0], &b[0], n)
		}
		if n < len(d) {
			loop(d[n:], a[n:], b[n:])
		}
	}
}

// panels multiplies matrices a panel of the right one at a time: panelDepth of its rows and
// panelWidth of its columns, which are copied so that they lie one after the other. Four or eight
// rows of the left one share each number of the panel that is read; eight rows take two panels at
// a time, so that each number of the left one that is read counts twice. Goto and van de Geijn,
// Anatomy of High-Performance Matrix Multiplication, 2008, has the idea.
func panels(p dot, d, a, b, panel []float32) {
	if p.m < 4 && p.bk == 1 && p.ak == 1 {
		dots(p, d, a, b)
		return
	}
	d = d[:p.m*p.n]
	eights := 0 // rows that are taken eight at a time
	if vector.eightRows != nil {
		eights = p.m &^ 7
	}
	if eights < p.m || p.n%panelWidth != 0 || p.k == 0 {
		clear(d)
	}
	if p.k == 0 {
		return
	}
	steps := (p.k + panelDepth - 1) / panelDepth
	deep := (p.k + steps - 1) / steps
	for j := 0; j < p.n; {
		two := eights > 0 && p.n-j >= 2*panelWidth
		width := min(panelWidth, p.n-j)
		for k := 0; k < p.k; k += deep {
			depth := min(deep, p.k-k)
			right, step := b[j*p.bn+k*p.bk:], p.bk
			if p.m >= 4 || p.bn != 1 || width < panelWidth {
				pack(p, panel, right, depth, width)
				right, step = panel, panelWidth
			}
			i := 0
			switch {
			case two:
				pack(p, panel[depth*panelWidth:], b[(j+panelWidth)*p.bn+k*p.bk:], depth, panelWidth)
				for ; i < eights; i += 8 {
					eightWide(&d[i*p.n+j], p.n, &a[i*p.am+k*p.ak], p.am, p.ak, &panel[0], depth*panelWidth, depth, k == 0)
				}
				rest(p, d, a, panel[depth*panelWidth:], panelWidth, i, j+panelWidth, k, depth, panelWidth)
			case width == panelWidth:
				for ; i < eights; i += 8 {
					vector.eightRows(&d[i*p.n+j], p.n, &a[i*p.am+k*p.ak], p.am, p.ak, &panel[0], depth, k == 0)
				}
			}
			rest(p, d, a, right, step, i, j, k, depth, width)
		}
		if j += panelWidth; two {
			j += panelWidth
		}
	}
}

// rest multiplies the rows from the ith on with a panel of the columns from the jth on, of which
// the rows are step apart, and adds the products to d.
func rest(p dot, d, a, panel []float32, step, i, j, k, depth, width int) {
	var tile [4 * panelWidth]float32
	for ; i+4 <= p.m; i += 4 {
		left := &a[i*p.am+k*p.ak]
		if width == panelWidth {
			fourRows(&d[i*p.n+j], p.n, left, p.am, p.ak, &panel[0], depth)
			continue
		}
		tile = [4 * panelWidth]float32{}
		fourRows(&tile[0], panelWidth, left, p.am, p.ak, &panel[0], depth)
		for row := range 4 {
			to := d[(i+row)*p.n+j:][:width]
			add(to, to, tile[row*panelWidth:])
		}
	}
	for ; i < p.m; i++ {
		left := &a[i*p.am+k*p.ak]
		if width == panelWidth {
			oneRow(&d[i*p.n+j], left, p.ak, &panel[0], step, depth)
			continue
		}
		clear(tile[:panelWidth])
		oneRow(&tile[0], left, p.ak, &panel[0], step, depth)
		to := d[i*p.n+j:][:width]
		add(to, to, tile[:])
	}
}

// pack copies a panel. Columns beyond the matrix are zero.
func pack(p dot, panel, from []float32, depth, width int) {
	panel = panel[:depth*panelWidth]
	if width < panelWidth {
		clear(panel)
	}
	if p.bn == 1 && width == panelWidth {
		packColumns(&panel[0], &from[0], p.bk, depth)
		return
	}
	if p.bn == 1 {
		for k := range depth {
			copy(panel[k*panelWidth:][:width], from[k*p.bk:])
		}
		return
	}
	eights := 0 // of the depth, for as many columns as can be transposed at once
	if p.bk == 1 {
		eights = depth &^ 7
	}
	column := 0
	for ; eights > 0 && column+8 <= width; column += 8 {
		packRows(&panel[column], &from[column*p.bn], p.bn, eights)
		for k := eights; k < depth; k++ {
			for c := column; c < column+8; c++ {
				panel[k*panelWidth+c] = from[c*p.bn+k*p.bk]
			}
		}
	}
	for ; column < width; column++ {
		for k := range depth {
			panel[k*panelWidth+column] = from[column*p.bn+k*p.bk]
		}
	}
}

// dots multiplies a few rows by rows.
func dots(p dot, d, a, b []float32) {
	n := p.k &^ 7
	for i := range p.m {
		row := a[i*p.am:][:p.k]
		for j := range p.n {
			other := b[j*p.bn:][:p.k]
			var s float32
			if n > 0 {
				s = dotVector(&row[0], &other[0], n)
			}
			for k := n; k < p.k; k++ {
				s += row[k] * other[k]
			}
			d[i*p.n+j] = s
		}
	}
}

// The first six calculate d[i] from a[i] and b[i] for i below n, a multiple of 8 that is not 0, as the
// loops of the same names do.

//go:noescape
func addVector(d, a, b *float32, n int)

//go:noescape
func subtractVector(d, a, b *float32, n int)

//go:noescape
func multiplyVector(d, a, b *float32, n int)

//go:noescape
func divideVector(d, a, b *float32, n int)

//go:noescape
func largerVector(d, a, b *float32, n int)

//go:noescape
func smallerVector(d, a, b *float32, n int)

// signVector writes the signs of n numbers, a multiple of 8 that is not 0, as floatLoop's do.
//
//go:noescape
func signVector(d, a *float32, n int)

// sumVector returns the sum of n numbers, a multiple of 16 that is not 0.
//
//go:noescape
func sumVector(a *float32, n int) float64

// addWideVector adds a[i] to d[i] for i below n, a multiple of 8 that is not 0.
//
//go:noescape
func addWideVector(d *float64, a *float32, n int)

// fourRows multiplies four rows of a by a panel b [k 16], k > 0, and adds the products to four
// rows of 16 numbers of c, which are cm apart. Element k of row i is a[i*am + k*ak].
//
//go:noescape
func fourRows(c *float32, cm int, a *float32, am, ak int, b *float32, k int)

// eightRows is fourRows of eight rows, by AVX-512. The sums are the same, bit by bit. Where begin
// is set, c is written and not read.
//
//go:noescape
func eightRows(c *float32, cm int, a *float32, am, ak int, b *float32, k int, begin bool)

// eightWide is eightRows for two panels, of which the second begins next numbers after the first.
//
//go:noescape
func eightWide(c *float32, cm int, a *float32, am, ak int, b *float32, next, k int, begin bool)

// oneRow is fourRows of one row; the rows of b are bk apart.
//
//go:noescape
func oneRow(c, a *float32, ak int, b *float32, bk, k int)

// dotVector returns the sum of a[i]·b[i] for i below n, a multiple of 8 that is not 0.
//
//go:noescape
func dotVector(a, b *float32, n int) float32

// packColumns writes k rows of 16 numbers, k > 0, as a panel [k 16]. The rows are stride apart.
//
//go:noescape
func packColumns(to, from *float32, stride, k int)

// packRows writes eight rows of k numbers, a multiple of 8 that is not 0, as eight columns of a
// panel [k 16]. The rows are stride apart.
//
//go:noescape
func packRows(to, from *float32, stride, k int)
