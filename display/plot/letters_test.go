package plot_test

import (
	"testing"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/internal/golden"
)

// scripts are names of classes as the world writes them. The last ones have
// letters that no font of ours has, and characters that are not to be seen.
var scripts = []string{
	"水獺", "カワウソ", "수달", "выдра", "ενυδρίδα", "לוטרה", "قضاعة", "Loutre cafe\u0301", "นาก",
	"🦦", "🇩🇪 👍🏽", "ऊद", "a\u202eb\u200d\u0007c",
}

// TestScripts draws names in all scripts, upright and turned, plain and bold.
func TestScripts(t *testing.T) {
	n := len(scripts)
	labels := make([]int, n)
	counts := tensor{shape: []int{n, n}, values: make([]float32, n*n)}
	for i := range labels {
		labels[i] = i
		counts.values[i*n+i] = 1
	}
	golden.CheckPNG(t, "scripts", pngOf(t, display.Confusion{Labels: labels, Predicted: counts, Classes: scripts, Title: "海獭 and 수달 🦦"}), rounding)
}
