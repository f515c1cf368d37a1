// labels, goto, break and continue with labels, fallthrough
package main

import "fmt"

func find(grid [][]int, want int) (int, int) {
	i, j := -1, -1
search:
	for i = range grid {
		for j = range grid[i] {
			switch {
			case grid[i][j] == want:
				break search
			case grid[i][j] < 0:
				continue search
			}
		}
	}
	return i, j
}

func collatz(n int) (steps int) {
again:
	if n == 1 {
		return steps
	}
	steps++
	if n%2 == 0 {
		n /= 2
		goto again
	}
	n = 3*n + 1
	goto again
}

func grade(n int) (s string) {
	switch {
	case n > 90:
		s += "A"
		fallthrough
	case n > 80:
		s += "B"
	case n > 70:
		s += "C"
	default:
		s = "F"
	}
	return s
}

func main() {
	fmt.Println(find([][]int{{1, -1, 5}, {2, 5}}, 5))
	fmt.Println(collatz(27), grade(95), grade(85), grade(75), grade(5))
outer:
	for i := range 4 {
		for j := range 4 {
			if j == 2 {
				continue outer
			}
			if i == 2 {
				break outer
			}
			fmt.Print(i, ",", j, " ")
		}
	}
	fmt.Println()
	n := 0
loop:
	n++
	if n < 5 {
		goto loop
	} // together
	fmt.Println(n)
	switch x := n; x {
	case 1, 2, 3:
		fmt.Println("low")
	case 4, 5:
		fmt.Println("high", x)
	}
}
