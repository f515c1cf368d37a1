// the game of life on maps and arrays
package main

import (
	"fmt"
	"strings"
)

type point struct{ x, y int }

type world map[point]bool

func (p point) around() (ps [8]point) {
	i := 0
	for dx := -1; dx <= 1; dx++ {
		for dy := -1; dy <= 1; dy++ {
			if dx != 0 || dy != 0 {
				ps[i] = point{p.x + dx, p.y + dy}
				i++
			}
		}
	}
	return ps
}

func (w world) step() world {
	count := map[point]int{}
	for p := range w {
		for _, q := range p.around() {
			count[q]++
		}
	}
	next := world{}
	for p, n := range count {
		if n == 3 || n == 2 && w[p] {
			next[p] = true
		}
	}
	return next
}

func (w world) draw(n int) string {
	rows := make([]string, n)
	for y := range rows {
		for x := range n {
			rows[y] += map[bool]string{true: "#", false: "."}[w[point{x, y}]]
		}
	}
	return strings.Join(rows, "\n")
}

func parse(rows ...string) world {
	w := world{}
	for y, row := range rows {
		for x, c := range row {
			if c == '#' {
				w[point{x, y}] = true
			}
		}
	}
	return w
}

func main() {
	w := parse(".#.", "..#", "###")
	for range 4 {
		w = w.step()
	}
	fmt.Println(w.draw(4))
	fmt.Println(len(w), w[point{1, 1}], point{}.around())
}
