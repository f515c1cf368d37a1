// functions as values: options, maps of functions, method values
package main

import (
	"fmt"
	"sort"
	"strings"
)

type server struct {
	host string
	port int
	mw   []func(handler) handler
}

// together
type handler func(string) string

func (h handler) serve(s string) string { return h(s) }

type option func(*server)

func port(n int) option { return func(s *server) { s.port = n } }

func wrap(with string) option {
	return func(s *server) {
		s.mw = append(s.mw, func(h handler) handler {
			return func(r string) string { return with + h(r) + with }
		})
	}
}

func newServer(host string, opts ...option) *server {
	s := &server{host: host, port: 80}
	for _, o := range opts {
		o(s)
	}
	return s
}

func (s *server) handler(h handler) handler {
	for _, m := range s.mw {
		h = m(h)
	}
	return h
}

type byLen []string

func (b byLen) Len() int           { return len(b) }
func (b byLen) Less(i, j int) bool { return len(b[i]) < len(b[j]) }
func (b byLen) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

func main() {
	s := newServer("h", port(8080), wrap("*"), wrap("-"))
	fmt.Println(s.host, s.port, len(s.mw))
	h := s.handler(strings.ToUpper)
	fmt.Println(h("hi"), h.serve("yo"), handler.serve(strings.ToLower, "ABC"))
	ops := map[string]func(float64, float64) float64{
		"+": func(a, b float64) float64 { return a + b },
		"/": func(a, b float64) float64 { return a / b },
	}
	fmt.Println(ops["+"](1, 2), ops["/"](1, 4), ops["x"] == nil)
	words := byLen{"ccc", "a", "bb"}
	sort.Sort(sort.Reverse(words))
	fmt.Println(words, sort.IsSorted(words))
	var fn func(int) int
	fn = func(n int) int {
		if n < 2 {
			return 1
		}
		return n * fn(n-1)
	} // together
	fmt.Println(fn(10))
	apply := func(fs ...func(string) string) (out []string) {
		for _, f := range fs {
			out = append(out, f(" x "))
		}
		return out
	}
	fmt.Printf("%q\n", apply(strings.TrimSpace, strings.ToUpper, s.handler(handler(strings.TrimSpace))))
}
