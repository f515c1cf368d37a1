package plot

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// ticks puts four to eight marks at multiples of 1, 2 or 5 times a power of
// ten.
func ticks(low, high float64) []plot.Tick {
	span := high - low
	if !(span > 0) || math.IsInf(span, 0) {
		return []plot.Tick{{Value: low, Label: label(low, 1)}}
	}
	step := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, f := range []float64{5, 2} {
		if span/(step*f) >= 3.5 {
			step *= f
			break
		}
	}
	var out []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
		v := i * step
		if i == 0 {
			v = 0
		}
		out = append(out, plot.Tick{Value: v, Label: label(v, step)})
	}
	return out
}

// logTicks marks the powers of ten, and 2 and 5 times them where those are
// few.
func logTicks(low, high float64) []plot.Tick {
	few := math.Log10(high/low) < 2.2
	var out []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, f := range []float64{1, 2, 5} {
			v := f * math.Pow(10, e)
			if f != 1 && !few || v < low || v > high {
				continue
			}
			out = append(out, plot.Tick{Value: v, Label: label(v, v)})
		}
	}
	return out
}

// label writes v with as many digits as the distance to the next mark needs.
func label(v, step float64) string {
	a := math.Abs(v)
	switch {
	case v == 0:
		return "0"
	case a >= 1e6 && step >= 1e4:
		return trim(strconv.FormatFloat(v/1e6, 'f', 2, 64)) + "M"
	case a >= 1e4 && step >= 1e2:
		return trim(strconv.FormatFloat(v/1e3, 'f', 1, 64)) + "k"
	case a < 1e-3 && step < 1e-3 || a >= 1e9:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	digits := 0
	if step < 1 {
		digits = int(math.Ceil(-math.Log10(step) - 1e-9))
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

func trim(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
