// a state machine of functions; mutual recursion through values
package main

import "fmt"

type machine struct {
	input string
	pos   int
	out   []string
}

type state func(*machine) state

func (m *machine) next() (byte, bool) {
	if m.pos >= len(m.input) {
		return 0, false
	}
	m.pos++
	return m.input[m.pos-1], true
}

func start(m *machine) state {
	c, ok := m.next()
	switch {
	case !ok:
		return nil
	case c >= '0' && c <= '9':
		m.pos--
		return number
	case c == ' ':
		return start
	}
	m.out = append(m.out, "op:"+string(c))
	return start
}

// together
func number(m *machine) state {
	begin := m.pos
	for c, ok := m.next(); ok; c, ok = m.next() {
		if c < '0' || c > '9' {
			m.pos--
			m.out = append(m.out, "num:"+m.input[begin:m.pos])
			return start
		}
	}
	m.out = append(m.out, "num:"+m.input[begin:])
	return nil
}

func (m *machine) run() []string {
	for s := state(start); s != nil; {
		s = s(m)
	}
	return m.out
}

func isEven(n int) bool { return n == 0 || isOdd(n-1) }

// together
func isOdd(n int) bool { return n != 0 && isEven(n-1) }

func main() {
	m := &machine{input: "12 + 3*456"}
	fmt.Println(m.run(), isEven(10), isOdd(7))
	m2 := machine{input: "+"}
	fmt.Println(m2.run(), m2.pos)
}
