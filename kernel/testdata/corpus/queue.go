// container/heap through an interface, priority queue, Dijkstra
package main

import (
	"container/heap"
	"fmt"
)

type edge struct {
	to   string
	cost int
}

type graph map[string][]edge

func (g graph) link(a, b string, cost int) graph {
	g[a] = append(g[a], edge{b, cost})
	g[b] = append(g[b], edge{a, cost})
	return g
}

type queue []edge

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].cost < q[j].cost }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(edge)) }
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

func (g graph) distance(from, to string) (int, bool) {
	seen := map[string]bool{}
	q := &queue{{from, 0}}
	for q.Len() > 0 {
		e := heap.Pop(q).(edge)
		if e.to == to {
			return e.cost, true
		}
		if seen[e.to] {
			continue
		}
		seen[e.to] = true
		for _, n := range g[e.to] {
			heap.Push(q, edge{n.to, e.cost + n.cost})
		}
	}
	return 0, false
}

func main() {
	g := graph{}.link("a", "b", 4).link("a", "c", 1).link("c", "b", 2).link("b", "d", 5)
	fmt.Println(g.distance("a", "d"))
	fmt.Println(g.distance("a", "x"))
	g.link("c", "d", 1)
	fmt.Println(g.distance("a", "d"))
	var h heap.Interface = &queue{{"z", 3}, {"y", 1}}
	heap.Init(h)
	fmt.Println(heap.Pop(h).(edge).to, h.Len(), len(g["c"]))
}
