// a trie with generic values, methods on maps, closures kept in structures
package main

import (
	"fmt"
	"sort"
	"strings"
)

type trie[V any] struct {
	kids map[string]*trie[V]
	val  *V
}

func (t *trie[V]) put(path string, v V) {
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		if t.kids == nil {
			t.kids = map[string]*trie[V]{}
		}
		if t.kids[part] == nil {
			t.kids[part] = &trie[V]{}
		}
		t = t.kids[part]
	}
	t.val = &v
}

func (t *trie[V]) get(path string) (v V, params []string, ok bool) {
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		next := t.kids[part]
		if next == nil {
			if next = t.kids["*"]; next == nil {
				return v, nil, false
			}
			params = append(params, part)
		}
		t = next
	}
	if t.val == nil {
		return v, nil, false
	}
	return *t.val, params, true
}

func (t *trie[V]) walk(prefix string, f func(string, V)) {
	if t.val != nil {
		f(prefix, *t.val)
	}
	var keys []string
	for k := range t.kids {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		t.kids[k].walk(prefix+"/"+k, f)
	}
}

type handler func(params ...string) string

type routes struct {
	trie[handler]
	hits map[string]int
}

func (r *routes) serve(path string) string {
	h, params, ok := r.get(path)
	if !ok {
		return "404 " + path
	}
	r.hits[path]++
	return h(params...)
}

func main() {
	r := &routes{hits: map[string]int{}}
	r.put("/users", func(...string) string { return "all users" })
	r.put("/users/*", func(p ...string) string { return "user " + p[0] })
	r.put("/users/*/posts/*", func(p ...string) string { return strings.Join(p, "+") })
	for _, p := range []string{"/users", "/users/7", "/users/7/posts/9", "/users/7/posts", "/x"} {
		fmt.Println(r.serve(p))
	}
	fmt.Println(len(r.hits), r.hits["/users"])
	r.walk("", func(path string, h handler) { fmt.Println(path, h("a", "b")) })
	var n trie[int]
	n.put("a/b", 3)
	v, params, ok := n.get("a/b")
	fmt.Println(v, params == nil, ok, n.kids["a"].kids["b"].val != nil)
}
