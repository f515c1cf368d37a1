package vision

import (
	"context"
	"fmt"
)

// Archive is a published .tar.gz file that holds a data set.
type Archive struct {
	URL    string
	Size   int64  // bytes of the file
	MD5    string // hexadecimal, as the publisher gives it
	Folder string // the one folder it holds, at its top
}

// Fetcher brings an archive and unpacks it, so that root/Folder is there
// afterwards, whole or not at all. progress may be nil.
type Fetcher func(ctx context.Context, a Archive, root string, progress func(done, total int64)) error

var fetcher Fetcher

// RegisterFetcher makes downloads known to the data sets. Package fetch calls
// it when it is initialised.
func RegisterFetcher(f Fetcher) { fetcher = f }

func fetch(ctx context.Context, a Archive, root string, progress func(done, total int64)) error {
	if fetcher == nil {
		return fmt.Errorf("vision: download %s: this program has no network code; import _ %q", a.URL, "github.com/holt-dl/holt/dl/vision/fetch")
	}
	return fetcher(ctx, a, root, progress)
}
