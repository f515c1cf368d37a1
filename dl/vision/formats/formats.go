// Package formats teaches package vision to read picture files other than
// JPEG. Importing it, for its effect, is enough:
//
//	import _ "github.com/holt-dl/holt/dl/vision/formats"
//
// Holt's notebooks have it. A Go program of your own imports it, because
// package vision itself leaves the decoders out: what a cell imports is linked
// again for every cell.
package formats

import (
	_ "image/jpeg" // the kinds that vision's own decoder leaves to it
	_ "image/png"

	_ "github.com/holt-dl/holt/internal/bmp"
	_ "github.com/holt-dl/holt/internal/gif"
	_ "github.com/holt-dl/holt/internal/pnm"
	_ "github.com/holt-dl/holt/internal/tiff"
	_ "github.com/holt-dl/holt/internal/webp"
)
