// a recursive descent parser: mutually recursive functions, interfaces of nodes
package main

import (
	"fmt"
	"strconv"
	"unicode"
)

type node interface {
	eval(env map[string]float64) (float64, error)
}

type (
	num   float64
	ident string
	bin   struct {
		op   byte
		l, r node
	}
)

func (n num) eval(map[string]float64) (float64, error) { return float64(n), nil }

func (id ident) eval(env map[string]float64) (float64, error) {
	if v, ok := env[string(id)]; ok {
		return v, nil
	}
	return 0, fmt.Errorf("no %s", id)
}

func (b *bin) eval(env map[string]float64) (float64, error) {
	l, err := b.l.eval(env)
	if err != nil {
		return 0, err
	}
	r, err := b.r.eval(env)
	if err != nil {
		return 0, err
	}
	switch b.op {
	case '+':
		return l + r, nil
	case '-':
		return l - r, nil
	case '*':
		return l * r, nil
	}
	return l / r, nil
}

type parser struct {
	src string
	pos int
}

func (p *parser) peek() byte {
	for p.pos < len(p.src) && p.src[p.pos] == ' ' {
		p.pos++
	}
	if p.pos == len(p.src) {
		return 0
	}
	return p.src[p.pos]
}

func (p *parser) expr() node {
	n := p.term()
	for c := p.peek(); c == '+' || c == '-'; c = p.peek() {
		p.pos++
		n = &bin{c, n, p.term()}
	}
	return n
}

// together
func (p *parser) term() node {
	n := p.factor()
	for c := p.peek(); c == '*' || c == '/'; c = p.peek() {
		p.pos++
		n = &bin{c, n, p.factor()}
	}
	return n
}

// together
func (p *parser) factor() node {
	start := p.pos
	switch c := p.peek(); {
	case c == '(':
		p.pos++
		n := p.expr()
		p.peek()
		p.pos++
		return n
	case unicode.IsLetter(rune(c)):
		for start = p.pos; p.pos < len(p.src) && unicode.IsLetter(rune(p.src[p.pos])); p.pos++ {
		}
		return ident(p.src[start:p.pos])
	}
	for start = p.pos; p.pos < len(p.src) && (p.src[p.pos] == '.' || unicode.IsDigit(rune(p.src[p.pos]))); p.pos++ {
	}
	f, _ := strconv.ParseFloat(p.src[start:p.pos], 64)
	return num(f)
}

func parse(s string) node { return (&parser{src: s}).expr() }

func main() {
	env := map[string]float64{"x": 3}
	for _, s := range []string{"1 + 2*3", "(1+2)*3", "x*x - 1/4", "y+1", "2*(x-(1+1))"} {
		v, err := parse(s).eval(env)
		fmt.Println(s, "=", v, err)
	}
	n := parse("1+x").(*bin)
	fmt.Printf("%T %T %c\n", n.l, n.r, n.op)
	n.l = num(10)
	v, err := n.eval(env)
	fmt.Println(v, err)
}
