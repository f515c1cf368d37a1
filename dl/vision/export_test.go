package vision

// The steps of random transforms, for tests that choose the factor.

func Brighten(m *Image, f float64) *Image { return m.brighten(f) }
func Contrast(m *Image, f float64) *Image { return m.contrast(f) }
func Saturate(m *Image, f float64) *Image { return m.saturate(f) }
func TurnHue(m *Image, f float64) *Image  { return m.turnHue(f) }
func Rotate(m *Image, d float64) *Image   { return m.rotate(d) }

// Erase makes a part white.
func Erase(m *Image, y, x, h, w int) { m.erase(y, x, h, w, func(int) float32 { return 1 }) }

// ReadIDX is readIDX.
var ReadIDX = readIDX
