// embedded structs, pointers and interfaces; promotion and shadowing
package main

import (
	"fmt"
	"strings"
)

type base struct{ id int }

func (b base) describe() string { return fmt.Sprintf("base(%d)", b.id) }
func (b *base) setID(n int)     { b.id = n }

type named struct {
	base
	name string
}

func (n named) describe() string { return n.name + "/" + n.base.describe() }

type speaker interface{ speak() string }

type dog struct{ *named }

func (d dog) speak() string { return d.name + " woof" }

type loud struct{ speaker }

func (l loud) speak() string { return strings.ToUpper(l.speaker.speak()) }

type locked struct {
	named
	base2 base
}

func main() {
	n := &named{base{1}, "rex"}
	n.setID(7)
	fmt.Println(n.describe(), n.id, n.base.id)
	d := dog{n}
	d.id++
	fmt.Println(d.describe(), d.speak(), loud{d}.speak())
	var s speaker = loud{loud{d}}
	fmt.Println(s.speak())
	l := locked{named: *n, base2: base{9}}
	l.base.id, l.base2.id = 3, 4
	fmt.Printf("%v %+v\n", l, l)
	fmt.Println(n.id)
	f := n.base.describe
	n.id = 100
	fmt.Println(f(), n.base.describe())
}
