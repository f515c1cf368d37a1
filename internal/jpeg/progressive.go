package jpeg

// band is what a scan of a progressive file brings (T.81 G.1.1.1): the
// coefficients first to last in zigzag order, their bits from low up. A
// refining scan adds the one bit at low.
type band struct {
	first, last int
	low         uint
	refine      bool
	zeros       int // blocks that follow with nothing new in the band: EOBRUN
}

// dc reads the first coefficient of a block (T.81 G.1.2.1).
func (s *band) dc(r *reader, c *component, b *[64]int16) error {
	if s.refine {
		b[0] |= int16(r.take(1) << s.low)
		return nil
	}
	_, size, ok := r.code(c.dcTab)
	if !ok {
		return errCode
	}
	c.pred += extend(r.take(size), size)
	b[0] = int16(c.pred << s.low)
	return nil
}

// ac reads the band of a block for the first time (T.81 G.1.2.2).
func (s *band) ac(r *reader, t *table, b *[64]int16) error {
	if s.zeros > 0 {
		s.zeros--
		return nil
	}
	for k := s.first; k <= s.last; k++ {
		run, size, ok := r.code(t)
		if !ok {
			return errCode
		}
		if size == 0 {
			if run < 15 {
				s.zeros = 1<<run + int(r.take(run)) - 1
				return nil
			}
			k += 15
			continue
		}
		if k += run; k > s.last {
			return errMany
		}
		b[zigzag[k]] = int16(extend(r.take(size), size) << s.low)
	}
	return nil
}

// more adds a bit to the band of a block (T.81 G.1.2.3): to each coefficient
// that is not 0, and a sign and a one to those that become so. A code says how
// many that stay 0 lie before the next new one.
func (s *band) more(r *reader, t *table, b *[64]int16) error {
	one := int16(1) << s.low
	k := s.first
	for s.zeros == 0 && k <= s.last {
		run, size, ok := r.code(t)
		if !ok {
			return errCode
		}
		fresh := int16(0)
		switch {
		case size > 1:
			return FormatError("unexpected Huffman code")
		case size == 1:
			fresh = -one
			if r.take(1) == 1 {
				fresh = one
			}
		case run < 15:
			s.zeros = 1<<run + int(r.take(run))
			continue
		}
		for ; k <= s.last; k++ {
			v := &b[zigzag[k]]
			if *v != 0 {
				r.correct(v, one)
			} else if run--; run < 0 {
				*v = fresh
				k++
				break
			}
		}
		if run >= 0 && fresh != 0 {
			return errMany
		}
	}
	if s.zeros > 0 {
		s.zeros--
		for ; k <= s.last; k++ {
			if v := &b[zigzag[k]]; *v != 0 {
				r.correct(v, one)
			}
		}
	}
	return nil
}

// correct reads the next lower bit of a coefficient.
func (r *reader) correct(v *int16, one int16) {
	if r.take(1) == 0 || *v&one != 0 { // a bit that is there comes from a damaged file
		return
	}
	if *v >= 0 {
		*v += one
	} else {
		*v -= one
	}
}
