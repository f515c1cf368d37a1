package jpeg

// samples returns a row of the window of one component, as many as there are
// pixels. Colour that is stored for every second pixel is interpolated as
// libjpeg's "fancy upsampling" does it, its default: of the two nearest samples
// the nearer counts three quarters. Other ratios repeat the nearest sample.
// The slice is valid until the next call for this component.
func (d *decoder) samples(i, y int) []uint8 {
	c := &d.comps[i]
	x0, n := d.window.Min.X, d.window.Dx()
	fx, fy := d.maxH/c.h, d.maxV/c.v
	near := y / fy
	if fx == 1 && fy == 1 {
		return c.samples(near)[x0-8*c.area.Min.X:][:n]
	}
	far := near + 1 // the other row that counts, on the side where the pixel lies
	if y%2 == 0 {
		far = near - 1
	}
	far = min(max(far, 0), c.rows-1)
	first := x0 / fx
	d.row[i] = grow(d.row[i], (ceil(x0+n, fx)-first)*fx)
	row := d.row[i]
	switch {
	case fx == 2 && fy == 1 && c.w > 2: // libjpeg leaves narrow ones to the last case
		d.mix(c, first, len(row)/2, near, near, 1, 0)
		spread(row, d.mixed, 2, 1, 2)
	case fx == 2 && fy == 2 && c.w > 2:
		d.mix(c, first, len(row)/2, near, far, 3, 1)
		spread(row, d.mixed, 4, 8, 7)
	case fx == 1 && fy == 2:
		d.mix(c, first, len(row), near, far, 3, 1)
		half := int32(1 + y%2)
		for x, v := range d.mixed[1 : 1+len(row)] {
			row[x] = uint8((v + half) >> 2)
		}
	default:
		line := c.samples(near)[first-8*c.area.Min.X:]
		for x := range row {
			row[x] = line[x/fx]
		}
	}
	return row[x0-first*fx:][:n]
}

// samples is a row of the component's samples, from its area's left edge on.
func (c *component) samples(y int) []uint8 {
	stride := 8 * c.area.Dx()
	return c.plane[(y-8*c.area.Min.Y)*stride:][:stride]
}

// mix puts a times the near row and b times the far row into mixed: n samples
// from first on, and one on either side. Beyond the picture the last one is
// repeated.
func (d *decoder) mix(c *component, first, n, near, far int, a, b int32) {
	d.mixed = grow(d.mixed, n+2)
	left := 8 * c.area.Min.X
	from, to := max(first-1, 0), min(first+n+1, c.w)
	p, q := c.samples(near)[from-left:to-left], c.samples(far)[from-left:to-left]
	at := d.mixed[from-(first-1):][:len(p)]
	q = q[:len(p)]
	for x, v := range p {
		at[x] = a*int32(v) + b*int32(q[x])
	}
	if first == 0 {
		d.mixed[0] = d.mixed[1]
	}
	for x := to - (first - 1); x < len(d.mixed); x++ {
		d.mixed[x] = d.mixed[x-1]
	}
}

// spread makes two samples of each, three quarters its own and one of its
// neighbour's. The halves that round differ, so that errors do not add up.
func spread(row []uint8, mixed []int32, shift uint, left, right int32) {
	last, own := mixed[0], mixed[1]
	for x, next := range mixed[2:] {
		pair := row[2*x:][:2:2]
		pair[0], pair[1] = uint8((3*own+last+left)>>(shift&7)), uint8((3*own+next+right)>>(shift&7))
		last, own = own, next
	}
}
