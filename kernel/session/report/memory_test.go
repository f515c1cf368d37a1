package report

import "testing"

func TestShortOfMemory(t *testing.T) {
	for text, want := range map[string]string{
		"build: link the host: exit status 2: fatal error: runtime: cannot allocate memory\nruntime stack:\nmain.main()": "build: link the host: exit status 2: fatal error: runtime: cannot allocate memory; there is too little memory: ",
		"build: no cache folder: mkdir /x: read-only file system\nmore":                                                  "build: no cache folder: mkdir /x: read-only file system\nmore",
	} {
		got := shortOfMemory(text)
		if len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("got  %q\nwant %q…", got, want)
		}
	}
}
