// a cache on container/list, methods of generic types
package main

import (
	"container/list"
	"fmt"
)

type lru[K comparable, V any] struct {
	cap   int
	order *list.List
	items map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key K
	val V
}

func newLRU[K comparable, V any](n int) *lru[K, V] {
	return &lru[K, V]{cap: n, order: list.New(), items: map[K]*list.Element{}}
}

func (c *lru[K, V]) get(k K) (v V, ok bool) {
	e, ok := c.items[k]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(entry[K, V]).val, true
}

func (c *lru[K, V]) put(k K, v V) {
	if e, ok := c.items[k]; ok {
		e.Value = entry[K, V]{k, v}
		c.order.MoveToFront(e)
		return
	}
	c.items[k] = c.order.PushFront(entry[K, V]{k, v})
	for c.order.Len() > c.cap {
		last := c.order.Back()
		delete(c.items, last.Value.(entry[K, V]).key)
		c.order.Remove(last)
	}
}

func (c *lru[K, V]) String() (s string) {
	for e := c.order.Front(); e != nil; e = e.Next() {
		s += fmt.Sprint(e.Value, " ")
	}
	return s
}

func main() {
	c := newLRU[string, int](2)
	c.put("a", 1)
	c.put("b", 2)
	v, ok := c.get("a")
	fmt.Println(v, ok, c)
	c.put("c", 3)
	v, ok = c.get("b")
	fmt.Println(v, ok, c)
	c.put("a", 10)
	fmt.Println(c, c.order.Len(), c.items["c"].Value.(entry[string, int]).val)
}
