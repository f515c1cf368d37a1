// value types with operators as methods, Stringer inside containers
package main

import (
	"errors"
	"fmt"
	"strings"
)

type ratio struct{ num, den int }

var errZero = errors.New("denominator is zero")

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}

func newRatio(n, d int) (ratio, error) {
	if d == 0 {
		return ratio{}, errZero
	}
	g := gcd(n, d)
	if d < 0 {
		g = -g
	}
	return ratio{n / g, d / g}, nil
}

func must(r ratio, err error) ratio {
	if err != nil {
		panic(err)
	}
	return r
}

func (r ratio) add(s ratio) ratio { return must(newRatio(r.num*s.den+s.num*r.den, r.den*s.den)) }
func (r ratio) mul(s ratio) ratio { return must(newRatio(r.num*s.num, r.den*s.den)) }

func (r ratio) String() string {
	if r.den == 1 {
		return fmt.Sprint(r.num)
	}
	return fmt.Sprintf("%d/%d", r.num, r.den)
}

type poly []ratio

func (p poly) at(x ratio) (y ratio) {
	y.den = 1
	for i := len(p) - 1; i >= 0; i-- {
		y = y.mul(x).add(p[i])
	}
	return y
}

func (p poly) String() string {
	var parts []string
	for i, c := range p {
		if c.num != 0 {
			parts = append(parts, fmt.Sprintf("%vx^%d", c, i))
		}
	}
	return strings.Join(parts, " + ")
}

func main() {
	half, third := must(newRatio(1, 2)), must(newRatio(-1, -3))
	fmt.Println(half.add(third), half.mul(third), half.add(half), half == must(newRatio(2, 4)))
	_, err := newRatio(1, 0)
	fmt.Println(err, errors.Is(err, errZero))
	p := poly{half, {0, 1}, third}
	fmt.Println(p, p.at(ratio{2, 1}), p.at(half))
	fmt.Printf("%v %+v %s\n", []ratio{half}, map[string]ratio{"h": half}, p[2])
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		must(newRatio(3, 0))
	}()
}
