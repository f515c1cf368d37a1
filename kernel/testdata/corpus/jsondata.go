// reflection through encoding/json: tags, embedded fields, own encodings
package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

type level int

func (l level) MarshalText() ([]byte, error) { return []byte(strings.Repeat("*", int(l))), nil }
func (l *level) UnmarshalText(b []byte) error {
	*l = level(len(b))
	return nil
}

type meta struct {
	ID   int    `json:"id"`
	note string // not seen
}

type item struct {
	meta
	Meta2 meta              `json:"meta"`
	Name  string            `json:"name,omitempty"`
	Tags  []string          `json:"tags"`
	Level level             `json:"level"`
	Extra map[string]any    `json:"extra,omitempty"`
	Next  *item             `json:"next,omitempty"`
	Attrs map[level]float64 `json:"attrs"`
}

func main() {
	it := item{meta: meta{ID: 1, note: "n"}, Name: "a", Level: 3, Attrs: map[level]float64{2: 0.5}, Next: &item{Name: "b"}}
	it.Meta2.ID = 9
	text, err := json.Marshal(it)
	fmt.Println(string(text), err)
	var back item
	err = json.Unmarshal(text, &back)
	fmt.Println(err, back.ID, back.Meta2.ID, back.Level, back.Next.Name, back.Attrs[2], back.note == "")
	err = json.Unmarshal([]byte(`{"id": "x"}`), &back)
	fmt.Println(err)
	var v any
	err = json.Unmarshal([]byte(`{"a": [1, {"b": null}], "c": 1e3}`), &v)
	fmt.Println(v, err)
}
