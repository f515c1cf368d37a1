package display

import "github.com/holt-dl/holt/internal/frame"

// Clear removes what the cell has shown so far; with wait, only when it shows
// something new, so that nothing flickers. It removes what was printed too: for
// a picture that changes, [LivePlot] and [ProgressBar] are the better way.
func Clear(wait bool) error { return frame.Clear(wait) }
