// a bit set on a slice, operators on named types
package main

import (
	"fmt"
	"math/bits"
)

type word uint64

type bitset struct{ words []word }

func (b *bitset) set(i int) *bitset {
	for len(b.words) <= i/64 {
		b.words = append(b.words, 0)
	}
	b.words[i/64] |= 1 << (i % 64)
	return b
}

func (b *bitset) has(i int) bool { return i/64 < len(b.words) && b.words[i/64]>>(i%64)&1 == 1 }

func (b bitset) count() (n int) {
	for _, w := range b.words {
		n += bits.OnesCount64(uint64(w))
	}
	return n
}

func (b *bitset) all(yield func(int) bool) {
	for i, w := range b.words {
		for ; w != 0; w &= w - 1 {
			if !yield(i*64 + bits.TrailingZeros64(uint64(w))) {
				return
			}
		}
	}
}

func main() {
	b := (&bitset{}).set(1).set(64).set(130)
	fmt.Println(b.has(1), b.has(2), b.has(64), b.has(1000), b.count(), len(b.words))
	for i := range b.all {
		fmt.Print(i, " ")
	}
	fmt.Println()
	b.words[0] ^= 1<<1 | 1<<5
	b.words[1] &^= 1
	fmt.Println(b.count(), b.has(5), ^word(0)>>60, -5>>1, uint8(len(b.words))-200)
}
