// arrays and slices of slices, value semantics, aliasing
package main

import "fmt"

type vec [3]float64

type matrix [3]vec

func (m matrix) mul(n matrix) (out matrix) {
	for i := range m {
		for j := range n[0] {
			for k := range n {
				out[i][j] += m[i][k] * n[k][j]
			}
		}
	}
	return out
}

func (m *matrix) transpose() {
	for i := range m {
		for j := range i {
			m[i][j], m[j][i] = m[j][i], m[i][j]
		}
	}
}

var identity = matrix{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}

func grow(s []int, n int) []int {
	for i := range n {
		s = append(s, i)
	}
	return s
}

func main() {
	m := matrix{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}
	t := m
	t.transpose()
	fmt.Println(m.mul(identity) == m, t, m[0] == vec{1, 2, 3})
	s := []int{1, 2, 3, 4, 5}
	a, b := s[1:3], s[1:3:3]
	a = append(a, 100)
	b = append(b, 200)
	fmt.Println(s, a, b, len(b), cap(a))
	copy(s[2:], s)
	fmt.Println(s, grow(nil, 3), grow(s[:1:1], 2))
	rows := make([][]int, 3)
	for i := range rows {
		rows[i] = make([]int, i+1)
		for j := range rows[i] {
			rows[i][j] = i * j
		}
	}
	fmt.Println(rows, len(rows[2][1:]))
	arr := [...]string{2: "c", 0: "a"}
	p := &arr
	p[1] = "b"
	for i, v := range p {
		fmt.Print(i, v, " ")
	}
	fmt.Println(len(p), arr[1:])
	x := [2][2]int{{1, 2}, {3, 4}}
	y := x
	y[1][1] = 0
	fmt.Println(x == y, x, [3]int(s[:3]))
}
