package vision

// The steps of random transforms, for tests that choose the factor.

func Brighten(m *Image, f float64) *Image { return m.brighten(f) }
func Contrast(m *Image, f float64) *Image { return m.contrast(f) }
func Saturate(m *Image, f float64) *Image { return m.saturate(f) }
func TurnHue(m *Image, f float64) *Image  { return m.turnHue(f) }
func Rotate(m *Image, d float64) *Image   { return m.rotate(d) }

// Erase makes a part white.
func Erase(m *Image, y, x, h, w int) { m.erase(y, x, h, w, func(int) float32 { return 1 }) }

// ResizedCrop cuts h×w pixels at row y and column x and scales them, in one
// view, as RandomResizedCrop does.
func ResizedCrop(m *Image, y, x, h, w, size int) (*Image, error) {
	v, _ := whole(m.size()).crop(y, x, h, w).scale("ResizedCrop", size, size)
	return v.of(m)
}

// ResizeCrop scales to toH×toW pixels and cuts h×w of them, in one view.
func ResizeCrop(m *Image, toH, toW, y, x, h, w int) (*Image, error) {
	v, _ := whole(m.size()).scale("ResizeCrop", toH, toW)
	return v.crop(y, x, h, w).of(m)
}
