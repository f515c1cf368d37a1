package jpeg

// scan reads a SOS segment (T.81 B.2.3) and the coded data behind it, and
// returns what follows.
func (d *decoder) scan(head, rest []byte) ([]byte, error) {
	if len(head) < 1 {
		return nil, FormatError("SOS has wrong length")
	}
	n := int(head[0])
	if n < 1 || n > len(d.comps) || len(head) != 4+2*n {
		return nil, FormatError("SOS has wrong length")
	}
	tail := head[1+2*n:]
	s := band{first: int(tail[0]), last: int(tail[1]), low: uint(tail[2] & 15), refine: tail[2]>>4 != 0}
	if d.progressive {
		if s.first > s.last || s.last > 63 || s.first == 0 && s.last != 0 {
			return nil, FormatError("bad spectral selection bounds")
		}
		if s.first > 0 && n > 1 {
			return nil, FormatError("progressive AC coefficients for more than one component")
		}
		if s.low > 13 || s.refine && uint(tail[2]>>4) != s.low+1 {
			return nil, FormatError("bad successive approximation values")
		}
	} else {
		s.first, s.last = 0, 63 // libjpeg takes no notice of what the file says
	}
	var chosen [4]*component
	blocks := 0
	for i := range n {
		b := head[1+2*i:]
		c, err := d.choose(b[0], b[1], &s)
		if err != nil {
			return nil, err
		}
		for _, other := range chosen[:i] {
			if other == c {
				return nil, FormatError("repeated component selector")
			}
		}
		chosen[i] = c
		blocks += c.h * c.v
	}
	if n > 1 && blocks > 10 { // T.81 B.2.3
		return nil, FormatError("total sampling factors too large")
	}
	rest, err := d.bits.load(rest)
	if err != nil {
		return nil, err
	}
	return rest, d.units(chosen[:n], &s)
}

// choose prepares the component that a scan names.
func (d *decoder) choose(id, tables byte, s *band) (*component, error) {
	for i := range d.comps {
		c := &d.comps[i]
		if c.id != id {
			continue
		}
		dc, ac := tables>>4, tables&15
		if dc > 3 {
			return nil, FormatError("bad Td value")
		}
		if ac > 3 {
			return nil, FormatError("bad Ta value")
		}
		c.dcTab, c.acTab = &d.dc[dc], &d.ac[ac]
		if s.first == 0 && !s.refine && !c.dcTab.defined || s.last > 0 && !c.acTab.defined {
			return nil, FormatError("uninitialized Huffman table")
		}
		if !c.seen {
			c.seen = true
			c.latch(&d.quant[c.tq])
		}
		return c, nil
	}
	return nil, FormatError("unknown component selector")
}

// units reads the scan's MCUs. Of several components they hold the blocks
// that cover the same pixels; of one, a block each, and none that only fills
// up (T.81 A.2). A sequential file's blocks are whole then, and become samples
// row by row.
func (d *decoder) units(comps []*component, s *band) error {
	across, down := d.mcus()
	if len(comps) == 1 {
		across, down = ceil(comps[0].w, 8), ceil(comps[0].rows, 8)
	}
	r := &d.bits
	left, restarts := 0, 0
	for y := range down {
		for x := range across {
			if left == 0 {
				if err := r.start(restarts); err != nil {
					return err
				}
				restarts++
				if left = d.interval; left == 0 {
					left = across * down
				}
				s.zeros = 0
				for _, c := range comps {
					c.pred = 0
				}
			}
			left--
			if len(comps) == 1 {
				if err := d.unit(comps[0], x, y, s); err != nil {
					return err
				}
				continue
			}
			for _, c := range comps {
				for i := range c.h * c.v {
					if err := d.unit(c, x*c.h+i%c.h, y*c.v+i/c.h, s); err != nil {
						return err
					}
				}
			}
		}
		if d.progressive {
			continue
		}
		for _, c := range comps {
			rows := c.v
			if len(comps) == 1 {
				rows = 1
			}
			for i := range rows {
				blocks, used := c.line(rows*y + i)
				c.transform(blocks, used, rows*y+i)
			}
		}
	}
	return nil
}

// unit reads what the scan has of one block.
func (d *decoder) unit(c *component, x, y int, s *band) (err error) {
	r := &d.bits
	switch {
	case !d.progressive:
		blocks, used := c.line(y)
		if x -= c.area.Min.X; x >= 0 && x < len(blocks) {
			used[x], err = r.sequential(c, &blocks[x])
		} else {
			_, err = r.sequential(c, &d.unused)
		}
	case s.first == 0:
		err = s.dc(r, c, &c.coef[y*c.across+x])
	case s.refine:
		err = s.more(r, c.acTab, &c.coef[y*c.across+x])
	default:
		err = s.ac(r, c.acTab, &c.coef[y*c.across+x])
	}
	if r.over() { // what was read there means nothing
		return errShort
	}
	return err
}

// finish looks whether all is there, and makes samples of a progressive file.
func (d *decoder) finish() error {
	if len(d.comps) == 0 {
		return FormatError("missing SOF marker")
	}
	for i := range d.comps {
		c := &d.comps[i]
		if !c.seen {
			return FormatError("missing SOS marker")
		}
		if !d.progressive {
			continue
		}
		used := c.used[:c.area.Dx()]
		for y := c.area.Min.Y; y < c.area.Max.Y; y++ {
			blocks := c.coef[y*c.across+c.area.Min.X:][:len(used)]
			for x := range blocks {
				b := &blocks[x]
				used[x] = 0
				for _, step := range c.dequant[:64] {
					place := step & 63
					if v := b[place]; v != 0 {
						b[place] = int16(int32(v) * int32(step>>8))
						used[x] |= 1 << place
					}
				}
				used[x] &^= 1 // the first one
			}
			c.transform(blocks, used, y)
		}
	}
	return nil
}
